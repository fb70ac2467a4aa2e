// Walks over tensors of any rank: dimensions with a stride for each of two tensors. What broadcasts, moves or reduces
// is such a walk.

#ifndef ARENITE_OPS_WALK_H
#define ARENITE_OPS_WALK_H

#include "ops/op.h"

// One dimension: how many steps, and how far each goes in either tensor, in elements.
typedef struct {
    uint32_t n;
    int32_t stride[2];
} ar_dim_t;

// Dimensions, outermost first.
typedef struct {
    uint32_t rank;
    ar_dim_t dim[AR_MAX_RANK];
} ar_space_t;

typedef struct {
    uint32_t count[AR_MAX_RANK];
    int32_t offset[2];
} ar_walk_t;

// Row-major strides of a shape.
void ar_strides(const int32_t *dim, unsigned rank, int32_t *stride);

// Add a dimension inside the others. It joins the one before where that steps over it as a whole, and is dropped
// where it has one step.
void ar_space_add(ar_space_t *s, uint32_t n, int32_t stride0, int32_t stride1);

// Bytes that a record needs for the space, and the way in and out of it: rank dimensions behind one another.
static inline size_t ar_space_bytes(const ar_space_t *s) {
    return s->rank * sizeof(ar_dim_t);
}

// The next element; false after the last. Start with a walk of zeros (or of offsets to start from).
bool ar_walk_next(ar_walk_t *w, const ar_dim_t *dim, uint32_t rank);

// Copy along a space, from stride 0's tensor to stride 1's, elements of size bytes.
void ar_copy(const ar_dim_t *dim, uint32_t rank, const void *in, void *out, uint32_t size);

#endif // ARENITE_OPS_WALK_H
