/* All steps of one cell, forward and backward. Included by each cell's file, which says:
 *
 *   GATES, APART    gates per unit, and whether the last gate's input and hidden sums are kept apart
 *   UNITS, ROWS     vectors of units and rows per forward block
 *   SAVED, GRADS    vectors kept per unit vector for the backward pass, and gradients it gives
 *   DIRECT          1 where d_h reaches the state before without passing a weight
 *   MEMORY          1 where a second state (the LSTM's c) is carried
 *   HIDDEN_SET      first of the GATES gradients of the hidden side; the input side's start at 0
 *   forward_unit, backward_unit, input_order, hidden_order
 *
 * and is undefined again at the end.
 */

typedef struct {
    const Shape *shape;
    const float **x, **h;
    float **out;
    const float *panel, *bias;
    float *memory, *saved;
    long rows, x_slice, h_slice;
} CELL(Forward);

INLINE void CELL(forward_block)(const CELL(Forward) *f, long block, long j, const int count, const int units) {
    enum { MOST = ROWS * GATES * UNITS };
    const Shape *s = f->shape;
    const int width = GATES * units;
    const float *panel = f->panel + block * (s->feature + s->hidden) * GATES * VL;
    const float *bias = f->bias + block * (GATES + APART) * VL;
    V sums[MOST], apart[ROWS];
#pragma GCC unroll 16
    for (int i = 0; i < count; i++)
#pragma GCC unroll 8
        for (int v = 0; v < width; v++) sums[i * width + v] = vload(bias + v * VL);
    rows_product(sums, f->x + j, panel, s->feature, f->x_slice, count, width);
    if (APART)
#pragma GCC unroll 16
        for (int i = 0; i < count; i++) {
            apart[i] = sums[i * width + width - 1];
            sums[i * width + width - 1] = vload(bias + GATES * VL);
        }
    rows_product(sums, f->h + j, panel + s->feature * width * VL, s->hidden, f->h_slice, count, width);
#pragma GCC unroll 16
    for (int i = 0; i < count; i++)
#pragma GCC unroll 2
        for (int u = 0; u < units; u++) {
            const long vector = block + u, part = lanes(s->hidden, vector);
            V gates[GATES], keep[SAVED + 1], before, memory = vset(0.0f);
            float *carried = f->memory + (vector * s->batch + j + i) * VL;
            for (int g = 0; g < GATES; g++) gates[g] = sums[i * width + g * units + u];
            before = vload_part(f->h[j + i] + vector * VL, part);
            if (MEMORY) memory = vload(carried);
            V after = CELL(forward_unit)(gates, APART ? apart[i] : before, before, &memory, keep);
            if (MEMORY) vstore(carried, memory);
            vstore_part(f->out[j + i] + vector * VL, part, after);
            if (f->saved)
                for (int k = 0; k < SAVED; k++)
                    vstore(f->saved + ((k * s->blocks + vector) * f->rows + j + i) * VL, keep[k]);
        }
}


typedef void (*CELL(ForwardCase))(const CELL(Forward) *, long, long);
#define CASE(n, units)                                                                                     \
    static __attribute__((noinline)) void CELL(forward_##n##_##units)(const CELL(Forward) * f, long block, \
                                                                      long j) {                            \
        if ((n) <= ROWS && (units) <= UNITS) CELL(forward_block)(f, block, j, AT_MOST(n, ROWS), AT_MOST(units, UNITS));                         \
    }
EACH_CASE(CASE)
#undef CASE
#define CASE(n, units) CELL(forward_##n##_##units),
static const CELL(ForwardCase) CELL(forward_cases)[16] = {EACH_CASE(CASE)};
#undef CASE

static void CELL(forward_step)(CELL(Forward) *f, long step) {
    const Shape *s = f->shape;
    const long t = time_of(s, step), rows = s->count[t];
    for (long j = 0; j < rows; j++) {
        f->x[j] = input_row(s, t, j);
        f->h[j] = state_row(s, step, j);
        f->out[j] = output_row(s, t, j);
    }
    f->rows = rows;
    f->saved = s->call->saved ? s->call->saved + s->offset[t] * SAVED * s->blocks * VL : NULL;
    for (long block = 0; block < s->blocks; block += UNITS) {
        const long units = smaller(UNITS, s->blocks - block);
        for (long j = 0; j < rows;) {
            const long size = block_size(rows, ROWS, j);
            CELL(forward_cases)[(units - 1) * 8 + size - 1](f, block, j);
            j += size;
        }
    }
}

