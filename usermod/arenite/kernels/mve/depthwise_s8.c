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

// Rows that are packed: where they are, and how far from a column to the next.
typedef struct {
    const int8_t *x[4];
    uint32_t step[4];
} rows_t;

// Columns of a block's channels: one of each row, woven into words. at: where they are from a row's place on.
#define PACK(at0, at1, at2, at3, ...) \
    __asm volatile ( \
        "vmsr       p0, %10\n" \
        "wls        lr, %9, 2f\n" \
        "1:\n" \
        "vpstttt\n" \
        "vldrbt.u8  q0, [%1" at0 "]\n" \
        "vldrbt.u8  q1, [%2" at1 "]\n" \
        "vldrbt.u8  q2, [%3" at2 "]\n" \
        "vldrbt.u8  q3, [%4" at3 "]\n" \
        "add        %1, %1, %5\n" \
        "add        %2, %2, %6\n" \
        "add        %3, %3, %7\n" \
        "add        %4, %4, %8\n" \
        "vst40.8    {q0, q1, q2, q3}, [%0]\n" \
        "vst41.8    {q0, q1, q2, q3}, [%0]\n" \
        "vst42.8    {q0, q1, q2, q3}, [%0]\n" \
        "vst43.8    {q0, q1, q2, q3}, [%0]!\n" \
        "le         lr, 1b\n" \
        "2:\n" \
        : "+r" (to), "+r" (a), "+r" (b), "+r" (c), "+r" (d) \
        : "r" (from->step[0]), "r" (from->step[1]), "r" (from->step[2]), "r" (from->step[3]), "r" (columns), "r" ((uint32_t)present) __VA_ARGS__ \
        : "lr", "q0", "q1", "q2", "q3", "p0", "memory")

static inline int8_t *pack(int8_t *to, const rows_t *from, uint32_t columns, mve_pred16_t present) {
    const int8_t *a = from->x[0], *b = from->x[1], *c = from->x[2], *d = from->x[3];
    PACK("", "", "", "");
    return to;
}

// The same of channels that are listed. A row that does not advance is outside, and has no more than one vector.
static __attribute__((noinline)) int8_t *pack_listed(int8_t *to, const rows_t *from, uint32_t columns, mve_pred16_t present,
    uint8x16_t list) {
    const int8_t *a = from->x[0], *b = from->x[1], *c = from->x[2], *d = from->x[3];
    const uint8x16_t none = vdupq_n_u8(0);
    const uint8x16_t a_list = from->step[0] ? list : none, b_list = from->step[1] ? list : none;
    const uint8x16_t c_list = from->step[2] ? list : none, d_list = from->step[3] ? list : none;
    PACK(", %q11", ", %q12", ", %q13", ", %q14", , "w" (a_list), "w" (b_list), "w" (c_list), "w" (d_list));
    return to;
}

static inline int8_t *pack_block(int8_t *to, const rows_t *from, uint32_t columns, const ar_depthwise3_block_t *b) {
    mve_pred16_t present = vctp8q(b->n);
    return b->list ? pack_listed(to, from, columns, present, vld1q_u8(b->list)) : pack(to, from, columns, present);
}

static inline int8_t *fill(int8_t *to, uint32_t columns, int8x16_t value) {
    __asm volatile (
        "wls        lr, %1, 2f\n"
        "1:\n"
        "vstrb.8    %q2, [%0], #16\n"
        "vstrb.8    %q2, [%0], #16\n"
        "vstrb.8    %q2, [%0], #16\n"
        "vstrb.8    %q2, [%0], #16\n"
        "le         lr, 1b\n"
        "2:\n"
        : "+r" (to) : "r" (columns), "w" (value) : "lr", "memory");
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
    to->shift = (int32_t)((uint32_t)channel->channel << 8 | (uint8_t)channel->shift);
}

