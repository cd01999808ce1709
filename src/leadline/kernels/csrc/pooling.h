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

/* One vector per sequence; zeros for one without steps. */
static void pool_states(Work *w) {
    const Network *n = w->network;
    const long wide = width_of(n);
    memset(w->pooled, 0, (size_t)(w->batch * wide) * sizeof(float));
    for (long j = 0; j < w->batch; j++) {
        const float *states = top(w);
        float *to = w->pooled + j * wide;
        const long length = w->lengths[j];
        for (long i = 0; i < wide && length; i++) {
            const long last = i < n->hidden ? length - 1 : 0;
            long best = 0;
            if (n->pooling == LEADLINE_LAST) to[i] = states[(last * w->batch + j) * wide + i];
            for (long t = 0; n->pooling == LEADLINE_MEAN && t < length; t++)
                to[i] += states[(t * w->batch + j) * wide + i] / (float)length;
            if (n->pooling != LEADLINE_MAX) continue;
            for (long t = 1; t < length; t++)
                if (states[(t * w->batch + j) * wide + i] > states[(best * w->batch + j) * wide + i]) best = t;
            to[i] = states[(best * w->batch + j) * wide + i];
            w->highest[j * wide + i] = best;
        }
    }
}

static void pool_states_gradient(Work *w) {
    const Network *n = w->network;
    const long wide = width_of(n);
    for (long j = 0; j < w->batch; j++)
        for (long i = 0; i < wide && w->lengths[j]; i++) {
            const float d = w->d_pooled[j * wide + i];
            const long last = i < n->hidden ? w->lengths[j] - 1 : 0;
            const long at = n->pooling == LEADLINE_MAX ? w->highest[j * wide + i] : last;
            if (n->pooling != LEADLINE_MEAN) w->d_joined[(at * w->batch + j) * wide + i] = d;
            for (long t = 0; n->pooling == LEADLINE_MEAN && t < w->lengths[j]; t++)
                w->d_joined[(t * w->batch + j) * wide + i] = d / (float)w->lengths[j];
        }
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
            if (t >= 0)
                memcpy(to, step_of(w, top(w), t, j, wide), (size_t)wide * sizeof(float));
            else
                memset(to, 0, (size_t)wide * sizeof(float));
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

static void pool_bag(Work *w) {
    const long wide = step_width(w->network);
    memset(w->pooled, 0, (size_t)(w->batch * 2 * wide) * sizeof(float));
    for (long j = 0; j < w->batch; j++) {
        const long length = w->lengths[j];
        float *mean = w->pooled + j * 2 * wide, *most = mean + wide;
        int64_t *highest = w->highest + j * 2 * wide;
        for (long t = 0; t < length; t++) {
            const float *from = step_of(w, top(w), t, j, wide);
            for (long i = 0; i < wide; i++) {
                const int first = t == 0 || from[i] > most[i];
                mean[i] += from[i];
                most[i] = first ? from[i] : most[i];
                highest[i] = first ? t : highest[i];
            }
        }
        for (long i = 0; i < wide && length; i++) mean[i] /= (float)length;
    }
}

static void pool_bag_gradient(Work *w) {
    const long wide = step_width(w->network);
    for (long j = 0; j < w->batch; j++) {
        const float *mean = w->d_pooled + j * 2 * wide, *most = mean + wide;
        const int64_t *highest = w->highest + j * 2 * wide;
        for (long t = 0; t < w->lengths[j]; t++) {
            float *to = step_of(w, w->d_joined, t, j, wide);
            for (long i = 0; i < wide; i++) to[i] = mean[i] / (float)w->lengths[j] + (highest[i] == t ? most[i] : 0.0f);
        }
    }
}

static void pool(Work *w) {
    switch (w->network->pooling) {
    case LEADLINE_ENDS: pool_ends(w); break;
    case LEADLINE_BAG: pool_bag(w); break;
    default: pool_states(w);
    }
}

static void pool_gradient(Work *w) {
    memset(w->d_joined, 0, (size_t)(w->seq * w->batch * step_width(w->network)) * sizeof(float));
    switch (w->network->pooling) {
    case LEADLINE_ENDS: pool_ends_gradient(w); break;
    case LEADLINE_BAG: pool_bag_gradient(w); break;
    default: pool_states_gradient(w);
    }
}

#endif
