// Sums for average pooling, four channels at a time.

#include "kernels/pool.h"
#include "kernels/tier.h"

#if AR_TIER_MVE

#include <arm_mve.h>

void ar_pool_sum_s8(int32_t *sums, const int8_t *x, uint32_t step, uint32_t columns, uint32_t n) {
    for (uint32_t c = 0; c < n; c += 4, x += 4) {
        mve_pred16_t present = vctp32q(n - c);
        int32x4_t sum = vldrwq_z_s32(sums + c, present);
        const int8_t *at = x;
        for (uint32_t i = 0; i < columns; i++, at += step) {
            sum = vaddq_s32(sum, vldrbq_z_s32(at, present));
        }
        vstrwq_p_s32(sums + c, sum, present);
    }
}

#endif // AR_TIER_MVE
