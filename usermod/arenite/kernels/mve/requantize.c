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

// As ar_ratio_factor, whose words these are, of four scales, without a condition: 1 or 0 are what shifts by. near: below 0x4000
// where it is near one half, which is not to be told so.
static inline four_t four_factors(const ar_ratio_t *r, uint32x4_t bits, uint32x4_t *near) {
    const uint32_t high = (uint32_t)(r->quotient >> 32), low = (uint32_t)r->quotient;
    uint32x4_t mb = vorrq_u32(vshlq_n_u32(bits, 8), vdupq_n_u32(0x80000000u));
    int32x4_t shift = vaddq_n_s32(vreinterpretq_s32_u32(vshrq_n_u32(bits, 23)), r->exponent);
    // The product's upper 64 bits in two words.
    uint32x4_t p1 = vmulhq_u32(vdupq_n_u32(high), mb), p0 = vmulq_n_u32(mb, high), carried = vmulhq_u32(vdupq_n_u32(low), mb);
    p1 = vaddq_u32(p1, vshrq_n_u32(vhaddq_u32(p0, carried), 31));
    p0 = vaddq_u32(p0, carried);
    // Twice that where its first bit is 0.
    int32x4_t once = vreinterpretq_s32_u32(vshrq_n_u32(vmvnq_u32(p1), 31));
    p1 = vorrq_u32(vshlq_u32(p1, once), vshlq_u32(p0, vsubq_n_s32(once, 32)));
    p0 = vshlq_u32(p0, once);
    // 31 bits, and the next 32.
    uint32x4_t rest = vsliq_n_u32(vshrq_n_u32(p0, 1), p1, 31);
    uint32x4_t mult = vaddq_u32(vshrq_n_u32(p1, 1), vshrq_n_u32(rest, 31));
    int32x4_t over = vreinterpretq_s32_u32(vshrq_n_u32(mult, 31));
    *near = vaddq_n_u32(rest, 0x80002000u);
    return (four_t) { vshlq_u32(mult, vnegq_s32(over)), vaddq_s32(vsubq_s32(shift, once), over) };
}

static ar_factor_t factor_at(const ar_ratio_t *r, const uint8_t *scale) {
    float b;
    __builtin_memcpy(&b, scale, sizeof(b));
    return ar_ratio_factor(r, b);
}

void ar_ratio_factors(const ar_ratio_t *r, const uint8_t *scales, uint32_t n, ar_factor_t *to) {
    for (uint32_t i = 0; i < 4 && i < n; i++) {
        to[i] = factor_at(r, scales + 4 * i);
    }
}

// In the long way; whether all shifts are plain.
static __attribute__((noinline)) bool some_channels(const ar_ratio_t *r, const uint8_t *scales, uint32_t first, uint32_t n, ar_channel_t *to) {
    bool plain = true;
    for (uint32_t i = 0; i < n; i++, scales += 4) {
        ar_factor_t f = factor_at(r, scales);
        to[i] = (ar_channel_t) { f.mult, (int16_t)f.shift, (uint16_t)(first + i) };
        plain = plain && AR_SHIFT_IS_PLAIN(f.shift);
    }
    return plain;
}

bool ar_ratio_channels(const ar_ratio_t *r, const uint8_t *scales, uint32_t first, uint32_t n, ar_channel_t *to) {
    bool plain = true;
    uint32x4_t channel = vaddq_n_u32(vidupq_n_u32(0, 1), first), worst = vdupq_n_u32(0);
    for (; n >= 4; n -= 4, scales += 16, to += 4, first += 4, channel = vaddq_n_u32(channel, 4)) {
        uint32x4_t near;
        four_t f = four_factors(r, vreinterpretq_u32_u8(vld1q_u8(scales)), &near);
        uint32x4_t beyond = vreinterpretq_u32_s32(vaddq_n_s32(f.shift, 31));
        if (vcmpcsq_n_u32(near, 0x4000) != 0xffff || vcmphiq_n_u32(beyond, 61)) {
            plain = some_channels(r, scales, first, 4, to) && plain;
            continue;
        }
        worst = vmaxq_u32(worst, vsubq_n_u32(beyond, 9));
        // The shift in the lower half, the channel in the upper.
        uint32x4x2_t both = { { f.mult, vsliq_n_u32(vreinterpretq_u32_s32(f.shift), channel, 16) } };
        vst2q_u32((uint32_t *)to, both);
    }
    return some_channels(r, scales, first, n, to) && plain && !vcmphiq_n_u32(worst, 21);
}

#endif // AR_TIER_MVE
