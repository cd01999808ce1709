/* The backward pass of one cell; see recurrence.h.
 *
 * It goes through the steps from the last one read to the first. Gradients of the gates are put into a chunk of tiles;
 * when the chunk is full, the weights' and the inputs' gradients are taken from it while it is still in the cache.
 * Two chunks alternate, since a step needs the gradients of the one after it. */

typedef struct {
    Shape *shape;
    CELL(Forward) again; /* computes a segment once more */
    Chunk chunks[2];
    int current;
    const float *hidden_panel, *input_panel;
    float *scratch, *sums, *d_carry, *d_memory, *d_bias, *d_input_weight, *d_hidden_weight;
    const float **h, **out, **d_out;
    Tiles next;      /* hidden-side gradients of the step after this one, */
    long next_rows;  /* how many rows it has, */
    long next_first; /* where they start in their chunk, */
    long running;    /* and how many of them run at this step */
} CELL(Backward);

typedef struct {
    const CELL(Backward) *f;
    long t, vector, width;
} CELL(Return);

/* Vector b of units of rows [first, first + count): from the gradients of their outputs to those of their gates.
 * `sums` are what came back through the weights, NULL for rows that have no step after this one. */
INLINE void CELL(backward_vector)(const CELL(Backward) *f, long t, const float *sums, long step, long b, long first,
                                  long count) {
    const Shape *s = f->shape;
    const Chunk *chunk = &f->chunks[f->current];
    const long rows = s->count[t], part = lanes(s->hidden, b), kept_step = s->blocks * rows * VL;
    const long grads_step = s->blocks * chunk->most * VL;
    const float *saved = SAVED ? kept_at(s, t, SAVED) + (b * rows + first) * VL : NULL;
    float *carry = f->d_carry + (b * s->batch + first) * VL, *memory = f->d_memory + (b * s->batch + first) * VL;
    float *to = chunk->tiles + (b * chunk->most + chunk->used + first) * VL;
    const float **out = f->out + first, **h = f->h + first;
    const float **d_out = s->call->d_outputs ? f->d_out + first : NULL;
    V total[GRADS];
    for (int g = 0; g < GRADS; g++) total[g] = vset(0.0f);
    for (long i = 0; i < count; i++) {
        V kept[SAVED + 1], grads[GRADS], d_h = vset(0.0f);
        if (sums) d_h = vload(sums + i * step);
        if (!sums || DIRECT) d_h = d_h + vload(carry + i * VL);
        if (d_out) d_h = d_h + vload_part(d_out[i] + b * VL, part);
        V after = vload_part(out[i] + b * VL, part), before = vload_part(h[i] + b * VL, part);
        V d_memory = MEMORY ? vload(memory + i * VL) : d_h;
        for (int k = 0; k < SAVED; k++) kept[k] = vload(saved + k * kept_step + i * VL);
        V direct = CELL(backward_unit)(d_h, after, before, &d_memory, kept, grads);
        if (DIRECT) vstore(carry + i * VL, direct);
        if (MEMORY) vstore(memory + i * VL, d_memory);
        for (int g = 0; g < GRADS; g++) {
            vstore(to + g * grads_step + i * VL, grads[g]);
            total[g] = total[g] + grads[g];
        }
    }
    for (int g = 0; g < GRADS; g++)
        add_compensated(f->d_bias + (g * s->blocks + b) * VL, GRADS * s->blocks * VL, total[g]);
}

static void CELL(backward_gates)(const void *context, long first, long count) {
    const CELL(Return) r = *(const CELL(Return) *)context;
    const float *sums = first < r.f->running ? r.f->sums + first * r.width * VL : NULL;
    for (long v = 0; v < r.width; v++)
        CELL(backward_vector)(r.f, r.t, sums ? sums + v * VL : NULL, r.width * VL, r.vector + v, first, count);
}

/* What comes back to a group of units through the weights, and the gradients of its gates. Rows from `running` on
 * have no step after this one. */
static void CELL(backward_group)(const CELL(Backward) *f, long t, long vector, long width) {
    const Shape *s = f->shape;
    const float *panel = f->hidden_panel + vector * VL * GATES * s->hidden;
    const Sums sums = {f->sums, NULL, width * VL, 0};
    const CELL(Return) back = {f, t, vector, width};
    if (f->running)
        panel_product_then(&sums, &f->next, f->next_first, f->running, panel, width, CELL(backward_gates), &back);
    for (long j = f->running, size; j < s->count[t]; j += size) {
        size = block_size(s->count[t], ROWS_OF(WIDEST), j);
        CELL(backward_gates)(&back, j, size);
    }
}

/* d_h_0 of rows that have no step before this one. */
static void CELL(leave)(const CELL(Backward) *f, long first, long last) {
    const Shape *s = f->shape;
    if (!s->call->d_h_0) return;
    float **to = f->chunks[0].to;
    for (long j = first; j < last; j++) to[j - first] = s->call->d_h_0 + s->order[j] * s->hidden;
    tiles_to_rows(to, &f->next, f->next_first + first, last - first, f->hidden_panel, s->hidden,
                  DIRECT ? f->d_carry + first * VL : NULL, s->batch, f->sums);
}