/* Panels for rows_product: per block of units, k over the features and then the hidden units, then gate by gate. */
static void CELL(pack_forward)(const Shape *s, float *panel, float *bias) {
    const leadline_call *c = s->call;
    const long H = s->hidden, depth = s->feature + H;
    memset(panel, 0, (size_t)(s->blocks * GATES * depth * VL) * sizeof(float));
    memset(bias, 0, (size_t)(s->blocks * (GATES + APART) * VL) * sizeof(float));
    for (long block = 0; block < s->blocks; block += UNITS) {
        const long units = smaller(UNITS, s->blocks - block), step = GATES * units * VL;
        for (long g = 0; g < GATES; g++)
            for (long lane = 0; lane < smaller(units * VL, H - block * VL); lane++) {
                const long row = g * H + block * VL + lane;
                float *to = panel + block * depth * GATES * VL + g * units * VL + lane;
                float *add = bias + block * (GATES + APART) * VL + g * units * VL + lane;
                for (long k = 0; k < s->feature; k++, to += step) *to = c->weight_ih[row * s->feature + k];
                for (long k = 0; k < H; k++, to += step) *to = c->weight_hh[row * H + k];
                const int apart = APART && g == GATES - 1;
                add[0] = c->bias_ih[row] + (apart ? 0.0f : c->bias_hh[row]);
                if (apart) add[VL] = c->bias_hh[row];
            }
    }
}

static void CELL(final_states)(const CELL(Forward) *f) {
    const Shape *s = f->shape;
    const size_t bytes = (size_t)s->hidden * sizeof(float);
    for (long j = 0; j < s->batch; j++) {
        const long row = s->order[j] * s->hidden, length = length_of(s, j);
        const float *last = length ? output_row(s, s->call->reverse ? 0 : length - 1, j) : s->call->h_0 + row;
        memcpy(s->call->h_n + row, last, bytes);
        if (MEMORY)
            for (long b = 0; b < s->blocks; b++)
                vstore_part(s->call->c_n + row + b * VL, lanes(s->hidden, b),
                            vload(f->memory + (b * s->batch + j) * VL));
    }
}

static void CELL(forward_buffers)(CELL(Forward) *f, Arena *arena) {
    const Shape *s = f->shape;
    f->x = arena_take(arena, (size_t)s->batch * sizeof(float *));
    f->h = arena_take(arena, (size_t)s->batch * sizeof(float *));
    f->out = arena_take(arena, (size_t)s->batch * sizeof(float *));
    f->panel = arena_floats(arena, s->blocks * GATES * (s->feature + s->hidden) * VL);
    f->bias = arena_floats(arena, s->blocks * (GATES + APART) * VL);
    f->memory = arena_floats(arena, MEMORY * s->blocks * s->batch * VL);
}

static int CELL(forward)(const leadline_call *call) {
    const Shape s = shape_of(call);
    CELL(Forward) f = {.shape = &s, .x_slice = slice_of(s.feature), .h_slice = slice_of(s.hidden)};
    Arena arena = {NULL, 0};
    CELL(forward_buffers)(&f, &arena);
    if (!arena_open(&arena)) return LEADLINE_NO_MEMORY;
    CELL(forward_buffers)(&f, &arena);
    CELL(pack_forward)(&s, (float *)f.panel, (float *)f.bias);
    if (MEMORY) load_states(&s, f.memory, call->c_0);
    zero_padding(&s, call->outputs, s.hidden);
    for (long step = 0; step < s.seq; step++)
        if (rows_at(&s, step)) CELL(forward_step)(&f, step);
    CELL(final_states)(&f);
    free(arena.memory);
    return LEADLINE_OK;
}

