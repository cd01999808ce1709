/* What upper layers see of a recurrent layer: both directions side by side, what it read added, normalised, dropped. */
#ifndef LEADLINE_FINISH_H
#define LEADLINE_FINISH_H

#include "work.h"

#define NORM_EPSILON 1e-5f

INLINE const float *below(const Work *w, long l) { return l ? w->layers[l - 1].joined : w->window; }
INLINE int is_residual(const Network *n, long l) { return n->residual && inputs_of(n, l) == step_width(n); }

/* Normalises `count` numbers; returns one over their standard deviation. */
static float normalise(float *restrict values, long count) {
    float sum = 0.0f, squares = 0.0f;
    for (long i = 0; i < count; i++) sum += values[i];
    const float mean = sum / (float)count;
    for (long i = 0; i < count; i++) squares += (values[i] - mean) * (values[i] - mean);
    const float spread = 1.0f / sqrtf(squares / (float)count + NORM_EPSILON);
    for (long i = 0; i < count; i++) values[i] = (values[i] - mean) * spread;
    return spread;
}

static void finish_step(Work *w, long l, long t, long j) {
    const Network *n = w->network;
    const Layer *layer = &w->layers[l];
    const long wide = step_width(n);
    float *restrict to = step_of(w, layer->joined, t, j, wide);
    for (long d = 0; d < n->directions; d++)
        memcpy(to + d * n->hidden, step_of(w, layer->halves[d], t, j, n->hidden), (size_t)n->hidden * sizeof(float));
    if (is_residual(n, l)) {
        const float *restrict from = below(w, l) + (t * w->batch + j) * wide;
        for (long i = 0; i < wide; i++) to[i] += from[i];
    }
    if (!n->layer_norm) return;
    const float *restrict scale = w->weights + norm_at(n, l), *restrict shift = scale + wide;
    float *restrict normal = step_of(w, layer->normal, t, j, wide);
    layer->spread[t * w->batch + j] = normalise(to, wide);
    memcpy(normal, to, (size_t)wide * sizeof(float));
    for (long i = 0; i < wide; i++) to[i] = normal[i] * scale[i] + shift[i];
}

static void finish(Work *w, long l) {
    const Network *n = w->network;
    const Layer *layer = &w->layers[l];
    const long wide = step_width(n);
    const uint64_t key = stream_key(n->seed, w->update, 1 + (uint64_t)l);
    if (is_bare(w)) return;
    for (long j = 0; j < w->batch; j++)
        for (long t = 0; t < w->lengths[j]; t++) {
            float *to = step_of(w, layer->joined, t, j, wide), *mask = step_of(w, layer->mask, t, j, wide);
            finish_step(w, l, t, j);
            if (!dropping(w)) continue;
            draw_mask(mask, wide, (float)n->dropout, key, (uint64_t)((t * w->batch + j) * wide));
            for (long i = 0; i < wide; i++) to[i] *= mask[i];
        }
}

/* With y = n * scale + shift and n = (x - mean) / sigma over N numbers:
 *     dx = (g - mean(g) - n mean(g n)) / sigma, g = dy * scale. */
static void norm_gradient(Work *w, long l, long cell, float *restrict d) {
    const Network *n = w->network;
    const long wide = step_width(n);
    const float *restrict scale = w->weights + norm_at(n, l), *restrict normal = w->layers[l].normal + cell * wide;
    float *restrict d_scale = n->gradient + norm_at(n, l), *restrict d_shift = d_scale + wide;
    float mean = 0.0f, along = 0.0f;
    for (long i = 0; i < wide; i++) {
        d_scale[i] += d[i] * normal[i];
        d_shift[i] += d[i];
        d[i] *= scale[i];
        mean += d[i] / (float)wide;
        along += d[i] * normal[i] / (float)wide;
    }
    for (long i = 0; i < wide; i++) d[i] = (d[i] - mean - normal[i] * along) * w->layers[l].spread[cell];
}

/* The way back through `finish`, in d_joined: the gradient of both directions' outputs, and of what was added. */
static void finish_gradient(Work *w, long l) {
    const Network *n = w->network;
    const long wide = step_width(n);
    if (is_bare(w)) return;
    if (n->layer_norm) memset(n->gradient + norm_at(n, l), 0, (size_t)(2 * wide) * sizeof(float));
    for (long j = 0; j < w->batch; j++)
        for (long t = 0; t < w->lengths[j]; t++) {
            float *restrict d = step_of(w, w->d_joined, t, j, wide);
            const float *restrict mask = step_of(w, w->layers[l].mask, t, j, wide);
            for (long i = 0; dropping(w) && i < wide; i++) d[i] *= mask[i];
            if (n->layer_norm) norm_gradient(w, l, t * w->batch + j, d);
        }
}

/* Both directions' gradients of what they read, added up for the layer below, and d_joined where that was added. */
static void add_up(Work *w, long l, long count) {
    float *restrict to = w->d_inputs[0];
    const float *restrict joined = w->d_joined, *restrict backward = w->d_inputs[1];
    for (long i = 0; is_residual(w->network, l) && i < count; i++) to[i] += joined[i];
    for (long i = 0; w->network->directions == 2 && i < count; i++) to[i] += backward[i];
    pass_down(w);
}

#endif
