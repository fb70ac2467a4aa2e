// Exponential, reciprocal, logistic function, tanh, inverse square root and logarithm in fixed point, to the bits of
// gemmlowp's fixedpoint.h, which TensorFlow Lite's quantized SOFTMAX, LOGISTIC and others are written in. A number with i integer
// bits is raw / 2^(31 - i).

#ifndef ARENITE_KERNELS_FIXED_POINT_H
#define ARENITE_KERNELS_FIXED_POINT_H

#include <stdint.h>

// exp(a) for a <= 0 with so many integer bits; the result has none.
int32_t ar_fixed_exp(int32_t a, int32_t integer_bits);

// 1 / (1 + a) for 0 <= a < 1; no integer bits in either.
int32_t ar_fixed_one_over_one_plus(int32_t a);

// 1 / x for x with so many integer bits, as a number in (1/2, 1] without integer bits times 2^-over_unit.
int32_t ar_fixed_reciprocal(uint32_t x, int32_t integer_bits, int32_t *over_unit);

// 1 / (1 + exp(-a)) for a with so many integer bits; the result has none.
int32_t ar_fixed_logistic(int32_t a, int32_t integer_bits);

// tanh(a) for a with so many integer bits; the result has none.
int32_t ar_fixed_tanh(int32_t a, int32_t integer_bits);

// 1 / sqrt(x) for an integer x, as a multiplier without integer bits and a shift, left if positive. What is below 1
// counts as 1.
int32_t ar_fixed_rsqrt(int32_t x, int32_t *shift);

// log(x) for x >= 1 with 12 integer bits; the result has 5.
int32_t ar_fixed_log(int32_t x);

#endif // ARENITE_KERNELS_FIXED_POINT_H
