/* A dense layer over rows that lie anywhere: y = W x + b, and its gradients, on the products of rows.h and outer.h.
 *
 * Outputs are written row after row, each padded to whole vectors; the gradient of an output comes in tiles.
 */
#ifndef LEADLINE_DENSE_H
#define LEADLINE_DENSE_H

#include "steps.h"

typedef struct {
    long inputs, outputs;
    float *panel, *padded_bias; /* packed for the forward pass */
    float *weight_panel, *sums, *scratch;
} Dense;

INLINE long padded(long columns) { return vectors(columns) * VL; }

static Dense dense_take(Arena *arena, long inputs, long outputs, int training) {
    Dense d = {.inputs = inputs, .outputs = outputs};
    d.panel = arena_floats(arena, inputs * padded(outputs));
    d.padded_bias = arena_floats(arena, padded(outputs));
    d.weight_panel = arena_floats(arena, training ? outputs * padded(inputs) : 0);
    d.sums = arena_floats(arena, training ? padded(outputs) * padded(inputs) : 0);
    d.scratch = arena_floats(arena, training ? CHUNK_ROWS * OUTER_GROUP * VL : 0);
    return d;
}

/* `beyond` is what the lanes beyond the last output hold. */
static void dense_pack(Dense *d, const float *weight, const float *bias, float beyond) {
    memset(d->panel, 0, (size_t)(d->inputs * padded(d->outputs)) * sizeof(float));
    for (long first = 0; first < vectors(d->outputs); first += PAIR) {
        const long width = smaller(PAIR, vectors(d->outputs) - first);
        float *panel = d->panel + first * VL * d->inputs;
        for (long lane = 0; lane < smaller(width * VL, d->outputs - first * VL); lane++)
            for (long k = 0; k < d->inputs; k++)
                panel[k * width * VL + lane] = weight[(first * VL + lane) * d->inputs + k];
    }
    for (long i = 0; i < padded(d->outputs); i++) d->padded_bias[i] = i < d->outputs ? bias[i] : beyond;
}

INLINE void dense_block(const Dense *d, const float *const *rows, float *out, long vector, const int count,
                        const int width) {
    V sums[ROWS_TOGETHER * PAIR];
    UNROLL(16)
    for (int i = 0; i < count * width; i++) sums[i] = vload(d->padded_bias + (vector + i % width) * VL);
    rows_product(sums, rows, d->panel + vector * VL * d->inputs, d->inputs, slice_of(d->inputs),
                 (Ahead){(const char *)(d->panel + vector * VL * d->inputs), 0}, count, width);
    UNROLL(16)
    for (int i = 0; i < count * width; i++)
        vstore(out + (i / width) * padded(d->outputs) + (vector + i % width) * VL, sums[i]);
}

typedef void (*dense_case)(const Dense *, const float *const *, float *, long);
#define CASE(n, width)                                                                                          \
    static __attribute__((noinline)) void dense_##n##_##width(const Dense *d, const float *const *rows, float *out, \
                                                              long vector) {                                    \
        if ((n) <= ROWS_TOGETHER) dense_block(d, rows, out, vector, AT_MOST(n, ROWS_TOGETHER), width);                  \
    }
EACH_CASE(CASE)
#undef CASE
#define CASE(n, width) dense_##n##_##width,
static const dense_case dense_cases[16] = {EACH_CASE(CASE)};
#undef CASE

/* out[i] = W rows[i] + b, each row padded(outputs) wide. */
static void dense_forward(const Dense *d, const float *const *rows, long count, float *out) {
    for (long vector = 0; vector < vectors(d->outputs); vector += PAIR) {
        const long width = smaller(PAIR, vectors(d->outputs) - vector);
        for (long i = 0; i < count;) {
            const long size = block_size(count, ROWS_TOGETHER, i);
            dense_cases[(width - 1) * 8 + size - 1](d, rows + i, out + i * padded(d->outputs), vector);
            i += size;
        }
    }
}

/* From the outputs' gradient in tiles (stride of tile_stride(count)): the weight's, the bias's and the rows'. */
static void dense_backward(Dense *d, const float *weight, const float *tiles, const float *const *rows, long count,
                           float *d_weight, float *d_bias, float **d_rows) {
    static const int order[1] = {0};
    const Tiles gradient = {tiles, tile_stride(count), 1, d->outputs, BACK_SLICE};
    memset(d->sums, 0, (size_t)(padded(d->outputs) * padded(d->inputs)) * sizeof(float));
    pack_weight(d->weight_panel, weight, order, 1, d->outputs, d->inputs);
    for (long row = 0, size; row < count; row += size) {
        size = block_size(count, CHUNK_ROWS, row);
        weight_gradient(d->sums, &gradient, rows + row, row, size, d->inputs, d->scratch);
        tiles_to_rows(d_rows + row, &gradient, row, size, d->weight_panel, d->inputs, NULL, 0, d->scratch);
    }
    store_weight(d_weight, d->sums, order, 1, d->outputs, d->inputs);
    for (long b = 0; b < vectors(d->outputs); b++) {
        float sum[2 * VL] = {0};
        for (long row = 0, size; row < count; row += size) {
            const float *from = tiles + (b * gradient.stride + row) * VL;
            V part = vload(from);
            size = block_size(count, ROWS_TOGETHER, row);
            for (long i = 1; i < size; i++) part = part + vload(from + i * VL);
            add_compensated(sum, VL, part);
        }
        vstore_part(d_bias + b * VL, lanes(d->outputs, b), vload(sum));
    }
}

#endif
