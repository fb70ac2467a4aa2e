// The loops behind element-wise operators of one tensor: a function of a float, or a step from one integer to another.

#ifndef ARENITE_OPS_UNARY_H
#define ARENITE_OPS_UNARY_H

#include "ops/op.h"

struct _ar_unary_t;

// One element of an integer tensor to one of the output. The scalars are the operator's own.
typedef int32_t (*ar_step_t)(const struct _ar_unary_t *u, int32_t x);

// What an operator's scalars start with. Where wrong is set, a step may give AR_STEP_WRONG: then it is the run's error.
typedef struct _ar_unary_t {
    const char *wrong;
    uint32_t count;
    ar_step_t step;
    uint8_t type;
    bool table;
} ar_unary_t;

#define AR_STEP_WRONG (INT32_MIN)

// Input and output must be of one type and shape.
ar_status_t ar_unary_open(ar_prep_t *p);

// Refuse what is not quantized, or, in int16, has zero points.
ar_status_t ar_unary_quantized(ar_prep_t *p);

// Make the record: of a float function, or of a step with its scalars, whose start is filled in but for wrong. An int8 tensor
// that is large enough is looked up in a table of all 256 results, which is made anew in each run.
ar_status_t ar_unary_f32(ar_prep_t *p, float (*f)(float x));
ar_status_t ar_unary_int(ar_prep_t *p, ar_step_t step, ar_unary_t *u, size_t bytes);

#endif // ARENITE_OPS_UNARY_H
