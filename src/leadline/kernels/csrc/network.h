/* A network's weights by name, the memory that one batch needs, and the batch itself: embedding and window. */
#ifndef LEADLINE_NETWORK_H
#define LEADLINE_NETWORK_H

#include "chance.h"
#include "objective.h"

typedef leadline_network Network;

static const int64_t GATES_OF[] = {[LEADLINE_TANH] = 1, [LEADLINE_GRU] = 3, [LEADLINE_LSTM] = 4};

INLINE long features_of(const Network *n) {
    long total = n->numeric;
    for (long c = 0; c < n->columns; c++) total += n->widths[c];
    return total;
}
INLINE long window_of(const Network *n) { return features_of(n) * (n->past + 1 + n->look_ahead); }
/* What a step holds in the end, what the readout reads, and what its last map does. */
INLINE long step_width(const Network *n) {
    return n->layers ? n->hidden * n->directions : n->convolutions ? n->channels : window_of(n);
}
INLINE long width_of(const Network *n) {
    const long wide = step_width(n);
    return n->pooling == LEADLINE_ENDS ? 2 * n->ends * wide : n->pooling == LEADLINE_BAG ? 2 * wide : wide;
}
INLINE long top_of(const Network *n) { return n->mlp ? n->mlp : width_of(n); }
INLINE long inputs_of(const Network *n, long layer) { return layer ? width_of(n) : window_of(n); }

/* Where a part of the network starts in an array of all parameters. */
INLINE long table_at(const Network *n, long column) {
    long at = 0;
    for (long c = 0; c < column; c++) at += n->names[c] * n->widths[c];
    return at;
}
INLINE long grams_at(const Network *n, long column) {
    long at = table_at(n, n->columns);
    for (long c = 0; c < column; c++) at += n->buckets[c] * n->widths[c];
    return at;
}
INLINE long layer_at(const Network *n, long layer, long direction) {
    const long gates = GATES_OF[n->cell] * n->hidden;
    long at = grams_at(n, n->columns);
    for (long l = 0; l < layer; l++) at += n->directions * gates * (inputs_of(n, l) + n->hidden + 2);
    return at + direction * gates * (inputs_of(n, layer) + n->hidden + 2);
}
INLINE long norm_at(const Network *n, long layer) {
    return layer_at(n, n->layers, 0) + (n->layer_norm ? 2 * layer * n->hidden * n->directions : 0);
}
#define TAPS 3 /* steps that a convolution reads */
INLINE long seen_by(const Network *n, long convolution) {
    return TAPS * (convolution ? n->channels : features_of(n));
}
INLINE long convolution_at(const Network *n, long convolution) {
    long at = norm_at(n, n->layers);
    for (long l = 0; l < convolution; l++) at += n->channels * (seen_by(n, l) + 1);
    return at;
}
INLINE long readout_at(const Network *n) { return convolution_at(n, n->convolutions); }
INLINE long output_at(const Network *n) { return readout_at(n) + n->mlp * (width_of(n) + 1); }

/* What one layer leaves for the backward pass. */
typedef struct {
    float *halves[2], *saved[2], *joined, *mask;
    float *normal, *spread; /* each step's normalised output, and one over its standard deviation */
} Layer;

/* The same of a convolution: the steps put together, what ReLU and dropout left, and that with what is added. */
typedef struct {
    float *seen, *after, *out;
    const float **rows;
    Dense dense;
} Convolution;

typedef struct {
    const Network *network;
    const float *weights;
    int training;
    uint64_t update;
    long most_seq, most_batch;
    /* the batch */
    long seq, batch, valid, targets;
    const int64_t *sequences;
    int64_t *lengths, *plan, *heard, *labels;
    float *values, *features, *window, *zeros, *ends;
    Layer *layers;
    Convolution *convolutions;
    int64_t *cells; /* the valid steps' places, in the order of time and then of the sequences */
    /* readout */
    float *pooled, *hidden, *logits, *tiles, *d_hidden, *d_pooled;
    const float **rows, **hidden_rows;
    float **d_rows, **d_hidden_rows;
    int64_t *highest;
    Dense inner, outer;
    /* gradients */
    float *d_joined, *d_half, *d_inputs[2], *d_seen, **d_seen_rows, **d_after;
} Work;

INLINE long steps_of(const Network *n, int64_t sequence) { return n->offsets[sequence + 1] - n->offsets[sequence]; }
INLINE long cells_of(const Work *w) { return w->most_seq * w->most_batch; }
INLINE int dropping(const Work *w) { return w->training && w->update && w->network->dropout > 0; }

static void take_layers(Work *w, Arena *arena) {
    const Network *n = w->network;
    const long states = cells_of(w) * n->hidden;
    w->layers = arena_take(arena, (size_t)n->layers * sizeof(Layer));
    for (long l = 0; l < n->layers; l++) {
        Layer layer = {.joined = NULL};
        for (long d = 0; d < n->directions; d++) {
            layer.halves[d] = arena_floats(arena, states);
            layer.saved[d] = arena_floats(arena, w->training ? leadline_saved(n->cell, n->hidden, cells_of(w)) : 0);
        }
        layer.joined = arena_floats(arena, states * n->directions);
        layer.mask = arena_floats(arena, dropping(w) ? states * n->directions : 0);
        layer.normal = arena_floats(arena, n->layer_norm ? states * n->directions : 0);
        layer.spread = arena_floats(arena, n->layer_norm ? cells_of(w) : 0);
        if (arena->memory) w->layers[l] = layer;
    }
}

