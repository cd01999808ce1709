/* The sequences of a batch as what the lowest layer reads: embedding and window; and the way back. */
#ifndef LEADLINE_BATCH_H
#define LEADLINE_BATCH_H

#include "work.h"

/* to += scale * the mean of a name's n-gram vectors; or, turned round, the n-grams' gradient from the mean's. */
static void add_grams(const Network *n, long column, int64_t name, const float *table, float *to) {
    const int64_t *buckets = n->grams[column] + name * n->grams_per_name;
    long count = 0;
    for (long g = 0; g < n->grams_per_name; g++) count += buckets[g] != 0;
    for (long g = 0; g < n->grams_per_name; g++)
        if (buckets[g])
            for (long i = 0; i < n->widths[column]; i++)
                to[i] += table[buckets[g] * n->widths[column] + i] / (float)count;
}
static void spread_grams(const Network *n, long column, int64_t name, float *table, const float *from) {
    const int64_t *buckets = n->grams[column] + name * n->grams_per_name;
    long count = 0;
    for (long g = 0; g < n->grams_per_name; g++) count += buckets[g] != 0;
    for (long g = 0; g < n->grams_per_name; g++)
        if (buckets[g])
            for (long i = 0; i < n->widths[column]; i++)
                table[buckets[g] * n->widths[column] + i] += from[i] / (float)count;
}

/* One step's features: numbers as they are, names by their vectors; in training a name is sometimes not heard. */
static void embed_step(Work *w, long t, long j, uint64_t key) {
    const Network *n = w->network;
    const long row = n->offsets[w->sequences[j]] + t;
    float *to = step_of(w, w->features, t, j, features_of(n));
    memcpy(to, n->values + row * n->numeric, (size_t)n->numeric * sizeof(float));
    to += n->numeric;
    for (long c = 0; c < n->columns; to += n->widths[c++]) {
        const uint64_t draw = (uint64_t)((t * w->batch + j) * n->columns + c);
        const int deaf = w->training && w->update && uniform(key, draw) < (float)n->forget;
        const int64_t code = deaf ? 0 : n->codes[row * n->columns + c];
        w->heard[(t * w->batch + j) * n->columns + c] = code;
        memcpy(to, w->weights + table_at(n, c) + code * n->widths[c], (size_t)n->widths[c] * sizeof(float));
        if (n->grams[c])
            add_grams(n, c, n->rows_of_grams[row * n->columns + c], w->weights + grams_at(n, c), to);
    }
}

static void embed_gradient(Work *w, const float *d_features) {
    const Network *n = w->network;
    memset(n->gradient, 0, (size_t)layer_at(n, 0, 0) * sizeof(float));
    for (long j = 0; j < w->batch; j++)
        for (long t = 0; t < w->lengths[j]; t++) {
            const float *from = d_features + (t * w->batch + j) * features_of(n) + n->numeric;
            const long row = n->offsets[w->sequences[j]] + t;
            for (long c = 0; c < n->columns; from += n->widths[c++]) {
                const int64_t code = w->heard[(t * w->batch + j) * n->columns + c];
                float *to = n->gradient + table_at(n, c) + code * n->widths[c];
                for (long i = 0; i < n->widths[c]; i++) to[i] += from[i];
                if (n->grams[c])
                    spread_grams(n, c, n->rows_of_grams[row * n->columns + c], n->gradient + grams_at(n, c), from);
            }
        }
}

/* Each step beside the `past` steps before it and the `look_ahead` after it, zeros beyond the ends; and the way back. */
static void open_window(Work *w) {
    const Network *n = w->network;
    const long wide = features_of(n);
    for (long j = 0; j < w->batch; j++)
        for (long t = 0; t < w->lengths[j]; t++)
            for (long k = -n->past; k <= n->look_ahead; k++) {
                float *to = step_of(w, w->window, t, j, window_of(n)) + (n->past + k) * wide;
                if (t + k >= 0 && t + k < w->lengths[j])
                    memcpy(to, step_of(w, w->features, t + k, j, wide), (size_t)wide * sizeof(float));
                else
                    memset(to, 0, (size_t)wide * sizeof(float));
            }
}
static void close_window(Work *w, const float *d_window, float *d_features) {
    const Network *n = w->network;
    const long wide = features_of(n);
    memset(d_features, 0, (size_t)(w->seq * w->batch * wide) * sizeof(float));
    for (long j = 0; j < w->batch; j++)
        for (long t = 0; t < w->lengths[j]; t++)
            for (long k = -smaller(n->past, t); k <= n->look_ahead && t + k < w->lengths[j]; k++) {
                const float *from = d_window + (t * w->batch + j) * window_of(n) + (n->past + k) * wide;
                float *to = step_of(w, d_features, t + k, j, wide);
                for (long i = 0; i < wide; i++) to[i] += from[i];
            }
}

/* Fetches where a sequence begins: a batch is drawn from all over the data, and would wait for each in turn. */
static void fetch_sequence(const Network *n, int64_t sequence) {
    const long row = n->offsets[sequence], at = n->per_step ? row : sequence;
    if (n->columns) __builtin_prefetch(n->codes + row * n->columns);
    if (n->numeric) __builtin_prefetch(n->values + row * n->numeric);
    if (n->labels) __builtin_prefetch(n->labels + at);
    if (n->targets) __builtin_prefetch(n->targets + at);
}

/* The sequences of a batch, read into the work. */
static void read_batch(Work *w, const int64_t *sequences, long size) {
    const Network *n = w->network;
    const uint64_t key = stream_key(n->seed, w->update, 0);
    w->sequences = sequences;
    w->batch = size;
    w->seq = 1;
    for (long j = 0; j < size; j++) {
        w->lengths[j] = steps_of(n, sequences[j]);
        if (w->lengths[j] > w->seq) w->seq = w->lengths[j];
        fetch_sequence(n, sequences[j]);
    }
    w->valid = leadline_plan(w->seq, size, w->lengths, w->plan);
    for (long j = 0; j < size; j++)
        for (long t = 0; t < w->lengths[j]; t++) embed_step(w, t, j, key);
    if (n->past + n->look_ahead) open_window(w);
}

#endif
