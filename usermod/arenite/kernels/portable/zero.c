// Whether bytes are all zero: weights are asked so, once an invoke.

#include <string.h>

#include "kernels/product.h"

#if !AR_TIER_MVE

// Bytes that are looked at together.
#define BLOCK (32)

static inline uint32_t any_of(const int8_t *x) {
#if AR_TIER_DSP || AR_TIER_THUMB
    register uint32_t a __asm("r4"), b __asm("r5"), c __asm("r6"), d __asm("r7"), all;
    __asm volatile ("ldmia %0!, {r4, r5, r6, r7}" : "+l" (x), "=l" (a), "=l" (b), "=l" (c), "=l" (d) : : "memory");
    all = a | b | c | d;
    __asm volatile ("ldmia %0!, {r4, r5, r6, r7}" : "+l" (x), "=l" (a), "=l" (b), "=l" (c), "=l" (d) : : "memory");
    return all | a | b | c | d;
#else
    uint32_t words[BLOCK / 4], all = 0;
    memcpy(words, __builtin_assume_aligned(x, 4), sizeof(words));
    for (uint32_t i = 0; i < BLOCK / 4; i++) {
        all |= words[i];
    }
    return all;
#endif
}

bool ar_is_zero(const int8_t *x, uint32_t n) {
    const int8_t *end = x + n;
    for (; x < end && ((uintptr_t)x & 3); x++) {
        if (*x) {
            return false;
        }
    }
    for (; end - x >= BLOCK; x += BLOCK) {
        if (any_of(x)) {
            return false;
        }
    }
    for (; x < end; x++) {
        if (*x) {
            return false;
        }
    }
    return true;
}

#endif // !AR_TIER_MVE
