// The kernel behind average pooling.

#ifndef ARENITE_KERNELS_POOL_H
#define ARENITE_KERNELS_POOL_H

#include <stdint.h>

// Channels that are summed together, at most.
#define AR_POOL_BLOCK (16)

// Of n channels, that many columns are added to their sums; from a column to the next it is step.
void ar_pool_sum_s8(int32_t *sums, const int8_t *x, uint32_t step, uint32_t columns, uint32_t n);

#endif // ARENITE_KERNELS_POOL_H
