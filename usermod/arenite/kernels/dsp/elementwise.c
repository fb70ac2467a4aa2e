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

static inline int32_t scaled(int32_t x, scale_t s, bool whole) {
    int32_t t = smmulr((int32_t)((uint32_t)x << (AR_ADD_SHIFT + 1)) + s.offset, s.mult);
    return whole ? t : smmlsr(t + (t >> 31), s.power, 0);
}

// whole: nothing is shifted out of that input, whose scale is the larger one.
static inline void add(const ar_add_t *q, const int8_t *a, int32_t stride_a, const int8_t *b, int32_t stride_b, int8_t *out,
    uint32_t n, bool whole_a, bool whole_b) {
    scale_t sa = scale_of(q->offset_a, q->a), sb = scale_of(q->offset_b, q->b);
    int32_t twice = twice_of(q->out.mult), power = power_of(q->out.shift), zero = q->offset_out, low = q->low, high = q->high;
    for (int8_t *end = out + n; out < end; a += stride_a, b += stride_b) {
        int32_t sum = scaled(*a, sa, whole_a) + scaled(*b, sb, whole_b), t = smmlar(sum, twice, sum);
        t = smmlsr(t + (t >> 31), power, zero);
        *out++ = (int8_t)ar_clamp(t, low, high);
    }
}

static int32_t any(int32_t x, ar_factor_t f) {
    return ar_requantize((int32_t)((uint32_t)x << AR_ADD_SHIFT), f);
}

void ar_add_s8(const ar_add_t *q, const int8_t *a, int32_t stride_a, const int8_t *b, int32_t stride_b, int8_t *out, uint32_t n) {
    bool whole_a = q->a.shift == 0, whole_b = q->b.shift == 0;
    // Shifts as sound scales have them.
    bool plain = q->a.shift <= 0 && q->a.shift > -32 && q->b.shift <= 0 && q->b.shift > -32 && q->out.shift < 0 && q->out.shift > -32;
    if (plain && whole_a && whole_b) {
        add(q, a, stride_a, b, stride_b, out, n, true, true);
    } else if (plain && whole_a) {
        add(q, a, stride_a, b, stride_b, out, n, true, false);
    } else if (plain && whole_b) {
        add(q, a, stride_a, b, stride_b, out, n, false, true);
    } else {
        for (; n > 0; n--, a += stride_a, b += stride_b) {
            int32_t sum = any(*a + q->offset_a, q->a) + any(*b + q->offset_b, q->b);
            *out++ = (int8_t)ar_requantize_clamp(sum, q->out, q->offset_out, q->low, q->high);
        }
    }
}

#endif // AR_TIER_DSP
