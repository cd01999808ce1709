/* All steps of one cell, forward and backward. Included by each cell's file, which says:
 *
 *   GATES, APART    gates per unit, and whether the last gate's input and hidden sums are kept apart
 *   UNITS, ROWS     vectors of units and rows per forward block
 *   SAVED, GRADS    vectors kept per unit vector for the backward pass, and gradients it gives
 *   DIRECT          1 where d_h reaches the state before without passing a weight
 *   MEMORY          1 where a second state (the LSTM's c) is carried
 *   HIDDEN_SET      first of the GATES gradients of the hidden side; the input side's start at 0
 *   forward_unit, backward_unit, input_order, hidden_order
 *
 * and is undefined again at the end.
 */

#include "forward.h"
/* in this order */
#include "backward.h"

#undef CELL
#undef GATES
#undef APART
#undef DIRECT
#undef UNITS
#undef SAVED
#undef GRADS
#undef MEMORY
#undef HIDDEN_SET
#undef ROWS
