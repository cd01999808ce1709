/* Random numbers from a counter: the n-th number of a stream is a function of the stream's key and n alone
 * (the finaliser of SplitMix64, Steele, Lea & Flood 2014), so nothing depends on who else draws. */
#ifndef LEADLINE_CHANCE_H
#define LEADLINE_CHANCE_H

#include <stdint.h>

static inline uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}
static inline uint64_t stream_key(uint64_t seed, uint64_t update, uint64_t place) {
    return mixed(mixed(mixed(seed + 0x9E3779B97F4A7C15u) + update) + place);
}
/* The n-th number of a stream, uniform on [0, 1) in steps of 2^-24. */
static inline float uniform(uint64_t key, uint64_t n) {
    return (float)(mixed(key + (n + 1) * 0x9E3779B97F4A7C15u) >> 40) * 0x1p-24f;
}
/* 1 / (1 - p) with probability 1 - p, else 0. */
static void draw_mask(float *mask, long count, float p, uint64_t key, uint64_t first) {
    const float kept = 1.0f / (1.0f - p);
    for (long i = 0; i < count; i++) mask[i] = uniform(key, first + (uint64_t)i) < p ? 0.0f : kept;
}

#endif
