/* Training and scoring: the entry points for whole networks. */
#ifndef LEADLINE_TRAIN_H
#define LEADLINE_TRAIN_H

#include "optimiser.h"
#include "passes.h"

int64_t leadline_parameters(const leadline_network *n) { return output_at(n) + n->outputs * (top_of(n) + 1); }

static void pack_dense(Work *w) {
    const Network *n = w->network;
    for (long l = 0; l < n->convolutions; l++) {
        const float *weight = w->weights + convolution_at(n, l);
        dense_pack(&w->convolutions[l].dense, weight, weight + n->channels * seen_by(n, l), 0.0f);
    }
    const float *inner = w->weights + readout_at(n), *outer = w->weights + output_at(n);
    if (n->mlp) dense_pack(&w->inner, inner, inner + n->mlp * width_of(n), 0.0f);
    dense_pack(&w->outer, outer, outer + n->outputs * top_of(n), BEYOND);
}

static int gradient_of(Work *w, const int64_t *sequences, long size, double *loss) {
    read_batch(w, sequences, size);
    pack_dense(w);
    int status = forward_pass(w);
    if (!status) status = backward_pass(w, loss);
    *loss /= (double)(w->targets ? w->targets : 1);
    return status;
}

int64_t leadline_train(const leadline_network *n, int64_t done, int64_t batches, const int64_t *sizes,
                       const int64_t *sequences, double *losses) {
    const Recipe recipe = {n->learning_rate, n->weight_decay, n->clip, n->averaging};
    Work w = {.network = n, .weights = n->weights, .training = 1, .update = 1};
    Arena arena = {NULL, 0};
    if (!work_open(&w, &arena, batches, sizes, sequences)) return -LEADLINE_NO_MEMORY;
    const float_mode before = flush_denormals();
    int64_t b = 0;
    int status = LEADLINE_OK;
    for (; b < batches && !status; sequences += sizes[b++]) {
        w.update = (uint64_t)(done + b + 1);
        status = gradient_of(&w, sequences, sizes[b], &losses[b]);
        if (status) break;
        optimise(n->weights, n->gradient, n->first, n->second, n->average, n->parameters, &recipe, done + b + 1);
        if (!isfinite(losses[b])) {
            b++;
            break;
        }
    }
    restore_mode(before);
    free(arena.memory);
    return status ? -status : b;
}

int leadline_gradient(const leadline_network *n, int64_t update, int64_t size, const int64_t *sequences, double *loss) {
    Work w = {.network = n, .weights = n->weights, .training = 1, .update = (uint64_t)update};
    Arena arena = {NULL, 0};
    if (!work_open(&w, &arena, 1, &size, sequences)) return LEADLINE_NO_MEMORY;
    const float_mode before = flush_denormals();
    const int status = gradient_of(&w, sequences, size, loss);
    restore_mode(before);
    free(arena.memory);
    return status;
}

/* Adds the scores of a batch to its sequences' sums, in the readout's order of rows. */
static void add_scores(Work *w, double *sums) {
    const Network *n = w->network;
    long i = 0;
    for (long t = 0; t < (n->per_step ? w->seq : 1); t++)
        for (long j = 0; j < w->batch; j++)
            if (!n->per_step || t < w->lengths[j]) {
                float *row = w->logits + i * padded(n->outputs);
                const float value = n->labels ? 0.0f : w->values[i];
                sums[j] += score_of(row, n->score, n->labels ? w->labels[i] : 0, value, n->outputs);
                i++;
            }
}

int leadline_score(const leadline_network *n, const float *weights, int64_t batches, const int64_t *sizes,
                   const int64_t *sequences, double *sums) {
    Work w = {.network = n, .weights = weights};
    Arena arena = {NULL, 0};
    if (!work_open(&w, &arena, batches, sizes, sequences)) return LEADLINE_NO_MEMORY;
    const float_mode before = flush_denormals();
    int status = LEADLINE_OK;
    pack_dense(&w);
    for (int64_t b = 0; b < batches && !status; sums += sizes[b], sequences += sizes[b++]) {
        read_batch(&w, sequences, sizes[b]);
        status = forward_pass(&w);
        memset(sums, 0, (size_t)sizes[b] * sizeof(double));
        add_scores(&w, sums);
    }
    restore_mode(before);
    free(arena.memory);
    return status;
}

#endif