static void take_convolutions(Work *w, Arena *arena) {
    const Network *n = w->network;
    const long cells = cells_of(w);
    w->convolutions = arena_take(arena, (size_t)n->convolutions * sizeof(Convolution));
    w->cells = arena_take(arena, n->convolutions ? (size_t)cells * sizeof(int64_t) : 0);
    for (long l = 0; l < n->convolutions; l++) {
        Convolution c = {.seen = arena_floats(arena, cells * seen_by(n, l))};
        c.after = arena_floats(arena, cells * padded(n->channels));
        c.out = arena_floats(arena, cells * n->channels);
        c.rows = arena_take(arena, (size_t)cells * sizeof(float *));
        c.dense = dense_take(arena, cells, seen_by(n, l), n->channels, w->training);
        if (arena->memory) w->convolutions[l] = c;
    }
    if (!w->training || !n->convolutions) return;
    const long widest = seen_by(n, 0) > TAPS * n->channels ? seen_by(n, 0) : TAPS * n->channels;
    w->d_seen = arena_floats(arena, cells * widest);
    w->d_seen_rows = arena_take(arena, (size_t)cells * sizeof(float *));
    w->d_after = arena_take(arena, (size_t)cells * sizeof(float *));
}

static void take_gradients(Work *w, Arena *arena) {
    const Network *n = w->network;
    const long widest = inputs_of(n, 0) > step_width(n) ? inputs_of(n, 0) : step_width(n);
    w->d_joined = arena_floats(arena, cells_of(w) * widest);
    w->d_half = arena_floats(arena, cells_of(w) * n->hidden);
    for (int d = 0; d < 2; d++) w->d_inputs[d] = arena_floats(arena, d < n->directions ? cells_of(w) * widest : 0);
    long columns = n->outputs > n->mlp ? n->outputs : n->mlp;
    if (n->convolutions && n->channels > columns) columns = n->channels;
    w->tiles = arena_floats(arena, tiles_size(cells_of(w), columns));
    w->d_hidden = arena_floats(arena, cells_of(w) * n->mlp);
    w->d_hidden_rows = arena_take(arena, n->mlp ? (size_t)cells_of(w) * sizeof(float *) : 0);
    w->d_pooled = arena_floats(arena, w->most_batch * width_of(n));
    w->d_rows = arena_take(arena, (size_t)cells_of(w) * sizeof(float *));
}

/* All memory of a network at work; called twice, see `arena_open`. */
static void work_take(Work *w, Arena *arena) {
    const Network *n = w->network;
    const long cells = cells_of(w), batch = w->most_batch, columns = n->columns;
    w->lengths = arena_take(arena, (size_t)batch * sizeof(int64_t));
    w->plan = arena_take(arena, (size_t)leadline_plan_size(w->most_seq, batch) * sizeof(int64_t));
    w->heard = arena_take(arena, (size_t)(cells * columns) * sizeof(int64_t));
    w->labels = arena_take(arena, (size_t)cells * sizeof(int64_t));
    w->values = arena_floats(arena, cells);
    w->features = arena_floats(arena, cells * features_of(n));
    w->window = n->past + n->look_ahead ? arena_floats(arena, cells * inputs_of(n, 0)) : w->features;
    w->zeros = arena_floats(arena, batch * n->hidden);
    w->ends = arena_floats(arena, 2 * batch * n->hidden);
    take_layers(w, arena);
    take_convolutions(w, arena);
    w->pooled = arena_floats(arena, batch * width_of(n));
    w->highest = arena_take(arena, (size_t)(batch * width_of(n)) * sizeof(int64_t));
    w->rows = arena_take(arena, (size_t)cells * sizeof(float *));
    w->logits = arena_floats(arena, cells * padded(n->outputs));
    if (n->mlp) {
        w->inner = dense_take(arena, cells, width_of(n), n->mlp, w->training);
        w->hidden = arena_floats(arena, cells * padded(n->mlp));
        w->hidden_rows = arena_take(arena, (size_t)cells * sizeof(float *));
    }
    w->outer = dense_take(arena, cells, top_of(n), n->outputs, w->training);
    if (w->training) take_gradients(w, arena);
}

/* Sizes for batches that are to come, and memory for the largest. */
static int work_open(Work *w, Arena *arena, long batches, const int64_t *sizes, const int64_t *sequences) {
    w->most_seq = w->most_batch = 1;
    for (long b = 0; b < batches; sequences += sizes[b++]) {
        if (sizes[b] > w->most_batch) w->most_batch = sizes[b];
        for (long j = 0; j < sizes[b]; j++)
            if (steps_of(w->network, sequences[j]) > w->most_seq) w->most_seq = steps_of(w->network, sequences[j]);
    }
    work_take(w, arena);
    if (!arena_open(arena)) return 0;
    work_take(w, arena);
    memset(w->zeros, 0, (size_t)(w->most_batch * w->network->hidden) * sizeof(float));
    return 1;
}

INLINE float *step_of(const Work *w, float *base, long t, long j, long width) {
    return base + (t * w->batch + j) * width;
}

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
    }
    w->valid = leadline_plan(w->seq, size, w->lengths, w->plan);
    for (long j = 0; j < size; j++)
        for (long t = 0; t < w->lengths[j]; t++) embed_step(w, t, j, key);
    if (n->past + n->look_ahead) open_window(w);
}

#endif
