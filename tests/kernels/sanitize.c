/* Runs calls from a file under the address and undefined-behaviour sanitisers and compares with what the plain
 * loop gave. Every buffer is a block of its own, so that a step outside it is seen. Each call runs twice, the second time
 * in segments of two steps.
 *
 * A call is eight int64 (cell, reverse, seq, batch, feature, hidden, 0, 0), the lengths, and float32 arrays: inputs,
 * states, weights, gradients of the results; then what is expected: results, gradients of the rest.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>

#include "leadline.c"

typedef struct {
    float *values;
    long count;
} Array;

static Array take(FILE *file, long count) {
    Array a = {malloc((size_t)count * sizeof(float)), count};
    if (fread(a.values, sizeof(float), (size_t)count, file) != (size_t)count) exit(3);
    return a;
}
static Array blank(long count) {
    Array a = {malloc((size_t)count * sizeof(float)), count};
    for (long i = 0; i < count; i++) a.values[i] = NAN;
    return a;
}

static int differs(const char *name, Array found, Array expected) {
    double scale = 0, worst = 0;
    for (long i = 0; i < found.count; i++) {
        scale = fmax(scale, fabs((double)expected.values[i]));
        worst = fmax(worst, fabs((double)found.values[i] - (double)expected.values[i]));
        if (isnan(found.values[i])) worst = INFINITY;
    }
    const int wrong = worst > 1e-5 * scale + 1e-12;
    if (wrong) fprintf(stderr, "%s: %g of %g\n", name, worst, scale);
    free(found.values);
    free(expected.values);
    return wrong;
}

/* Both passes in segments, with gradients that must be those of the call itself, bit for bit. */
static int differs_in_segments(leadline_call call, const long *sizes) {
    float *right[] = {call.d_inputs, call.d_h_0, call.d_c_0, call.d_weight_ih,
                      call.d_weight_hh, call.d_bias_ih, call.d_bias_hh};
    Array d[7], saved = blank(leadline_checkpoints(call.cell, call.hidden, call.seq, call.batch, 2));
    for (int i = 0; i < 7; i++) d[i] = blank(sizes[i]);
    call.segment = 2, call.saved = saved.values;
    call.d_inputs = d[0].values, call.d_h_0 = d[1].values, call.d_c_0 = call.d_c_0 ? d[2].values : NULL;
    call.d_weight_ih = d[3].values, call.d_weight_hh = d[4].values;
    call.d_bias_ih = d[5].values, call.d_bias_hh = d[6].values;
    int wrong = leadline_forward(&call) != LEADLINE_OK || leadline_backward(&call) != LEADLINE_OK;
    for (int i = 0; i < 7; i++)
        if (right[i]) wrong |= memcmp(right[i], d[i].values, (size_t)sizes[i] * sizeof(float)) != 0;
    for (int i = 0; i < 7; i++) free(d[i].values);
    free(saved.values);
    if (wrong) fprintf(stderr, "in segments: other gradients\n");
    return wrong;
}

static int run_case(FILE *file) {
    int64_t head[8];
    if (fread(head, sizeof head, 1, file) != 1) return -1;
    const long cell = head[0], T = head[2], B = head[3], I = head[4], H = head[5];
    const long rows = H * (cell == LEADLINE_TANH ? 1 : cell == LEADLINE_GRU ? 3 : 4), lstm = cell == LEADLINE_LSTM;
    int64_t *lengths = malloc((size_t)B * sizeof *lengths);
    if (fread(lengths, sizeof *lengths, (size_t)B, file) != (size_t)B) exit(3);
    const long sizes[] = {T * B * I, B * H, lstm * B * H, rows * I, rows * H, rows, rows};
    const long results[] = {T * B * H, B * H, lstm * B * H};
    const char *names[] = {"inputs", "h_0", "c_0", "weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    Array in[7], d_out[3], expected_out[3], expected_d[7], out[3], d[7];
    for (int i = 0; i < 7; i++) in[i] = take(file, sizes[i]);
    for (int i = 0; i < 3; i++) d_out[i] = take(file, results[i]);
    for (int i = 0; i < 3; i++) expected_out[i] = take(file, results[i]), out[i] = blank(results[i]);
    for (int i = 0; i < 7; i++) expected_d[i] = take(file, sizes[i]), d[i] = blank(sizes[i]);
    int64_t *plan = malloc((size_t)leadline_plan_size(T, B) * sizeof *plan);
    Array saved = blank(leadline_saved(cell, H, leadline_plan(T, B, lengths, plan)));
    leadline_call call = {.cell = cell, .reverse = head[1], .seq = T, .batch = B, .feature = I, .hidden = H, .plan = plan};
    call.inputs = in[0].values, call.h_0 = in[1].values, call.c_0 = lstm ? in[2].values : NULL;
    call.weight_ih = in[3].values, call.weight_hh = in[4].values;
    call.bias_ih = in[5].values, call.bias_hh = in[6].values;
    call.outputs = out[0].values, call.h_n = out[1].values, call.c_n = lstm ? out[2].values : NULL;
    call.saved = saved.values;
    call.d_outputs = d_out[0].values, call.d_h_n = d_out[1].values, call.d_c_n = lstm ? d_out[2].values : NULL;
    call.d_inputs = d[0].values, call.d_h_0 = d[1].values, call.d_c_0 = lstm ? d[2].values : NULL;
    call.d_weight_ih = d[3].values, call.d_weight_hh = d[4].values;
    call.d_bias_ih = d[5].values, call.d_bias_hh = d[6].values;
    int wrong = leadline_forward(&call) != LEADLINE_OK || leadline_backward(&call) != LEADLINE_OK;
    wrong |= differs_in_segments(call, sizes);
    for (int i = 0; i < 3; i++) wrong |= differs(i == 0 ? "outputs" : i == 1 ? "h_n" : "c_n", out[i], expected_out[i]);
    for (int i = 0; i < 7; i++) wrong |= differs(names[i], d[i], expected_d[i]);
    for (int i = 0; i < 7; i++) free(in[i].values);
    for (int i = 0; i < 3; i++) free(d_out[i].values);
    free(saved.values), free(plan), free(lengths);
    if (wrong) fprintf(stderr, "cell %ld reverse %ld T %ld B %ld I %ld H %ld\n", cell, (long)head[1], T, B, I, H);
    return wrong;
}

int main(int count, char **arguments) {
    FILE *file = count > 1 ? fopen(arguments[1], "rb") : NULL;
    if (!file) return 2;
    int wrong = 0, cases = 0;
    for (int one; (one = run_case(file)) >= 0; cases++) wrong |= one;
    fclose(file);
    printf("%d calls\n", cases);
    return wrong;
}
