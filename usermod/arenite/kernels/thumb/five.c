// Five patches by one row of weights at a time, with activations as the model has them.
//
// An element is three words: x0 + x1 * 2^16, x2 + x3 * 2^16, and x4 * 2^12 + 1; the next element's begin with the last, so that
// loads in ascending order find a register for it. Of the first two, products of two elements are summed and split as in
// kernels/thumb/tiles.h: what is added to both halves makes them positive whatever the weights are. The third sums up 16
// products of the fifth patch and, below these, 16 weights before it is split. The sum of all weights is what the offset of
// the activations is multiplied by.

#include "kernels/thumb/five.h"

#if AR_TIER_THUMB

#define HALF (0x7f00)           // the least sum of two products is -2 * 127 * 128, the greatest 2 * 128 * 128
#define BELOW (12)              // bits of the sum of 16 weights
#define MIDDLE (1 << (BELOW - 1)) // added to it
#define UNROLLED (8)
#define TIMES (AR_THUMB_FULL ? 2u : 1u) // what goes into sums

// ---- any factor and range --------------------------------------------------------------------------------------------

// Element k of patch i.
static int32_t element(const int32_t *x, uint32_t k, uint32_t i) {
    int32_t word = x[3 * k + (i / 2 + (k & 1)) % 3];
    return i == AR_FIVE - 1 ? word >> BELOW : i & 1 ? (word + 0x8000) >> 16 : (int16_t)word;
}

static __attribute__((cold, noinline)) void one_by_one(const ar_product_s8_t *p, int8_t *out) {
    for (const ar_channel_t *c = p->channels, *end = c + p->n_channels; c < end; c++) {
        const int8_t *w = ar_product_row(p, c);
        for (uint32_t i = 0; i < AR_FIVE; i++) {
            uint32_t sum = (uint32_t)ar_product_start(p, c->channel);
            for (uint32_t k = 0; k < p->n; k++) {
                sum += (uint32_t)((element(p->scratch, k, i) + p->offset) * w[k]);
            }
            out[i * p->out_step + c->channel] =
                (int8_t)ar_requantize_clamp((int32_t)sum, (ar_factor_t) { c->mult, c->shift }, p->out_zero, p->low, p->high);
        }
    }
}

// ---- what a product calls --------------------------------------------------------------------------------------------

#if !AR_THUMB_FULL

void ar_five_put_two(const int8_t *a, const int8_t *b, int32_t *to, const int8_t *a_end) {
    for (; a < a_end; a += 2, b += 2, to += 6) {
        int32_t first = a[0] + b[0] * 65536, second = a[1] + b[1] * 65536;
        to[0] = first;
        to[4] = second;
    }
}

void ar_five_put_last(const int8_t *a, const int8_t *b, int32_t *to, const int8_t *a_end) {
    (void)b;
    for (; a < a_end; a += 2, to += 6) {
        int32_t first = a[0] * (1 << BELOW) + 1, second = a[1] * (1 << BELOW) + 1;
        to[0] = first;
        to[1] = second;
    }
}

#endif

void ar_five_put(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step) {
    uint32_t row = p->row;
    int32_t *to = (int32_t *)p->scratch + 3 * r * row + i / 2;
    for (; rows > 0; rows--, a += step, b += step, to += 3 * row) {
        (i < AR_FIVE - 1 ? ar_five_put_two : ar_five_put_last)(a, b, to, a + row);
    }
}

void ar_five_held(const ar_product_s8_t *p, int8_t *out) {
    uint32_t pairs = p->n / 2, rounds = (pairs + UNROLLED - 1) / UNROLLED, offset = TIMES * (uint32_t)p->offset;
    const ar_five_t f = {
        .w = p->weights, .n = p->n, .x = p->scratch, .bias = p->bias, .out = out, .step = p->out_step, .channel = p->channels,
        .end = p->channels + p->n_channels, .offset = offset, .start = 0 - offset * MIDDLE * rounds, .halves = TIMES * HALF * pairs,
        .zero = p->out_zero,
    };
    if (!p->plain) {
        one_by_one(p, out);
    } else if (p->n_channels > 0) {
        ar_five_channels(&f, ((pairs - 1) & (UNROLLED - 1)) + 1);
    }
}

#endif // AR_TIER_THUMB
