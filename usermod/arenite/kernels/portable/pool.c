// Sums for average pooling.

#include "kernels/pool.h"
#include "kernels/tier.h"

#if !AR_TIER_MVE && !AR_TIER_DSP

void ar_pool_sum_s8(int32_t *sums, const int8_t *x, uint32_t step, uint32_t columns, uint32_t n) {
    for (uint32_t c = 0; c < n; c++, x++) {
        int32_t sum = sums[c];
        const int8_t *at = x;
        for (uint32_t i = 0; i < columns; i++, at += step) {
            sum += *at;
        }
        sums[c] = sum;
    }
}

#endif // !AR_TIER_MVE && !AR_TIER_DSP
