// A convolution of one input channel for Armv7-M: rows of weights of two output channels are packed to words as in
// kernels/thumb/tiles.h, and meet the activations where these lie.

#include "kernels/product.h"

#if AR_TIER_THUMB && AR_THUMB_FULL

#include "kernels/thumb/requantize.h"
#include "kernels/thumb/tiles.h"

void ar_product_turn(const ar_product_s8_t *p, const ar_channel_t *c) {
    const int8_t *a = p->weights + c[0].channel, *b = p->weights + c[1].channel;
    uint32_t step = p->out_step;
    uint32_t *to = p->scratch;
    for (uint32_t *end = to + p->n; to < end; to += 2, a += 2 * step, b += 2 * step) {
        uint32_t first = (uint32_t)a[0] + ((uint32_t)b[0] << 16), second = (uint32_t)a[step] + ((uint32_t)b[step] << 16);
        to[0] = first;
        to[1] = second;
    }
}

// Positions side by side: the fields in the order that the code loads them in.
typedef struct {
    struct {
        const int8_t *x;
        uint32_t rows;
    } part[2];                  // of the input
    const uint32_t *w;
    uint32_t step;              // from a row to the next
    uint32_t packed, second;    // what the sums begin with
    const void *end;            // of the parts
    uint32_t count;
    uint32_t x_step;
    uint32_t out_step;
    int8_t *out;
    ar_thumb_factor_t factor[2];
} turned_t;

// Four taps.
#define TAPS(a, b, c, d) \
    "ldm.w  r1!, {r3, r4, r5, r12}\n" \
    "ldrsb.w r2, [r0, #" a "]\n" \
    "mla    r3, r2, r3, r8\n" \
    "ldrsb.w r2, [r0, #" b "]\n" \
    "mla    r3, r2, r4, r3\n" \
    "ldrsb.w r2, [r0, #" c "]\n" \
    "mla    r5, r2, r5, r8\n" \
    "ldrsb.w r2, [r0, #" d "]\n" \
    "mla    r5, r2, r12, r5\n" \
    "add    r6, r3\n" \
    "add.w  r7, r7, r3, lsr #16\n" \
    "add    r6, r5\n" \
    "add.w  r7, r7, r5, lsr #16\n"

// As in kernels/thumb/tiles_v7.c.
#define OUTPUT(sum) \
    "ldm.w  r12!, {r1-r4}\n" \
    "lsl.w  " sum ", " sum ", #1\n" \
    "smull  r5, r9, " sum ", r1\n" \
    "add.w  r9, r9, r5, lsr #31\n" \
    "add.w  r9, r9, r9, asr #31\n" \
    "add    r9, r2\n" \
    "asr.w  r9, r9, r3\n" \
    "ssat   r9, #8, r9\n" \
    "strb.w r9, [r0, r4]\n"

// lr: t; r11: the part of the input.
static __attribute__((naked)) void positions(turned_t *t) {
    __asm volatile (
        "push   {r4-r11, lr}\n"
        "mov    lr, r0\n"
        "ldr.w  r10, [r0, #20]\n"
        "mov.w  r8, #0x7f007f00\n"
        "1:\n"
        "mov    r11, lr\n"
        "ldr.w  r1, [lr, #16]\n"
        "ldrd   r6, r7, [lr, #24]\n"
        "2:\n"
        "ldrd   r0, r9, [r11], #8\n"
        "3:\n"
        TAPS("0", "1", "2", "3")
        TAPS("4", "5", "6", "7")
        "add    r0, r10\n"
        "subs.w r9, r9, #1\n"
        "bne    3b\n"
        "ldr.w  r2, [lr, #32]\n"
        "cmp    r11, r2\n"
        "bne    2b\n"
        "sub.w  r6, r6, r7, lsl #16\n"
        "add.w  r12, lr, #40\n"
        "ldm.w  r12!, {r2, r3, r4}\n"
        "mov    r0, r4\n"
        "add    r4, r3\n"
        "str.w  r4, [r12, #-4]\n"
        "ldr.w  r3, [lr]\n"
        "ldr.w  r4, [lr, #8]\n"
        "add    r3, r2\n"
        "add    r4, r2\n"
        "str.w  r3, [lr]\n"
        "str.w  r4, [lr, #8]\n"
        OUTPUT("r6") OUTPUT("r7")
        "ldr.w  r2, [lr, #36]\n"
        "subs   r2, #1\n"
        "str.w  r2, [lr, #36]\n"
        "bne    1b\n"
        "pop    {r4-r11, pc}\n");
}

