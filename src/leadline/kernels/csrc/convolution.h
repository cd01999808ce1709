/* Causal convolutions, each as a dense layer over rows that are put together first: a step and two before it. */
#ifndef LEADLINE_CONVOLUTION_H
#define LEADLINE_CONVOLUTION_H

#include "bend.h"

/* How many steps back a tap of a convolution reads. */
INLINE long reach(long convolution, long tap) { return (TAPS - 1 - tap) << convolution; }
INLINE int is_added(const Network *n, long l) { return seen_by(n, l) == TAPS * n->channels; }
INLINE const float *read_by(const Work *w, long l) { return l ? w->convolutions[l - 1].out : w->window; }

static void number_cells(Work *w) {
    long i = 0;
    for (long t = 0; t < w->seq; t++)
        for (long j = 0; j < w->batch; j++)
            if (t < w->lengths[j]) w->cells[i++] = t * w->batch + j;
}

/* The steps that each valid step reads, side by side; zeros before the first. */
static void put_together(Work *w, long l) {
    Convolution *c = &w->convolutions[l];
    const long seen = seen_by(w->network, l), wide = seen / TAPS;
    for (long i = 0; i < w->valid; i++) {
        float *to = c->seen + i * seen;
        c->rows[i] = to;
        for (long tap = 0; tap < TAPS; tap++, to += wide) {
            const long from = w->cells[i] - reach(l, tap) * w->batch;
            if (from >= 0)
                memcpy(to, read_by(w, l) + from * wide, (size_t)wide * sizeof(float));
            else
                memset(to, 0, (size_t)wide * sizeof(float));
        }
    }
}

static void convolve(Work *w, long l) {
    const Network *n = w->network;
    Convolution *c = &w->convolutions[l];
    const long wide = n->channels;
    if (l == 0) number_cells(w);
    put_together(w, l);
    dense_forward(&c->dense, c->rows, w->valid, c->after);
    bend(w, c->after, w->valid, wide, 1 + (uint64_t)l);
    for (long i = 0; i < w->valid; i++) {
        const float *restrict after = c->after + i * padded(wide);
        const float *restrict before = read_by(w, l) + (is_added(n, l) ? w->cells[i] * wide : 0);
        float *restrict to = c->out + w->cells[i] * wide;
        for (long k = 0; k < wide; k++) to[k] = is_added(n, l) ? before[k] + after[k] : after[k];
    }
}

/* The gradient of what each step gave goes to the steps that it was put together from, and to the step itself where
 * it was added. */
static void take_apart(Work *w, long l) {
    const Network *n = w->network;
    const long seen = seen_by(n, l), wide = seen / TAPS;
    const size_t bytes = (size_t)(w->seq * w->batch * wide) * sizeof(float);
    float *to = w->d_inputs[0];
    if (is_added(n, l))
        memcpy(to, w->d_joined, bytes);
    else
        memset(to, 0, bytes);
    for (long i = 0; i < w->valid; i++)
        for (long tap = 0; tap < TAPS; tap++) {
            const long at = w->cells[i] - reach(l, tap) * w->batch;
            const float *restrict from = w->d_seen + i * seen + tap * wide;
            for (long k = 0; at >= 0 && k < wide; k++) to[at * wide + k] += from[k];
        }
    pass_down(w);
}

/* From the gradient of a convolution's results to that of its weights and of what it read, both in d_joined. */
static void convolution_gradient(Work *w, long l) {
    const Network *n = w->network;
    Convolution *c = &w->convolutions[l];
    const long at = convolution_at(n, l), seen = seen_by(n, l);
    for (long i = 0; i < w->valid; i++) {
        w->d_after[i] = w->d_joined + w->cells[i] * n->channels;
        w->d_seen_rows[i] = w->d_seen + i * seen;
    }
    bend_gradient(w, w->d_after, c->after, w->valid, n->channels);
    dense_backward(&c->dense, w->weights + at, w->tiles, c->rows, w->valid, n->gradient + at,
                   n->gradient + at + n->channels * seen, w->d_seen_rows);
    take_apart(w, l);
}

#endif