void ar_depthwise3_begin(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const ar_channel_t *channels, uint32_t n,
    const uint8_t *list) {
    uint32_t step = d->n_channels;
    const int8_t zeros[AR_DEPTHWISE_BLOCK] = { 0 };
    *b = (ar_depthwise3_block_t) { n, list ? 0 : channels->channel, list };
    const int8_t *w = d->weights + b->first;
    const rows_t rows = { { w, w + 3 * step, w + 6 * step, zeros }, { step, step, step, 0 } };
    // The fourth row and column are zeros; the words of a channel lie as those of the input will.
    fill(pack_block(columns_of(d), &rows, 3, b), 1, vdupq_n_s8(0));
    ar_depthwise_channel_t *to = d->scratch;
    for (uint32_t i = 0; i < n; i++) {
        arrange(d, columns_of(d) + 4 * i, channels + i, to + i);
    }
}

// So many columns from x on, some of them perhaps beside the input.
static void pack_columns(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, const int8_t *const rows[4], int32_t x,
    uint32_t columns) {
    int8_t *to = columns_of(d);
    int8_t zero[AR_DEPTHWISE_BLOCK];
    rows_t from;
    uint32_t left = x < 0, inside = d->in_w - (x < 0 ? 0 : (uint32_t)x), first = (uint32_t)(x + (int32_t)left) * d->n_channels + b->first;
    const int8x16_t zeros = vdupq_n_s8((int8_t)-d->offset);
    vst1q_s8(zero, zeros);
    for (uint32_t i = 0; i < 4; i++) {
        from.x[i] = rows[i] ? rows[i] + first : zero;
        from.step[i] = rows[i] ? d->n_channels : 0;
    }
    inside = inside < columns - left ? inside : columns - left;
    to = fill(to, left, zeros);
    to = pack_block(to, &from, inside, b);
    fill(to, columns - left - inside, zeros);
}

// ---- outputs ---------------------------------------------------------------------------------------------------------

// n outputs of a channel in one row, whatever its factor, the range and the stride.
static void one_row(const ar_depthwise3_t *d, const ar_depthwise_channel_t *c, const int8_t *x, uint32_t n, int8_t *out) {
    const uint32x4_t columns = each_column(), places = vmulq_n_u32(vidupq_n_u32(0, 1), d->n_channels);
    const int32x4_t mult = vdupq_n_s32(c->mult), shift = vdupq_n_s32((int8_t)c->shift);
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
static inline int8_t *two_places(int8_t *out, int8_t *second, uint32_t step, ar_depthwise_strip_t *s) {
    int8_t *base = (uintptr_t)out < (uintptr_t)second ? out : second;
    uint32_t first = (uint32_t)(out - base) | (uint32_t)(second - base) << 16;
    uint16x8_t steps = vmulq_n_u16(vshrq_n_u16(vidupq_n_u16(0, 1), 1), (uint16_t)step);
    vst1q_u16(s->places, vaddq_u16(steps, vreinterpretq_u16_u32(vdupq_n_u32(first))));
    vst1q_u32(s->places_end, vldrhq_u32(s->places));
    return base;
}

// All channels, n outputs from the columns that are packed. second: NULL, or the row below.
static void strip(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, uint32_t n, int8_t *out, int8_t *second) {
    const ar_depthwise_channel_t *c = d->scratch;
    if (!d->plain || d->stride > 2) {
        for (uint32_t i = 0; i < b->n; i++) {
            one_row(d, c + i, columns_of(d) + 4 * i, n, out + ((uint32_t)c[i].shift >> 8));
        }
        return;
    }
    ar_depthwise_strip_t s; // not all of it is needed, and zeros take their time
    s.steps = n / 4;
    s.left = second ? 2 * (n & 3) : n & 3;
    s.out = out;
    s.advance = 4 * d->n_channels;
    s.zero = d->out_zero;
    s.end = c + b->n;
    if (second) {
        s.out = two_places(out, second, d->n_channels, &s);
        ar_depthwise_two_rows(&s, c);
    } else {
        vst1q_u32(s.places_end, vmulq_n_u32(vidupq_n_u32(0, 1), d->n_channels));
        (d->stride == 1 ? ar_depthwise_row_1 : ar_depthwise_row_2)(&s, c);
    }
}

void ar_depthwise3_rows(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, const int8_t *const rows[4], int8_t *out,
    int8_t *second) {
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
