// Inner loops of element-wise operators.

#include "kernels/elementwise.h"
#include "kernels/tier.h"

#if !AR_TIER_DSP

static int32_t scaled(int32_t x, ar_factor_t f) {
    return ar_requantize((int32_t)((uint32_t)x << AR_ADD_SHIFT), f);
}

void ar_add_s8(const ar_add_t *q, const int8_t *a, int32_t stride_a, const int8_t *b, int32_t stride_b, int8_t *out, uint32_t n) {
    for (uint32_t i = 0; i < n; i++, a += stride_a, b += stride_b) {
        int32_t sum = scaled(*a + q->offset_a, q->a) + scaled(*b + q->offset_b, q->b);
        *out++ = (int8_t)ar_requantize_clamp(sum, q->out, q->offset_out, q->low, q->high);
    }
}

#endif // !AR_TIER_DSP
