/* The plain C interface of the native kernels: one struct goes in, buffers are written, a status comes out.
 *
 * All buffers are float32 (lengths and plan int64), contiguous, row-major, and owned by the caller. Time comes first:
 * inputs (seq, batch, feature), outputs (seq, batch, hidden), states (batch, hidden); only outputs and their gradient may
 * lie with gaps between their rows, so that both directions of a layer write side by side. Nothing here allocates
 * memory that outlives a call, keeps state between calls, or knows of PyTorch.
 */
#ifndef LEADLINE_H
#define LEADLINE_H

#include <stdint.h>

#if defined(__GNUC__)
#define LEADLINE_EXPORT __attribute__((visibility("default")))
#else
#define LEADLINE_EXPORT
#endif

#define LEADLINE_ABI 9

enum leadline_cell { LEADLINE_TANH = 0, LEADLINE_GRU = 1, LEADLINE_LSTM = 2 };
enum leadline_status { LEADLINE_OK = 0, LEADLINE_NO_MEMORY = 1, LEADLINE_BAD_CALL = 2, LEADLINE_STOPPED = 3 };

typedef struct {
    int64_t cell, reverse, seq, batch, feature, hidden;
    const int64_t *plan; /* from leadline_plan */
    const float *inputs, *h_0, *c_0;
    const float *weight_ih, *weight_hh, *bias_ih, *bias_hh;
    float *outputs, *h_n, *c_n; /* c_0 and c_n: LSTM only; outputs are read by the backward pass */
    float *saved;               /* leadline_saved() floats for the backward pass, or NULL */
    /* Backward pass only. The first three may be NULL (zero), as may d_inputs, d_h_0, d_c_0 (not wanted). */
    const float *d_outputs, *d_h_n, *d_c_n;
    float *d_inputs, *d_h_0, *d_c_0;
    float *d_weight_ih, *d_weight_hh, *d_bias_ih, *d_bias_hh;
    /* Steps per segment, or 0. With segments `saved` holds leadline_checkpoints() floats, and the backward pass computes
     * a segment's steps once more from what the outputs and they tell, to the same bits. */
    int64_t segment;
    const volatile int64_t *stop; /* NULL, or set to other than 0 from outside: the call ends after this step */
    int64_t outputs_step, d_outputs_step; /* numbers from row to row; 0 for `hidden` */
} leadline_call;

/* 1, or 0 where the processor lacks this library's instruction set. */
LEADLINE_EXPORT int leadline_supported(void);
LEADLINE_EXPORT int64_t leadline_abi(void);
/* int64 numbers in a plan. */
LEADLINE_EXPORT int64_t leadline_plan_size(int64_t seq, int64_t batch);
/* Fills `plan` from the rows' lengths (clamped to 0..seq); returns the number of valid steps of all rows. */
LEADLINE_EXPORT int64_t leadline_plan(int64_t seq, int64_t batch, const int64_t *lengths, int64_t *plan);
/* float32 numbers in `saved`. */
LEADLINE_EXPORT int64_t leadline_saved(int64_t cell, int64_t hidden, int64_t valid_steps);
/* float32 numbers in `saved` where there are segments. */
LEADLINE_EXPORT int64_t leadline_checkpoints(int64_t cell, int64_t hidden, int64_t seq, int64_t batch, int64_t segment);
LEADLINE_EXPORT int leadline_forward(const leadline_call *call);
LEADLINE_EXPORT int leadline_backward(const leadline_call *call);

/* Calls that several threads share: each takes the next one until none is left. `next` begins at 0. */
typedef struct {
    int (*function)(const leadline_call *call);
    const leadline_call *const *calls;
    int *statuses;
    int64_t count, next;
} leadline_round;
/* What each thread runs; `round` is a leadline_round. */
LEADLINE_EXPORT void leadline_share(void *round);
/* Runs `function` on so many threads and waits for all: GOMP_parallel of an OpenMP library. */
typedef void leadline_team(void (*function)(void *), void *data, unsigned threads, unsigned flags);

