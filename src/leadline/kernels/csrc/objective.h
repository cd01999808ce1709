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

INLINE float highest(const float *row, long classes) {
    V top = vset(BEYOND);
    float lane[VL], best = -INFINITY;
    for (long b = 0; b < vectors(classes); b++) top = vmax(top, vload(row + b * VL));
    vstore(lane, top);
    for (int i = 0; i < VL; i++) best = lane[i] > best || lane[i] != lane[i] ? lane[i] : best;
    return best;
}

/* log sum exp of a row; the row becomes exp(row - top). */
INLINE float log_sum(float *row, long classes, float *total) {
    const float top = highest(row, classes);
    V sum = vset(0.0f);
    float lane[VL];
    *total = 0.0f;
    for (long b = 0; b < vectors(classes); b++) {
        V e = vexp(vload(row + b * VL) - vset(top));
        vstore(row + b * VL, e);
        sum = sum + e;
    }
    vstore(lane, sum);
    for (int i = 0; i < VL; i++) *total += lane[i];
    return top + logf(*total);
}

/* Summed cross-entropy of `count` rows; the gradient of its mean goes into tiles. */
static double cross_entropy(float *logits, const int64_t *targets, long count, long classes, float *tiles) {
    const long stride = tile_stride(count);
    double sum = 0.0;
    for (long i = 0; i < count; i++) {
        float *row = logits + i * padded(classes), total;
        const float own = row[targets[i]], all = log_sum(row, classes, &total);
        const V scale = vset(1.0f / (total * (float)count));
        sum += (double)(all - own);
        for (long b = 0; b < vectors(classes); b++) vstore(tiles + (b * stride + i) * VL, vload(row + b * VL) * scale);
        tiles[(targets[i] / VL * stride + i) * VL + targets[i] % VL] -= 1.0f / (float)count;
    }
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
    float total;
    if (kind == SCORE_ERROR) return -fabs((double)row[0] - (double)value);
    if (kind == SCORE_LIKELIHOOD) {
        const float own = row[label];
        return (double)own - (double)log_sum(row, outputs, &total);
    }
    long best = 0;
    for (long i = 1; i < outputs; i++)
        if (row[i] > row[best]) best = i;
    return best == label ? 100.0 : 0.0;
}

#endif
