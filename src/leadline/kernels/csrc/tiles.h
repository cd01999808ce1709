/* Matrix products as register blocks: a few rows times a few vectors of columns, every sum taken in the order of k.
 *
 * The left side lies in tiles: VL columns of all rows, row after row, so that a block of rows is one piece of memory
 * for every k. The right side is packed into panels: the columns of a block, k after k, read from front to back.
 * A product is taken in slices of k: the slice of a panel stays in the first cache while all rows go over it, and the
 * next one is fetched meanwhile. A slice is one chain of multiply-adds, slices are added in their order, and
 * neither depends on how many rows share a block: a row's result is its own, bit for bit.
 */
#ifndef LEADLINE_TILES_H
#define LEADLINE_TILES_H

#include "block.h"

/* Vectors of columns per panel at most, and rows per block by the panel's width: as many sums as there are registers
 * beside the panel's vectors and one broadcast. */
#if VL == 16
#define WIDEST 4
#define ROWS_OF(width) ((width) == 4 ? 7 : (width) == 3 ? 9 : 12)
#elif VL == 8
#define WIDEST 3
#define ROWS_OF(width) ((width) == 3 ? 4 : (width) == 2 ? 6 : 8)
#elif defined(__aarch64__)
#define WIDEST 4
#define ROWS_OF(width) ((width) == 4 ? 6 : (width) == 3 ? 8 : 12)
#else
#define WIDEST 3
#define ROWS_OF(width) (4)
#endif
#define MOST_SUMS 28
/* 8 rows more than a multiple of 64, or all tiles would fall on the same lines of the first cache. */
INLINE long tile_stride(long rows) { return (rows + 63) / 64 * 64 + 8; }
INLINE long tiles_size(long rows, long columns) { return vectors(columns) * tile_stride(rows) * VL; }

/* `sets` of `units` columns each, every set in tiles of its own; `stride` rows from one tile to the next. */
typedef struct {
    const float *first;
    long stride, sets, units, slice;
} Tiles;

/* Where sums go and what they start from (NULL: 0), with the floats from row to row. */
typedef struct {
    float *to;
    const float *start;
    long to_step, start_step;
} Sums;

/* What the blocks of one slice have in common: steps in floats (ahead: bytes), columns of a set and how many of them
 * are left from the first tile on, tiles; and whether sums start anew or are added to what is there. */
typedef struct {
    long to_step, start_step, tile_step, units, left, tiles, ahead_step, fresh;
} Slice;

INLINE void block_slice(const Slice *s, float *to, const float *start, const float *tile, const float *panel,
                        const char *ahead, const int count, const int width) {
    const long tile_step = s->tile_step, ahead_step = s->ahead_step, start_step = s->start_step, to_step = s->to_step;
    const int fresh = (int)s->fresh;
    V sum[MOST_SUMS];
    UNROLL(28)
    for (int i = 0; i < count * width; i++)
        sum[i] = fresh ? vload(start + (i / width) * start_step + (i % width) * VL) : vset(0.0f);
    for (long left = s->left, n = s->tiles; n > 0; n--, tile += tile_step) {
        const long depth = smaller(left, VL);
        left = left > VL ? left - VL : s->units;
        for (long k = 0; k < depth; k++, panel += width * VL, ahead += ahead_step) {
            V b[WIDEST];
            fetch_near(ahead);
            UNROLL(4)
            for (int v = 0; v < width; v++) b[v] = vload(panel + v * VL);
            UNROLL(12)
            for (int i = 0; i < count; i++) {
                V a = vset(tile[i * VL + k]);
                UNROLL(4)
                for (int v = 0; v < width; v++) sum[i * width + v] = vfma(a, b[v], sum[i * width + v]);
            }
        }
    }
    UNROLL(28)
    for (int i = 0; i < count * width; i++) {
        float *at = to + (i / width) * to_step + (i % width) * VL;
        if (!fresh) sum[i] = vload(at) + sum[i];
        vstore(at, sum[i]);
    }
}

/* Every number of rows and vectors that a block may have; the compiler makes a copy for each. */
#define EACH_HEIGHT(CASE, width)                                                                                     \
    CASE(1, width) CASE(2, width) CASE(3, width) CASE(4, width) CASE(5, width) CASE(6, width) CASE(7, width)        \
    CASE(8, width) CASE(9, width) CASE(10, width) CASE(11, width) CASE(12, width)
#define EACH_BLOCK(CASE) EACH_HEIGHT(CASE, 1) EACH_HEIGHT(CASE, 2) EACH_HEIGHT(CASE, 3) EACH_HEIGHT(CASE, 4)
#define FITS(n, width) ((width) <= WIDEST && (n) <= ROWS_OF(width))