/* A whole network with its data, trained in place: embedding, stack, readout, loss, clipping, AdamW, weight average.
 * `weights`, and the four arrays of the same size after it, hold all parameters one after another: for each category
 * column its table (names, width); for each column with n-grams their table (buckets, width); for each layer and
 * direction weight_ih, weight_hh, bias_ih, bias_hh; for each normalised layer scale and shift; for each convolution weight and bias; the hidden readout's weight and
 * bias; the readout's.
 * `residual`: a layer's input is added to its output where it is as wide. `layer_norm`: every layer's output, after that
 * and before dropout, is normalised over its numbers, with a scale and a shift for each.
 * Each step reads a window of `past` steps before it and `look_ahead` after it. Without layers the readout reads that
 * window itself, or what `convolutions` have made of it, whose l-th (from 0) reads `channels` numbers from each step and
 * those 2^(l+1) and 2^l steps before it, in this order, and is added to what it read where that is as wide.
 * `ends`: steps at either end, for the pooling of that name. `mlp`: units of the hidden readout, 0 for none. */
typedef struct {
    int64_t cell, layers, hidden, directions, residual, layer_norm, past, look_ahead, convolutions, channels, ends, mlp;
    int64_t pooling, objective, score, per_step;
    int64_t numeric, columns, outputs, parameters, grams_per_name;
    const int64_t *names, *widths, *buckets; /* by column; 0 buckets where there are no n-grams */
    const int64_t *const *grams;             /* by column: (names, grams_per_name) buckets, 0 is padding; or NULL */
    const int64_t *offsets, *codes, *rows_of_grams;
    const float *values;   /* (rows, numeric) */
    const int64_t *labels; /* by row, or by sequence; one of the two is NULL */
    const float *targets;
    float *weights, *gradient, *first, *second, *average;
    double learning_rate, weight_decay, clip, averaging, dropout, forget;
    uint64_t seed;
    leadline_team *together; /* both directions of a layer at once, to the same bits; NULL: one after the other */
} leadline_network;

/* One vector per step, or per sequence: the last state, the mean, the maximum; the first and the last steps side by side,
 * zeros where there are fewer; the mean beside the maximum. A network with layers has one of the first four. */
enum leadline_pooling {
    LEADLINE_STEP = 0,
    LEADLINE_LAST = 1,
    LEADLINE_MEAN = 2,
    LEADLINE_MAX = 3,
    LEADLINE_ENDS = 4,
    LEADLINE_BAG = 5
};
enum leadline_objective { LEADLINE_CROSS_ENTROPY = 0, LEADLINE_SMOOTH_L1 = 1 };

/* How many parameters a network of this shape has. */
LEADLINE_EXPORT int64_t leadline_parameters(const leadline_network *network);
/* Trains on `batches` batches, the first being update `done` + 1: sizes[b] sequence numbers each, longest first, one
 * batch after another in `sequences`. losses[b] is the mean loss; stops behind one that is not finite. Returns how
 * many batches were done, or minus a status. */
LEADLINE_EXPORT int64_t leadline_train(const leadline_network *network, int64_t done, int64_t batches,
                                       const int64_t *sizes, const int64_t *sequences, double *losses);
/* The gradient of the mean loss of one batch, with the dropout of that update (or none where `update` is 0). */
LEADLINE_EXPORT int leadline_gradient(const leadline_network *network, int64_t update, int64_t size,
                                      const int64_t *sequences, double *loss);
/* sums[i]: summed score of the i-th sequence, by `weights`. */
LEADLINE_EXPORT int leadline_score(const leadline_network *network, const float *weights, int64_t batches,
                                   const int64_t *sizes, const int64_t *sequences, double *sums);

/* Runs multiply-adds on registers for `rounds` rounds; returns the floating-point operations done. */
LEADLINE_EXPORT int64_t leadline_peak(int64_t rounds);

#endif
