// Requantization in the short way, where a product is plain: see kernels/product.h.

#ifndef ARENITE_KERNELS_THUMB_REQUANTIZE_H
#define ARENITE_KERNELS_THUMB_REQUANTIZE_H

#include "kernels/thumb/tiles.h"

static inline ar_thumb_factor_t ar_thumb_factor(int32_t mult, int32_t shift, int32_t out_zero) {
    return (ar_thumb_factor_t) {
#if AR_THUMB_FULL
        .mult = mult,
#else
        .mult_low = (uint32_t)mult & 0xffff, .mult_high = (uint32_t)mult >> 16,
#endif
        .round = out_zero * (1 << -shift) + (1 << (-shift - 1)), .shift = (uint32_t)-shift,
    };
}

// As ar_requantize_clamp where that is so.
static inline int8_t ar_thumb_requantize(uint32_t sum, const ar_thumb_factor_t *f) {
#if AR_THUMB_FULL
    int64_t product = (int64_t)(int32_t)(2 * sum) * f->mult;
    int32_t high = (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31), y;
    __asm("ssat %0, #8, %1" : "=r" (y) : "r" ((high + (high >> 31) + f->round) >> f->shift));
    return (int8_t)y;
#else
    // Of four products of halves, the sum's lower half signed.
    int32_t low = (int16_t)sum, upper = (int32_t)(sum - (uint32_t)low) >> 16;
    int32_t mult_low = (int32_t)f->mult_low, mult_high = (int32_t)f->mult_high;
    int32_t middle = low * mult_high + (low * mult_low >> 16) + upper * mult_low;
    int32_t high = 2 * upper * mult_high + (((middle >> 14) + 1) >> 1);
    int32_t y = (high + (high >> 31) + f->round) >> f->shift;
    return (int8_t)(y == (int8_t)y ? y : y >> 31 ^ 127);
#endif
}

#endif // ARENITE_KERNELS_THUMB_REQUANTIZE_H
