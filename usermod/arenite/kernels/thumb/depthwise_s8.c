// Rows of a 3x3 depthwise convolution for cores without dual multiply-adds, four channels at a time.
//
// Columns of three activations are widened once for each channel, and serve the outputs beside each other that see them.
// The offset of the activations is in where the sums start; what is outside is read as the zero point.

#include <string.h>

#include "kernels/depthwise.h"

#if AR_TIER_THUMB

#include "kernels/requantize.h"
#include "kernels/thumb/requantize.h"
#include "kernels/thumb/tiles.h"

// Words of a column of a channel.
#define COLUMN (3)

_Static_assert(sizeof(((ar_depthwise3_block_t *)0)->weights) >= AR_DEPTHWISE_BLOCK * sizeof(ar_thumb_taps_t), "too small");

// A column of the kernel, and the sum of its weights. In the short way of Armv7-M all sums are twice what they are.
static inline int32_t column(const ar_depthwise3_t *d, const int8_t *w, uint32_t times, int32_t *to) {
    uint32_t row = 3 * d->n_channels;
    to[0] = w[0] * (1 << times);
    to[1] = w[row] * (1 << times);
    to[2] = w[2 * row] * (1 << times);
    return to[0] + to[1] + to[2];
}

#if AR_THUMB_FULL
#define RARE __attribute__((noinline))
#else
#define RARE
#endif

// What is not plain on Armv7-M, or has no bias.
static RARE void arrange_any(const ar_depthwise3_t *d, ar_depthwise3_block_t *b) {
    ar_thumb_taps_t *t = (ar_thumb_taps_t *)b->weights;
    uint32_t n = d->n_channels, times = AR_THUMB_FULL && d->plain;
    for (const ar_channel_t *c = b->channels; c < b->channels + AR_DEPTHWISE_BLOCK; c++, t++) {
        const int8_t *w = d->weights + c->channel;
        int32_t sum = column(d, w, times, t->w0) + column(d, w + n, times, t->w1) + column(d, w + 2 * n, times, t->w2);
        t->start = ((d->bias ? (uint32_t)d->bias[c->channel] : 0) << times) + (uint32_t)(d->offset * sum);
        if (d->plain) {
            t->factor = ar_thumb_factor(c->mult, c->shift, d->out_zero);
        }
    }
}

static inline void arrange(const ar_depthwise3_t *d, ar_depthwise3_block_t *b) {
    b->ready = true;
#if AR_THUMB_FULL
    if (d->plain && d->bias) {
        const uint32_t first = b->channels->channel;
        ar_thumb_arrange_t a = {
            .w = d->weights + first, .step = d->n_channels, .bias = d->bias + first, .offset = d->offset, .half = 2 * d->out_zero + 1,
            .channel = b->channels, .to = (ar_thumb_taps_t *)b->weights,
        };
        ar_thumb_arrange(&a);
        return;
    }
#endif
    arrange_any(d, b);
}

// A channel's words from the row above to the row above the next output row's.
static inline uint32_t plane_words(const ar_depthwise3_t *d) {
    return ((d->out_w - 1) * d->stride + 3) * COLUMN;
}

// The columns of input that a row's outputs see.
static inline uint32_t columns_inside(const ar_depthwise3_t *d) {
    uint32_t seen = (d->out_w - 1) * d->stride + 3 - d->pad_left;
    return seen < d->in_w ? seen : d->in_w;
}

static void fill(int32_t *to, uint32_t step, uint32_t n, int32_t value) {
    for (; n > 0; n--, to += step) {
        *to = value;
    }
}

// Columns outside.
void ar_depthwise3_begin(const ar_depthwise3_t *d) {
    uint32_t words = plane_words(d), before = d->pad_left * COLUMN, inside = columns_inside(d) * COLUMN;
    int32_t *plane = d->scratch;
    for (uint32_t k = 0; k < AR_DEPTHWISE_BLOCK; k++, plane += words) {
        fill(plane, 1, before, -d->offset);
        fill(plane + before + inside, 1, words - before - inside, -d->offset);
    }
}

#if AR_THUMB_FULL

