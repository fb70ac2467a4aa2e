// Inner loops of element-wise operators on quantized tensors.

#ifndef ARENITE_KERNELS_ELEMENTWISE_H
#define ARENITE_KERNELS_ELEMENTWISE_H

#include <stdint.h>

#include "kernels/requantize.h"

// Bits to spare while two inputs of different scales are added.
#define AR_ADD_SHIFT (20)

typedef struct {
    int32_t offset_a, offset_b, offset_out;
    ar_factor_t a, b, out;
    int32_t low, high;
} ar_add_t;

// n sums; the strides are 1, or 0 for a value that is repeated.
void ar_add_s8(const ar_add_t *q, const int8_t *a, int32_t stride_a, const int8_t *b, int32_t stride_b, int8_t *out, uint32_t n);

#endif // ARENITE_KERNELS_ELEMENTWISE_H
