// Sums for average pooling, four channels at a time.

#include "kernels/pool.h"
#include "kernels/tier.h"

#if AR_TIER_MVE

#include <arm_mve.h>

void ar_pool_sum_s8(int32_t *sums, const int8_t *x, uint32_t step, uint32_t columns, uint32_t n) {
    for (uint32_t c = 0; c < n; c += 4, x += 4) {
        int32x4_t sum = vldrwq_z_s32(sums + c, vctp32q(n - c));
        const int8_t *at = x;
        __asm volatile (
            "vctp.32    %4\n"
            "wls        lr, %3, 2f\n"
            "1:\n"
            "vpst\n"
            "vldrbt.s32 q0, [%1]\n"
            "vadd.i32   %q0, %q0, q0\n"
            "add        %1, %1, %2\n"
            "le         lr, 1b\n"
            "2:\n"
            : "+w" (sum), "+l" (at) : "r" (step), "r" (columns), "r" (n - c) : "lr", "q0", "p0", "memory");
        vstrwq_p_s32(sums + c, sum, vctp32q(n - c));
    }
}

#endif // AR_TIER_MVE
