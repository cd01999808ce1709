/* Matrix products as register blocks: a few rows times a few vectors of columns, every sum taken in the order of k.
 *
 * A panel holds the columns that one block computes, k after k, so it is read once from front to back. Each
 * element's sum is one chain of multiply-adds: it does not depend on how many rows share the block.
 *
 * Gradients of gates lie in tiles: VL columns of all rows, row after row. A tile is a ready-made left operand for
 * both products that read it (by rows for d_inputs and the carried gradient, by columns for the weights').
 */
#ifndef LEADLINE_PRODUCT_H
#define LEADLINE_PRODUCT_H

#include "simd.h"

/* Rows and vectors of a block, per instruction set: 32 registers or 16, and enough chains to hide an FMA's latency. */
#if VL == 16
#define TILE_ROWS 8
#define WEIGHT_ROWS 8
#elif VL == 8
#define TILE_ROWS 6
#define WEIGHT_ROWS 4
#else
#define TILE_ROWS 4
#define WEIGHT_ROWS 4
#endif
#define PANEL 2 /* vectors of columns per panel in the backward products */

INLINE long smaller(long a, long b) { return a < b ? a : b; }
INLINE long vectors(long columns) { return (columns + VL - 1) / VL; }
INLINE long lanes(long columns, long vector) { return smaller(VL, columns - vector * VL); }

/* `total` rows in blocks of at most `most`, evenly, so that no block is left with a row or two. */
INLINE long block_size(long total, long most, long done) {
    const long left = (total - done + most - 1) / most;
    return (total - done + left - 1) / left;
}

/* Every number of rows and vectors that a block may have; the compiler makes a copy for each. */
#define EACH_CASE(CASE) \
    CASE(1, 1) CASE(2, 1) CASE(3, 1) CASE(4, 1) CASE(5, 1) CASE(6, 1) CASE(7, 1) CASE(8, 1) \
    CASE(1, 2) CASE(2, 2) CASE(3, 2) CASE(4, 2) CASE(5, 2) CASE(6, 2) CASE(7, 2) CASE(8, 2)
#define AT_MOST(n, most) ((n) <= (most) ? (n) : (most))

/* A long sum is taken in slices: one chain of float32 additions loses accuracy in proportion to its length. */
#ifndef SLICE
#define SLICE 64
#endif
#ifndef TILE_SLICE
#define TILE_SLICE 128
#endif

INLINE long slice_of(long depth) { return block_size(depth, SLICE, 0); }

INLINE void put_aside(float *held, V *sums, const int count) {
#pragma GCC unroll 32
    for (int i = 0; i < count; i++) {
        vstore(held + i * VL, sums[i]);
        sums[i] = vset(0.0f);
    }
}
INLINE void take_back(const float *held, V *sums, const int count) {
#pragma GCC unroll 32
    for (int i = 0; i < count; i++) sums[i] = vload(held + i * VL) + sums[i];
}

/* sums[i][v] += sum over k in [first, last) of rows[i][k] * panel[k][v]. */
INLINE void rows_slice(V *sums, const float *const *rows, const float *panel, long first, long last,
                       const int count, const int width) {
    const float *row[8];
#pragma GCC unroll 8
    for (int i = 0; i < count; i++) row[i] = rows[i];
    for (long k = first; k < last; k++) {
        V b[8];
#pragma GCC unroll 8
        for (int v = 0; v < width; v++) b[v] = vload(panel + (k * width + v) * VL);
#pragma GCC unroll 8
        for (int i = 0; i < count; i++) {
            V a = vset(row[i][k]);
#pragma GCC unroll 8
            for (int v = 0; v < width; v++) sums[i * width + v] = vfma(a, b[v], sums[i * width + v]);
        }
    }
}

/* sums[i][v] += sum over k of rows[i][k] * panel[k][v], taken `slice` at a time. */
INLINE void rows_product(V *sums, const float *const *rows, const float *panel, long depth, long slice,
                         const int count, const int width) {
    float held[8 * 4 * VL];
    for (long k = 0;;) {
        const long first = k;
        k = smaller(k + slice, depth);
        rows_slice(sums, rows, panel, first, k, count, width);
        if (first > 0) take_back(held, sums, count * width);
        if (k == depth) break;
        put_aside(held, sums, count * width);
    }
}

