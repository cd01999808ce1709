/* Trains whole networks of every shape on random data under the address and undefined-behaviour sanitisers. Every
 * buffer is a block of its own and of exact size. Says how many networks were trained. Failures are: a loss, a gradient
 * or a score that is not finite, a loss that does not fall on data learned by heart, a gradient that differs from call
 * to call, and a weight that changes in an update whose passes found no memory.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>

/* The allocation after which there is no memory; 0: there always is. */
static long memory_left;
static int scarce_memalign(void **memory, size_t alignment, size_t size) {
    if (memory_left && --memory_left == 0) return 1;
    return posix_memalign(memory, alignment, size);
}
#define posix_memalign scarce_memalign

#include "leadline.c"

enum { SEQUENCES = 9, COLUMNS = 2, NUMERIC = 1, GRAMS = 3, UPDATES = 20 };
static const int64_t STEPS[SEQUENCES] = {11, 7, 7, 4, 3, 2, 1, 1, 0}; /* longest first */
static const int64_t NAMES[COLUMNS] = {5, 3}, WIDTHS[COLUMNS] = {4, 3}, BUCKETS[COLUMNS] = {6, 0};

static uint64_t drawn = 1;
static float draw(void) { return uniform(7, drawn++) - 0.5f; }

static float *floats(long count, float scale) {
    float *values = malloc((size_t)count * sizeof *values);
    for (long i = 0; i < count; i++) values[i] = scale * draw();
    return values;
}
static int64_t *wholes(long count, int64_t below) {
    int64_t *values = malloc((size_t)count * sizeof *values);
    for (long i = 0; i < count; i++) values[i] = below ? (int64_t)((draw() + 0.5f) * (float)below) : i;
    return values;
}

/* With dropout and without: finite, and the same at every call. */
static int has_gradient(const leadline_network *n, const int64_t *order) {
    int wrong = 0;
    for (int64_t update = 0; update < 2; update++) {
        double first = 0, second = 1, sum[2] = {0, 0};
        wrong |= leadline_gradient(n, update, SEQUENCES, order, &first) != LEADLINE_OK;
        for (long i = 0; i < n->parameters; i++) sum[0] += n->gradient[i] * (double)(i % 7 + 1);
        wrong |= leadline_gradient(n, update, SEQUENCES, order, &second) != LEADLINE_OK;
        for (long i = 0; i < n->parameters; i++) sum[1] += n->gradient[i] * (double)(i % 7 + 1);
        wrong |= !isfinite(first) || first != second || !isfinite(sum[0]) || sum[0] != sum[1] || sum[0] == 0;
    }
    return wrong;
}

/* No memory for the first pass of an update, and none for one of the later ones: an error, and no update. */
static int leaves_weights_alone(const leadline_network *n, const int64_t *sizes, const int64_t *order) {
    const size_t bytes = (size_t)n->parameters * sizeof(float);
    const long passes = n->layers * n->directions;
    float *before = malloc(bytes);
    double loss;
    int wrong = 0;
    memcpy(before, n->weights, bytes);
    for (long left = 2; left <= 2 * passes + 1; left += 2 * passes - 1) {
        memory_left = left;
        wrong |= leadline_train(n, UPDATES, 1, sizes, order, &loss) != -LEADLINE_NO_MEMORY;
        wrong |= memcmp(before, n->weights, bytes) != 0;
    }
    memory_left = 0;
    free(before);
    return wrong;
}

