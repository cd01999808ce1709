/* One vector type and a dozen operations per instruction set; + - * / come from the compiler's vector types. VL is how
 * many numbers a vector holds, REGISTERS how many vectors the processor does: blocks are sized by both.
 *
 * Multiply-adds are always written out (`vfma`), and the files are compiled with -ffp-contract=off, so that a row's
 * arithmetic is the same in every copy of a loop that the compiler makes.
 */
#ifndef LEADLINE_SIMD_H
#define LEADLINE_SIMD_H

#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Loops over a block's sums, at most n of them: unrolled, or the sums would lie in memory. clang ignores gcc's pragma. */
#define PRAGMA(words) _Pragma(#words)
#if defined(__clang__)
#define UNROLL(n) PRAGMA(clang loop unroll(full))
#else
#define UNROLL(n) PRAGMA(GCC unroll n)
#endif

#if defined(__AVX512F__)
#include <immintrin.h>
#define VL 16
#define REGISTERS 32
typedef __m512 V;
INLINE V vload(const float *p) { return _mm512_loadu_ps(p); }
INLINE void vstore(float *p, V v) { _mm512_storeu_ps(p, v); }
INLINE V vset(float x) { return _mm512_set1_ps(x); }
INLINE V vfma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
INLINE V vmin(V limit, V x) { return _mm512_min_ps(limit, x); }
INLINE V vmax(V limit, V x) { return _mm512_max_ps(limit, x); }
INLINE V vsign(V x) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32((int)0x80000000u)));
}
INLINE V vxor(V a, V b) {
    return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}
INLINE V vabove(V x, V limit, V yes, V no) { /* x > limit ? yes : no */
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, limit, _CMP_GT_OQ), no, yes);
}
INLINE V vpow2(V magic) { /* the low bits of `magic` hold the exponent */
    __m512i bits = _mm512_slli_epi32(_mm512_castps_si512(magic), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(bits, _mm512_set1_epi32(0x3F800000)));
}
INLINE float vsum(V v) { return _mm512_reduce_add_ps(v); }
INLINE float vlargest(V v) { return _mm512_reduce_max_ps(v); }
/* A division takes as long as thirty multiply-adds; an estimate and one Newton step give all but the last bit. */
INLINE V vreciprocal(V x) {
    V r = _mm512_rcp14_ps(x);
    return _mm512_fmadd_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(1.0f)), r);
}
INLINE V vload_part(const float *p, long n) { return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p); }
INLINE void vstore_part(float *p, long n, V v) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v); }

#elif defined(__AVX2__)
#include <immintrin.h>
#define VL 8
#define REGISTERS 16
typedef __m256 V;
INLINE V vload(const float *p) { return _mm256_loadu_ps(p); }
INLINE void vstore(float *p, V v) { _mm256_storeu_ps(p, v); }
INLINE V vset(float x) { return _mm256_set1_ps(x); }
INLINE V vfma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
INLINE V vmin(V limit, V x) { return _mm256_min_ps(limit, x); }
INLINE V vmax(V limit, V x) { return _mm256_max_ps(limit, x); }
INLINE V vsign(V x) { return _mm256_and_ps(x, _mm256_set1_ps(-0.0f)); }
INLINE V vxor(V a, V b) { return _mm256_xor_ps(a, b); }
INLINE V vabove(V x, V limit, V yes, V no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(x, limit, _CMP_GT_OQ));
}
INLINE V vpow2(V magic) {
    __m256i bits = _mm256_slli_epi32(_mm256_castps_si256(magic), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_set1_epi32(0x3F800000)));
}

INLINE float vsum(V v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
INLINE float vlargest(V v) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
}

