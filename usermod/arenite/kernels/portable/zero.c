// Whether bytes are all zero: weights are asked so, once an invoke.

#include <string.h>

#include "kernels/product.h"

#if !AR_TIER_MVE

bool ar_is_zero(const int8_t *x, uint32_t n) {
    const int8_t *end = x + n;
    for (; x < end && ((uintptr_t)x & 3); x++) {
        if (*x) {
            return false;
        }
    }
    for (; end - x >= 16; x += 16) {
        uint32_t words[4];
        memcpy(words, __builtin_assume_aligned(x, 4), sizeof(words));
        if (words[0] | words[1] | words[2] | words[3]) {
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
