// The product for cores with dual 16-bit multiply-adds.
//
// A pair of patches is widened to int16 once, with the offset added, and meets all channels, two at a time. Bytes 0 and 2
// of a word widen in one instruction, and so do bytes 1 and 3: activations and weights are paired alike, so nothing has
// to be packed. Weights are widened as they are loaded.

#include <stddef.h>

#include "kernels/product.h"
#include "kernels/requantize.h"
#include "kernels/tier.h"

#if AR_TIER_DSP

#include "kernels/dsp/instructions.h"

// The last n % 4 bytes, and zeros.
static uint32_t tail_at(const int8_t *x, uint32_t n) {
    uint32_t w = 0;
    memcpy(&w, x, n & 3);
    return w;
}

static inline uint32_t *widen(uint32_t a, uint32_t b, uint32_t offset, uint32_t *to) {
    to[0] = sxtab16(offset, a);
    to[1] = sxtab16(offset, b);
    to[2] = sxtab16_odd(offset, a);
    to[3] = sxtab16_odd(offset, b);
    return to + 4;
}

// Two patches side by side: of each four elements the even ones of a, of b, the odd ones of a, of b.
static uint32_t *widen_pair(const int8_t *a, const int8_t *b, uint32_t n, uint32_t offset, uint32_t *to) {
    for (const int8_t *end = a + (n & ~3u); a < end; a += 4, b += 4) {
        to = widen(word_at(a), word_at(b), offset, to);
    }
    return n & 3 ? widen(tail_at(a, n), tail_at(b, n), offset, to) : to;
}

// Four sums: patch a and b by row 0, then by row 1.
typedef struct {
    int32_t a0, b0, a1, b1;
} sums_t;

// One word of each row by a pair of patches. ldm needs its registers in order.
#define STEP \
    "ldr    r10, [%[w0]], #4\n" \
    "ldm    %[x]!, {r0-r3}\n" \
    "sxtb16 r12, r10\n" \
    "sxtb16 r10, r10, ror #8\n" \
    "smlad  %[a0], r0, r12, %[a0]\n" \
    "smlad  %[b0], r1, r12, %[b0]\n" \
    "smlad  %[a0], r2, r10, %[a0]\n" \
    "smlad  %[b0], r3, r10, %[b0]\n" \
    "ldr    r10, [%[w1]], #4\n" \
    "sxtb16 r12, r10\n" \
    "sxtb16 r10, r10, ror #8\n" \
    "smlad  %[a1], r0, r12, %[a1]\n" \
    "smlad  %[b1], r1, r12, %[b1]\n" \
    "smlad  %[a1], r2, r10, %[a1]\n" \
    "smlad  %[b1], r3, r10, %[b1]\n"

// n elements of the rows w0 and w1 by the pair at x.
static inline const uint32_t *tile(const uint32_t *x, const int8_t *w0, const int8_t *w1, uint32_t n, sums_t *s) {
    const int8_t *end = w0 + (n & ~15u), *last = w0 + (n & ~3u);
    __asm volatile (
        "cmp    %[w0], %[end]\n"
        "beq    2f\n"
        "1:\n"
        STEP STEP STEP STEP
        "cmp    %[w0], %[end]\n"
        "bne    1b\n"
        "2:\n"
        : [a0] "+r" (s->a0), [b0] "+r" (s->b0), [a1] "+r" (s->a1), [b1] "+r" (s->b1),
        [x] "+r" (x), [w0] "+r" (w0), [w1] "+r" (w1)
        : [end] "r" (end)
        : "r0", "r1", "r2", "r3", "r10", "r12", "cc", "memory");
    for (; w0 < last || (n & 3 && w0 == last); w0 += 4, w1 += 4, x += 4) {
        uint32_t v0 = w0 < last ? word_at(w0) : tail_at(w0, n), v1 = w0 < last ? word_at(w1) : tail_at(w1, n);
        uint32_t even = sxtb16(v0), odd = sxtb16_odd(v0);
        s->a0 = smlad(x[2], odd, smlad(x[0], even, s->a0));
        s->b0 = smlad(x[3], odd, smlad(x[1], even, s->b0));
        even = sxtb16(v1);
        odd = sxtb16_odd(v1);
        s->a1 = smlad(x[2], odd, smlad(x[0], even, s->a1));
        s->b1 = smlad(x[3], odd, smlad(x[1], even, s->b1));
    }
    return x;
}

static inline int32_t start_of(const ar_product_s8_t *p, uint32_t channel) {
    return (int32_t)((uint32_t)p->start + (p->bias ? (uint32_t)p->bias[channel] : 0));
}

static inline int8_t requantize(const ar_product_s8_t *p, int32_t sum, const ar_channel_t *c) {
    return (int8_t)ar_requantize_clamp(sum, (ar_factor_t) { c->mult, c->shift }, p->out_zero, p->low, p->high);
}

