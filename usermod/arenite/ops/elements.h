// Element-wise operators, whose output has its input's shape: they may run a few rows at a time, and in place.

#ifndef ARENITE_OPS_ELEMENTS_H
#define ARENITE_OPS_ELEMENTS_H

#include "ops/op.h"

// Tell, when the record is made, that the operator goes element by element through so many of its inputs, which have the
// output's shape; others are constants. count: where in the record it says how many elements they are, or how many times
// something that repeats within a row.
ar_status_t ar_elementwise(ar_prep_t *p, uint32_t *count, unsigned inputs);

#endif // ARENITE_OPS_ELEMENTS_H
