// The micro-kernel behind depthwise convolution: one tap, a block of channels.

#ifndef ARENITE_KERNELS_DEPTHWISE_H
#define ARENITE_KERNELS_DEPTHWISE_H

#include <stdint.h>

// acc[i] += (x[i] + offset) * w[i] for i < n. Modulo 2^32.
void ar_depthwise_s8(uint32_t *acc, const int8_t *x, int32_t offset, const int8_t *w, uint32_t n);

#endif // ARENITE_KERNELS_DEPTHWISE_H