#elif defined(__SSE2__)
#include <emmintrin.h>
#define VL 4
#define REGISTERS 16
typedef __m128 V;
INLINE V vload(const float *p) { return _mm_loadu_ps(p); }
INLINE void vstore(float *p, V v) { _mm_storeu_ps(p, v); }
INLINE V vset(float x) { return _mm_set1_ps(x); }
INLINE V vfma(V a, V b, V c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
INLINE V vmin(V limit, V x) { return _mm_min_ps(limit, x); }
INLINE V vmax(V limit, V x) { return _mm_max_ps(limit, x); }
INLINE V vsign(V x) { return _mm_and_ps(x, _mm_set1_ps(-0.0f)); }
INLINE V vxor(V a, V b) { return _mm_xor_ps(a, b); }
INLINE V vabove(V x, V limit, V yes, V no) {
    const V mask = _mm_cmpgt_ps(x, limit);
    return _mm_or_ps(_mm_and_ps(mask, yes), _mm_andnot_ps(mask, no));
}
INLINE V vpow2(V magic) {
    __m128i bits = _mm_slli_epi32(_mm_castps_si128(magic), 23);
    return _mm_castsi128_ps(_mm_add_epi32(bits, _mm_set1_epi32(0x3F800000)));
}

INLINE float vsum(V v) {
    v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}
INLINE float vlargest(V v) {
    v = _mm_max_ps(v, _mm_movehl_ps(v, v));
    return _mm_cvtss_f32(_mm_max_ss(v, _mm_shuffle_ps(v, v, 1)));
}

#elif defined(__aarch64__)
#include <arm_neon.h>
#define VL 4
#define REGISTERS 32
typedef float32x4_t V;
INLINE V vload(const float *p) { return vld1q_f32(p); }
INLINE void vstore(float *p, V v) { vst1q_f32(p, v); }
INLINE V vset(float x) { return vdupq_n_f32(x); }
INLINE V vfma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
INLINE V vmin(V limit, V x) { return vminq_f32(limit, x); } /* NaN wins on this machine */
INLINE V vmax(V limit, V x) { return vmaxq_f32(limit, x); }
INLINE V vsign(V x) { return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x), vdupq_n_u32(0x80000000u))); }
INLINE V vxor(V a, V b) {
    return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)));
}
INLINE V vabove(V x, V limit, V yes, V no) { return vbslq_f32(vcgtq_f32(x, limit), yes, no); }
INLINE V vpow2(V magic) {
    uint32x4_t bits = vshlq_n_u32(vreinterpretq_u32_f32(magic), 23);
    return vreinterpretq_f32_u32(vaddq_u32(bits, vdupq_n_u32(0x3F800000u)));
}
INLINE float vsum(V v) { return vaddvq_f32(v); }
INLINE float vlargest(V v) { return vmaxvq_f32(v); }
#else
#error "no instruction set that Leadline knows"
#endif

#if VL != 16
INLINE V vreciprocal(V x) { return vset(1.0f) / x; }
INLINE V vload_part(const float *p, long n) {
    float lanes[VL] = {0};
    if (n >= VL) return vload(p);
    for (long i = 0; i < n; i++) lanes[i] = p[i];
    return vload(lanes);
}
INLINE void vstore_part(float *p, long n, V v) {
    float lanes[VL];
    if (n >= VL) {
        vstore(p, v);
        return;
    }
    vstore(lanes, v);
    for (long i = 0; i < n; i++) p[i] = lanes[i];
}
#endif

/* Flush-to-zero for the length of one call: denormal numbers cost a hundred cycles each and mean nothing here. */
#if defined(__aarch64__)
typedef uint64_t float_mode;
INLINE float_mode flush_denormals(void) {
    uint64_t old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    __asm__ volatile("msr fpcr, %0" ::"r"(old | (1ull << 24)));
    return old;
}
INLINE void restore_mode(float_mode old) { __asm__ volatile("msr fpcr, %0" ::"r"(old)); }
#else
typedef unsigned float_mode;
INLINE float_mode flush_denormals(void) {
    unsigned old = _mm_getcsr();
    _mm_setcsr(old | 0x8040u);
    return old;
}
INLINE void restore_mode(float_mode old) { _mm_setcsr(old); }
#endif

#endif