// Channels c[0] and c[1] of count patches, which are widened at x. Where there is but one channel, both are the same.
static void two_channels(const ar_product_s8_t *p, const ar_channel_t *c0, const ar_channel_t *c1, const uint32_t *x,
    uint32_t count, int8_t *out) {
    const int8_t *w0 = p->weights + c0->channel * p->n, *w1 = p->weights + c1->channel * p->n;
    int32_t s0 = start_of(p, c0->channel), s1 = start_of(p, c1->channel);
    int8_t *out0 = out + c0->channel, *out1 = out + c1->channel;
    plain_t f0 = plain(c0->mult, c0->shift, p->out_zero), f1 = plain(c1->mult, c1->shift, p->out_zero);
    uint32_t step = p->out_step;
    for (uint32_t i = 0; i < count; i += 2, out0 += 2 * step, out1 += 2 * step) {
        sums_t s = { s0, s0, s1, s1 };
        x = tile(x, w0, w1, p->n, &s);
        uint32_t second = i + 1 < count ? step : 0; // the first once more, which is then written over
        if (p->plain) {
            out0[second] = requantize_plain(s.b0, f0);
            out1[second] = requantize_plain(s.b1, f1);
            out0[0] = requantize_plain(s.a0, f0);
            out1[0] = requantize_plain(s.a1, f1);
        } else {
            out0[second] = requantize(p, s.b0, c0);
            out1[second] = requantize(p, s.b1, c1);
            out0[0] = requantize(p, s.a0, c0);
            out1[0] = requantize(p, s.a1, c1);
        }
    }
}

// ---- one patch, not widened ------------------------------------------------------------------------------------------

static inline void step_row(uint32_t even, uint32_t odd, uint32_t w, int32_t *sum) {
    *sum = smlad(odd, sxtb16_odd(w), smlad(even, sxtb16(w), *sum));
}

static void four_rows(const int8_t *x, uint32_t n, uint32_t offset, const int8_t *const *rows, int32_t *sum) {
    const int8_t *w0 = rows[0], *w1 = rows[1], *w2 = rows[2], *w3 = rows[3];
    int32_t s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];
    for (const int8_t *end = x + (n & ~3u); x < end; x += 4, w0 += 4, w1 += 4, w2 += 4, w3 += 4) {
        uint32_t v = word_at(x), even = sxtab16(offset, v), odd = sxtab16_odd(offset, v);
        step_row(even, odd, word_at(w0), &s0);
        step_row(even, odd, word_at(w1), &s1);
        step_row(even, odd, word_at(w2), &s2);
        step_row(even, odd, word_at(w3), &s3);
    }
    if (n & 3) {
        uint32_t v = tail_at(x, n), even = sxtab16(offset, v), odd = sxtab16_odd(offset, v);
        step_row(even, odd, tail_at(w0, n), &s0);
        step_row(even, odd, tail_at(w1, n), &s1);
        step_row(even, odd, tail_at(w2, n), &s2);
        step_row(even, odd, tail_at(w3, n), &s3);
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
}

static void one_patch(const ar_product_s8_t *p, const int8_t *x, uint32_t offset, int8_t *out) {
    const ar_channel_t *c = p->channels, *end = c + p->n_channels;
    for (; c < end; c += 4) {
        const int8_t *rows[4];
        int32_t sum[4];
        uint32_t n = end - c < 4 ? (uint32_t)(end - c) : 4;
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t channel = c[i < n ? i : 0].channel;
            rows[i] = p->weights + channel * p->n;
            sum[i] = start_of(p, channel);
        }
        four_rows(x, p->n, offset, rows, sum);
        for (uint32_t i = 0; i < n; i++) {
            out[c[i].channel] = p->plain ? requantize_plain(sum[i], plain(c[i].mult, c[i].shift, p->out_zero)) : requantize(p, sum[i], &c[i]);
        }
    }
}

void ar_product_s8(const ar_product_s8_t *p, const int8_t *x, uint32_t count, uint32_t held, int8_t *out) {
    uint32_t offset = ((uint32_t)p->offset & 0xffff) * 0x10001u;
    if (!p->scratch || count == 1) {
        for (; count > 0; count--, x += p->x_step, out += p->out_step) {
            one_patch(p, x, offset, out);
        }
        return;
    }
    while (count > 0) {
        uint32_t n = count < held ? count : held;
        uint32_t *wide = p->scratch;
        for (uint32_t i = 0; i < n; i += 2, x += 2 * p->x_step) {
            wide = widen_pair(x, i + 1 < n ? x + p->x_step : x, p->n, offset, wide);
        }
        const ar_channel_t *c = p->channels, *end = c + p->n_channels;
        for (; c < end; c += 2) {
            two_channels(p, c, c + 1 < end ? c + 1 : c, p->scratch, n, out);
        }
        count -= n;
        out += n * p->out_step;
    }
}

#endif // AR_TIER_DSP
