// The loop behind element-wise operators of two tensors, with broadcasting as TensorFlow broadcasts: shapes are aligned
// at their last dimension, and a dimension of 1, or none, is repeated. An operator is what happens along a run.

#ifndef ARENITE_OPS_BINARY_H
#define ARENITE_OPS_BINARY_H

#include "ops/walk.h"

// One run: run->n elements of a and b, run->stride[0] and [1] elements apart, to elements of out side by side. What it
// returns is what is wrong with the data, NULL if nothing is.
typedef const char *(*ar_binary_run_t)(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run);

// Size of dimension i, counted from the last.
static inline int32_t ar_dim_from_end(const ar_tensor_t *t, unsigned i) {
    return i < t->rank ? t->dim[t->rank - 1 - i] : 1;
}

// The dimensions of out, of which there is at least one in s, and what a and b step along them. Alone: a and b give out;
// else a third tensor may make it larger, which is not checked.
ar_status_t ar_broadcast(ar_prep_t *p, const ar_tensor_t *a, const ar_tensor_t *b, const ar_tensor_t *out, bool alone, ar_space_t *s);

// Run along all of them, until something is wrong. Sizes of an element in bytes: of a, of b, of out.
const char *ar_binary_walk(ar_binary_run_t run, const void *params, const uint8_t *size, const ar_dim_t *dim, uint32_t rank,
    const void *a, const void *b, void *out);

// Get input 1, which must have the type of input 0.
ar_status_t ar_binary_open(ar_prep_t *p, ar_tensor_t *b);

// Check shapes and make the record; the operator's scalars are copied into it.
ar_status_t ar_binary_record(ar_prep_t *p, const ar_tensor_t *b, ar_binary_run_t run, const void *params, size_t bytes);

#endif // ARENITE_OPS_BINARY_H
