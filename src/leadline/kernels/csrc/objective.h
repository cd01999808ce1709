/* What is minimised and what is scored, row by row; the definitions are those of leadline/training/objective.py.
 *
 * Logits come in rows padded to whole vectors; the lanes beyond the last class hold -1e30 and weigh nothing.
 */
#ifndef LEADLINE_OBJECTIVE_H
#define LEADLINE_OBJECTIVE_H

#include <math.h>

#include "activation.h"
#include "dense.h"

#define BEYOND -1e30f
#define BEND 0.1f

/* exp(x) for x <= 0. */
INLINE V vexp(V x) {
    V y = vmax(vset(-126.0f), x * vset(LOG2_E));
    V magic = y + vset(ROUNDER);
    V whole = vpow2(magic);
    return vfma(whole, pow2_minus_1(y - (magic - vset(ROUNDER))), whole);
}

/* The sum of exp(row - top), which the row becomes; `top` is its largest number. NaN makes the sum NaN. */
INLINE float exponentials(float *row, long classes, float *top) {
    V most = vset(BEYOND), sum = vset(0.0f);
    for (long b = 0; b < vectors(classes); b++) most = vmax(most, vload(row + b * VL));
    *top = vlargest(most);
    for (long b = 0; b < vectors(classes); b++) {
        V e = vexp(vload(row + b * VL) - vset(*top));
        vstore(row + b * VL, e);
        sum = sum + e;
    }
    return vsum(sum);
}

/* Summed cross-entropy of `count` rows; the gradient of its mean goes into tiles. Logarithms are taken in the end:
 * a call between the rows would have them wait for each other. */
static double cross_entropy(float *logits, const int64_t *targets, long count, long classes, float *tiles) {
    const long stride = tile_stride(count), wide = padded(classes);
    double sum = 0.0;
    for (long i = 0; i < count; i++) {
        float *row = logits + i * wide, top;
        const float own = row[targets[i]], total = exponentials(row, classes, &top);
        const V scale = vset(1.0f / (total * (float)count));
        for (long b = 0; b < vectors(classes); b++) vstore(tiles + (b * stride + i) * VL, vload(row + b * VL) * scale);
        tiles[(targets[i] / VL * stride + i) * VL + targets[i] % VL] -= 1.0f / (float)count;
        row[0] = total;
        row[1] = top;
        row[2] = own;
    }
    for (const float *row = logits; row < logits + count * wide; row += wide)
        sum += (double)(row[1] + logf(row[0]) - row[2]);
    return sum;
}

/* Summed smooth L1 of `count` rows of one number; the gradient of its mean goes into tiles. */
static double smooth_l1(const float *outputs, const float *targets, long count, float *tiles) {
    double sum = 0.0;
    for (long i = 0; i < count; i++) {
        const float error = outputs[i * VL] - targets[i], size = fabsf(error);
        const float slope = size < BEND ? error / BEND : error > 0 ? 1.0f : error < 0 ? -1.0f : error;
        sum += size < BEND ? 0.5 * error * error / BEND : size - 0.5 * BEND;
        vstore(tiles + i * VL, vset(0.0f));
        tiles[i * VL] = slope / (float)count;
    }
    return sum;
}

enum score_kind { SCORE_ACCURACY = 0, SCORE_LIKELIHOOD = 1, SCORE_ERROR = 2 };

/* The score of one row: per cent right, log-likelihood, or minus the absolute error. */
static double score_of(float *row, int64_t kind, int64_t label, float value, long outputs) {
    float top;
    if (kind == SCORE_ERROR) return -fabs((double)row[0] - (double)value);
    if (kind == SCORE_LIKELIHOOD) {
        const float own = row[label], total = exponentials(row, outputs, &top);
        return (double)own - (double)(top + logf(total));
    }
    long best = 0;
    for (long i = 1; i < outputs; i++)
        if (row[i] > row[best]) best = i;
    return best == label ? 100.0 : 0.0;
}

#endif
