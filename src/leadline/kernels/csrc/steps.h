/* What all cells share: which rows run at which step, scratch memory, blocks of rows.
 *
 * Rows are taken longest first, so that the rows that run at step t are the first count[t]. A plan is
 *     valid steps of all rows, order[batch], count[seq], offset[seq], length[batch] (in order)
 * with offset[t] the sum of the counts before t.
 */
#ifndef LEADLINE_STEPS_H
#define LEADLINE_STEPS_H

#include <stdlib.h>

#include "leadline.h"
#include "outer.h"
#include "rows.h"

typedef struct {
    const leadline_call *call;
    long seq, batch, feature, hidden, blocks; /* blocks: vectors of hidden units */
    long out_step, d_out_step;
    const int64_t *order, *count, *offset;
    float *kept;    /* what is saved for the backward pass, */
    long kept_from; /* from so many valid steps on */
} Shape;

INLINE Shape shape_of(const leadline_call *call) {
    Shape s = {.call = call, .seq = call->seq, .batch = call->batch, .feature = call->feature, .hidden = call->hidden};
    s.blocks = vectors(s.hidden);
    s.out_step = call->outputs_step ? call->outputs_step : s.hidden;
    s.d_out_step = call->d_outputs_step ? call->d_outputs_step : s.hidden;
    s.order = call->plan + 1;
    s.count = s.order + s.batch;
    s.offset = s.count + s.seq;
    s.kept = call->segment ? NULL : call->saved;
    return s;
}

/* The time of the s-th step in the order of reading. */
INLINE long time_of(const Shape *s, long step) { return s->call->reverse ? s->seq - 1 - step : step; }
INLINE long rows_at(const Shape *s, long step) {
    return step < 0 || step >= s->seq ? 0 : s->count[time_of(s, step)];
}

INLINE float *kept_at(const Shape *s, long t, long saved) {
    return s->kept ? s->kept + (s->offset[t] - s->kept_from) * saved * s->blocks * VL : NULL;
}
INLINE int stopped(const Shape *s) { return s->call->stop && *s->call->stop; }

INLINE const float *input_row(const Shape *s, long t, long j) {
    return s->call->inputs + (t * s->batch + s->order[j]) * s->feature;
}
INLINE float *output_row(const Shape *s, long t, long j) {
    return s->call->outputs + (t * s->batch + s->order[j]) * s->out_step;
}
INLINE const float *d_output_row(const Shape *s, long t, long j) {
    return s->call->d_outputs ? s->call->d_outputs + (t * s->batch + s->order[j]) * s->d_out_step : NULL;
}
/* The state that row j brings into the given step: an output, or h_0 where this step is its first. */
INLINE const float *state_row(const Shape *s, long step, long j) {
    if (j < rows_at(s, step - 1)) return output_row(s, time_of(s, step - 1), j);
    return s->call->h_0 + s->order[j] * s->hidden;
}

/* One aligned block of scratch, cut from the front. */
typedef struct {
    char *memory;
    size_t used;
} Arena;

INLINE size_t aligned_size(size_t bytes) { return (bytes + 63) & ~(size_t)63; }
INLINE void *arena_take(Arena *arena, size_t bytes) {
    void *piece = arena->memory ? arena->memory + arena->used : NULL;
    arena->used += aligned_size(bytes);
    return piece;
}
INLINE float *arena_floats(Arena *arena, long count) { return arena_take(arena, (size_t)count * sizeof(float)); }
/* Called once the sizes are known (a first round of takes without memory); the second round gets the pieces. */
INLINE int arena_open(Arena *arena) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, arena->used + 64)) return 0;
    arena->memory = memory;
    arena->used = 0;
    return 1;
}

static void zero_padding(const Shape *s, float *rows, long columns, long step) {
    for (long t = 0; t < s->seq; t++)
        for (long j = s->count[t]; j < s->batch; j++)
            memset(rows + (t * s->batch + s->order[j]) * step, 0, (size_t)columns * sizeof(float));
}

INLINE long length_of(const Shape *s, long j) { return s->order[s->batch + 2 * s->seq + j]; }

/* sum += value, with the rounding error carried along `apart` floats further on (Kahan 1965): biases' gradients
 * are sums over all rows and steps. */
INLINE void add_compensated(float *sum, long apart, V value) {
    V old = vload(sum), corrected = value - vload(sum + apart), new = old + corrected;
    vstore(sum + apart, (new - old) - corrected);
    vstore(sum, new);
}

/* States (batch, hidden), or zeros, as tiles of the rows in order; and one row back. */
static void load_states(const Shape *s, float *tiles, const float *states) {
    for (long b = 0; b < s->blocks; b++)
        for (long j = 0; j < s->batch; j++, tiles += VL) {
            const float *row = states ? states + s->order[j] * s->hidden + b * VL : NULL;
            vstore(tiles, row ? vload_part(row, lanes(s->hidden, b)) : vset(0.0f));
        }
}
static void store_state(const Shape *s, const float *tiles, long j, float *states) {
    for (long b = 0; b < s->blocks; b++)
        vstore_part(states + s->order[j] * s->hidden + b * VL, lanes(s->hidden, b),
                    vload(tiles + (b * s->batch + j) * VL));
}

/* Gradients of the gates of a few hundred rows, with the rows that they belong to. */
typedef struct {
    float *tiles, **to;
    const float **x, **h;
    long most, used;
} Chunk;
#define CHUNK_ROWS 256

#endif
