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

// stm needs its registers in order.
static inline uint32_t *pack(uint32_t a, uint32_t b, uint32_t c, uint32_t offset, uint32_t *to) {
    uint32_t even0 = sxtab16(offset, a), odd0 = sxtab16_odd(offset, a);
    uint32_t even1 = sxtab16(offset, b), odd1 = sxtab16_odd(offset, b);
    uint32_t even2 = sxtab16(offset, c), odd2 = sxtab16_odd(offset, c);
    register uint32_t w0 __asm("r3") = pkhbt(even0, even1);
    register uint32_t w1 __asm("r4") = pkhtb(even1, even0);
    register uint32_t w2 __asm("r5") = pkhbt(odd0, odd1);
    register uint32_t w3 __asm("r6") = pkhtb(odd1, odd0);
    register uint32_t w4 __asm("r7") = even2;
    register uint32_t w5 __asm("r8") = odd2;
    __asm volatile ("stm.w %0!, {%1, %2, %3, %4, %5, %6}"
        : "+r" (to) : "r" (w0), "r" (w1), "r" (w2), "r" (w3), "r" (w4), "r" (w5) : "memory");
    return to;
}

static __attribute__((noinline)) void arrange(const ar_depthwise3_t *d, ar_depthwise3_block_t *b) {
    static const int32_t none[AR_DEPTHWISE_BLOCK];
    const ar_channel_t *c = b->channels;
    uint32_t first = c->channel;
    const int8_t *w = d->weights + first;
    uint32_t step = d->n_channels, row = 3 * step;
    for (uint32_t *to = b->weights, *end = to + 3 * COLUMN; to < end; w += step) {
        to = pack(word_at(w), word_at(w + row), word_at(w + 2 * row), 0, to);
    }
    const int32_t *bias = d->bias ? d->bias + first : none;
    #pragma GCC unroll 4
    for (uint32_t i = 0; i < AR_DEPTHWISE_BLOCK; i++) {
        uint32_t k = ar_taps_order(i);
        b->start[k] = bias[i];
        b->factor[k][0] = twice_of(c[i].mult);
        b->factor[k][1] = power_of(c[i].shift);
    }
    b->ready = true;
}

// n columns of input. What is outside is read as the zero point.
static void inner_columns(const ar_depthwise3_t *d, const int8_t *const rows[3], uint32_t channel, uint32_t n, uint32_t *to) {
    uint32_t zero = ((uint32_t)-d->offset & 0xff) * 0x01010101u, offset = ((uint32_t)d->offset & 0xffff) * 0x10001u;
    const int8_t *outside = (const int8_t *)&zero;
    const int8_t *a = rows[0] ? rows[0] + channel : outside, *b = rows[1] ? rows[1] + channel : outside;
    const int8_t *c = rows[2] ? rows[2] + channel : outside;
    uint32_t a_step = rows[0] ? d->n_channels : 0, b_step = rows[1] ? d->n_channels : 0, c_step = rows[2] ? d->n_channels : 0;
    for (uint32_t *end = to + n * COLUMN; to < end; a += a_step, b += b_step, c += c_step) {
        to = pack(word_at(a), word_at(b), word_at(c), offset, to);
    }
}

// The columns that a row's outputs see: one before the input or not, those of the input, and what is left behind it.
typedef struct {
    uint32_t inside;
    uint32_t behind;
} columns_t;

static inline columns_t columns_of(const ar_depthwise3_t *d) {
    uint32_t seen = (d->out_w - 1) * d->stride + 3 - d->pad_left, inside = seen < d->in_w ? seen : d->in_w;
    return (columns_t) { inside, seen - inside };
}

// Columns outside are zeros.
void ar_depthwise3_begin(const ar_depthwise3_t *d) {
    columns_t n = columns_of(d);
    uint32_t *columns = d->scratch;
    memset(columns, 0, d->pad_left * COLUMN * 4);
    memset(columns + (d->pad_left + n.inside) * COLUMN, 0, n.behind * COLUMN * 4);
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

void ar_depthwise3_s8(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const int8_t *const rows[3], int8_t *out) {
    uint32_t channel = b->channels->channel;
    if (!b->ready) {
        arrange(d, b);
    }
    inner_columns(d, rows, channel, columns_of(d).inside, (uint32_t *)d->scratch + d->pad_left * COLUMN);
    if (!d->plain) {
        row(d, b, out + channel);
        return;
    }
    ar_taps_t t = {
        .x = d->scratch, .factor = b->factor[0], .zero = d->out_zero, .start = b->start, .back = ((int32_t)d->stride - 3) * COLUMN * 4,
        .x_end = (const uint32_t *)d->scratch + d->out_w * d->stride * COLUMN, .out = out + channel, .step = d->n_channels,
    };
    ar_taps_plain(&t);
}

#endif // AR_TIER_DSP
