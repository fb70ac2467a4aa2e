// Weights of int8 with activations of float32, as models quantized for dynamic range have them.

#include "kernels/depthwise.h"
#include "kernels/dot.h"

void ar_dot_f32_s8(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n) {
    (void)offset;
    const float *a = x;
    const int8_t *b = w;
    float *sum = acc;
    for (uint32_t r = 0; r < rows; r++, b += w_stride) {
        float s = sum[r];
        for (uint32_t i = 0; i < n; i++) {
            s += a[i] * (float)b[i];
        }
        sum[r] = s;
    }
}

void ar_depthwise_f32_s8(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n) {
    (void)offset;
    const float *a = x;
    const int8_t *b = w;
    float *sum = acc;
    for (const int8_t *end = b + n; b < end; a += step) {
        *sum++ += *a * (float)*b++;
    }
}
