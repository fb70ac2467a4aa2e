// Requantization factors of four channels at once.

#include "kernels/product.h"
#include "kernels/requantize.h"
#include "kernels/tier.h"

#if AR_TIER_MVE

#include <arm_mve.h>

typedef struct {
    uint32x4_t mult;
    int32x4_t shift;
} four_t;

// As ar_ratio_factor, whose words these are. near: not 0 where these may not be its results.
static inline four_t four_factors(const ar_ratio_t *r, const uint8_t *scales, uint32_t n, mve_pred16_t *near) {
    const uint32_t high = (uint32_t)(r->quotient >> 32), low = (uint32_t)r->quotient, top = 0x80000000u;
    uint32x4_t bits = vreinterpretq_u32_u8(vldrbq_z_u8(scales, vctp8q(4 * n)));
    uint32x4_t mb = vorrq_u32(vshlq_n_u32(bits, 8), vdupq_n_u32(top));
    int32x4_t shift = vaddq_n_s32(vreinterpretq_s32_u32(vandq_u32(vshrq_n_u32(bits, 23), vdupq_n_u32(0xff))), r->exponent - 125);
    // The product's upper 64 bits in two words.
    uint32x4_t p1 = vmulhq_u32(vdupq_n_u32(high), mb), p0 = vmulq_n_u32(mb, high), carried = vmulhq_u32(vdupq_n_u32(low), mb);
    p0 = vaddq_u32(p0, carried);
    p1 = vaddq_m_n_u32(p1, p1, 1, vcmphiq_u32(carried, p0));
    mve_pred16_t small = vcmpgeq_n_s32(vreinterpretq_s32_u32(p1), 0);
    // Twice that where its first bit is 0.
    uint32x4_t doubled = vsriq_n_u32(vshlq_n_u32(p1, 1), p0, 31);
    p1 = vpselq_u32(doubled, p1, small);
    p0 = vpselq_u32(vshlq_n_u32(p0, 1), p0, small);
    shift = vsubq_m_n_s32(shift, shift, 1, small);
    // 31 bits, and the next 32.
    uint32x4_t rest = vsliq_n_u32(vshrq_n_u32(p0, 1), p1, 31);
    uint32x4_t mult = vaddq_u32(vshrq_n_u32(p1, 1), vshrq_n_u32(rest, 31));
    mve_pred16_t over = vcmpltq_n_s32(vreinterpretq_s32_u32(mult), 0);
    mult = vpselq_u32(vdupq_n_u32(1u << 30), mult, over);
    *near = vcmphiq_u32(vdupq_n_u32(0x4000), vsubq_n_u32(rest, 0x7fffe000u));
    *near |= vcmphiq_u32(vreinterpretq_u32_s32(vaddq_n_s32(shift, 31)), vdupq_n_u32(61));
    shift = vaddq_m_n_s32(shift, shift, 1, over);
    return (four_t) { mult, shift };
}

// In the long way.
static __attribute__((noinline)) void mend(const ar_ratio_t *r, const uint8_t *scales, uint32_t n, ar_factor_t *to) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t scale;
        __builtin_memcpy(&scale, scales + 4 * i, sizeof(scale));
        to[i] = ar_ratio_factor(r, (union { uint32_t u; float f; }) { scale }.f);
    }
}

void ar_ratio_factors(const ar_ratio_t *r, const uint8_t *scales, uint32_t n, ar_factor_t *to) {
    mve_pred16_t near;
    four_t f = four_factors(r, scales, n, &near);
    int32x4x2_t both = { { vreinterpretq_s32_u32(f.mult), f.shift } };
    vst2q_s32(&to->mult, both);
    if (near) {
        mend(r, scales, n < 4 ? n : 4, to);
    }
}

bool ar_ratio_channels(const ar_ratio_t *r, const uint8_t *scales, uint32_t first, uint32_t n, ar_channel_t *to) {
    uint32x4_t channel = vaddq_n_u32(vidupq_n_u32(0, 1), first);
    mve_pred16_t strange = 0;
    for (uint32_t now; n > 0; n -= now, scales += 16, to += 4, channel = vaddq_n_u32(channel, 4)) {
        mve_pred16_t near;
        now = n < 4 ? n : 4;
        four_t f = four_factors(r, scales, now, &near);
        if (near & vctp32q(now)) {
            ar_factor_t some[4];
            mend(r, scales, now, some);
            int32x4x2_t both = vld2q_s32(&some->mult);
            f = (four_t) { vreinterpretq_u32_s32(both.val[0]), both.val[1] };
        }
        strange |= vcmphiq_u32(vreinterpretq_u32_s32(vsubq_s32(vdupq_n_s32(-1), f.shift)), vdupq_n_u32(21)) & vctp32q(now);
        // The shift in the lower half, the channel in the upper.
        uint32x4_t rest = vsliq_n_u32(vreinterpretq_u32_s32(f.shift), channel, 16);
        const uint32x4_t places = vidupq_n_u32(0, 8);
        vstrwq_scatter_offset_p_u32((uint32_t *)to, places, f.mult, vctp32q(now));
        vstrwq_scatter_offset_p_u32((uint32_t *)to + 1, places, rest, vctp32q(now));
    }
    return strange == 0;
}

#endif // AR_TIER_MVE
