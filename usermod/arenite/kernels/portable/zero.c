// Whether bytes are all zero: weights are asked so, once an invoke.

#include <string.h>

#include "kernels/product.h"

#if !AR_TIER_MVE

// Bytes that are looked at together, and all their bits; x is behind them then.
#define BLOCK (32)

static inline uint32_t bits_of(const int8_t **x) {
#if AR_TIER_DSP || AR_TIER_THUMB
    uint32_t bits;
    __asm volatile (
        ".syntax unified\n"
        "ldmia  %0!, {r4-r7}\n"
        "movs   %1, r4\n"
        "orrs   %1, r5\n"
        "orrs   %1, r6\n"
        "orrs   %1, r7\n"
        "ldmia  %0!, {r4-r7}\n"
        "orrs   %1, r4\n"
        "orrs   %1, r5\n"
        "orrs   %1, r6\n"
        "orrs   %1, r7\n"
        : "+l" (*x), "=&l" (bits) : : "r4", "r5", "r6", "r7", "cc", "memory");
    return bits;
#else
    uint32_t words[BLOCK / 4], bits = 0;
    memcpy(words, __builtin_assume_aligned(*x, 4), sizeof(words));
    for (uint32_t i = 0; i < BLOCK / 4; i++) {
        bits |= words[i];
    }
    *x += BLOCK;
    return bits;
#endif
}

bool ar_is_zero(const int8_t *x, uint32_t n) {
    const int8_t *end = x + n;
    for (; x < end && ((uintptr_t)x & 3); x++) {
        if (*x) {
            return false;
        }
    }
    while (end - x >= BLOCK) {
        if (bits_of(&x)) {
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
