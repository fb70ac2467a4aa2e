// Requantization factors of four channels at once.

#include "kernels/product.h"
#include "kernels/requantize.h"
#include "kernels/tier.h"

#if AR_TIER_MVE

#include <arm_mve.h>

// What is found out of all channels: a distance, below NEAR where a product is near one half, which is not to be told so; bits of
// -1 - shift; bits of the multipliers.
typedef struct {
    uint32x4_t near;
    int32x4_t worst;
    int32x4_t bits;
} found_t;

#define NEAR (0x4000)

// As ar_ratio_factor of four scales at a time, to words as ar_channel_t has them. From 2^31 on the product with the quotient's
// upper word says whether the scale is halved, so that the product's bits always end up in the same places. All vector
// registers are in use, so the quotient's lower word is loaded again.
static inline found_t all_fours(const ar_ratio_t *r, const uint8_t *scales, uint32_t first, uint32_t fours, ar_channel_t *to) {
    found_t f = { vdupq_n_u32(UINT32_MAX), vdupq_n_s32(0), vdupq_n_s32(0) };
    const uint32_t high = (uint32_t)(r->quotient >> 32);
    const uint32x4_t low = vdupq_n_u32((uint32_t)r->quotient), highs = vdupq_n_u32(high);
    register uint32_t channel __asm("r4") = first;
    __asm volatile (
        "wls        lr, %6, 2f\n"
        "1:\n"
        "vldrb.8    q0, [%3], #16\n"
        "vshr.u32   q3, q0, #23\n"
        "vadd.i32   q3, q3, %7\n"
        "vshl.i32   q0, q0, #8\n"
        "vorr.i32   q0, #0x80000000\n"
        "vmulh.u32  q2, q0, %q8\n"
        "vptt.s32   lt, q2, zr\n"
        "vshrt.u32  q0, q0, #1\n"
        "vaddt.i32  q3, q3, %11\n"
        // The product's upper words, what is carried into the lower one, half of that, rounded.
        "vmulh.u32  q2, q0, %q8\n"
        "vldrw.u32  q1, [%10]\n"
        "vmulh.u32  q1, q0, q1\n"
        "vmul.i32   q0, q0, %9\n"
        "vhadd.u32  q0, q0, q1\n"
        "vrshr.u32  q1, q0, #31\n"
        "vadd.i32   q2, q2, q1\n"
        "vshl.i32   q0, q0, #1\n"
        "vadd.i32   q0, q0, %12\n"
        "vmin.u32   %q0, %q0, q0\n"
        "vorn       %q1, %q1, q3\n"
        "vorr       %q2, %q2, q2\n"
        "vidup.u32  q0, %5, #1\n"
        "vsli.32    q3, q0, #16\n"
        "vst20.32   {q2, q3}, [%4]\n"
        "vst21.32   {q2, q3}, [%4]!\n"
        "le         lr, 1b\n"
        "2:\n"
        : "+w" (f.near), "+w" (f.worst), "+w" (f.bits), "+r" (scales), "+r" (to), "+r" (channel)
        : "r" (fours), "r" (r->exponent - 1), "w" (highs), "r" (high), "r" (&low), "r" (1), "r" (0x80002000u)
        : "lr", "q0", "q1", "q2", "q3", "p0", "memory");
    return f;
}

static ar_factor_t factor_at(const ar_ratio_t *r, const uint8_t *scale) {
    float b;
    __builtin_memcpy(&b, scale, sizeof(b));
    return ar_ratio_factor(r, b);
}

// In the long way; whether all shifts are plain.
static __attribute__((noinline)) bool some_channels(const ar_ratio_t *r, const uint8_t *scales, uint32_t first, uint32_t n,
    ar_channel_t *to) {
    bool plain = true;
    for (uint32_t i = 0; i < n; i++, scales += 4) {
        ar_factor_t f = factor_at(r, scales);
        to[i] = (ar_channel_t) { f.mult, (int16_t)f.shift, (uint16_t)(first + i) };
        plain = plain && AR_SHIFT_IS_PLAIN(f.shift);
    }
    return plain;
}

bool ar_ratio_channels(const ar_ratio_t *r, const uint8_t *scales, uint32_t first, uint32_t n, ar_channel_t *to) {
    uint32_t fours = n & ~3u;
    found_t f = all_fours(r, scales, first, n / 4, to);
    uint32_t worst = vmaxvq_u32(0, vreinterpretq_u32_s32(f.worst));
    if (vminvq_u32(UINT32_MAX, f.near) < NEAR || vminvq_s32(0, f.bits) < 0 || worst > 31) {
        return some_channels(r, scales, first, n, to);
    }
    return (fours == n || some_channels(r, scales + 4 * fours, first + fours, n - fours, to + fours)) && worst <= 21;
}

#endif // AR_TIER_MVE
