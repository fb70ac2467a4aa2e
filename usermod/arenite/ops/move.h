// What operators share that move elements and compute nothing. They ask for the size of an element, not for its type,
// and move bits: quantization plays no part, as in tflite-micro.

#ifndef ARENITE_OPS_MOVE_H
#define ARENITE_OPS_MOVE_H

#include "engine/bytes.h"
#include "ops/walk.h"

// What is moved and output 0 must be of one type that can be.
ar_status_t ar_move_open(ar_prep_t *p, const ar_tensor_t *in);

// The record of one copy along a space, from input i, starting so many elements into it, to output 0.
ar_status_t ar_move_record(ar_prep_t *p, const ar_space_t *s, unsigned i, int32_t from);

// Input i as int32 or int64: element k, cut to what int32 holds.
int32_t ar_index_at(const uint8_t *data, unsigned type, uint32_t k);

// Input i as constant int32 or int64, n of them; `what` names it in the error ("paddings").
ar_status_t ar_const_ints(ar_prep_t *p, unsigned i, const char *what, uint32_t n, int32_t *values);

// As an axis of a tensor of so many dimensions, counted from the end where it is negative.
ar_status_t ar_axis(ar_prep_t *p, int32_t given, unsigned rank, unsigned *axis);

// The product of dimensions [from, to).
uint32_t ar_product(const ar_tensor_t *t, unsigned from, unsigned to);

#endif // ARENITE_OPS_MOVE_H