static int trains(leadline_network n) {
    int64_t *offsets = wholes(SEQUENCES + 1, 0), *order = wholes(SEQUENCES, 0), *sizes = wholes(UPDATES, 0);
    int64_t *repeated = malloc(UPDATES * SEQUENCES * sizeof *repeated);
    for (long i = 0; i < SEQUENCES; i++) offsets[i + 1] = offsets[i] + STEPS[i];
    for (long i = 0; i < UPDATES; i++) sizes[i] = SEQUENCES, memcpy(repeated + i * SEQUENCES, order, SEQUENCES * 8);
    offsets[0] = 0;
    const long rows = offsets[SEQUENCES], targets = n.per_step ? rows : SEQUENCES;
    int64_t *grams = wholes(NAMES[0] * GRAMS, BUCKETS[0]);
    const int64_t *const tables[COLUMNS] = {grams, NULL};
    float *values = floats(rows * NUMERIC, 1.0f), *wanted = floats(targets, 2.0f);
    int64_t *codes = wholes(rows * COLUMNS, 3), *labels = wholes(targets, n.outputs);
    n.numeric = NUMERIC, n.columns = COLUMNS, n.grams_per_name = GRAMS;
    n.names = NAMES, n.widths = WIDTHS, n.buckets = BUCKETS, n.grams = tables;
    n.offsets = offsets, n.values = values, n.codes = codes, n.rows_of_grams = codes;
    if (n.objective == LEADLINE_SMOOTH_L1) n.targets = wanted;
    else n.labels = labels;
    n.parameters = leadline_parameters(&n);
    n.weights = floats(n.parameters, 0.6f), n.gradient = floats(n.parameters, 0.0f);
    n.first = floats(n.parameters, 0.0f), n.second = floats(n.parameters, 0.0f);
    n.average = floats(n.parameters, 0.0f);
    n.learning_rate = 0.01, n.clip = 1.0, n.averaging = 0.9, n.forget = 0.01, n.seed = 5;
    double losses[UPDATES], sums[SEQUENCES];
    int wrong = leadline_train(&n, 0, UPDATES, sizes, repeated, losses) != UPDATES;
    wrong |= leadline_score(&n, n.average, 1, sizes, order, sums) != LEADLINE_OK;
    for (long i = 0; i < SEQUENCES; i++) wrong |= !isfinite(sums[i]);
    wrong |= has_gradient(&n, order) | leaves_weights_alone(&n, sizes, order);
    wrong |= !isfinite(losses[UPDATES - 1]) || (n.dropout == 0 && !(losses[UPDATES - 1] < losses[0]));
    void *all[] = {offsets, order, sizes, repeated, grams, values, wanted, codes, labels,
                   n.weights, n.gradient, n.first, n.second, n.average};
    for (unsigned long i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    if (wrong)
        fprintf(stderr, "cell %ld layers %ld hidden %ld directions %ld pooling %ld: %g to %g\n", (long)n.cell,
                (long)n.layers, (long)n.hidden, (long)n.directions, (long)n.pooling, losses[0], losses[UPDATES - 1]);
    return wrong;
}

int main(void) {
    int wrong = 0, count = 0;
    for (int64_t cell = 0; cell < 3; cell++)
        for (int64_t pooling = 0; pooling < 4; pooling++)
            for (int64_t variant = 0; variant < 16; variant++, count++) {
                const int64_t shape = variant / 2;
                leadline_network n = {.cell = cell, .pooling = pooling, .per_step = pooling == LEADLINE_STEP};
                n.directions = 1 + shape % 2, n.layers = 1 + shape / 2 % 2;
                n.look_ahead = n.directions == 1 ? 2 * (shape / 4) : 0;
                n.hidden = shape == 3 ? 18 : 5, n.dropout = variant % 2 ? 0.3 : 0.0;
                n.mlp = shape / 4 * n.hidden * n.directions;
                n.residual = shape == 6 || shape == 7 || shape == 1, n.layer_norm = shape == 7 || shape == 2;
                if (cell == LEADLINE_TANH && n.per_step && n.directions == 1) { /* a window, no layers */
                    n.past = shape == 4 ? 12 : 2, n.look_ahead = shape == 6 ? 0 : 3, n.layers = n.hidden = 0;
                    n.mlp = shape / 4 * 19;
                }
                if (cell == LEADLINE_GRU && shape == 4 && (n.per_step || pooling == LEADLINE_MEAN)) { /* convolutions */
                    n.layers = n.hidden = n.mlp = n.look_ahead = 0, n.directions = 1;
                    n.convolutions = 3, n.channels = n.per_step ? 19 : NUMERIC + 7; /* 8: as wide as the features */
                }
                if (cell == LEADLINE_LSTM && shape == 4 && pooling > LEADLINE_LAST) { /* both ends, or all order lost */
                    n.layers = n.hidden = n.look_ahead = 0, n.directions = 1, n.mlp = variant % 2 ? 19 : 0;
                    n.ends = 3, n.pooling = pooling == LEADLINE_MEAN ? LEADLINE_ENDS : LEADLINE_BAG;
                }
                n.objective = shape == 5 ? LEADLINE_SMOOTH_L1 : LEADLINE_CROSS_ENTROPY;
                n.outputs = n.objective == LEADLINE_SMOOTH_L1 ? 1 : shape == 2 ? 17 : 3;
                n.score = shape == 5 ? SCORE_ERROR : shape % 2 ? SCORE_ACCURACY : SCORE_LIKELIHOOD;
                wrong |= trains(n);
            }
    printf("%d networks\n", count);
    return wrong;
}
