/* AdamW (Loshchilov & Hutter 2019) on a gradient clipped by its norm, and the moving average of the weights. */
#ifndef LEADLINE_OPTIMISER_H
#define LEADLINE_OPTIMISER_H

#include <math.h>

#include "simd.h"

#define BETA_1 0.9
#define BETA_2 0.999
#define EPSILON 1e-8f

static double norm_of(const float *values, long count) {
    double sum = 0.0;
    for (long first = 0; first < count; first += 4096) {
        const long last = first + 4096 < count ? first + 4096 : count;
        V part[4] = {vset(0.0f), vset(0.0f), vset(0.0f), vset(0.0f)};
        float lane[VL];
        long i = first;
        for (; i + 4 * VL <= last; i += 4 * VL)
            for (int k = 0; k < 4; k++) {
                V x = vload(values + i + k * VL);
                part[k] = vfma(x, x, part[k]);
            }
        vstore(lane, (part[0] + part[1]) + (part[2] + part[3]));
        for (int k = 0; k < VL; k++) sum += lane[k];
        for (; i < last; i++) sum += (double)values[i] * values[i];
    }
    return sqrt(sum);
}

typedef struct {
    float learning_rate, weight_decay, clip, averaging;
} Recipe;

static void optimise(float *restrict weights, const float *restrict gradient, float *restrict first,
                     float *restrict second, float *restrict average, long count, const Recipe *recipe, int64_t update) {
    const double norm = norm_of(gradient, count), limit = recipe->clip / (norm + 1e-6);
    const float scale = limit < 1.0 ? (float)limit : 1.0f;
    const float shrink = (float)(1.0 - (double)recipe->learning_rate * recipe->weight_decay);
    const float step = (float)(recipe->learning_rate / (1.0 - pow(BETA_1, (double)update)));
    const float root = (float)(1.0 / sqrt(1.0 - pow(BETA_2, (double)update)));
    const double ramp = (double)update / (double)(update + 10);
    const float follow = (float)(1.0 - (ramp < recipe->averaging ? ramp : recipe->averaging));
    const float b1 = (float)(1.0 - BETA_1), b2 = (float)(1.0 - BETA_2);
    for (long i = 0; i < count; i++) {
        const float g = gradient[i] * scale;
        first[i] += b1 * (g - first[i]);
        second[i] += b2 * (g * g - second[i]);
        const float weight = weights[i] * shrink - step * first[i] / (sqrtf(second[i]) * root + EPSILON);
        weights[i] = weight;
        average[i] += follow * (weight - average[i]);
    }
}

#endif
