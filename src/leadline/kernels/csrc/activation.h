/* tanh and the logistic function for one vector, absolute error below 1e-7.
 *
 * 2^f - 1 = f q(f) on |f| <= 1/2, with q of degree 5 fitted for least relative error (1.1e-8); then
 *     tanh |x| = e / (e + 2)        with e = exp(2 |x|) - 1 = 2^n f q(f) + (2^n - 1), which keeps small x exact,
 *              = 1 - 2 / (e + 2)    from |x| = 0.55 on, which is right to the last bit where 1 - tanh^2 is small,
 *     sigmoid(x) = 1 / (1 + exp(-x)).
 * Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits. NaN comes through both; infinity
 * gives the limits.
 */
#ifndef LEADLINE_ACTIVATION_H
#define LEADLINE_ACTIVATION_H

#include "simd.h"

#define LOG2_E 1.4426950408889634f
#define ROUNDER 12582912.0f

INLINE V pow2_minus_1(V f) {
    V q = vset(1.54035125e-4f);
    q = vfma(q, f, vset(1.33907355e-3f));
    q = vfma(q, f, vset(9.61823749e-3f));
    q = vfma(q, f, vset(5.55035743e-2f));
    q = vfma(q, f, vset(2.40226498e-1f));
    q = vfma(q, f, vset(6.93147188e-1f));
    return q * f;
}

INLINE V vtanh(V x) {
    V sign = vsign(x), one = vset(1.0f);
    V y = vmin(vset(30.0f), vxor(x, sign) * vset(2.0f * LOG2_E));
    V magic = y + vset(ROUNDER);
    V whole = vpow2(magic);
    V e = vfma(whole, pow2_minus_1(y - (magic - vset(ROUNDER))), whole - one);
    V r = vreciprocal(e + vset(2.0f));
    return vxor(vabove(y, vset(1.6f), vfma(vset(-2.0f), r, one), e * r), sign);
}

INLINE V vsigmoid(V x) {
    V y = vmin(vset(127.0f), vmax(vset(-126.0f), x * vset(-LOG2_E)));
    V magic = y + vset(ROUNDER);
    V whole = vpow2(magic);
    V e = vfma(whole, pow2_minus_1(y - (magic - vset(ROUNDER))), whole);
    return vreciprocal(vset(1.0f) + e);
}

#endif
