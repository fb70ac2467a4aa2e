// Rows of a 3x3 depthwise convolution for cores with Helium, 16 channels at a time.
//
// Four rows of input are packed so that a word has those of one channel and column: four columns of a channel are one vector,
// and a sum across its lanes is an output. With the weights moved by a row, by a column, or both, the same vector makes four
// outputs: two beside each other in two rows. What lies outside is filled with the zero point.

#include "kernels/depthwise.h"

#if AR_TIER_MVE

#include "kernels/mve/requantize.h"

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

void ar_depthwise3_begin(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const ar_channel_t *channels, uint32_t n) {
    const uint32_t step[4] = { d->n_channels, d->n_channels, d->n_channels, 0 };
    const int8_t zeros[AR_DEPTHWISE_BLOCK] = { 0 }, *w = d->weights + channels->channel;
    const int8_t *const rows[4] = { w, w + 3 * d->n_channels, w + 6 * d->n_channels, zeros };
    const int8_t *const none[4] = { zeros, zeros, zeros, zeros };
    static const uint32_t still[4] = { 0, 0, 0, 0 };
    pack(pack(&b->weights[0][0][0], rows, step, 3, vctp8q(n)), none, still, 1, vctp8q(n));
    b->n = n;
    b->channels = channels;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t sum = 0;
        for (uint32_t k = 0; k < 9; k++) {
            sum += (uint32_t)b->weights[k % 3][i][k / 3];
        }
        b->start[i] = (int32_t)(sum * (uint32_t)d->offset + (d->bias ? (uint32_t)d->bias[channels[i].channel] : 0));
    }
}

// So many columns from x on, some of them perhaps beside the input.
static void pack_columns(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, const int8_t *const rows[4], int32_t x, uint32_t columns) {
    int8_t *to = d->scratch;
    int8_t zero[AR_DEPTHWISE_BLOCK];
    const int8_t *from[4], *const none[4] = { zero, zero, zero, zero };
    static const uint32_t still[4] = { 0, 0, 0, 0 };
    uint32_t step[4], left = x < 0, inside = d->in_w - (x < 0 ? 0 : (uint32_t)x);
    mve_pred16_t present = vctp8q(b->n);
    vst1q_s8(zero, vdupq_n_s8((int8_t)-d->offset));
    for (uint32_t i = 0; i < 4; i++) {
        from[i] = rows[i] ? rows[i] + (uint32_t)(x + (int32_t)left) * d->n_channels + b->channels->channel : zero;
        step[i] = rows[i] ? d->n_channels : 0;
    }
    inside = inside < columns - left ? inside : columns - left;
    to = pack(to, none, still, left, present);
    to = pack(to, from, step, inside, present);
    pack(to, none, still, columns - left - inside, present);
}

// ---- outputs ---------------------------------------------------------------------------------------------------------

// What one channel takes.
typedef struct {
    int32_t start;
    int32_t mult;
    int32_t shift;
    int32_t zero, low, high;
    const int8_t *x;            // its words in the first column
} channel_t;

static inline int32x4_t requantize(const channel_t *c, int32x4_t sum, bool plain) {
    sum = vaddq_n_s32(sum, c->start);
    if (plain) {
        return scaled_right_n(sum, c->mult, c->shift);
    }
    return clamped(scaled(sum, vdupq_n_s32(c->mult), vdupq_n_s32(c->shift)), c->zero, c->low, c->high);
}

static inline uint32x4_t columns_of(const int8_t *x) {
    return vaddq_n_u32(vmulq_n_u32(vidupq_n_u32(0, 1), COLUMN), (uint32_t)(uintptr_t)x);
}

// Four outputs beside each other in each of two rows. at: words of the columns two before the first; 14 instructions.
static inline void two_rows_of_four(uint32x4_t *at, int8x16_t w, int8x16_t w_below, int8x16_t w_beside, int8x16_t w_both,
    int32x4_t *row0, int32x4_t *row1) {
    int32x4_t a, b, x;
    __asm volatile (
        "vldrw.u32  %q2, [%q3, #128]!\n"
        "vmladav.s8 r0, %q2, %q4\n"
        "vmladav.s8 r2, %q2, %q5\n"
        "vmladav.s8 r4, %q2, %q6\n"
        "vmladav.s8 r6, %q2, %q7\n"
        "vldrw.u32  %q2, [%q3, #128]!\n"
        "vmladav.s8 r8, %q2, %q4\n"
        "vmladav.s8 r10, %q2, %q5\n"
        "vmov       %q0[2], %q0[0], r0, r8\n"
        "vmladav.s8 r8, %q2, %q6\n"
        "vmov       %q1[2], %q1[0], r2, r10\n"
        "vmladav.s8 r10, %q2, %q7\n"
        "vmov       %q0[3], %q0[1], r4, r8\n"
        "vmov       %q1[3], %q1[1], r6, r10\n"
        : "=&w" (a), "=&w" (b), "=&w" (x), "+w" (*at) : "w" (w), "w" (w_below), "w" (w_beside), "w" (w_both)
        : "r0", "r2", "r4", "r6", "r8", "r10", "memory");
    *row0 = a;
    *row1 = b;
}

