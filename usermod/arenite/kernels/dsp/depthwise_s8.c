// Rows of a 3x3 depthwise convolution for cores with dual 16-bit multiply-adds, four channels at a time.
//
// A column of three activations is packed once and serves the outputs beside each other that see it: for each channel the
// upper two in one word, for one dual multiply-add; the lower ones of two channels in another, for single ones.

#include "kernels/depthwise.h"

#if AR_TIER_DSP

#include "kernels/dsp/instructions.h"
#include "kernels/requantize.h"

// A column of four channels: words of channels 0, 2, 1, 3 (row 0 low, row 1 high), then row 2 of 0 and 2, of 1 and 3.
#define COLUMN (6)

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

// A row of taps that lies outside has weights of 0, whatever it meets.
static void arrange(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, uint32_t present) {
    const int8_t *w = d->weights + b->channels->channel;
    for (uint32_t x = 0; x < 3; x++, w += d->n_channels) {
        uint32_t row[3];
        for (uint32_t y = 0; y < 3; y++) {
            row[y] = present >> y & 1 ? word_at(w + y * 3 * d->n_channels) : 0;
        }
        pack(row[0], row[1], row[2], 0, b->weights + x * COLUMN);
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

// One column of three: ldm needs its registers in order.
#define TAPS \
    "ldm    r12!, {r0-r3, r8, r9}\n" \
    "ldm    lr!, {r10, r11}\n" \
    "smlad  r4, r0, r10, r4\n" \
    "smlad  r5, r1, r11, r5\n" \
    "ldm    lr!, {r10, r11}\n" \
    "smlad  r6, r2, r10, r6\n" \
    "smlad  r7, r3, r11, r7\n" \
    "ldm    lr!, {r10, r11}\n" \
    "smlabb r4, r8, r10, r4\n" \
    "smlatt r5, r8, r10, r5\n" \
    "smlabb r6, r9, r11, r6\n" \
    "smlatt r7, r9, r11, r7\n"

// Sums of the four channels at one position.
typedef struct {
    int32_t of[AR_DEPTHWISE_BLOCK];
} sums_t;

static inline sums_t three_columns(const uint32_t *columns, const uint32_t *weights, const int32_t *start) {
    register const uint32_t *x __asm("r12") = columns;
    register const uint32_t *w __asm("lr") = weights;
    register int32_t s0 __asm("r4") = start[0];
    register int32_t s2 __asm("r5") = start[2];
    register int32_t s1 __asm("r6") = start[1];
    register int32_t s3 __asm("r7") = start[3];
    __asm volatile (TAPS TAPS TAPS
        : "+r" (x), "+r" (w), "+r" (s0), "+r" (s1), "+r" (s2), "+r" (s3)
        :
        : "r0", "r1", "r2", "r3", "r8", "r9", "r10", "r11", "memory");
    return (sums_t) { { s0, s1, s2, s3 } };
}

// The row's outputs from its columns, requantized in the short way.
static void row_plain(const ar_depthwise3_t *d, const uint32_t *weights, const int32_t *start, const ar_channel_t *c, int8_t *out) {
    const uint32_t *x = d->scratch;
    uint32_t step = d->n_channels, x_step = d->stride * COLUMN;
    for (int8_t *end = out + d->out_w * step; out < end; out += step, x += x_step) {
        sums_t s = three_columns(x, weights, start);
        out[0] = (int8_t)requantize_plain(s.of[0], c[0].mult, power_of(c[0].shift), d->out_zero);
        out[1] = (int8_t)requantize_plain(s.of[1], c[1].mult, power_of(c[1].shift), d->out_zero);
        out[2] = (int8_t)requantize_plain(s.of[2], c[2].mult, power_of(c[2].shift), d->out_zero);
        out[3] = (int8_t)requantize_plain(s.of[3], c[3].mult, power_of(c[3].shift), d->out_zero);
    }
}

static void row(const ar_depthwise3_t *d, const uint32_t *weights, const int32_t *start, const ar_channel_t *c, int8_t *out) {
    const uint32_t *x = d->scratch;
    for (int8_t *end = out + d->out_w * d->n_channels; out < end; out += d->n_channels, x += d->stride * COLUMN) {
        sums_t s = three_columns(x, weights, start);
        for (uint32_t i = 0; i < AR_DEPTHWISE_BLOCK; i++) {
            ar_factor_t f = { c[i].mult, c[i].shift };
            out[i] = (int8_t)ar_requantize_clamp(s.of[i], f, d->out_zero, d->low, d->high);
        }
    }
}

void ar_depthwise3_s8(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const int8_t *const rows[3], uint32_t present, int8_t *out) {
    const ar_channel_t *channel = b->channels;
    int32_t start[AR_DEPTHWISE_BLOCK];
    if (b->present != present) {
        arrange(d, b, present);
    }
    pack_columns(d, rows, channel->channel, present, d->scratch);
    for (uint32_t i = 0; i < AR_DEPTHWISE_BLOCK; i++) {
        start[i] = d->bias ? d->bias[channel[i].channel] : 0;
    }
    if (d->plain) {
        row_plain(d, b->weights, start, channel, out + channel->channel);
    } else {
        row(d, b->weights, start, channel, out + channel->channel);
    }
}

#endif // AR_TIER_DSP
