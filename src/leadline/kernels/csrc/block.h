/* What the products share: sizes, and how rows are dealt into blocks. */
#ifndef LEADLINE_BLOCK_H
#define LEADLINE_BLOCK_H

#include "simd.h"

INLINE long smaller(long a, long b) { return a < b ? a : b; }
INLINE long larger(long a, long b) { return a > b ? a : b; }
INLINE long vectors(long columns) { return (columns + VL - 1) / VL; }
INLINE long lanes(long columns, long vector) { return smaller(VL, columns - vector * VL); }

/* `total` in blocks of at most `most`, evenly, so that no block is left with next to nothing. */
INLINE long block_size(long total, long most, long done) {
    const long left = (total - done + most - 1) / most;
    return (total - done + left - 1) / left;
}
#define AT_MOST(n, most) ((n) <= (most) ? (n) : (most))
#define LINE 64 /* bytes that a cache moves at once */

/* Fetching ahead, into the first cache or the second. With narrower vectors it costs more than it gains. */
INLINE void fetch_near(const void *at) {
    (void)at;
#if VL == 16
    __builtin_prefetch(at);
#endif
}
INLINE void fetch_far(const void *at) {
    (void)at;
#if VL == 16
    __builtin_prefetch(at, 0, 2);
#endif
}

/* A long sum is taken in slices: one chain of float32 additions loses accuracy in proportion to its length. */
#define SLICE 64
#define BACK_SLICE 128 /* of sums over the gates */
INLINE long slice_of(long depth) { return block_size(depth, SLICE, 0); }

#endif
