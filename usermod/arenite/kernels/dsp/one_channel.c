// The product of a convolution of one input channel, whose weights lie channel by channel, for cores with dual 16-bit
// multiply-adds: two rows of weights are turned round and widened, and meet the activations where these lie.

#include "kernels/product.h"

#if AR_TIER_DSP

#include "kernels/dsp/instructions.h"

static inline uint32_t two(int8_t low, int8_t high) {
    return ((uint32_t)(int32_t)low & 0xffff) | (uint32_t)(int32_t)high << 16;
}

void ar_product_turn(const ar_product_s8_t *p, const ar_channel_t *c) {
    uint32_t step = p->out_step;
    const int8_t *a = p->weights + c[0].channel, *b = p->weights + c[1].channel;
    uint32_t *to = p->scratch;
    for (uint32_t *end = to + p->n; to < end; to += 4, a += 4 * step, b += 4 * step) {
        to[0] = two(a[0], a[2 * step]);
        to[1] = two(b[0], b[2 * step]);
        to[2] = two(a[step], a[3 * step]);
        to[3] = two(b[step], b[3 * step]);
    }
}

// Rows of one position: the fields in the order that the code loads them in.
typedef struct {
    const int8_t *x;
    const uint32_t *w;
    uint32_t offset;            // in both halves
    int32_t sum[2];
    uint32_t step;
    uint32_t rows;              // at least one
} add_t;

// Four activations by the words of two channels.
#define WORD(x) \
    "ldr    r12, " x "\n" \
    "ldm.w  r2!, {r6-r9}\n" \
    "sxtab16 lr, r3, r12\n" \
    "sxtab16 r12, r3, r12, ror #8\n" \
    "smlad  r4, lr, r6, r4\n" \
    "smlad  r5, lr, r7, r5\n" \
    "smlad  r4, r12, r8, r4\n" \
    "smlad  r5, r12, r9, r5\n"

static __attribute__((naked)) void add_rows(add_t *t) {
    __asm volatile (
        "push   {r4-r11, lr}\n"
        "ldm.w  r0, {r1-r5, r10, r11}\n"
        "1:\n"
        WORD("[r1]")
        WORD("[r1, #4]")
        "add    r1, r10\n"
        "subs.w r11, r11, #1\n"
        "bne    1b\n"
        "str    r2, [r0, #4]\n"
        "strd   r4, r5, [r0, #12]\n"
        "pop    {r4-r11, pc}\n");
}

typedef struct {
    int32_t start, twice, power;
} channel_t;

static inline channel_t channel(const ar_product_s8_t *p, const ar_channel_t *c) {
    return (channel_t) { p->bias ? p->bias[c->channel] : 0, twice_of(c->mult), power_of(c->shift) };
}

static __attribute__((noinline)) int32_t requantize_any(const ar_product_s8_t *p, int32_t sum, const ar_channel_t *c) {
    return ar_requantize_clamp(sum, (ar_factor_t) { c->mult, c->shift }, p->out_zero, p->low, p->high);
}

static inline int8_t requantize(const ar_product_s8_t *p, int32_t sum, const ar_channel_t *c, const channel_t *as) {
    return (int8_t)(p->plain ? requantize_plain(sum, as->twice, as->power, p->out_zero) : requantize_any(p, sum, c));
}

void ar_product_turned(const ar_product_s8_t *p, const ar_channel_t *c, const ar_turned_rows_t *r, uint32_t x_step,
    uint32_t count, int8_t *out) {
    const channel_t a = channel(p, &c[0]), b = channel(p, &c[1]);
    add_t t = { .offset = in_both(p->offset), .step = r->step };
    int8_t *second = out + c[1].channel;
    out += c[0].channel;
    for (uint32_t x = 0; count > 0; count--, x += x_step, out += p->out_step, second += p->out_step) {
        t.w = (const uint32_t *)p->scratch + r->first * 8;
        t.sum[0] = a.start;
        t.sum[1] = b.start;
        for (uint32_t i = 0; i < 2 && r->n[i]; i++) {
            t.x = r->x[i] + x;
            t.rows = r->n[i];
            add_rows(&t);
        }
        *out = requantize(p, t.sum[0], &c[0], &a);
        *second = requantize(p, t.sum[1], &c[1], &b);
    }
}

#endif // AR_TIER_DSP
