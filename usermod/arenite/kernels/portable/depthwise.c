// One tap of a depthwise convolution.

#include "kernels/depthwise.h"

void ar_depthwise_s8(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n) {
    const int8_t *a = x, *b = w;
    uint32_t *sum = acc;
    for (const int8_t *end = b + n; b < end; a += step) {
        *sum++ += (uint32_t)((*a + offset) * *b++);
    }
}

void ar_depthwise_s16(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n) {
    (void)offset;
    const int16_t *a = x;
    const int8_t *b = w;
    int64_t *sum = acc;
    for (const int8_t *end = b + n; b < end; a += step) {
        *sum++ += *a * *b++;
    }
}

void ar_depthwise_f32(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n) {
    (void)offset;
    const float *a = x, *b = w;
    float *sum = acc;
    for (const float *end = b + n; b < end; a += step) {
        *sum++ += *a * *b++;
    }
}