/* A gradient's tiles: `sets` gates of `units` columns each, `stride` rows from one tile to the next. */
typedef struct {
    const float *first;
    long stride, sets, units, slice;
} Tiles;
INLINE Tiles tiles_at(const float *first, long stride, long sets, long units) {
    const long depth = sets * units, slice = block_size(depth, TILE_SLICE, 0);
    return (Tiles){first, stride, sets, units, (slice + VL - 1) / VL * VL};
}

/* sums[i][v] += sum over sets and units of tile[row + i][unit] * panel[set * units + unit][v]. */
INLINE void tiles_product(V *sums, const Tiles *tiles, long row, const float *panel, const int count,
                          const int width) {
    float held[TILE_ROWS * PANEL * VL];
    const float *tile = tiles->first + row * VL;
    long done = 0;
    int sliced = 0;
    for (long set = 0; set < tiles->sets; set++) {
        for (long left = tiles->units; left > 0; left -= VL, tile += tiles->stride * VL) {
            const long depth = smaller(left, VL);
            if (done + depth > tiles->slice) {
                if (sliced) take_back(held, sums, count * width);
                put_aside(held, sums, count * width);
                sliced = 1;
                done = 0;
            }
            done += depth;
            for (long k = 0; k < depth; k++, panel += width * VL) {
                V b[PANEL];
#pragma GCC unroll 4
                for (int v = 0; v < width; v++) b[v] = vload(panel + v * VL);
#pragma GCC unroll 8
                for (int i = 0; i < count; i++) {
                    V a = vset(tile[i * VL + k]);
#pragma GCC unroll 4
                    for (int v = 0; v < width; v++) sums[i * width + v] = vfma(a, b[v], sums[i * width + v]);
                }
            }
        }
    }
    if (sliced) take_back(held, sums, count * width);
}

