// The micro-kernel behind convolution, fully connected and all other matrix products: one run of activations
// against up to AR_DOT_ROWS rows of weights.

#ifndef ARENITE_KERNELS_DOT_H
#define ARENITE_KERNELS_DOT_H

#include <stdint.h>

#define AR_DOT_ROWS (4)

// acc[r] += sum over i < n of (x[i] + offset) * w[r * w_stride + i], for r < rows <= AR_DOT_ROWS. Modulo 2^32.
void ar_dot_s8(uint32_t *acc, uint32_t rows, const int8_t *x, int32_t offset, const int8_t *w, uint32_t w_stride, uint32_t n);

// The same in float32.
void ar_dot_f32(float *acc, uint32_t rows, const float *x, const float *w, uint32_t w_stride, uint32_t n);

#endif // ARENITE_KERNELS_DOT_H
