// The product for cores without dual multiply-adds: each activation is loaded once and meets four rows of weights, which
// is what the registers of Armv6-M can hold.

#include <string.h>

#include "kernels/dot.h"
#include "kernels/product.h"
#include "kernels/requantize.h"

#if AR_TIER_PORTABLE

static void four_rows(const ar_product_s8_t *p, const int8_t *x, const uint16_t *channel, uint32_t rows, uint32_t *sum) {
    uint32_t next = channel[0];
    if (rows == AR_DOT_ROWS && channel[1] == next + 1 && channel[2] == next + 2 && channel[3] == next + 3) {
        ar_dot_s8(sum, AR_DOT_ROWS, x, p->offset, p->weights + channel[0] * p->n, p->n, p->n);
        return;
    }
    for (uint32_t r = 0; r < rows; r++) {
        ar_dot_s8(sum + r, 1, x, p->offset, p->weights + channel[r] * p->n, p->n, p->n);
    }
}

void ar_product_one(const ar_product_s8_t *p, const int8_t *x, int8_t *out) {
    for (uint32_t first = 0, rows; first < p->n_channels; first += rows) {
        uint32_t sum[AR_DOT_ROWS];
        uint16_t channel[AR_DOT_ROWS];
        rows = p->n_channels - first < AR_DOT_ROWS ? p->n_channels - first : AR_DOT_ROWS;
        for (uint32_t r = 0; r < rows; r++) {
            channel[r] = ar_product_channel(p, first + r).channel;
            sum[r] = (uint32_t)p->start + (p->bias ? (uint32_t)p->bias[channel[r]] : 0);
        }
        four_rows(p, x, channel, rows, sum);
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

uint32_t ar_product_fit(uint32_t channels, uint32_t rows, uint32_t row, uint32_t bytes) {
    (void)channels, (void)rows, (void)row, (void)bytes;
    return 2;
}

// Patches that lie in one piece stay where they are.
uint32_t ar_product_scratch(uint32_t channels, uint32_t rows, uint32_t row, uint32_t patches, bool direct) {
    (void)channels;
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