/* The backward pass goes through the steps from the last one read to the first. Gradients of the gates are put
 * into a chunk of tiles; when the chunk is full, the weights' and the inputs' gradients are taken from it while
 * it is still in the cache. Two chunks alternate, since a step needs the gradients of the one after it. */
typedef struct {
    const Shape *shape;
    Chunk chunks[2];
    int current;
    const float *hidden_panel, *input_panel;
    float *scratch, *d_carry, *d_memory, *d_bias, *d_input_weight, *d_hidden_weight;
    const float **h, **out, **d_out;
    Tiles next;      /* hidden-side gradients of the step after this one, */
    long next_rows;  /* how many rows it has, */
    long next_first; /* where they start in their chunk, */
    long running;    /* and how many of them run at this step */
} CELL(Backward);

INLINE void CELL(backward_block)(const CELL(Backward) *f, long step, long vector, long j, const int count,
                                 const int units) {
    const Shape *s = f->shape;
    const Chunk *chunk = &f->chunks[f->current];
    const long t = time_of(s, step), rows = s->count[t], start = chunk->used;
    const int first = j >= f->running; /* these rows have no step after this one */
    const float *saved = s->call->saved + s->offset[t] * SAVED * s->blocks * VL;
    V sums[TILE_ROWS * PANEL];
#pragma GCC unroll 16
    for (int i = 0; i < count * units; i++) sums[i] = vset(0.0f);
    if (!first)
        tiles_product(sums, &f->next, f->next_first + j, f->hidden_panel + vector * VL * GATES * s->hidden, count,
                      units);
#pragma GCC unroll 2
    for (int u = 0; u < units; u++) {
        const long b = vector + u, part = lanes(s->hidden, b);
        V total[GRADS];
        for (int g = 0; g < GRADS; g++) total[g] = vset(0.0f);
#pragma GCC unroll 16
        for (int i = 0; i < count; i++) {
            V kept[SAVED + 1], grads[GRADS], d_h = sums[i * units + u];
            float *carry = f->d_carry + (b * s->batch + j + i) * VL;
            float *memory = f->d_memory + (b * s->batch + j + i) * VL;
            if (first || DIRECT) d_h = d_h + vload(carry);
            if (s->call->d_outputs) d_h = d_h + vload_part(f->d_out[j + i] + b * VL, part);
            V after = vload_part(f->out[j + i] + b * VL, part), before = vload_part(f->h[j + i] + b * VL, part);
            V d_memory = MEMORY ? vload(memory) : d_h;
            for (int k = 0; k < SAVED; k++) kept[k] = vload(saved + ((k * s->blocks + b) * rows + j + i) * VL);
            V direct = CELL(backward_unit)(d_h, after, before, &d_memory, kept, grads);
            if (DIRECT) vstore(carry, direct);
            if (MEMORY) vstore(memory, d_memory);
            for (int g = 0; g < GRADS; g++) {
                vstore(chunk->tiles + ((g * s->blocks + b) * chunk->most + start + j + i) * VL, grads[g]);
                total[g] = total[g] + grads[g];
            }
        }
        for (int g = 0; g < GRADS; g++) {
            add_compensated(f->d_bias + (g * s->blocks + b) * VL, GRADS * s->blocks * VL, total[g]);
        }
    }
}

typedef void (*CELL(BackwardCase))(const CELL(Backward) *, long, long, long);
#define CASE(n, units)                                                                                       \
    static __attribute__((noinline)) void CELL(backward_##n##_##units)(const CELL(Backward) * f, long step,  \
                                                                       long vector, long j) {                \
        if ((n) <= TILE_ROWS) CELL(backward_block)(f, step, vector, j, AT_MOST(n, TILE_ROWS), units);        \
    }
EACH_CASE(CASE)
#undef CASE
#define CASE(n, units) CELL(backward_##n##_##units),
static const CELL(BackwardCase) CELL(backward_cases)[16] = {EACH_CASE(CASE)};
#undef CASE

