/* The forward and the backward pass of a whole network over one batch that was read. */
#ifndef LEADLINE_PASSES_H
#define LEADLINE_PASSES_H

#include "batch.h"
#include "finish.h"
#include "pooling.h"

static leadline_call layer_call(const Work *w, long l, long d) {
    const Network *n = w->network;
    const long gates = GATES_OF[n->cell] * n->hidden, inputs = inputs_of(n, l);
    const float *weights = w->weights + layer_at(n, l, d);
    float *ends = w->ends + d * 2 * w->batch * n->hidden;
    return (leadline_call){
        .cell = n->cell, .reverse = d, .seq = w->seq, .batch = w->batch, .feature = inputs, .hidden = n->hidden,
        .plan = w->plan,
        .inputs = below(w, l),
        .h_0 = w->zeros, .c_0 = n->cell == LEADLINE_LSTM ? w->zeros : NULL,
        .weight_ih = weights, .weight_hh = weights + gates * inputs,
        .bias_ih = weights + gates * (inputs + n->hidden), .bias_hh = weights + gates * (inputs + n->hidden + 1),
        .outputs = w->layers[l].halves[d] + (is_bare(w) ? d * n->hidden : 0),
        .h_n = ends, .c_n = n->cell == LEADLINE_LSTM ? ends + w->batch * n->hidden : NULL,
        .saved = w->training ? w->layers[l].saved[d] : NULL,
        .outputs_step = is_bare(w) ? step_width(n) : n->hidden, .d_outputs_step = step_width(n),
    };
}

/* From so many multiply-adds of a direction on, two threads gain: about 30 microseconds. */
#define WORTH_TWO 1.0e6

/* A layer's directions, at once where there is a team and enough to do. */
static int run_layer(const Work *w, long l, const leadline_call *calls, int (*pass)(const leadline_call *)) {
    const Network *n = w->network;
    const leadline_call *each[] = {&calls[0], &calls[1]};
    int statuses[2] = {LEADLINE_OK, LEADLINE_OK};
    leadline_round round = {pass, each, statuses, n->directions, 0};
    const double work = (double)(w->valid * GATES_OF[n->cell] * n->hidden) * (double)(inputs_of(n, l) + n->hidden);
    if (n->together && n->directions == 2 && work >= WORTH_TWO)
        n->together(leadline_share, &round, 2, 0);
    else
        leadline_share(&round);
    return statuses[0] ? statuses[0] : statuses[1];
}

/* The rows that the readout reads, in the order of time and then of the sequences, and what they should give. */
static void gather(Work *w) {
    const Network *n = w->network;
    const long wide = width_of(n);
    w->targets = 0;
    for (long t = 0; t < (n->per_step ? w->seq : 1); t++)
        for (long j = 0; j < w->batch; j++) {
            if (n->per_step && t >= w->lengths[j]) continue;
            const long i = w->targets++, at = n->per_step ? n->offsets[w->sequences[j]] + t : w->sequences[j];
            w->rows[i] = n->per_step ? step_of(w, top(w), t, j, wide) : w->pooled + j * wide;
            if (n->labels) w->labels[i] = n->labels[at];
            if (n->targets) w->values[i] = n->targets[at];
            if (!w->training) continue;
            w->d_rows[i] = n->per_step ? step_of(w, w->d_joined, t, j, wide) : w->d_pooled + j * wide;
        }
}

static int forward_pass(Work *w) {
    const Network *n = w->network;
    for (long l = 0; l < n->layers; l++) {
        const leadline_call calls[] = {layer_call(w, l, 0), layer_call(w, l, n->directions - 1)};
        const int status = run_layer(w, l, calls, leadline_forward);
        if (status) return status;
        finish(w, l);
    }
    for (long l = 0; l < n->convolutions; l++) convolve(w, l);
    if (!n->per_step) pool(w);
    gather(w);
    if (n->mlp) {
        dense_forward(&w->inner, w->rows, w->targets, w->hidden);
        bend(w, w->hidden, w->targets, n->mlp, 1 + (uint64_t)n->layers);
        for (long i = 0; i < w->targets; i++) w->hidden_rows[i] = w->hidden + i * padded(n->mlp);
    }
    dense_forward(&w->outer, n->mlp ? w->hidden_rows : w->rows, w->targets, w->logits);
    return LEADLINE_OK;
}

static int layer_backward(Work *w, long l) {
    const Network *n = w->network;
    const long gates = GATES_OF[n->cell] * n->hidden, inputs = inputs_of(n, l);
    leadline_call calls[2];
    finish_gradient(w, l);
    for (long d = 0; d < n->directions; d++) {
        float *gradient = n->gradient + layer_at(n, l, d);
        calls[d] = layer_call(w, l, d);
        calls[d].d_outputs = w->d_joined + d * n->hidden;
        calls[d].d_inputs = l || n->columns ? w->d_inputs[d] : NULL;
        calls[d].d_weight_ih = gradient;
        calls[d].d_weight_hh = gradient + gates * inputs;
        calls[d].d_bias_ih = gradient + gates * (inputs + n->hidden);
        calls[d].d_bias_hh = gradient + gates * (inputs + n->hidden + 1);
    }
    const int status = run_layer(w, l, calls, leadline_backward);
    if (status) return status;
    if (l || n->columns) add_up(w, l, w->seq * w->batch * inputs);
    return LEADLINE_OK;
}

/* The gradient of the mean loss, into network->gradient; the summed loss comes back. */
static int backward_pass(Work *w, double *loss) {
    const Network *n = w->network;
    const float *inner = w->weights + readout_at(n), *outer = w->weights + output_at(n);
    float *d_inner = n->gradient + readout_at(n), *d_outer = n->gradient + output_at(n);
    const long wide = width_of(n);
    if (n->objective == LEADLINE_CROSS_ENTROPY)
        *loss = cross_entropy(w->logits, w->labels, w->targets, n->outputs, w->tiles);
    else
        *loss = smooth_l1(w->logits, w->values, w->targets, w->tiles);
    for (long i = 0; n->mlp && i < w->targets; i++) w->d_hidden_rows[i] = w->d_hidden + i * n->mlp;
    dense_backward(&w->outer, outer, w->tiles, n->mlp ? w->hidden_rows : w->rows, w->targets, d_outer,
                   d_outer + n->outputs * top_of(n), n->mlp ? w->d_hidden_rows : w->d_rows);
    if (n->mlp) {
        bend_gradient(w, w->d_hidden_rows, w->hidden, w->targets, n->mlp);
        dense_backward(&w->inner, inner, w->tiles, w->rows, w->targets, d_inner, d_inner + n->mlp * wide, w->d_rows);
    }
    if (!n->per_step) pool_gradient(w);
    for (long l = n->layers - 1; l >= 0; l--) {
        const int status = layer_backward(w, l);
        if (status) return status;
    }
    for (long l = n->convolutions - 1; l >= 0; l--) convolution_gradient(w, l);
    if (!n->columns) return LEADLINE_OK;
    const int windowed = n->past + n->look_ahead > 0;
    if (windowed) close_window(w, w->d_joined, w->d_inputs[0]);
    embed_gradient(w, windowed ? w->d_inputs[0] : w->d_joined);
    return LEADLINE_OK;
}

#endif
