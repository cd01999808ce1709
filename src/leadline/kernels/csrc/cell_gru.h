/* r, z = sigmoid; n = tanh(i_n + r (h_n)); h' = (1 - z) n + z h (Cho et al. 2014, reset after the product).
 *
 * i_n = W_in x + b_in and h_n = W_hn h + b_hn are summed apart. Kept: r, z, n, h_n. Gradients lie as n_i, r, z, n_h,
 * so that the input's side is the first three and the hidden side the last three.
 */
#define CELL(name) gru_##name
#define GATES 3
#define DIRECT 1
#define APART 1
#define UNITS 1
#define SAVED 4
#define GRADS 4
#define MEMORY 0
#define HIDDEN_SET 1
#define ROWS (REGISTERS == 32 ? 8 : 4)

static const int CELL(input_order)[GATES] = {2, 0, 1};
static const int CELL(hidden_order)[GATES] = {0, 1, 2};

INLINE V CELL(forward_unit)(const V *gates, V apart, V before, V *memory, V *keep) {
    (void)memory;
    V r = vsigmoid(gates[0]), z = vsigmoid(gates[1]);
    V n = vtanh(vfma(r, gates[2], apart));
    keep[0] = r, keep[1] = z, keep[2] = n, keep[3] = gates[2];
    return vfma(z, before - n, n);
}

INLINE V CELL(backward_unit)(V d_h, V after, V before, V *d_memory, const V *kept, V *grads) {
    (void)after, (void)d_memory;
    V one = vset(1.0f), r = kept[0], z = kept[1], n = kept[2], h_n = kept[3];
    V d_n = d_h * (one - z) * (one - n * n);
    grads[0] = d_n;
    grads[1] = d_n * h_n * r * (one - r);
    grads[2] = d_h * (before - n) * z * (one - z);
    grads[3] = d_n * r;
    return d_h * z;
}

#include "recurrence.h"
