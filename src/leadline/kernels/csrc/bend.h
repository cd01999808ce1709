/* ReLU and dropout of hidden units: those of the readout and those of convolutions. */
#ifndef LEADLINE_BEND_H
#define LEADLINE_BEND_H

#include "work.h"

/* ReLU and dropout of rows that are padded to whole vectors. */
static void bend(const Work *w, float *rows, long count, long wide, uint64_t place) {
    const Network *n = w->network;
    const uint64_t key = stream_key(n->seed, w->update, place);
    const float p = (float)n->dropout, kept = 1.0f / (1.0f - p);
    for (long i = 0; i < count; i++) {
        float *row = rows + i * padded(wide);
        for (long k = 0; k < padded(wide); k++) row[k] = row[k] < 0.0f ? 0.0f : row[k];
        for (long k = 0; dropping(w) && k < wide; k++)
            row[k] = uniform(key, (uint64_t)(i * wide + k)) < p ? 0.0f : row[k] * kept;
    }
}

/* From the gradient of what `bend` left (rows[i]) to that of what it was given, in tiles. */
static void bend_gradient(Work *w, float *const *d_rows, const float *left, long count, long wide) {
    const long stride = tile_stride(count);
    const V kept = vset(dropping(w) ? (float)(1.0 / (1.0 - w->network->dropout)) : 1.0f), none = vset(0.0f);
    for (long b = 0; b < vectors(wide); b++)
        for (long i = 0; i < count; i++) {
            const V d = vload_part(d_rows[i] + b * VL, lanes(wide, b)) * kept;
            vstore(w->tiles + (b * stride + i) * VL, vabove(vload(left + i * padded(wide) + b * VL), none, d, none));
        }
}

#endif
