// The micro-kernels behind depthwise convolution: one tap, a block of channels.

#ifndef ARENITE_KERNELS_DEPTHWISE_H
#define ARENITE_KERNELS_DEPTHWISE_H

#include <stdint.h>

// acc[i] += (x[i * step] + offset) * w[i] for i < n; step is 1, or 0 where one activation meets all the weights.
// Accumulators and offset as in kernels/dot.h.
typedef void (*ar_depthwise_t)(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);

void ar_depthwise_s8(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);
void ar_depthwise_s16(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);
void ar_depthwise_f32(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);
void ar_depthwise_f32_s8(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);

#endif // ARENITE_KERNELS_DEPTHWISE_H
