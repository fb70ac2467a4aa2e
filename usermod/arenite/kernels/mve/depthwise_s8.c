// Rows of a 3x3 depthwise convolution for cores with Helium, 16 channels at a time.
//
// Four rows of input are packed so that a word has those of one channel and column: four columns of a channel are one vector,
// and a sum across its lanes is an output. With the weights moved by a row, by a column, or both, the same vector makes four
// outputs: two beside each other in two rows. What lies outside is filled with the zero point.

#include "kernels/depthwise.h"

#if AR_TIER_MVE

#include "kernels/mve/depthwise.h"
#include "kernels/mve/requantize.h"

_Static_assert(sizeof(ar_depthwise_channel_t) * AR_DEPTHWISE_BLOCK == AR_DEPTHWISE_CHANNELS_BYTES, "bytes of a block");

// Bytes of a column in scratch.
#define COLUMN (4 * AR_DEPTHWISE_BLOCK)

// ---- packing ---------------------------------------------------------------------------------------------------------

// Columns of n channels; the rows are advanced by their steps.
static inline int8_t *pack(int8_t *to, const int8_t *const from[4], const uint32_t step[4], uint32_t columns, mve_pred16_t present) {
    const int8_t *a = from[0], *b = from[1], *c = from[2], *d = from[3];
    for (; columns > 0; columns--, to += COLUMN) {
        int8x16x4_t v;
        v.val[0] = vldrbq_z_s8(a, present);
        v.val[1] = vldrbq_z_s8(b, present);
        v.val[2] = vldrbq_z_s8(c, present);
        v.val[3] = vldrbq_z_s8(d, present);
        vst4q_s8(to, v);
        a += step[0];
        b += step[1];
        c += step[2];
        d += step[3];
    }
    return to;
}

static int8_t *columns_of(const ar_depthwise3_t *d) {
    return (int8_t *)d->scratch + AR_DEPTHWISE_CHANNELS_BYTES;
}

static inline uint32x4_t each_column(void) {
    return vmulq_n_u32(vidupq_n_u32(0, 1), COLUMN);
}

// The weights of a channel, packed as columns are, and what they start from.
static void arrange(const ar_depthwise3_t *d, const int8_t *words, const ar_channel_t *channel, ar_depthwise_channel_t *to) {
    int32x4_t w = vldrwq_gather_offset_s32((const int32_t *)words, each_column());
    uint32_t carry = 0;
    int32x4_t beside = vshlcq_s32(w, &carry, 32);
    vst1q_s8(to->weights[0], vreinterpretq_s8_s32(w));
    vst1q_s8(to->weights[1], vreinterpretq_s8_s32(vshlq_n_s32(w, 8)));
    vst1q_s8(to->weights[2], vreinterpretq_s8_s32(beside));
    vst1q_s8(to->weights[3], vreinterpretq_s8_s32(vshlq_n_s32(beside, 8)));
    uint32_t sum = (uint32_t)vaddvq_s8(vreinterpretq_s8_s32(w));
    to->start = (int32_t)(sum * (uint32_t)d->offset + (d->bias ? (uint32_t)d->bias[channel->channel] : 0));
    vst1q_u32(to->at, vaddq_n_u32(each_column(), (uint32_t)(uintptr_t)words - 2 * COLUMN));
    to->mult = channel->mult;
    to->shift = channel->shift;
}

void ar_depthwise3_begin(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const ar_channel_t *channels, uint32_t n) {
    static const uint32_t still[4] = { 0, 0, 0, 0 };
    const uint32_t step[4] = { d->n_channels, d->n_channels, d->n_channels, 0 };
    const int8_t zeros[AR_DEPTHWISE_BLOCK] = { 0 }, *w = d->weights + channels->channel;
    const int8_t *const rows[4] = { w, w + 3 * d->n_channels, w + 6 * d->n_channels, zeros };
    const int8_t *const none[4] = { zeros, zeros, zeros, zeros };
    mve_pred16_t present = vctp8q(n);
    // The fourth column is zeros; the words of a channel lie as those of the input will.
    pack(pack(columns_of(d), rows, step, 3, present), none, still, 1, present);
    ar_depthwise_channel_t *to = d->scratch;
    for (uint32_t i = 0; i < n; i++) {
        arrange(d, columns_of(d) + 4 * i, channels + i, to + i);
    }
    *b = (ar_depthwise3_block_t) { n, channels->channel };
}

