// The product for cores without dual multiply-adds: each activation is loaded once and meets four rows of weights, which
// is what the registers of Armv6-M can hold.

#include <string.h>

#include "kernels/dot.h"
#include "kernels/product.h"
#include "kernels/requantize.h"

#if AR_TIER_PORTABLE

// Up to four rows of weights.
static void four_rows(const ar_product_s8_t *p, const int8_t *x, const int8_t *const w[], uint32_t rows, uint32_t *sum) {
    uint32_t n = p->n;
    if (rows == AR_DOT_ROWS && w[1] == w[0] + n && w[2] == w[1] + n && w[3] == w[2] + n) {
        ar_dot_s8(sum, AR_DOT_ROWS, x, p->offset, w[0], n, n);
        return;
    }
    for (uint32_t r = 0; r < rows; r++) {
        ar_dot_s8(sum + r, 1, x, p->offset, w[r], n, n);
    }
}

void ar_product_one(const ar_product_s8_t *p, const int8_t *x, int8_t *out) {
    for (uint32_t first = 0, rows; first < p->n_channels; first += rows) {
        uint32_t sum[AR_DOT_ROWS];
        const int8_t *w[AR_DOT_ROWS];
        rows = p->n_channels - first < AR_DOT_ROWS ? p->n_channels - first : AR_DOT_ROWS;
        for (uint32_t r = 0; r < rows; r++) {
            uint32_t channel = ar_product_channel(p, first + r).channel;
            w[r] = p->weights + (p->gathered ? first + r : channel) * p->n;
            sum[r] = (uint32_t)ar_product_start(p, channel);
        }
        four_rows(p, x, w, rows, sum);
        for (uint32_t r = 0; r < rows; r++) {
            ar_channel_t c = ar_product_channel(p, first + r);
            out[c.channel] = (int8_t)ar_requantize_clamp((int32_t)sum[r], (ar_factor_t) { c.mult, c.shift }, p->out_zero, p->low, p->high);
        }
    }
}

uint32_t ar_product_patches(uint32_t count) {
    (void)count;
    return 2;
}

// Patches that lie in one piece stay where they are.
uint32_t ar_product_scratch(uint32_t channels, uint32_t rows, uint32_t row, uint32_t patches, bool direct, int32_t offset) {
    (void)channels, (void)offset;
    return direct ? 0 : rows * row * patches;
}

void ar_product_put(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step) {
    int8_t *to = (int8_t *)p->scratch + i * p->n + r * p->row;
    for (; rows > 0; rows--, a += step, b += step, to += p->row) {
        memcpy(to, a, p->row);
        memcpy(to + p->n, b, p->row);
    }
}

void ar_product_held(const ar_product_s8_t *p, uint32_t count, int8_t *out) {
    ar_product_s8(p, p->scratch, p->n, count, count, out);
}

void ar_product_s8(const ar_product_s8_t *p, const int8_t *x, uint32_t x_step, uint32_t count, uint32_t held, int8_t *out) {
    (void)held;
    for (; count > 0; count--, x += x_step, out += p->out_step) {
        ar_product_one(p, x, out);
    }
}

#endif // AR_TIER_PORTABLE
