/* h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman 1990). Nothing is kept: the outputs say it all. */
#define CELL(name) tanh_##name
#define GATES 1
#define DIRECT 0
#define APART 0
#define UNITS 2
#define SAVED 0
#define GRADS 1
#define MEMORY 0
#define HIDDEN_SET 0
#define ROWS (REGISTERS == 32 ? 8 : 6)

static const int CELL(input_order)[GATES] = {0};
static const int CELL(hidden_order)[GATES] = {0};

INLINE V CELL(forward_unit)(const V *gates, V apart, V before, V *memory, V *keep) {
    (void)apart, (void)before, (void)memory, (void)keep;
    return vtanh(gates[0]);
}

INLINE V CELL(backward_unit)(V d_h, V after, V before, V *d_memory, const V *kept, V *grads) {
    (void)before, (void)d_memory, (void)kept;
    grads[0] = d_h * (vset(1.0f) - after * after);
    return vset(0.0f);
}

#include "recurrence.h"
