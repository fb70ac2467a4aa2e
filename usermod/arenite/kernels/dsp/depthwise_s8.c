// Rows of a 3x3 depthwise convolution for cores with dual 16-bit multiply-adds, four channels at a time.
//
// A column of three activations is packed once and serves the outputs beside each other that see it: for each channel the
// upper two in one word, for one dual multiply-add; the lower ones of two channels in another, for single ones.

#include "kernels/depthwise.h"

#if AR_TIER_DSP

#include "kernels/dsp/instructions.h"
#include "kernels/dsp/tiles.h"
#include "kernels/requantize.h"

// Words of a column of four channels: channels 0, 2, 1, 3 (row 0 low, row 1 high), then row 2 of 0 and 2, of 1 and 3.
#define COLUMN (AR_TAPS_COLUMN)

static inline void pack(uint32_t a, uint32_t b, uint32_t c, uint32_t offset, uint32_t *to) {
    uint32_t even0 = sxtab16(offset, a), odd0 = sxtab16_odd(offset, a);
    uint32_t even1 = sxtab16(offset, b), odd1 = sxtab16_odd(offset, b);
    to[0] = pkhbt(even0, even1);
    to[1] = pkhtb(even1, even0);
    to[2] = pkhbt(odd0, odd1);
    to[3] = pkhtb(odd1, odd0);
    to[4] = sxtab16(offset, c);
    to[5] = sxtab16_odd(offset, c);
}

// Twice the words' halves.
static void twice(uint32_t *words, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        words[i] = sadd16(words[i], words[i]);
    }
}

// A row of taps that lies outside has weights of 0, whatever it meets. In the short way all sums are twice what they are.
static void arrange(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, uint32_t present) {
    const int8_t *w = d->weights + b->channels->channel;
    for (uint32_t x = 0; x < 3; x++, w += d->n_channels) {
        uint32_t row[3];
        for (uint32_t y = 0; y < 3; y++) {
            row[y] = present >> y & 1 ? word_at(w + y * 3 * d->n_channels) : 0;
        }
        pack(row[0], row[1], row[2], 0, b->weights + x * COLUMN);
    }
    for (uint32_t k = 0; k < AR_DEPTHWISE_BLOCK; k++) {
        const ar_channel_t *c = b->channels + ar_taps_order(k);
        b->start[k] = d->bias ? d->bias[c->channel] : 0;
        b->factor[k][0] = c->mult;
        b->factor[k][1] = power_of(c->shift);
        if (d->plain) {
            b->start[k] *= 2;
        }
    }
    if (d->plain) {
        twice(b->weights, 3 * COLUMN);
    }
    b->present = present;
}

// All columns that the row's outputs see; those beside the input are zeros.
static void pack_columns(const ar_depthwise3_t *d, const int8_t *const rows[3], uint32_t channel, uint32_t present, uint32_t *to) {
    uint32_t offset = ((uint32_t)d->offset & 0xffff) * 0x10001u;
    uint32_t columns = (d->out_w - 1) * d->stride + 3, inside = columns - d->pad_left;
    inside = inside < d->in_w ? inside : d->in_w;
    const int8_t *any = rows[present & 1 ? 0 : present & 2 ? 1 : 2];
    const int8_t *a = (present & 1 ? rows[0] : any) + channel, *b = (present & 2 ? rows[1] : any) + channel;
    const int8_t *c = (present & 4 ? rows[2] : any) + channel;
    if (d->pad_left) {
        memset(to, 0, 4 * COLUMN);
        to += COLUMN;
    }
    uint32_t end = inside * d->n_channels;
    for (uint32_t at = 0; at < end; at += d->n_channels, to += COLUMN) {
        pack(word_at(a + at), word_at(b + at), word_at(c + at), offset, to);
    }
    for (uint32_t x = d->pad_left + inside; x < columns; x++, to += COLUMN) {
        memset(to, 0, 4 * COLUMN);
    }
}

// Any factor and range.
static void row(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, int8_t *out) {
    const uint32_t *x = d->scratch;
    for (uint32_t i = 0; i < d->out_w; i++, out += d->n_channels, x += d->stride * COLUMN) {
        for (uint32_t k = 0; k < AR_DEPTHWISE_BLOCK; k++) {
            uint32_t order = ar_taps_order(k), half = k & 1 ? 16 : 0;
            int32_t sum = b->start[k];
            for (uint32_t column = 0; column < 3 * COLUMN; column += COLUMN) {
                uint32_t lower = 4 + (k >> 1);
                sum = smlad(x[column + k], b->weights[column + k], sum);
                sum += (int16_t)(x[column + lower] >> half) * (int16_t)(b->weights[column + lower] >> half);
            }
            ar_factor_t f = { b->channels[order].mult, b->channels[order].shift };
            out[order] = (int8_t)ar_requantize_clamp(sum, f, d->out_zero, d->low, d->high);
        }
    }
}

void ar_depthwise3_s8(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const int8_t *const rows[3], uint32_t present, int8_t *out) {
    uint32_t channel = b->channels->channel;
    if (b->present != present) {
        arrange(d, b, present);
    }
    pack_columns(d, rows, channel, present, d->scratch);
    if (!d->plain) {
        row(d, b, out + channel);
        return;
    }
    ar_taps_t t = {
        .x = d->scratch, .x_end = (const uint32_t *)d->scratch + d->out_w * d->stride * COLUMN, .weights = b->weights,
        .start = b->start, .back = ((int32_t)d->stride - 3) * COLUMN * 4, .zero = d->out_zero, .out = out + channel,
        .step = d->n_channels,
    };
    ar_taps_plain(&t);
}

#endif // AR_TIER_DSP
