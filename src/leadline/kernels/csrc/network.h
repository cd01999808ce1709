/* A network's sizes, and where its weights lie in an array of all parameters. */
#ifndef LEADLINE_NETWORK_H
#define LEADLINE_NETWORK_H

#include "chance.h"
#include "objective.h"

typedef leadline_network Network;

static const int64_t GATES_OF[] = {[LEADLINE_TANH] = 1, [LEADLINE_GRU] = 3, [LEADLINE_LSTM] = 4};

INLINE long features_of(const Network *n) {
    long total = n->numeric;
    for (long c = 0; c < n->columns; c++) total += n->widths[c];
    return total;
}
INLINE long window_of(const Network *n) { return features_of(n) * (n->past + 1 + n->look_ahead); }
/* What a step holds in the end, what the readout reads, and what its last map does. */
INLINE long step_width(const Network *n) {
    return n->layers ? n->hidden * n->directions : n->convolutions ? n->channels : window_of(n);
}
INLINE long width_of(const Network *n) {
    const long wide = step_width(n);
    return n->pooling == LEADLINE_ENDS ? 2 * n->ends * wide : n->pooling == LEADLINE_BAG ? 2 * wide : wide;
}
INLINE long top_of(const Network *n) { return n->mlp ? n->mlp : width_of(n); }
INLINE long inputs_of(const Network *n, long layer) { return layer ? width_of(n) : window_of(n); }

/* Where a part of the network starts in an array of all parameters. */
INLINE long table_at(const Network *n, long column) {
    long at = 0;
    for (long c = 0; c < column; c++) at += n->names[c] * n->widths[c];
    return at;
}
INLINE long grams_at(const Network *n, long column) {
    long at = table_at(n, n->columns);
    for (long c = 0; c < column; c++) at += n->buckets[c] * n->widths[c];
    return at;
}
INLINE long layer_at(const Network *n, long layer, long direction) {
    const long gates = GATES_OF[n->cell] * n->hidden;
    long at = grams_at(n, n->columns);
    for (long l = 0; l < layer; l++) at += n->directions * gates * (inputs_of(n, l) + n->hidden + 2);
    return at + direction * gates * (inputs_of(n, layer) + n->hidden + 2);
}
INLINE long norm_at(const Network *n, long layer) {
    return layer_at(n, n->layers, 0) + (n->layer_norm ? 2 * layer * n->hidden * n->directions : 0);
}
#define TAPS 3 /* steps that a convolution reads */
INLINE long seen_by(const Network *n, long convolution) {
    return TAPS * (convolution ? n->channels : features_of(n));
}
INLINE long convolution_at(const Network *n, long convolution) {
    long at = norm_at(n, n->layers);
    for (long l = 0; l < convolution; l++) at += n->channels * (seen_by(n, l) + 1);
    return at;
}
INLINE long readout_at(const Network *n) { return convolution_at(n, n->convolutions); }
INLINE long output_at(const Network *n) { return readout_at(n) + n->mlp * (width_of(n) + 1); }

#endif