// So many columns from x on, some of them perhaps beside the input.
static void pack_columns(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, const int8_t *const rows[4], int32_t x, uint32_t columns) {
    int8_t *to = columns_of(d);
    int8_t zero[AR_DEPTHWISE_BLOCK];
    const int8_t *from[4], *const none[4] = { zero, zero, zero, zero };
    static const uint32_t still[4] = { 0, 0, 0, 0 };
    uint32_t step[4], left = x < 0, inside = d->in_w - (x < 0 ? 0 : (uint32_t)x);
    mve_pred16_t present = vctp8q(b->n);
    vst1q_s8(zero, vdupq_n_s8((int8_t)-d->offset));
    for (uint32_t i = 0; i < 4; i++) {
        from[i] = rows[i] ? rows[i] + (uint32_t)(x + (int32_t)left) * d->n_channels + b->first : zero;
        step[i] = rows[i] ? d->n_channels : 0;
    }
    inside = inside < columns - left ? inside : columns - left;
    to = pack(to, none, still, left, present);
    to = pack(to, from, step, inside, present);
    pack(to, none, still, columns - left - inside, present);
}

// ---- outputs ---------------------------------------------------------------------------------------------------------

// n outputs of a channel in one row, whatever its factor, the range and the stride.
static void one_row(const ar_depthwise3_t *d, const ar_depthwise_channel_t *c, const int8_t *x, uint32_t n, int8_t *out) {
    const uint32x4_t columns = each_column(), places = vmulq_n_u32(vidupq_n_u32(0, 1), d->n_channels);
    const int32x4_t mult = vdupq_n_s32(c->mult), shift = vdupq_n_s32(c->shift);
    const int8x16_t w = vld1q_s8(c->weights[0]);
    for (uint32_t now; n > 0; n -= now, out += 4 * d->n_channels) {
        now = n < 4 ? n : 4;
        int32_t sum[4];
        for (uint32_t i = 0; i < 4; i++, x += d->stride * COLUMN) {
            int32x4_t v = vldrwq_gather_offset_s32((const int32_t *)x, columns);
            sum[i] = vmladavaq_s8(c->start, vreinterpretq_s8_s32(v), w);
        }
        int32x4_t v = clamped(scaled(vld1q_s32(sum), mult, shift), d->out_zero, d->low, d->high);
        vstrbq_scatter_offset_p_s32(out, places, v, vctp32q(now));
    }
}

// The places of four outputs in each of two rows, from the first of all, which is returned.
static int8_t *two_places(int8_t *out, int8_t *second, uint32_t step, ar_depthwise_strip_t *s) {
    int8_t *base = (uintptr_t)out < (uintptr_t)second ? out : second;
    for (uint32_t i = 0; i < 4; i++, out += step, second += step) {
        s->places[2 * i] = (uint16_t)(out - base);
        s->places[2 * i + 1] = (uint16_t)(second - base);
    }
    for (uint32_t i = 0; i < 4; i++) {
        s->places_end[i] = s->places[i];
    }
    return base;
}

// All channels, n outputs from the columns that are packed. second: NULL, or the row below.
static void strip(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, uint32_t n, int8_t *out, int8_t *second) {
    const ar_depthwise_channel_t *c = d->scratch;
    out += b->first;
    if (!d->plain || d->stride > 2) {
        for (uint32_t i = 0; i < b->n; i++) {
            one_row(d, c + i, columns_of(d) + 4 * i, n, out + i);
        }
        return;
    }
    ar_depthwise_strip_t s = {
        .steps = n / 4, .left = second ? 2 * (n & 3) : n & 3, .out = out, .advance = 4 * d->n_channels, .zero = d->out_zero, .end = c + b->n,
    };
    if (second) {
        s.out = two_places(out, second + b->first, d->n_channels, &s);
        ar_depthwise_two_rows(&s, c);
    } else {
        vst1q_u32(s.places_end, vmulq_n_u32(vidupq_n_u32(0, 1), d->n_channels));
        (d->stride == 1 ? ar_depthwise_row_1 : ar_depthwise_row_2)(&s, c);
    }
}

void ar_depthwise3_rows(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, const int8_t *const rows[4], int8_t *out, int8_t *second) {
    uint32_t most = ((AR_DEPTHWISE_COLUMNS - 4) / d->stride + 1) & ~3u, n_channels = d->n_channels;
    uintptr_t apart = (uintptr_t)out < (uintptr_t)second ? (uintptr_t)second - (uintptr_t)out : (uintptr_t)out - (uintptr_t)second;
    if (second && (!d->plain || apart + 4 * n_channels > 65536)) {
        // Too far for places of 16 bits, or the long way.
        const int8_t *const below[4] = { rows[1], rows[2], rows[3], NULL };
        ar_depthwise3_rows(d, b, rows, out, NULL);
        ar_depthwise3_rows(d, b, below, second, NULL);
        return;
    }
    for (uint32_t o = 0, n; o < d->out_w; o += n) {
        n = d->out_w - o < most ? d->out_w - o : most;
        pack_columns(d, b, rows, (int32_t)(o * d->stride - d->pad_left), (n - 1) * d->stride + (second ? 4 : 3));
        strip(d, b, n, out + o * n_channels, second ? second + o * n_channels : NULL);
    }
}

#endif // AR_TIER_MVE