typedef void (*block_case)(const Slice *, float *, const float *, const float *, const float *, const char *);
#define CASE(n, width)                                                                                              \
    static __attribute__((noinline)) void block_##n##_##width(const Slice *s, float *to, const float *start,        \
                                                              const float *tile, const float *panel,               \
                                                              const char *ahead) {                                  \
        if (FITS(n, width))                                                                                         \
            block_slice(s, to, start, tile, panel, ahead, FITS(n, width) ? n : 1, FITS(n, width) ? width : 1);      \
    }
EACH_BLOCK(CASE)
#undef CASE
#define CASE(n, width) block_##n##_##width,
static const block_case block_cases[48] = {EACH_BLOCK(CASE)};
#undef CASE

/* What is done with rows [first, first + count) when their sums are complete. */
typedef void (*Done)(const void *context, long first, long count);

/* Rows [row, row + count) of the tiles times one panel; the sums start from sums->start. */
INLINE void panel_product_then(const Sums *sums, const Tiles *tiles, long row, long count, const float *panel,
                               long width, Done done, const void *context) {
    static const float zeros[WIDEST * VL];
    const long per_set = vectors(tiles->units), all = per_set * tiles->sets, most = ROWS_OF(width);
    const long blocks = count > 0 ? (count + most - 1) / most : 1;
    Slice s = {.to_step = sums->to_step, .start_step = sums->start ? sums->start_step : 0, .fresh = 1};
    s.tile_step = tiles->stride * VL;
    s.units = tiles->units;
    s.ahead_step = smaller(LINE, (width * VL * (long)sizeof(float) + blocks - 1) / blocks);
    const float *start = sums->start ? sums->start : zeros, *tile = tiles->first + row * VL;
    for (long from = 0; from < all; from += s.tiles, s.fresh = 0) {
        s.tiles = block_size(all, tiles->slice / VL, from);
        s.left = tiles->units - from % per_set * VL;
        const long until = from + s.tiles, k = from / per_set * tiles->units + from % per_set * VL;
        const long depth = until / per_set * tiles->units + until % per_set * VL - k;
        const char *ahead = (const char *)(panel + depth * width * VL);
        for (long i = 0, size; i < count; i += size) {
            size = block_size(count, most, i);
            block_cases[(width - 1) * 12 + size - 1](&s, sums->to + i * s.to_step, start + i * s.start_step,
                                                     tile + i * VL, panel, ahead);
            ahead += s.ahead_step * depth;
            if (done && until == all) done(context, i, size);
        }
        panel += depth * width * VL;
        tile += s.tiles * s.tile_step;
    }
}

static void panel_product(const Sums *sums, const Tiles *tiles, long row, long count, const float *panel, long width) {
    panel_product_then(sums, tiles, row, count, panel, width, NULL, NULL);
}

/* Columns [column, column + width * VL) of `rows` as a panel; beyond `columns` there are zeros. */
static void pack_rows(float *panel, const float *const *rows, long count, long column, long columns, long width) {
    for (long k = 0; k < count; k++)
        for (long v = 0; v < width; v++, panel += VL) {
            const long first = column + v * VL;
            vstore(panel, vload_part(rows[k] + first, smaller(VL, columns - first)));
        }
}

/* Panels of a weight (sets * units, columns): k runs over the sets in `order`, then units. */
static void pack_weight(float *packed, const float *weight, const int *order, long sets, long units, long columns) {
    for (long vector = 0, width; vector < vectors(columns); vector += width) {
        width = block_size(vectors(columns), WIDEST, vector);
        for (long set = 0; set < sets; set++)
            for (long unit = 0; unit < units; unit++, packed += width * VL) {
                const float *row = weight + (order[set] * units + unit) * columns;
                pack_rows(packed, &row, 1, vector * VL, columns, width);
            }
    }
}

/* to[i] = (tiles times the panels of pack_weight)[row + i], plus a carried tile where there is one; `scratch` holds
 * count * WIDEST vectors. */
static void tiles_to_rows(float **to, const Tiles *tiles, long row, long count, const float *packed, long columns,
                          const float *carry, long carry_stride, float *scratch) {
    for (long vector = 0, width; vector < vectors(columns); vector += width) {
        width = block_size(vectors(columns), WIDEST, vector);
        const Sums sums = {scratch, NULL, width * VL, 0};
        panel_product(&sums, tiles, row, count, packed + vector * VL * tiles->sets * tiles->units, width);
        for (long i = 0; i < count; i++)
            for (long v = 0; v < width; v++) {
                V sum = vload(scratch + (i * width + v) * VL);
                if (carry) sum = sum + vload(carry + ((vector + v) * carry_stride + i) * VL);
                vstore_part(to[i] + (vector + v) * VL, lanes(columns, vector + v), sum);
            }
    }
}

#endif
