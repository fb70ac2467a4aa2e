// Fused activations: the range that an operator clamps its output to.

#ifndef ARENITE_OPS_ACTIVATION_H
#define ARENITE_OPS_ACTIVATION_H

#include "ops/op.h"

// The range in quantized units for an int8 (or other integer) output, as TensorFlow Lite's
// CalculateActivationRangeQuantized gives it. An activation that cannot be fused (TANH, SIGN_BIT) is refused.
ar_status_t ar_activation_int(ar_prep_t *p, int32_t activation, const ar_tensor_t *out, int32_t *low, int32_t *high);

// The range for float32.
ar_status_t ar_activation_float(ar_prep_t *p, int32_t activation, float *low, float *high);

// Refuse this one.
ar_status_t ar_bad_activation(ar_prep_t *p, int32_t activation);

// 1 / (1 + exp(-x)).
float ar_logistic_f32(float x);

#endif // ARENITE_OPS_ACTIVATION_H
