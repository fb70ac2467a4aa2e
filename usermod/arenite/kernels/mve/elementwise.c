// Inner loops of element-wise operators for cores with Helium.

#include "kernels/elementwise.h"
#include "kernels/tier.h"

#if AR_TIER_MVE

#include "kernels/mve/requantize.h"

// No factor shifts to the left: sums of two numbers whose factors are at most 1/2.
static inline int32x4_t scaled_one(int32x4_t x, int32_t mult, int32x4_t shift) {
    int32x4_t t = vqrdmulhq_n_s32(x, mult);
    return vrshlq_s32(vaddq_s32(t, vshrq_n_s32(vandq_s32(t, shift), 31)), shift);
}

static int32_t scaled_scalar(int32_t x, ar_factor_t f) {
    return ar_requantize((int32_t)((uint32_t)x << AR_ADD_SHIFT), f);
}

static void one_by_one(const ar_add_t *q, const int8_t *a, int32_t stride_a, const int8_t *b, int32_t stride_b, int8_t *out, uint32_t n) {
    for (uint32_t i = 0; i < n; i++, a += stride_a, b += stride_b) {
        int32_t sum = scaled_scalar(*a + q->offset_a, q->a) + scaled_scalar(*b + q->offset_b, q->b);
        *out++ = (int8_t)ar_requantize_clamp(sum, q->out, q->offset_out, q->low, q->high);
    }
}

void ar_add_s8(const ar_add_t *q, const int8_t *a, int32_t stride_a, const int8_t *b, int32_t stride_b, int8_t *out, uint32_t n) {
    if (stride_a != 1 || stride_b != 1 || q->a.shift > 0 || q->b.shift > 0 || q->out.shift > 0) {
        one_by_one(q, a, stride_a, b, stride_b, out, n);
        return;
    }
    const int32x4_t unit = vdupq_n_s32(1 << AR_ADD_SHIFT), low = vdupq_n_s32(q->low), high = vdupq_n_s32(q->high);
    const int32x4_t shift_a = vdupq_n_s32(q->a.shift), shift_b = vdupq_n_s32(q->b.shift), shift_out = vdupq_n_s32(q->out.shift);
    const int32_t offset_a = (int32_t)((uint32_t)q->offset_a << AR_ADD_SHIFT), offset_b = (int32_t)((uint32_t)q->offset_b << AR_ADD_SHIFT);
    for (int32_t left = (int32_t)n; left > 0; left -= 4, a += 4, b += 4, out += 4) {
        mve_pred16_t present = vctp32q((uint32_t)left);
        int32x4_t x = vmlasq_n_s32(vldrbq_z_s32(a, present), unit, offset_a);
        int32x4_t y = vmlasq_n_s32(vldrbq_z_s32(b, present), unit, offset_b);
        int32x4_t sum = vaddq_s32(scaled_one(x, q->a.mult, shift_a), scaled_one(y, q->b.mult, shift_b));
        sum = vaddq_n_s32(scaled_one(sum, q->out.mult, shift_out), q->offset_out);
        vstrbq_p_s32(out, vminq_s32(vmaxq_s32(sum, low), high), present);
    }
}

#endif // AR_TIER_MVE
