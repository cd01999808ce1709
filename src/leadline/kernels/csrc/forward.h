/* The forward pass of one cell; see recurrence.h. */

typedef struct {
    const Shape *shape;
    const float **x, **h;
    float **out;
    const float *panel, *bias;
    float *memory, *saved, *spare; /* spare: outputs of steps that are computed once more, which nobody reads */
    long rows, x_slice, h_slice, ahead; /* ahead: bytes */
} CELL(Forward);

INLINE void CELL(forward_block)(const CELL(Forward) *f, long block, long j, const int count, const int units) {
    enum { MOST = ROWS * GATES * UNITS };
    const Shape *s = f->shape;
    const int width = GATES * units;
    const float *panel = f->panel + block * (s->feature + s->hidden) * GATES * VL;
    const float *bias = f->bias + block * (GATES + APART) * VL;
    /* The blocks of rows share the fetching of the next panel. */
    const long size = (s->feature + s->hidden) * width * VL * (long)sizeof(float);
    const Ahead x_ahead = {(const char *)panel + size + j / ROWS * f->ahead * (s->feature + s->hidden), f->ahead};
    const Ahead h_ahead = {x_ahead.at + s->feature * f->ahead, f->ahead};
    V sums[MOST], apart[ROWS];
    UNROLL(16)
    for (int i = 0; i < count; i++)
        UNROLL(8)
        for (int v = 0; v < width; v++) sums[i * width + v] = vload(bias + v * VL);
    rows_product(sums, f->x + j, panel, s->feature, f->x_slice, x_ahead, count, width);
    if (APART)
        UNROLL(16)
        for (int i = 0; i < count; i++) {
            apart[i] = sums[i * width + width - 1];
            sums[i * width + width - 1] = vload(bias + GATES * VL);
        }
    rows_product(sums, f->h + j, panel + s->feature * width * VL, s->hidden, f->h_slice, h_ahead, count,
                 width);
    UNROLL(16)
    for (int i = 0; i < count; i++)
        UNROLL(2)
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
        if ((n) <= ROWS && (units) <= UNITS)                                                               \
            CELL(forward_block)(f, block, j, AT_MOST(n, ROWS), AT_MOST(units, UNITS));                     \
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
        f->out[j] = f->spare ? f->spare + j * s->hidden : output_row(s, t, j);
    }
    f->rows = rows;
    f->ahead = smaller(LINE, GATES * UNITS * VL * (long)sizeof(float) / ((rows + ROWS - 1) / ROWS));
    f->saved = kept_at(s, t, SAVED);
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

/* The memory before a segment's first step, kept by the forward pass. */
static float *CELL(checkpoint)(const Shape *s, long segment) {
    return s->call->saved + segment * s->blocks * s->batch * VL;
}

/* Steps [first, last), as long as nobody stops it. */
static void CELL(forward_steps)(CELL(Forward) *f, long first, long last) {
    const Shape *s = f->shape;
    const long each = s->call->segment;
    const size_t bytes = (size_t)(s->blocks * s->batch * VL) * sizeof(float);
    for (long step = first; step < last && !stopped(s); step++) {
        if (MEMORY && each && !f->spare && s->call->saved && step % each == 0)
            memcpy(CELL(checkpoint)(s, step / each), f->memory, bytes);
        if (rows_at(s, step)) CELL(forward_step)(f, step);
    }
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
    zero_padding(&s, call->outputs, s.hidden, s.out_step);
    CELL(forward_steps)(&f, 0, s.seq);
    const int ended = stopped(&s);
    if (!ended) CELL(final_states)(&f);
    free(arena.memory);
    return ended ? LEADLINE_STOPPED : LEADLINE_OK;
}
