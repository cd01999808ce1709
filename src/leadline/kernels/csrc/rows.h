/* Rows that lie anywhere times a packed panel: a few rows and vectors of columns at a time, in registers.
 *
 * A panel holds the columns that one block computes, k after k, so it is read once from front to back. Each
 * element's sum is one chain of multiply-adds per slice: it does not depend on how many rows share the block.
 */
#ifndef LEADLINE_ROWS_H
#define LEADLINE_ROWS_H

#include "block.h"

/* Rows of a block, and every number of rows and vectors of units that one may have; the compiler makes a copy for
 * each. */
#define ROWS_TOGETHER (REGISTERS == 32 ? 8 : 6)
#define PAIR 2 /* vectors of columns per panel of a dense layer */
#define EACH_CASE(CASE) \
    CASE(1, 1) CASE(2, 1) CASE(3, 1) CASE(4, 1) CASE(5, 1) CASE(6, 1) CASE(7, 1) CASE(8, 1) \
    CASE(1, 2) CASE(2, 2) CASE(3, 2) CASE(4, 2) CASE(5, 2) CASE(6, 2) CASE(7, 2) CASE(8, 2)

INLINE void put_aside(float *held, V *sums, const int count) {
    UNROLL(32)
    for (int i = 0; i < count; i++) {
        vstore(held + i * VL, sums[i]);
        sums[i] = vset(0.0f);
    }
}
INLINE void take_back(const float *held, V *sums, const int count) {
    UNROLL(32)
    for (int i = 0; i < count; i++) sums[i] = vload(held + i * VL) + sums[i];
}

/* What is fetched into the second cache meanwhile: `step` bytes with every k. */
typedef struct {
    const char *at;
    long step;
} Ahead;

/* sums[i][v] += sum over k in [first, last) of rows[i][k] * panel[k][v]. */
INLINE void rows_slice(V *sums, const float *const *rows, const float *panel, long first, long last, Ahead ahead,
                       const int count, const int width) {
    const float *row[8];
    UNROLL(8)
    for (int i = 0; i < count; i++) row[i] = rows[i];
    for (long k = first; k < last; k++) {
        V b[8];
        fetch_far(ahead.at + k * ahead.step);
        UNROLL(8)
        for (int v = 0; v < width; v++) b[v] = vload(panel + (k * width + v) * VL);
        UNROLL(8)
        for (int i = 0; i < count; i++) {
            V a = vset(row[i][k]);
            UNROLL(8)
            for (int v = 0; v < width; v++) sums[i * width + v] = vfma(a, b[v], sums[i * width + v]);
        }
    }
}

/* sums[i][v] += sum over k of rows[i][k] * panel[k][v], taken `slice` at a time. */
INLINE void rows_product(V *sums, const float *const *rows, const float *panel, long depth, long slice,
                         Ahead ahead, const int count, const int width) {
    float held[8 * 4 * VL];
    for (long k = 0;;) {
        const long first = k;
        k = smaller(k + slice, depth);
        rows_slice(sums, rows, panel, first, k, ahead, count, width);
        if (first > 0) take_back(held, sums, count * width);
        if (k == depth) break;
        put_aside(held, sums, count * width);
    }
}

#endif