// n outputs of a channel in each of two rows, which are `places` from out.
static inline void two_rows(const channel_t *c, const int8_t *weights, uint32_t n, uint32_t step, const uint16_t *places, int8_t *out, bool plain) {
    const uint32_t columns[4] = { 0, COLUMN, 2 * COLUMN, 3 * COLUMN }, moved[4] = { 3 * COLUMN, 0, COLUMN, 2 * COLUMN };
    int32x4_t w = vldrwq_gather_offset_s32((const int32_t *)weights, vld1q_u32(columns));
    int32x4_t beside = vldrwq_gather_offset_s32((const int32_t *)weights, vld1q_u32(moved));
    int8x16_t w_s8 = vreinterpretq_s8_s32(w), below_s8 = vreinterpretq_s8_s32(vshlq_n_s32(w, 8));
    int8x16_t beside_s8 = vreinterpretq_s8_s32(beside), both_s8 = vreinterpretq_s8_s32(vshlq_n_s32(beside, 8));
    uint32x4_t at = columns_of(c->x - 2 * COLUMN);
    int32x4_t a, b;
    for (; n >= 4; n -= 4, out += 4 * step) {
        two_rows_of_four(&at, w_s8, below_s8, beside_s8, both_s8, &a, &b);
        a = requantize(c, a, plain);
        b = requantize(c, b, plain);
        vstrbq_scatter_offset_s16(out, vld1q_u16(places), plain ? to_eight(a, b, c->zero) : joined(a, b));
    }
    if (n > 0) {
        two_rows_of_four(&at, w_s8, below_s8, beside_s8, both_s8, &a, &b);
        a = requantize(c, a, plain);
        b = requantize(c, b, plain);
        vstrbq_scatter_offset_p_s16(out, vld1q_u16(places), plain ? to_eight(a, b, c->zero) : joined(a, b), vctp16q(2 * n));
    }
}

// Four outputs of one row, their columns `next` apart.
static inline int32x4_t four(const int8_t **x, uint32_t next, uint32x4_t columns, int8x16_t w) {
    int32x4_t a, v;
    __asm volatile (
        "vldrw.u32  %q1, [%2, %q4]\n"
        "add        %2, %2, %3\n"
        "vmladav.s8 r0, %q1, %q5\n"
        "vldrw.u32  %q1, [%2, %q4]\n"
        "add        %2, %2, %3\n"
        "vmladav.s8 r2, %q1, %q5\n"
        "vldrw.u32  %q1, [%2, %q4]\n"
        "add        %2, %2, %3\n"
        "vmladav.s8 r4, %q1, %q5\n"
        "vldrw.u32  %q1, [%2, %q4]\n"
        "add        %2, %2, %3\n"
        "vmladav.s8 r6, %q1, %q5\n"
        "vmov       %q0[2], %q0[0], r0, r4\n"
        "vmov       %q0[3], %q0[1], r2, r6\n"
        : "=&w" (a), "=&w" (v), "+r" (*x) : "r" (next), "w" (columns), "w" (w) : "r0", "r2", "r4", "r6", "memory");
    return a;
}

// n outputs of a channel in one row.
static inline void one_row(const channel_t *c, const int8_t *weights, uint32_t n, uint32_t step, uint32_t stride, int8_t *out, bool plain) {
    const uint32x4_t columns = vmulq_n_u32(vidupq_n_u32(0, 1), COLUMN), places = vmulq_n_u32(vidupq_n_u32(0, 1), step);
    const int8x16_t w = vreinterpretq_s8_s32(vldrwq_gather_offset_s32((const int32_t *)weights, columns));
    const int8_t *x = c->x;
    for (uint32_t next = stride * COLUMN; n > 0; n -= n < 4 ? n : 4, out += 4 * step) {
        int32x4_t v = requantize(c, four(&x, next, columns, w), plain);
        if (plain) {
            v = vreinterpretq_s32_s16(to_eight(v, v, c->zero));
        }
        vstrbq_scatter_offset_p_s32(out, places, v, vctp32q(n));
    }
}

// The places of four outputs in each of two rows, from the first one of all, which is returned.
static int8_t *places_of(int8_t *out, int8_t *second, uint32_t step, uint16_t *places) {
    int8_t *base = (uintptr_t)out < (uintptr_t)second ? out : second;
    for (uint32_t i = 0; i < 4; i++, out += step, second += step) {
        places[2 * i] = (uint16_t)(out - base);
        places[2 * i + 1] = (uint16_t)(second - base);
    }
    return base;
}

// All channels, n outputs from the columns that are packed. second: NULL, or the row below.
static void strip(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, uint32_t n, int8_t *out, int8_t *second) {
    const ar_channel_t *f = b->channels;
    uint16_t places[8];
    out += f->channel;
    if (second) {
        out = places_of(out, second + f->channel, d->n_channels, places);
    }
    channel_t c = { .zero = d->out_zero, .low = d->low, .high = d->high, .x = d->scratch };
    for (uint32_t i = 0; i < b->n; i++, c.x += 4, out++) {
        c.start = b->start[i];
        c.mult = f[i].mult;
        c.shift = f[i].shift;
        if (second && d->plain) {
            two_rows(&c, b->weights[0][i], n, d->n_channels, places, out, true);
        } else if (second) {
            two_rows(&c, b->weights[0][i], n, d->n_channels, places, out, false);
        } else if (d->plain) {
            one_row(&c, b->weights[0][i], n, d->n_channels, d->stride, out, true);
        } else {
            one_row(&c, b->weights[0][i], n, d->n_channels, d->stride, out, false);
        }
    }
}

void ar_depthwise3_rows(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, const int8_t *const rows[4], int8_t *out, int8_t *second) {
    uint32_t most = ((AR_DEPTHWISE_COLUMNS - 4) / d->stride + 1) & ~3u, n_channels = d->n_channels;
    uintptr_t apart = (uintptr_t)out < (uintptr_t)second ? (uintptr_t)second - (uintptr_t)out : (uintptr_t)out - (uintptr_t)second;
    if (second && apart + 4 * n_channels > 65536) {
        // Too far for places of 16 bits.
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
