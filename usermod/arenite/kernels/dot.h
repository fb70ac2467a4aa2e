// The micro-kernels behind convolution, fully connected and all other matrix products: one run of activations against up
// to AR_DOT_ROWS rows of weights. One signature for every type, so that one operator serves all.

#ifndef ARENITE_KERNELS_DOT_H
#define ARENITE_KERNELS_DOT_H

#include <stdint.h>

#define AR_DOT_ROWS (4)

// acc[r] += sum over i < n of (x[i] + offset) * w[r * w_stride + i], for r < rows <= AR_DOT_ROWS.
typedef void (*ar_dot_t)(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n);

// int8 by int8 into uint32, modulo 2^32.
void ar_dot_s8(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n);

// int16 by int8 into int64; the offset is 0.
void ar_dot_s16(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n);

// float by float into float; the offset is 0.
void ar_dot_f32(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n);

// float by int8 into float; the offset is 0.
void ar_dot_f32_s8(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n);

#endif // ARENITE_KERNELS_DOT_H
