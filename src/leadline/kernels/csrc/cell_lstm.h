/* c' = f c + i g; h' = o tanh(c') (Hochreiter & Schmidhuber 1997; forget gate of Gers et al. 2000).
 *
 * Kept: i, f, g, o, tanh(c') and c.
 */
#define CELL(name) lstm_##name
#define GATES 4
#define DIRECT 0
#define APART 0
#define UNITS 1
#define SAVED 6
#define GRADS 4
#define MEMORY 1
#define HIDDEN_SET 0
#define ROWS (REGISTERS == 32 ? 6 : 3)

static const int CELL(input_order)[GATES] = {0, 1, 2, 3};
static const int CELL(hidden_order)[GATES] = {0, 1, 2, 3};

INLINE V CELL(forward_unit)(const V *gates, V apart, V before, V *memory, V *keep) {
    (void)apart, (void)before;
    V i = vsigmoid(gates[0]), f = vsigmoid(gates[1]), g = vtanh(gates[2]), o = vsigmoid(gates[3]);
    keep[5] = *memory;
    *memory = vfma(f, *memory, i * g);
    V squashed = vtanh(*memory);
    keep[0] = i, keep[1] = f, keep[2] = g, keep[3] = o, keep[4] = squashed;
    return o * squashed;
}

INLINE V CELL(backward_unit)(V d_h, V after, V before, V *d_memory, const V *kept, V *grads) {
    (void)after, (void)before;
    V one = vset(1.0f), i = kept[0], f = kept[1], g = kept[2], o = kept[3], squashed = kept[4], c = kept[5];
    V d_c = vfma(d_h * o, one - squashed * squashed, *d_memory);
    grads[0] = d_c * g * i * (one - i);
    grads[1] = d_c * c * f * (one - f);
    grads[2] = d_c * i * (one - g * g);
    grads[3] = d_h * squashed * o * (one - o);
    *d_memory = d_c * f;
    return vset(0.0f);
}

#include "recurrence.h"