/* d_h_0 of rows that have no step before this one. */
static void CELL(leave)(const CELL(Backward) *f, long first, long last) {
    const Shape *s = f->shape;
    if (!s->call->d_h_0) return;
    float **to = f->chunks[0].to;
    for (long j = first; j < last; j++) to[j - first] = s->call->d_h_0 + s->order[j] * s->hidden;
    tiles_to_rows(to, &f->next, f->next_first + first, last - first, f->hidden_panel, s->hidden,
                  DIRECT ? f->d_carry + first * VL : NULL, s->batch);
}

/* The weights' and inputs' gradients of a full chunk. */
static void CELL(flush)(CELL(Backward) *f) {
    const Shape *s = f->shape;
    Chunk *chunk = &f->chunks[f->current];
    const Tiles input = tiles_at(chunk->tiles, chunk->most, GATES, s->hidden);
    const Tiles hidden =
        tiles_at(chunk->tiles + HIDDEN_SET * s->blocks * chunk->most * VL, chunk->most, GATES, s->hidden);
    for (long row = 0; row < chunk->used;) {
        const long size = block_size(chunk->used, CHUNK_ROWS, row);
        weight_gradient(f->d_input_weight, &input, chunk->x + row, row, size, s->feature, f->scratch);
        weight_gradient(f->d_hidden_weight, &hidden, chunk->h + row, row, size, s->hidden, f->scratch);
        row += size;
    }
    if (s->call->d_inputs) {
        for (long row = 0; row < chunk->used; row++)
            chunk->to[row] = s->call->d_inputs + (chunk->x[row] - s->call->inputs);
        tiles_to_rows(chunk->to, &input, 0, chunk->used, f->input_panel, s->feature, NULL, 0);
    }
    chunk->used = 0;
}

static void CELL(backward_step)(CELL(Backward) *f, long step) {
    const Shape *s = f->shape;
    const long t = time_of(s, step), rows = s->count[t], running = smaller(rows, f->next_rows);
    if (rows < f->next_rows) CELL(leave)(f, rows, f->next_rows);
    f->next_rows = rows;
    f->running = running;
    if (rows == 0) return;
    if (f->chunks[f->current].used + rows > f->chunks[0].most) {
        CELL(flush)(f);
        f->current ^= 1;
    }
    Chunk *chunk = &f->chunks[f->current];
    const float **x = chunk->x + chunk->used, **h = chunk->h + chunk->used;
    const float *d_outputs = s->call->d_outputs;
    for (long j = 0; j < rows; j++) {
        x[j] = input_row(s, t, j);
        h[j] = state_row(s, step, j);
        f->out[j] = output_row(s, t, j);
        f->d_out[j] = d_outputs ? d_outputs + (f->out[j] - s->call->outputs) : NULL;
    }
    f->h = h;
    for (long vector = 0; vector < s->blocks; vector += PANEL) {
        const long units = smaller(PANEL, s->blocks - vector);
        for (long j = 0; j < rows;) {
            const long end = j < running ? running : rows, size = block_size(end, TILE_ROWS, j);
            CELL(backward_cases)[(units - 1) * 8 + size - 1](f, step, vector, j);
            j += size;
        }
    }
    f->next = tiles_at(chunk->tiles + HIDDEN_SET * s->blocks * chunk->most * VL, chunk->most, GATES, s->hidden);
    f->next_first = chunk->used;
    chunk->used += rows;
}