static void inner_columns(const ar_depthwise3_t *d, const int8_t *const rows[3], uint32_t channel) {
    uint32_t zero = ((uint32_t)-d->offset & 0xff) * 0x01010101u, words = plane_words(d);
    ar_thumb_columns_t c;
    for (uint32_t y = 0; y < 3; y++) {
        c.row[y] = rows[y] ? rows[y] + channel : (const int8_t *)&zero;
        c.step[y] = rows[y] ? d->n_channels : 0;
    }
    int32_t *to = (int32_t *)d->scratch + d->pad_left * COLUMN;
    c.end = to + columns_inside(d) * COLUMN;
    for (uint32_t k = 0; k < AR_DEPTHWISE_BLOCK; k++, to += words) {
        c.plane[k] = to;
    }
    ar_thumb_columns(&c);
}

#else

// One channel of n columns of three rows.
static inline void widen(const int8_t *a, const int8_t *b, const int8_t *c, uint32_t step, uint32_t n, int32_t *to) {
    uint32_t i = 0;
    for (int32_t *end = to + n * COLUMN; to < end; i += step) {
        register int32_t x0 __asm("r4") = a[i];
        register int32_t x1 __asm("r5") = b[i];
        register int32_t x2 __asm("r6") = c[i];
        __asm volatile ("stmia %0!, {%1, %2, %3}" : "+l" (to) : "r" (x0), "r" (x1), "r" (x2) : "memory");
    }
}

static void inner_columns(const ar_depthwise3_t *d, const int8_t *const rows[3], uint32_t channel) {
    const int8_t *any = rows[0] ? rows[0] : rows[1] ? rows[1] : rows[2], *row[3];
    uint32_t words = plane_words(d), n = columns_inside(d);
    int32_t *to = (int32_t *)d->scratch + d->pad_left * COLUMN;
    for (uint32_t y = 0; y < 3; y++) {
        row[y] = rows[y] ? rows[y] : any;
    }
    for (uint32_t k = 0; k < AR_DEPTHWISE_BLOCK; k++, channel++, to += words) {
        if (any) {
            widen(row[0] + channel, row[1] + channel, row[2] + channel, d->n_channels, n, to);
        }
        for (uint32_t y = 0; y < 3; y++) {
            if (!rows[y]) {
                fill(to + y, COLUMN, n, -d->offset);
            }
        }
    }
}

#endif

// Any factor and range: a channel.
static void general_row(const ar_depthwise3_t *d, const ar_channel_t *c, const ar_thumb_taps_t *t, const int32_t *x, int8_t *out) {
    for (uint32_t i = 0; i < d->out_w; i++, out += d->n_channels, x += d->stride * COLUMN) {
        uint32_t sum = t->start;
        for (uint32_t y = 0; y < COLUMN; y++) {
            sum += (uint32_t)(x[y] * t->w0[y] + x[COLUMN + y] * t->w1[y] + x[2 * COLUMN + y] * t->w2[y]);
        }
        *out = (int8_t)ar_requantize_clamp((int32_t)sum, (ar_factor_t) { c->mult, c->shift }, d->out_zero, d->low, d->high);
    }
}

void ar_depthwise3_s8(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const int8_t *const rows[3], int8_t *out) {
    if (!b->ready) {
        arrange(d, b);
    }
    uint32_t words = plane_words(d), width = d->out_w * d->stride * COLUMN;
    const ar_thumb_taps_t *t = (const ar_thumb_taps_t *)b->weights;
    const int32_t *x = d->scratch;
    out += b->channels->channel;
    inner_columns(d, rows, b->channels->channel);
    if (d->plain) {
        ar_thumb_row_t r = {
            .x = x, .taps = t, .on = (d->stride - 3) * COLUMN * 4, .x_end = x + width, .out = out, .step = d->n_channels,
            .plane = 4 * words, .gap = 4 * (words - width),
        };
        ar_thumb_row(&r);
        return;
    }
    for (uint32_t k = 0; k < AR_DEPTHWISE_BLOCK; k++, x += words) {
        general_row(d, b->channels + k, t + k, x, out + k);
    }
}

#endif // AR_TIER_THUMB