/* target[m][v] += sum over rows of tile[row][m] * panel[row][v], for WEIGHT_ROWS columns m of the tile. */
INLINE void weight_block(float *target, const float *tile, const float *panel, long rows, const int width) {
    V sums[WEIGHT_ROWS * PANEL];
#pragma GCC unroll 16
    for (int i = 0; i < WEIGHT_ROWS * width; i++) sums[i] = vset(0.0f);
    for (long k = 0; k < rows; k++) {
        V b[PANEL];
#pragma GCC unroll 4
        for (int v = 0; v < width; v++) b[v] = vload(panel + (k * width + v) * VL);
#pragma GCC unroll 16
        for (int i = 0; i < WEIGHT_ROWS; i++) {
            V a = vset(tile[k * VL + i]);
#pragma GCC unroll 4
            for (int v = 0; v < width; v++) sums[i * width + v] = vfma(a, b[v], sums[i * width + v]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < WEIGHT_ROWS * width; i++) vstore(target + i * VL, vload(target + i * VL) + sums[i]);
}

static void weight_blocks(float *target, const float *tile, const float *panel, long rows, int width) {
    for (int m = 0; m < VL; m += WEIGHT_ROWS, target += WEIGHT_ROWS * width * VL) {
        if (width == 2)
            weight_block(target, tile + m, panel, rows, 2);
        else
            weight_block(target, tile + m, panel, rows, 1);
    }
}

/* Columns [column, column + width * VL) of `rows` as a panel; beyond `columns` there are zeros. */
static void pack_rows(float *panel, const float *const *rows, long count, long column, long columns, int width) {
    for (long k = 0; k < count; k++)
        for (int v = 0; v < width; v++, panel += VL) {
            const long first = column + v * VL;
            vstore(panel, vload_part(rows[k] + first, smaller(VL, columns - first)));
        }
}

/* Panels of a weight (gates * units, columns) for tiles_product: k runs over the gates in `order`, then units. */
static void pack_weight(float *packed, const float *weight, const int *order, long sets, long units, long columns) {
    for (long vector = 0; vector < vectors(columns); vector += PANEL) {
        const int width = (int)smaller(PANEL, vectors(columns) - vector);
        for (long set = 0; set < sets; set++)
            for (long unit = 0; unit < units; unit++, packed += width * VL) {
                const float *row = weight + (order[set] * units + unit) * columns;
                pack_rows(packed, &row, 1, vector * VL, columns, width);
            }
    }
}

/* to[i] = (tiles times panels)[row + i], plus a carried tile where there is one. */
INLINE void tiles_block(float **to, const Tiles *tiles, long row, const float *panel, long vector, long columns,
                        const float *carry, long carry_stride, const int count, const int width) {
    V sums[TILE_ROWS * PANEL];
#pragma GCC unroll 16
    for (int i = 0; i < count * width; i++) sums[i] = vset(0.0f);
    tiles_product(sums, tiles, row, panel, count, width);
#pragma GCC unroll 16
    for (int i = 0; i < count; i++)
#pragma GCC unroll 2
        for (int v = 0; v < width; v++) {
            V sum = sums[i * width + v];
            if (carry) sum = sum + vload(carry + ((vector + v) * carry_stride + i) * VL);
            vstore_part(to[i] + (vector + v) * VL, lanes(columns, vector + v), sum);
        }
}

typedef void (*tiles_case)(float **, const Tiles *, long, const float *, long, long, const float *, long);
#define CASE(n, width)                                                                                      \
    static __attribute__((noinline)) void tiles_##n##_##width(float **to, const Tiles *tiles, long row,     \
                                                              const float *panel, long vector, long columns, \
                                                              const float *carry, long carry_stride) {      \
        if ((n) <= TILE_ROWS) tiles_block(to, tiles, row, panel, vector, columns, carry, carry_stride, AT_MOST(n, TILE_ROWS), width); \
    }
EACH_CASE(CASE)
#undef CASE
#define CASE(n, width) tiles_##n##_##width,
static const tiles_case tiles_cases[16] = {EACH_CASE(CASE)};
#undef CASE

/* Rows [row, row + count) of tiles times packed weight, `columns` wide. */
static void tiles_to_rows(float **to, const Tiles *tiles, long row, long count, const float *packed, long columns,
                          const float *carry, long carry_stride) {
    const long depth = tiles->sets * tiles->units;
    for (long vector = 0; vector < vectors(columns); vector += PANEL) {
        const long width = smaller(PANEL, vectors(columns) - vector);
        for (long i = 0; i < count;) {
            const long size = block_size(count, TILE_ROWS, i);
            tiles_cases[(width - 1) * 8 + size - 1](to + i, tiles, row + i, packed + vector * VL * depth, vector,
                                                    columns, carry ? carry + i * VL : NULL, carry_stride);
            i += size;
        }
    }
}

/* Adds the outer products of `count` rows of tiles and right-hand rows to `target`, panel by panel, tile by tile. */
static void weight_gradient(float *target, const Tiles *tiles, const float *const *right, long row, long count,
                            long columns, float *scratch) {
    const long all = tiles->sets * vectors(tiles->units);
    for (long vector = 0; vector < vectors(columns); vector += PANEL) {
        const int width = (int)smaller(PANEL, vectors(columns) - vector);
        pack_rows(scratch, right, count, vector * VL, columns, width);
        for (long tile = 0; tile < all; tile++, target += VL * width * VL)
            weight_blocks(target, tiles->first + (tile * tiles->stride + row) * VL, scratch, count, width);
    }
}

/* The sums of weight_gradient as a weight (gates * units, columns). */
static void store_weight(float *weight, const float *sums, const int *order, long sets, long units, long columns) {
    for (long vector = 0; vector < vectors(columns); vector += PANEL) {
        const long width = smaller(PANEL, vectors(columns) - vector);
        for (long set = 0; set < sets; set++)
            for (long unit = 0; unit < vectors(units) * VL; unit++, sums += width * VL)
                for (long v = 0; v < width && unit < units; v++)
                    vstore_part(weight + (order[set] * units + unit) * columns + (vector + v) * VL,
                                lanes(columns, vector + v), vload(sums + v * VL));
    }
}

#endif