/* The weights' and inputs' gradients of a full chunk. */
static void CELL(flush)(CELL(Backward) *f) {
    const Shape *s = f->shape;
    Chunk *chunk = &f->chunks[f->current];
    const Tiles input = {chunk->tiles, chunk->most, GATES, s->hidden, BACK_SLICE};
    const float *first = chunk->tiles + HIDDEN_SET * s->blocks * chunk->most * VL;
    const Tiles hidden = {first, chunk->most, GATES, s->hidden, BACK_SLICE};
    for (long row = 0; row < chunk->used;) {
        const long size = block_size(chunk->used, CHUNK_ROWS, row);
        weight_gradient(f->d_input_weight, &input, chunk->x + row, row, size, s->feature, f->scratch);
        weight_gradient(f->d_hidden_weight, &hidden, chunk->h + row, row, size, s->hidden, f->scratch);
        if (s->call->d_inputs) {
            for (long i = 0; i < size; i++)
                chunk->to[i] = s->call->d_inputs + (chunk->x[row + i] - s->call->inputs);
            tiles_to_rows(chunk->to, &input, row, size, f->input_panel, s->feature, NULL, 0, f->scratch);
        }
        row += size;
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
    for (long j = 0; j < rows; j++) {
        x[j] = input_row(s, t, j);
        h[j] = state_row(s, step, j);
        f->out[j] = output_row(s, t, j);
        f->d_out[j] = d_output_row(s, t, j);
    }
    f->h = h;
    for (long vector = 0, width; vector < s->blocks; vector += width) {
        width = block_size(s->blocks, WIDEST, vector);
        CELL(backward_group)(f, t, vector, width);
    }
    const float *hidden = chunk->tiles + HIDDEN_SET * s->blocks * chunk->most * VL;
    f->next = (Tiles){hidden, chunk->most, GATES, s->hidden, BACK_SLICE};
    f->next_first = chunk->used;
    chunk->used += rows;
}

static void CELL(backward_buffers)(CELL(Backward) *f, Arena *arena) {
    const Shape *s = f->shape;
    const long most = tile_stride(s->batch > CHUNK_ROWS ? s->batch : CHUNK_ROWS), columns = GATES * s->blocks * VL;
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
    f->scratch = arena_floats(arena, CHUNK_ROWS * OUTER_GROUP * VL);
    f->sums = arena_floats(arena, s->batch * WIDEST * VL);
    f->d_carry = arena_floats(arena, s->blocks * s->batch * VL);
    f->d_memory = arena_floats(arena, MEMORY * s->blocks * s->batch * VL);
    f->d_bias = arena_floats(arena, 2 * GRADS * s->blocks * VL);
    f->d_input_weight = arena_floats(arena, columns * vectors(s->feature) * VL);
    f->d_hidden_weight = arena_floats(arena, columns * s->blocks * VL);
    if (!s->call->segment) return;
    CELL(forward_buffers)(&f->again, arena);
    f->again.spare = arena_floats(arena, s->batch * s->hidden);
    f->shape->kept = arena_floats(arena, smaller(s->call->segment, s->seq) * s->batch * SAVED * s->blocks * VL);
}

static void CELL(prepare)(CELL(Backward) *f) {
    const Shape *s = f->shape;
    const leadline_call *call = s->call;
    const long columns = GATES * s->blocks * VL;
    pack_weight((float *)f->hidden_panel, call->weight_hh, CELL(hidden_order), GATES, s->hidden, s->hidden);
    if (call->d_inputs) {
        pack_weight((float *)f->input_panel, call->weight_ih, CELL(input_order), GATES, s->hidden, s->feature);
        zero_padding(s, call->d_inputs, s->feature, s->feature);
    }
    if (call->segment) CELL(pack_forward)(s, (float *)f->again.panel, (float *)f->again.bias);
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

/* What the forward pass would have saved for a segment, from the state before it. */
static void CELL(recompute)(CELL(Backward) *f, long segment) {
    Shape *s = f->shape;
    const long first = segment * s->call->segment, last = smaller(first + s->call->segment, s->seq);
    s->kept_from = s->offset[smaller(time_of(s, first), time_of(s, last - 1))];
    if (MEMORY)
        memcpy(f->again.memory, CELL(checkpoint)(s, segment), (size_t)(s->blocks * s->batch * VL) * sizeof(float));
    CELL(forward_steps)(&f->again, first, last);
}

static int CELL(backward)(const leadline_call *call) {
    Shape s = shape_of(call);
    CELL(Backward) f = {.shape = &s};
    f.again = (CELL(Forward)){.shape = &s, .x_slice = slice_of(s.feature), .h_slice = slice_of(s.hidden)};
    Arena arena = {NULL, 0};
    CELL(backward_buffers)(&f, &arena);
    if (!arena_open(&arena)) return LEADLINE_NO_MEMORY;
    CELL(backward_buffers)(&f, &arena);
    CELL(prepare)(&f);
    for (long step = s.seq - 1; step >= 0 && !stopped(&s); step--) {
        if (call->segment && (step == s.seq - 1 || (step + 1) % call->segment == 0))
            CELL(recompute)(&f, step / call->segment);
        if (!stopped(&s)) CELL(backward_step)(&f, step);
    }
    const int ended = stopped(&s);
    if (!ended) CELL(finish)(&f);
    free(arena.memory);
    return ended ? LEADLINE_STOPPED : LEADLINE_OK;
}
