// Logistic function and tanh of int16, which TensorFlow Lite looks up in a table.

#ifndef ARENITE_KERNELS_SIGMOID_H
#define ARENITE_KERNELS_SIGMOID_H

#include <stdint.h>

// Of x / (3 * 4096), |x| < 2^31; the result has 15 bits behind the point.
int16_t ar_logistic_s16(int32_t x);
int16_t ar_tanh_s16(int32_t x);

#endif // ARENITE_KERNELS_SIGMOID_H