static void CELL(backward_buffers)(CELL(Backward) *f, Arena *arena) {
    const Shape *s = f->shape;
    /* 8 rows more than a multiple of 64, or all tiles would fall on the same lines of the first cache. */
    const long most = (s->batch > CHUNK_ROWS ? s->batch + 63 : CHUNK_ROWS + 63) / 64 * 64 + 8;
    const long columns = GATES * s->blocks * VL;
    for (int i = 0; i < 2; i++) {
        Chunk *chunk = &f->chunks[i];
        chunk->most = most;
        chunk->tiles = arena_floats(arena, GRADS * s->blocks * most * VL);
        chunk->x = arena_take(arena, (size_t)most * sizeof(float *));
        chunk->h = arena_take(arena, (size_t)most * sizeof(float *));
        chunk->to = arena_take(arena, (size_t)most * sizeof(float *));
    }
    f->out = arena_take(arena, (size_t)s->batch * sizeof(float *));
    f->d_out = arena_take(arena, (size_t)s->batch * sizeof(float *));
    f->hidden_panel = arena_floats(arena, GATES * s->hidden * s->blocks * VL);
    f->input_panel = arena_floats(arena, s->call->d_inputs ? GATES * s->hidden * vectors(s->feature) * VL : 0);
    f->scratch = arena_floats(arena, CHUNK_ROWS * PANEL * VL);
    f->d_carry = arena_floats(arena, s->blocks * s->batch * VL);
    f->d_memory = arena_floats(arena, MEMORY * s->blocks * s->batch * VL);
    f->d_bias = arena_floats(arena, 2 * GRADS * s->blocks * VL);
    f->d_input_weight = arena_floats(arena, columns * vectors(s->feature) * VL);
    f->d_hidden_weight = arena_floats(arena, columns * s->blocks * VL);
}

static void CELL(prepare)(CELL(Backward) *f) {
    const Shape *s = f->shape;
    const leadline_call *call = s->call;
    const long columns = GATES * s->blocks * VL;
    pack_weight((float *)f->hidden_panel, call->weight_hh, CELL(hidden_order), GATES, s->hidden, s->hidden);
    if (call->d_inputs) {
        pack_weight((float *)f->input_panel, call->weight_ih, CELL(input_order), GATES, s->hidden, s->feature);
        zero_padding(s, call->d_inputs, s->feature);
    }
    load_states(s, f->d_carry, call->d_h_n);
    if (MEMORY) load_states(s, f->d_memory, call->d_c_n);
    memset(f->d_bias, 0, (size_t)(2 * GRADS * s->blocks * VL) * sizeof(float));
    memset(f->d_input_weight, 0, (size_t)(columns * vectors(s->feature) * VL) * sizeof(float));
    memset(f->d_hidden_weight, 0, (size_t)(columns * s->blocks * VL) * sizeof(float));
}

static void CELL(finish)(CELL(Backward) *f) {
    const Shape *s = f->shape;
    const leadline_call *call = s->call;
    CELL(flush)(f);
    CELL(leave)(f, 0, f->next_rows);
    for (long j = 0; j < s->batch && call->d_h_0; j++)
        if (length_of(s, j) == 0) store_state(s, f->d_carry, j, call->d_h_0);
    for (long j = 0; j < s->batch && call->d_c_0 && MEMORY; j++) store_state(s, f->d_memory, j, call->d_c_0);
    store_weight(call->d_weight_ih, f->d_input_weight, CELL(input_order), GATES, s->hidden, s->feature);
    store_weight(call->d_weight_hh, f->d_hidden_weight, CELL(hidden_order), GATES, s->hidden, s->hidden);
    for (long g = 0; g < GATES; g++)
        for (long b = 0; b < s->blocks; b++) {
            const long part = lanes(s->hidden, b), to = b * VL;
            const float *hidden = f->d_bias + (HIDDEN_SET + g) * s->blocks * VL + to;
            vstore_part(call->d_bias_ih + CELL(input_order)[g] * s->hidden + to, part,
                        vload(f->d_bias + g * s->blocks * VL + to));
            vstore_part(call->d_bias_hh + CELL(hidden_order)[g] * s->hidden + to, part, vload(hidden));
        }
}

static int CELL(backward)(const leadline_call *call) {
    const Shape s = shape_of(call);
    CELL(Backward) f = {.shape = &s};
    Arena arena = {NULL, 0};
    CELL(backward_buffers)(&f, &arena);
    if (!arena_open(&arena)) return LEADLINE_NO_MEMORY;
    CELL(backward_buffers)(&f, &arena);
    CELL(prepare)(&f);
    for (long step = s.seq - 1; step >= 0; step--) CELL(backward_step)(&f, step);
    CELL(finish)(&f);
    free(arena.memory);
    return LEADLINE_OK;
}

#undef CELL
#undef GATES
#undef APART
#undef DIRECT
#undef UNITS
#undef SAVED
#undef GRADS
#undef MEMORY
#undef HIDDEN_SET
#undef ROWS
