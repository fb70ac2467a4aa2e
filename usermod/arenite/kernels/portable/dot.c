// The portable micro-kernel: each activation is loaded once and meets four rows of weights, which is what the
// registers of Armv6-M can hold.

#include "kernels/dot.h"

static void dot4_s8(uint32_t *acc, const int8_t *x, int32_t offset, const int8_t *w, uint32_t w_stride, uint32_t n) {
    const int8_t *w1 = w + w_stride, *w2 = w1 + w_stride, *w3 = w2 + w_stride;
    uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (const int8_t *end = x + n; x < end;) {
        int32_t v = *x++ + offset;
        a0 += (uint32_t)(v * *w++);
        a1 += (uint32_t)(v * *w1++);
        a2 += (uint32_t)(v * *w2++);
        a3 += (uint32_t)(v * *w3++);
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

void ar_dot_s8(uint32_t *acc, uint32_t rows, const int8_t *x, int32_t offset, const int8_t *w, uint32_t w_stride, uint32_t n) {
    if (rows == AR_DOT_ROWS) {
        dot4_s8(acc, x, offset, w, w_stride, n);
        return;
    }
    for (uint32_t r = 0; r < rows; r++, w += w_stride) {
        uint32_t a = acc[r];
        for (uint32_t i = 0; i < n; i++) {
            a += (uint32_t)((x[i] + offset) * w[i]);
        }
        acc[r] = a;
    }
}

void ar_dot_f32(float *acc, uint32_t rows, const float *x, const float *w, uint32_t w_stride, uint32_t n) {
    for (uint32_t r = 0; r < rows; r++, w += w_stride) {
        float a = acc[r];
        for (uint32_t i = 0; i < n; i++) {
            a += x[i] * w[i];
        }
        acc[r] = a;
    }
}
