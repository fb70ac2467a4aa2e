// The portable micro-kernels: each activation is loaded once and meets four rows of weights, which is what the registers
// of Armv6-M can hold.

#include "kernels/dot.h"
#include "kernels/tier.h"

#if !AR_TIER_MVE

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

void ar_dot_s8(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n) {
    const int8_t *a = x, *b = w;
    uint32_t *sum = acc;
    if (rows == AR_DOT_ROWS) {
        dot4_s8(sum, a, offset, b, w_stride, n);
        return;
    }
    for (uint32_t r = 0; r < rows; r++, b += w_stride) {
        uint32_t s = sum[r];
        for (uint32_t i = 0; i < n; i++) {
            s += (uint32_t)((a[i] + offset) * b[i]);
        }
        sum[r] = s;
    }
}

#endif

void ar_dot_s16(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n) {
    (void)offset;
    const int16_t *a = x;
    const int8_t *b = w;
    int64_t *sum = acc;
    for (uint32_t r = 0; r < rows; r++, b += w_stride) {
        // 2^8 products of 22 bits fit 32 bits: the long addition is done once for each such stretch.
        for (uint32_t i = 0; i < n;) {
            int32_t s = 0;
            for (uint32_t end = n - i < 256 ? n : i + 256; i < end; i++) {
                s += a[i] * b[i];
            }
            sum[r] += s;
        }
    }
}

static void dot4_f32(float *acc, const float *x, const float *w, uint32_t w_stride, uint32_t n) {
    const float *w1 = w + w_stride, *w2 = w1 + w_stride, *w3 = w2 + w_stride;
    float a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (const float *end = x + n; x < end;) {
        float v = *x++;
        a0 += v * *w++;
        a1 += v * *w1++;
        a2 += v * *w2++;
        a3 += v * *w3++;
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

void ar_dot_f32(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n) {
    (void)offset;
    const float *a = x, *b = w;
    float *sum = acc;
    if (rows == AR_DOT_ROWS) {
        dot4_f32(sum, a, b, w_stride, n);
        return;
    }
    for (uint32_t r = 0; r < rows; r++, b += w_stride) {
        float s = sum[r];
        for (uint32_t i = 0; i < n; i++) {
            s += a[i] * b[i];
        }
        sum[r] = s;
    }
}
