/* Sums of outer products: the gradient of a weight, from the gradient of the gates and what the weight was given.
 *
 * The left side is tiles, read column by column; the right side is packed into panels. The sums of two panels lie
 * together, tile after tile, as [panel][column of the tile][vector], so that a slice of the panels stays in the first
 * cache while all tiles go over it, and a tile is read once for both.
 */
#ifndef LEADLINE_OUTER_H
#define LEADLINE_OUTER_H

#include "tiles.h"

/* Columns of a tile and vectors of a panel per block. */
#if VL == 16
#define OUTER_LEFT 8
#define OUTER_WIDTH 3
#elif VL == 8
#define OUTER_LEFT 4
#define OUTER_WIDTH 3
#else
#define OUTER_LEFT 4
#define OUTER_WIDTH (REGISTERS == 32 ? 4 : 2)
#endif
#define OUTER_SLICE 64 /* rows whose products are summed before they are added to the rest; more for narrow panels */
#define OUTER_GROUP (2 * OUTER_WIDTH)

/* sums[m][v] += sum over rows of tile[row][m] * panel[row][v], for OUTER_LEFT columns m of the tile. */
INLINE void outer_block(float *sums, const float *tile, const float *panel, long rows, const int width) {
    V sum[OUTER_LEFT * OUTER_WIDTH];
    UNROLL(24)
    for (int i = 0; i < OUTER_LEFT * width; i++) sum[i] = vset(0.0f);
    for (long k = 0; k < rows; k++) {
        V b[OUTER_WIDTH];
        UNROLL(4)
        for (int v = 0; v < width; v++) b[v] = vload(panel + (k * width + v) * VL);
        UNROLL(8)
        for (int i = 0; i < OUTER_LEFT; i++) {
            V a = vset(tile[k * VL + i]);
            UNROLL(4)
            for (int v = 0; v < width; v++) sum[i * width + v] = vfma(a, b[v], sum[i * width + v]);
        }
    }
    UNROLL(24)
    for (int i = 0; i < OUTER_LEFT * width; i++) vstore(sums + i * VL, vload(sums + i * VL) + sum[i]);
}

/* One tile and one panel; returns the sums' end. */
static float *outer_tile(float *sums, const float *tile, const float *panel, long rows, long width) {
    for (int m = 0; m < VL; m += OUTER_LEFT, sums += OUTER_LEFT * width * VL) {
        switch (width) {
        case 1: outer_block(sums, tile + m, panel, rows, 1); break;
        case 2: outer_block(sums, tile + m, panel, rows, 2); break;
        case 3: outer_block(sums, tile + m, panel, rows, AT_MOST(3, OUTER_WIDTH)); break;
        default:
            if (OUTER_WIDTH > 3) outer_block(sums, tile + m, panel, rows, AT_MOST(4, OUTER_WIDTH));
        }
    }
    return sums;
}

/* Adds the outer products of `count` rows of tiles and right-hand rows to `sums`; `scratch` holds count * OUTER_GROUP
 * vectors. */
static void weight_gradient(float *sums, const Tiles *tiles, const float *const *right, long row, long count,
                            long columns, float *scratch) {
    const long all = tiles->sets * vectors(tiles->units), wide = vectors(columns);
    for (long vector = 0, group; vector < wide; vector += group) {
        group = block_size(wide, OUTER_GROUP, vector);
        const long first = group > OUTER_WIDTH ? (group + 1) / 2 : group, second = group - first;
        float *other = scratch + count * first * VL, *end = sums;
        pack_rows(scratch, right, count, vector * VL, columns, first);
        if (second) pack_rows(other, right, count, (vector + first) * VL, columns, second);
        const long slice = OUTER_SLICE * OUTER_GROUP / group;
        for (long from = 0, size; from < count; from += size) {
            size = block_size(count, slice, from);
            end = sums;
            for (long t = 0; t < all; t++) {
                const float *tile = tiles->first + (t * tiles->stride + row + from) * VL;
                end = outer_tile(end, tile, scratch + from * first * VL, size, first);
                if (second) end = outer_tile(end, tile, other + from * second * VL, size, second);
            }
        }
        sums = end;
    }
}

/* The sums of weight_gradient as a weight (sets * units, columns). */
static void store_weight(float *weight, const float *sums, const int *order, long sets, long units, long columns) {
    const long wide = vectors(columns), per_set = vectors(units);
    for (long vector = 0, group; vector < wide; sums += sets * per_set * VL * group * VL, vector += group) {
        group = block_size(wide, OUTER_GROUP, vector);
        const long first = group > OUTER_WIDTH ? (group + 1) / 2 : group;
        for (long set = 0; set < sets; set++)
            for (long unit = 0; unit < units; unit++)
                for (long v = 0; v < group; v++) {
                    const long late = v >= first, width = late ? group - first : first;
                    const float *tile = sums + (set * per_set + unit / VL) * VL * group * VL + late * first * VL * VL;
                    vstore_part(weight + (order[set] * units + unit) * columns + (vector + v) * VL,
                                lanes(columns, vector + v), vload(tile + (unit % VL * width + v - late * first) * VL));
                }
    }
}

#endif
