/* From steps to what the readout reads: one vector per sequence; and the way back. */
#ifndef LEADLINE_POOLING_H
#define LEADLINE_POOLING_H

#include "convolution.h"

/* What each step holds in the end. */
INLINE float *top(const Work *w) {
    const Network *n = w->network;
    return n->layers ? w->layers[n->layers - 1].joined
                     : n->convolutions ? w->convolutions[n->convolutions - 1].out : w->window;
}

/* The state of a sequence's last step, and of its first where a unit reads backward. */
INLINE long last_step(const Work *w, long i, long j) { return i < w->network->hidden ? w->lengths[j] - 1 : 0; }

static void pool_last(Work *w) {
    const long wide = step_width(w->network);
    for (long j = 0; j < w->batch; j++)
        for (long i = 0; i < wide && w->lengths[j]; i++)
            w->pooled[j * wide + i] = step_of(w, top(w), last_step(w, i, j), j, wide)[i];
}

static void pool_last_gradient(Work *w) {
    const long wide = step_width(w->network);
    for (long j = 0; j < w->batch; j++)
        for (long i = 0; i < wide && w->lengths[j]; i++)
            step_of(w, w->d_joined, last_step(w, i, j), j, wide)[i] += w->d_pooled[j * wide + i];
}

/* The mean over the steps; what belongs to a sequence lies `stride` numbers from the next one's, here and below. */
static void pool_mean(Work *w, float *to, long stride) {
    const long wide = step_width(w->network);
    for (long j = 0; j < w->batch; j++, to += stride)
        for (long t = 0; t < w->lengths[j]; t++) {
            const float *restrict from = step_of(w, top(w), t, j, wide);
            for (long i = 0; i < wide; i++) to[i] += from[i] / (float)w->lengths[j];
        }
}

static void pool_mean_gradient(Work *w, const float *from, long stride) {
    const long wide = step_width(w->network);
    for (long j = 0; j < w->batch; j++, from += stride)
        for (long t = 0; t < w->lengths[j]; t++) {
            float *restrict to = step_of(w, w->d_joined, t, j, wide);
            for (long i = 0; i < wide; i++) to[i] += from[i] / (float)w->lengths[j];
        }
}

static void pool_max(Work *w, float *to, long stride) {
    const long wide = step_width(w->network);
    int64_t *highest = w->highest;
    for (long j = 0; j < w->batch; j++, to += stride, highest += wide)
        for (long t = 0; t < w->lengths[j]; t++) {
            const float *restrict from = step_of(w, top(w), t, j, wide);
            for (long i = 0; i < wide; i++) {
                const int higher = t == 0 || from[i] > to[i];
                to[i] = higher ? from[i] : to[i];
                highest[i] = higher ? t : highest[i];
            }
        }
}

static void pool_max_gradient(Work *w, const float *from, long stride) {
    const long wide = step_width(w->network);
    const int64_t *highest = w->highest;
    for (long j = 0; j < w->batch; j++, from += stride, highest += wide)
        for (long i = 0; i < wide && w->lengths[j]; i++) step_of(w, w->d_joined, highest[i], j, wide)[i] += from[i];
}

/* The e-th of the steps at both ends of a sequence; negative where there is none. */
INLINE long end_of(const Network *n, long e, long length) {
    const long t = e < n->ends ? e : length - 2 * n->ends + e;
    return t < length ? t : -1;
}

static void pool_ends(Work *w) {
    const Network *n = w->network;
    const long wide = step_width(n);
    float *to = w->pooled;
    for (long j = 0; j < w->batch; j++)
        for (long e = 0; e < 2 * n->ends; e++, to += wide) {
            const long t = end_of(n, e, w->lengths[j]);
            if (t >= 0) memcpy(to, step_of(w, top(w), t, j, wide), (size_t)wide * sizeof(float));
        }
}

static void pool_ends_gradient(Work *w) {
    const Network *n = w->network;
    const long wide = step_width(n);
    const float *from = w->d_pooled;
    for (long j = 0; j < w->batch; j++)
        for (long e = 0; e < 2 * n->ends; e++, from += wide) {
            const long t = end_of(n, e, w->lengths[j]);
            float *to = step_of(w, w->d_joined, t < 0 ? 0 : t, j, wide);
            for (long i = 0; t >= 0 && i < wide; i++) to[i] += from[i];
        }
}

/* One vector per sequence; zeros for one without steps. */
static void pool(Work *w) {
    const long wide = step_width(w->network), whole = width_of(w->network);
    memset(w->pooled, 0, (size_t)(w->batch * whole) * sizeof(float));
    switch (w->network->pooling) {
    case LEADLINE_LAST: pool_last(w); break;
    case LEADLINE_MEAN: pool_mean(w, w->pooled, whole); break;
    case LEADLINE_MAX: pool_max(w, w->pooled, whole); break;
    case LEADLINE_ENDS: pool_ends(w); break;
    case LEADLINE_BAG: pool_mean(w, w->pooled, whole), pool_max(w, w->pooled + wide, whole); break;
    }
}

static void pool_gradient(Work *w) {
    const long wide = step_width(w->network), whole = width_of(w->network);
    memset(w->d_joined, 0, (size_t)(w->seq * w->batch * wide) * sizeof(float));
    switch (w->network->pooling) {
    case LEADLINE_LAST: pool_last_gradient(w); break;
    case LEADLINE_MEAN: pool_mean_gradient(w, w->d_pooled, whole); break;
    case LEADLINE_MAX: pool_max_gradient(w, w->d_pooled, whole); break;
    case LEADLINE_ENDS: pool_ends_gradient(w); break;
    case LEADLINE_BAG: pool_mean_gradient(w, w->d_pooled, whole), pool_max_gradient(w, w->d_pooled + wide, whole);
    }
}

#endif
