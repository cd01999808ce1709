/* The native kernels of one instruction set, built once per set (see simd.h) into one shared object. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* posix_memalign */
#endif
#include "leadline.h"

#include "activation.h"
#include "steps.h"

#include "cell_gru.h"
#include "cell_lstm.h"
#include "cell_tanh.h"

int64_t leadline_abi(void) { return LEADLINE_ABI; }

int leadline_supported(void) {
#if defined(__AVX512F__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512cd");
#elif defined(__AVX2__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#elif defined(__SSE2__)
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
#else
    return 1;
#endif
}

int64_t leadline_plan_size(int64_t seq, int64_t batch) { return 1 + 2 * batch + 2 * seq; }

int64_t leadline_plan(int64_t seq, int64_t batch, const int64_t *lengths, int64_t *plan) {
    int64_t *order = plan + 1, *count = order + batch, *offset = count + seq, *length = offset + seq, valid = 0;
    memset(count, 0, (size_t)seq * sizeof(int64_t));
    /* First count[t] = rows of length exactly t + 1, then from the longest down the running sums. */
    for (int64_t row = 0; row < batch; row++) {
        const int64_t n = lengths[row] > seq ? seq : lengths[row];
        if (n > 0) count[n - 1]++;
    }
    for (int64_t t = seq - 2; t >= 0; t--) count[t] += count[t + 1];
    /* A row of length n goes behind the count[n] rows that are longer, in the rows' own order: offset is lent. */
    int64_t alive = seq ? count[0] : 0;
    for (int64_t t = 0; t < seq; t++) offset[t] = t + 1 < seq ? count[t + 1] : 0;
    for (int64_t row = 0; row < batch; row++) {
        const int64_t n = lengths[row] > seq ? seq : lengths[row] < 0 ? 0 : lengths[row];
        const int64_t place = n > 0 ? offset[n - 1]++ : alive++;
        order[place] = row;
        length[place] = n;
    }
    valid = 0;
    for (int64_t t = 0; t < seq; t++) {
        offset[t] = valid;
        valid += count[t];
    }
    plan[0] = valid;
    return valid;
}

int64_t leadline_saved(int64_t cell, int64_t hidden, int64_t valid_steps) {
    static const int64_t kept[] = {[LEADLINE_TANH] = 0, [LEADLINE_GRU] = 4, [LEADLINE_LSTM] = 6};
    return kept[cell] * vectors(hidden) * VL * valid_steps;
}

int64_t leadline_checkpoints(int64_t cell, int64_t hidden, int64_t seq, int64_t batch, int64_t segment) {
    const int64_t segments = (seq + segment - 1) / segment;
    return cell == LEADLINE_LSTM ? segments * vectors(hidden) * VL * batch : 0;
}

static int run(const leadline_call *call, int forward) {
    switch (call->cell) {
    case LEADLINE_TANH: return forward ? tanh_forward(call) : tanh_backward(call);
    case LEADLINE_GRU: return forward ? gru_forward(call) : gru_backward(call);
    case LEADLINE_LSTM: return forward ? lstm_forward(call) : lstm_backward(call);
    default: return LEADLINE_BAD_CALL;
    }
}

static int run_flushed(const leadline_call *call, int forward) {
    const float_mode before = flush_denormals();
    const int status = run(call, forward);
    restore_mode(before);
    return status;
}

int leadline_forward(const leadline_call *call) { return run_flushed(call, 1); }
int leadline_backward(const leadline_call *call) { return run_flushed(call, 0); }

void leadline_share(void *round) {
    leadline_round *r = round;
    for (int64_t i; (i = __atomic_fetch_add(&r->next, 1, __ATOMIC_RELAXED)) < r->count;)
        r->statuses[i] = r->function(r->calls[i]);
}

#include "train.h"

/* Multiply-adds on registers alone, for the benchmark's peak: 12 chains; returns how many operations were done. */
int64_t leadline_peak(int64_t rounds) {
    V sums[12];
    UNROLL(12)
    for (int i = 0; i < 12; i++) sums[i] = vset((float)i);
    V factor = vset(0.999f), add = vset(1e-3f);
    for (int64_t round = 0; round < rounds; round++) {
        UNROLL(12)
        for (int i = 0; i < 12; i++) sums[i] = vfma(sums[i], factor, add);
    }
    V total = vset(0.0f);
    UNROLL(12)
    for (int i = 0; i < 12; i++) total = total + sums[i];
    float lanes_of_total[VL];
    vstore(lanes_of_total, total);
    __asm__ volatile("" : : "r"(lanes_of_total) : "memory"); /* or the compiler drops it all */
    return rounds * 12 * VL * 2;
}
