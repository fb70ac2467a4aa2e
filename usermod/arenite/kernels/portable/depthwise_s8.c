// Rows of a 3x3 depthwise convolution, four channels at a time, on any machine.
//
// Taps outside are left out by their limits.

#include "kernels/depthwise.h"

#if AR_TIER_PORTABLE

#include "kernels/requantize.h"

typedef struct {
    uint32_t of[AR_DEPTHWISE_BLOCK]; // modulo 2^32: sums of absurd biases wrap
} sums_t;

static inline void tap(sums_t *s, const int8_t *x, int32_t offset, const int8_t *w) {
    s->of[0] += (uint32_t)((x[0] + offset) * w[0]);
    s->of[1] += (uint32_t)((x[1] + offset) * w[1]);
    s->of[2] += (uint32_t)((x[2] + offset) * w[2]);
    s->of[3] += (uint32_t)((x[3] + offset) * w[3]);
}

// Taps x0 to x1 of a row.
static inline sums_t taps(const ar_depthwise3_t *d, sums_t s, const int8_t *x, const int8_t *w, uint32_t n) {
    for (; n > 0; n--, x += d->n_channels, w += d->n_channels) {
        tap(&s, x, d->offset, w);
    }
    return s;
}

void ar_depthwise3_s8(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const int8_t *const rows[3], int8_t *out) {
    const ar_channel_t *c = b->channels;
    uint32_t first = c->channel, n = d->n_channels;
    sums_t start = { { 0 } };
    for (uint32_t i = 0; d->bias && i < AR_DEPTHWISE_BLOCK; i++) {
        start.of[i] = (uint32_t)d->bias[first + i];
    }
    out += first;
    for (uint32_t o = 0; o < d->out_w; o++, out += n) {
        int32_t left = (int32_t)(o * d->stride - d->pad_left), right = (int32_t)d->in_w - left;
        uint32_t x0 = left < 0, x1 = right < 3 ? (uint32_t)(right < 0 ? 0 : right) : 3;
        sums_t s = start;
        for (uint32_t y = 0; y < 3; y++) {
            if (rows[y] && x0 < x1) {
                s = taps(d, s, rows[y] + (uint32_t)(left + (int32_t)x0) * n + first, d->weights + (y * 3 + x0) * n + first, x1 - x0);
            }
        }
        for (uint32_t i = 0; i < AR_DEPTHWISE_BLOCK; i++) {
            ar_factor_t f = { c[i].mult, c[i].shift };
            out[i] = (int8_t)ar_requantize_clamp((int32_t)s.of[i], f, d->out_zero, d->low, d->high);
        }
    }
}

#endif // AR_TIER_PORTABLE
