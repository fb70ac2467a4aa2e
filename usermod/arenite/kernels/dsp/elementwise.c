// Inner loops of element-wise operators for cores with DSP instructions.

#include <stdbool.h>

#include "kernels/elementwise.h"
#include "kernels/tier.h"

#if AR_TIER_DSP

#include "kernels/dsp/instructions.h"

// One input as the sum takes it: twice its value in the high product is the doubling that this needs.
typedef struct {
    int32_t mult;
    int32_t power;
    int32_t offset;
} scale_t;

static inline scale_t scale_of(int32_t offset, ar_factor_t f) {
    return (scale_t) { f.mult, f.shift < 0 ? power_of(f.shift) : 0, (int32_t)((uint32_t)offset << (AR_ADD_SHIFT + 1)) };
}

static inline int32_t scaled(int32_t x, scale_t s) {
    return smmulr((int32_t)((uint32_t)x << (AR_ADD_SHIFT + 1)) + s.offset, s.mult);
}

// Nothing is shifted out of a, whose scale is the larger one, nor out of b if that is as large. all: of int8 is in range.
static inline __attribute__((always_inline)) void add(const ar_add_t *q, const int8_t *a, int32_t stride_a, const int8_t *b,
    int32_t stride_b,
    int8_t *out, uint32_t n, bool whole, bool all) {
    scale_t sa = scale_of(q->offset_a, q->a), sb = scale_of(q->offset_b, q->b);
    int32_t twice = twice_of(q->out.mult), power = power_of(q->out.shift), zero = q->offset_out, low = q->low, high = q->high;
    for (int8_t *end = out + n; out < end; a += stride_a, b += stride_b) {
        int32_t sum = scaled(*a, sa), t = scaled(*b, sb);
        sum = whole ? sum + t : smmlsr(t + (t >> 31), sb.power, sum);
        t = smmlar(sum, twice, sum);
        t = smmlsr(t + (t >> 31), power, zero);
        *out++ = (int8_t)(all ? ssat8(t) : ar_clamp(t, low, high));
    }
}

static void add_plain(const ar_add_t *q, const int8_t *a, int32_t stride_a, const int8_t *b, int32_t stride_b, int8_t *out, uint32_t n) {
    if (stride_a == 1 && stride_b == 1 && q->b.shift != 0 && q->low == INT8_MIN && q->high == INT8_MAX) {
        add(q, a, 1, b, 1, out, n, false, true); // strides and range take no registers
    } else {
        add(q, a, stride_a, b, stride_b, out, n, q->b.shift == 0, false);
    }
}

static __attribute__((noinline)) int32_t any(int32_t x, ar_factor_t f) {
    return ar_requantize((int32_t)((uint32_t)x << AR_ADD_SHIFT), f);
}

void ar_add_s8(const ar_add_t *q, const int8_t *a, int32_t stride_a, const int8_t *b, int32_t stride_b, int8_t *out, uint32_t n) {
    // Shifts as sound scales have them.
    bool plain = q->a.shift <= 0 && q->a.shift > -32 && q->b.shift <= 0 && q->b.shift > -32 && q->out.shift < 0 && q->out.shift > -32;
    if (plain && q->a.shift == 0) {
        add_plain(q, a, stride_a, b, stride_b, out, n);
    } else if (plain && q->b.shift == 0) {
        ar_add_t turned = *q;
        turned.a = q->b;
        turned.b = q->a;
        turned.offset_a = q->offset_b;
        turned.offset_b = q->offset_a;
        add_plain(&turned, b, stride_b, a, stride_a, out, n);
    } else {
        for (; n > 0; n--, a += stride_a, b += stride_b) {
            int32_t sum = any(*a + q->offset_a, q->a) + any(*b + q->offset_b, q->b);
            *out++ = (int8_t)ar_requantize_clamp(sum, q->out, q->offset_out, q->low, q->high);
        }
    }
}

#endif // AR_TIER_DSP
