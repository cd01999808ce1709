/* The memory that a network at work needs for its largest batch. */
#ifndef LEADLINE_WORK_H
#define LEADLINE_WORK_H

#include "network.h"

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
    long most_seq, most_batch, most_cells; /* steps, sequences, and their product, each of the batch with most of it */
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
    float *d_joined, *d_inputs[2], *d_seen, **d_seen_rows, **d_after;
} Work;

INLINE long steps_of(const Network *n, int64_t sequence) { return n->offsets[sequence + 1] - n->offsets[sequence]; }
INLINE int dropping(const Work *w) { return w->training && w->update && w->network->dropout > 0; }
/* Whether what a layer computed goes up as it is: nothing added, normalised or dropped. Then both directions write side
 * by side at once. */
INLINE int is_bare(const Work *w) {
    const Network *n = w->network;
    return !n->residual && !n->layer_norm && !dropping(w);
}

static void take_layers(Work *w, Arena *arena) {
    const Network *n = w->network;
    const long states = w->most_cells * n->hidden;
    w->layers = arena_take(arena, (size_t)n->layers * sizeof(Layer));
    for (long l = 0; l < n->layers; l++) {
        Layer layer = {.joined = arena_floats(arena, states * n->directions)};
        for (long d = 0; d < n->directions; d++) {
            layer.halves[d] = is_bare(w) ? layer.joined : arena_floats(arena, states);
            layer.saved[d] = arena_floats(arena, w->training ? leadline_saved(n->cell, n->hidden, w->most_cells) : 0);
        }
        layer.mask = arena_floats(arena, dropping(w) ? states * n->directions : 0);
        layer.normal = arena_floats(arena, n->layer_norm ? states * n->directions : 0);
        layer.spread = arena_floats(arena, n->layer_norm ? w->most_cells : 0);
        if (arena->memory) w->layers[l] = layer;
    }
}

static void take_convolutions(Work *w, Arena *arena) {
    const Network *n = w->network;
    const long cells = w->most_cells;
    w->convolutions = arena_take(arena, (size_t)n->convolutions * sizeof(Convolution));
    w->cells = arena_take(arena, n->convolutions ? (size_t)cells * sizeof(int64_t) : 0);
    const long widest = n->convolutions ? larger(seen_by(n, 0), TAPS * n->channels) : 0;
    float *shared = arena_floats(arena, w->training ? 0 : cells * widest); /* what no backward pass will read */
    for (long l = 0; l < n->convolutions; l++) {
        Convolution c = {.seen = w->training ? arena_floats(arena, cells * seen_by(n, l)) : shared};
        c.after = arena_floats(arena, cells * padded(n->channels));
        c.out = arena_floats(arena, cells * n->channels);
        c.rows = arena_take(arena, (size_t)cells * sizeof(float *));
        c.dense = dense_take(arena, seen_by(n, l), n->channels, w->training);
        if (arena->memory) w->convolutions[l] = c;
    }
    if (!w->training || !n->convolutions) return;
    w->d_seen = arena_floats(arena, cells * widest);
    w->d_seen_rows = arena_take(arena, (size_t)cells * sizeof(float *));
    w->d_after = arena_take(arena, (size_t)cells * sizeof(float *));
}

static void take_gradients(Work *w, Arena *arena) {
    const Network *n = w->network;
    const long widest = larger(inputs_of(n, 0), step_width(n));
    w->d_joined = arena_floats(arena, w->most_cells * widest);
    for (int d = 0; d < 2; d++) w->d_inputs[d] = arena_floats(arena, d < n->directions ? w->most_cells * widest : 0);
    const long columns = larger(larger(n->outputs, n->mlp), n->convolutions ? n->channels : 0);
    w->tiles = arena_floats(arena, tiles_size(w->most_cells, columns));
    w->d_hidden = arena_floats(arena, w->most_cells * n->mlp);
    w->d_hidden_rows = arena_take(arena, n->mlp ? (size_t)w->most_cells * sizeof(float *) : 0);
    w->d_pooled = arena_floats(arena, w->most_batch * width_of(n));
    w->d_rows = arena_take(arena, (size_t)w->most_cells * sizeof(float *));
}

/* All memory of a network at work; called twice, see `arena_open`. */
static void work_take(Work *w, Arena *arena) {
    const Network *n = w->network;
    const long cells = w->most_cells, batch = w->most_batch, columns = n->columns;
    w->lengths = arena_take(arena, (size_t)batch * sizeof(int64_t));
    w->plan = arena_take(arena, (size_t)leadline_plan_size(w->most_seq, batch) * sizeof(int64_t));
    w->heard = arena_take(arena, (size_t)(cells * columns) * sizeof(int64_t));
    w->labels = arena_take(arena, (size_t)cells * sizeof(int64_t));
    w->values = arena_floats(arena, cells);
    w->features = arena_floats(arena, cells * features_of(n));
    w->window = n->past + n->look_ahead ? arena_floats(arena, cells * inputs_of(n, 0)) : w->features;
    w->zeros = arena_floats(arena, batch * n->hidden);
    w->ends = arena_floats(arena, 2 * n->directions * batch * n->hidden);
    take_layers(w, arena);
    take_convolutions(w, arena);
    w->pooled = arena_floats(arena, batch * width_of(n));
    w->highest = arena_take(arena, (size_t)(batch * width_of(n)) * sizeof(int64_t));
    w->rows = arena_take(arena, (size_t)cells * sizeof(float *));
    w->logits = arena_floats(arena, cells * padded(n->outputs));
    if (n->mlp) {
        w->inner = dense_take(arena, width_of(n), n->mlp, w->training);
        w->hidden = arena_floats(arena, cells * padded(n->mlp));
        w->hidden_rows = arena_take(arena, (size_t)cells * sizeof(float *));
    }
    w->outer = dense_take(arena, top_of(n), n->outputs, w->training);
    if (w->training) take_gradients(w, arena);
}

/* Sizes for batches that are to come. A batch of long sequences is a small one: the largest product is what counts. */
static void measure(Work *w, long batches, const int64_t *sizes, const int64_t *sequences) {
    w->most_seq = w->most_batch = w->most_cells = 1;
    for (long b = 0; b < batches; sequences += sizes[b++]) {
        long seq = 1;
        for (long j = 0; j < sizes[b]; j++) seq = larger(seq, steps_of(w->network, sequences[j]));
        w->most_seq = larger(w->most_seq, seq);
        w->most_batch = larger(w->most_batch, sizes[b]);
        w->most_cells = larger(w->most_cells, seq * sizes[b]);
    }
}

/* Memory for the largest batch. */
static int work_open(Work *w, Arena *arena, long batches, const int64_t *sizes, const int64_t *sequences) {
    measure(w, batches, sizes, sequences);
    work_take(w, arena);
    if (!arena_open(arena)) return 0;
    work_take(w, arena);
    memset(w->zeros, 0, (size_t)(w->most_batch * w->network->hidden) * sizeof(float));
    return 1;
}

/* What is in d_inputs[0] goes down: it becomes d_joined. */
INLINE void pass_down(Work *w) {
    float *was = w->d_joined;
    w->d_joined = w->d_inputs[0];
    w->d_inputs[0] = was;
}

INLINE float *step_of(const Work *w, float *base, long t, long j, long width) {
    return base + (t * w->batch + j) * width;
}

#endif
