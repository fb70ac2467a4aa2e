// One tap of a depthwise convolution.

#include "kernels/depthwise.h"

void ar_depthwise_s8(uint32_t *acc, const int8_t *x, int32_t offset, const int8_t *w, uint32_t n) {
    for (const int8_t *end = x + n; x < end;) {
        *acc++ += (uint32_t)((*x++ + offset) * *w++);
    }
}
