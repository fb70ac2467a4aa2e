// Requantization of four or eight sums at once, to the bits of ar_requantize_clamp.

#ifndef ARENITE_KERNELS_MVE_REQUANTIZE_H
#define ARENITE_KERNELS_MVE_REQUANTIZE_H

#include <arm_mve.h>
#include <stdint.h>

// Where all shifts are -1 or less: the doubling high product, then half away from zero, which for what is negative is half
// up of one less.
static inline int32x4_t scaled_right(int32x4_t sum, int32x4_t mult, int32x4_t shift) {
    int32x4_t t = vqrdmulhq_s32(sum, mult);
    return vrshlq_s32(vaddq_s32(t, vshrq_n_s32(t, 31)), shift);
}

// The same with one factor for all.
static inline int32x4_t scaled_right_n(int32x4_t sum, int32_t mult, int32_t shift) {
    int32x4_t t = vqrdmulhq_n_s32(sum, mult);
    return vrshlq_n_s32(vaddq_s32(t, vshrq_n_s32(t, 31)), shift);
}

// Any shifts: with 0 there is nothing to round.
static inline int32x4_t scaled(int32x4_t sum, int32x4_t mult, int32x4_t shift) {
    const int32x4_t zero = vdupq_n_s32(0);
    int32x4_t right = vminq_s32(shift, zero);
    int32x4_t t = vqrdmulhq_s32(vshlq_s32(sum, vmaxq_s32(shift, zero)), mult);
    return vrshlq_s32(vaddq_s32(t, vshrq_n_s32(vandq_s32(t, right), 31)), right);
}

static inline int32x4_t clamped(int32x4_t v, int32_t zero_point, int32_t low, int32_t high) {
    return vminq_s32(vmaxq_s32(vaddq_n_s32(v, zero_point), vdupq_n_s32(low)), vdupq_n_s32(high));
}

// To the even and the odd ones of eight: numbers scaled to the right, of which the range is all of int8. Each byte is the low
// one of two; what the other is does not matter, nor what the halves are that the second narrowing fills.
static inline int16x8_t to_eight(int32x4_t even, int32x4_t odd, int32_t zero_point) {
    int16x8_t v = vqmovntq_s32(vqmovnbq_s32(vreinterpretq_s16_s32(even), even), odd);
    v = vqaddq_n_s16(v, (int16_t)zero_point);
    return vreinterpretq_s16_s8(vqmovnbq_s16(vreinterpretq_s8_s16(v), v));
}

// The same of numbers in range.
static inline int16x8_t joined(int32x4_t even, int32x4_t odd) {
    return vmovntq_s32(vreinterpretq_s16_s32(even), odd);
}

#endif // ARENITE_KERNELS_MVE_REQUANTIZE_H