// Of the words of so many taps.
static uint32_t sum_of(const uint32_t *w, uint32_t taps) {
    uint32_t sum = 0;
    for (const uint32_t *end = w + taps; w < end; w += 4) {
        sum += w[0] + w[1] + w[2] + w[3];
    }
    return sum;
}

// Any factor and range; which: of both channels.
static __attribute__((cold, noinline)) void any(const ar_product_s8_t *p, const ar_channel_t *c, const turned_t *t,
    uint32_t which, uint32_t count, int8_t *out) {
    for (uint32_t at = 0; count > 0; count--, at += t->x_step, out += t->out_step) {
        const uint32_t *w = t->w;
        uint32_t sum = (uint32_t)ar_product_start(p, c->channel);
        for (uint32_t i = 0; i < 2; i++) {
            const int8_t *x = t->part[i].x + at;
            for (uint32_t k = 0; k < t->part[i].rows; k++, x += t->step) {
                for (uint32_t tap = 0; tap < AR_TURNED_ROW; tap++, w++) {
                    int32_t weight = which ? (int32_t)(*w + 0x8000) >> 16 : (int16_t)*w;
                    sum += (uint32_t)((x[tap] + p->offset) * weight);
                }
            }
        }
        out[c->channel] = (int8_t)ar_requantize_clamp((int32_t)sum, (ar_factor_t) { c->mult, c->shift }, p->out_zero, p->low, p->high);
    }
}

uint32_t ar_product_turned_sums(const ar_product_s8_t *p, const ar_turned_rows_t *r) {
    return sum_of((const uint32_t *)p->scratch + r->first * AR_TURNED_ROW, (r->n[0] + r->n[1]) * AR_TURNED_ROW);
}

void ar_product_turned(const ar_product_s8_t *p, const ar_channel_t *c, const ar_turned_rows_t *r, uint32_t x_step,
    uint32_t count, int8_t *out) {
    uint32_t bias = (r->n[0] + r->n[1]) * AR_TURNED_ROW / 2 * AR_THUMB_BIAS;
    turned_t t; // filled in field by field: zeros first would take as long
    for (uint32_t i = 0; i < 2; i++) {
        t.part[i].x = r->x[i];
        t.part[i].rows = r->n[i];
    }
    t.w = (const uint32_t *)p->scratch + r->first * AR_TURNED_ROW;
    t.step = r->step;
    t.end = &t.part[r->n[1] ? 2 : 1];
    t.count = count;
    t.x_step = x_step;
    t.out_step = p->out_step;
    t.out = out;
    if (!p->plain || r->n[0] == 0) {
        any(p, &c[0], &t, 0, count, out);
        any(p, &c[1], &t, 1, count, out);
        return;
    }
    int32_t first = (int16_t)r->sums, second = (int32_t)(r->sums - (uint32_t)first) >> 16;
    t.second = (uint32_t)ar_product_start(p, c[1].channel) + (uint32_t)(p->offset * second) - bias;
    t.packed = (uint32_t)ar_product_start(p, c[0].channel) + (uint32_t)(p->offset * first) - bias + (t.second << 16);
    for (uint32_t i = 0; i < 2; i++) {
        t.factor[i] = ar_thumb_factor(c[i].mult, c[i].shift, p->out_zero);
        t.factor[i].place = c[i].channel;
    }
    positions(&t);
}

#endif // AR_TIER_THUMB && AR_THUMB_FULL
