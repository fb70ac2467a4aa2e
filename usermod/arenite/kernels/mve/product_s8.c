// The product for cores with Helium: bytes by bytes, 16 at a time, summed across the lanes. What the offset adds to a sum is
// the same for all patches and part of what it starts from.
//
// Eight channels by three patches make a tile. Its channels are in the order 0 2 4 6 1 3 5 7, in which two vectors of sums
// narrow into one.

#include "kernels/product.h"
#include "kernels/requantize.h"

#if AR_TIER_MVE

#include "kernels/mve/requantize.h"
#include "kernels/mve/tile.h"

// Patches to gather at a time: with more of them there is little left to gain.
#define ENOUGH (16 * AR_TILE_PATCHES)

// Bytes that a patch may leave behind it.
#define VECTOR (16)

#define PAIRS (AR_TILE_CHANNELS / 2)

static inline uint32_t tiles_of(uint32_t channels) {
    return (channels + AR_TILE_CHANNELS - 1) / AR_TILE_CHANNELS;
}

static inline uint32_t pairs_bytes(uint32_t channels) {
    return tiles_of(channels) * PAIRS * (uint32_t)sizeof(ar_tile_pair_t);
}

bool ar_is_zero(const int8_t *weights, uint32_t n) {
    int8x16_t seen = vdupq_n_s8(0);
    __asm volatile (
        "wlstp.8    lr, %1, 2f\n"
        "1:\n"
        "vldrb.8    q0, [%0], #16\n"
        "vorr       %q2, %q2, q0\n"
        "letp       lr, 1b\n"
        "2:\n"
        : "+r" (weights), "+r" (n), "+w" (seen) : : "lr", "q0", "memory");
    return vcmpneq_n_s8(seen, 0) == 0;
}

uint32_t ar_product_patches(uint32_t count) {
    return count < ENOUGH ? (count + 1) & ~1u : ENOUGH;
}

// Bytes that are not too many for whole tiles of patches.
#define MODEST (384)

uint32_t ar_product_few(uint32_t rows, uint32_t row, uint32_t count) {
    uint32_t fit = MODEST / (rows * row), patches = ar_product_patches(count);
    fit = fit < 2 * AR_TILE_PATCHES ? 2 : fit < 4 * AR_TILE_PATCHES ? 2 * AR_TILE_PATCHES : 4 * AR_TILE_PATCHES;
    return fit < patches ? fit : patches;
}

uint32_t ar_product_fit(uint32_t channels, uint32_t rows, uint32_t row, uint32_t bytes, int32_t offset, uint32_t count) {
    (void)offset, (void)count;
    uint32_t fit = (bytes - pairs_bytes(channels) - VECTOR) / (rows * row);
    return fit < ENOUGH ? fit & ~1u : ENOUGH;
}

// Patches that lie in one piece stay where they are.
uint32_t ar_product_scratch(uint32_t channels, uint32_t rows, uint32_t row, uint32_t patches, bool direct, int32_t offset) {
    (void)offset;
    return pairs_bytes(channels) + (direct ? 0 : rows * row * patches + VECTOR);
}

// ---- before ----------------------------------------------------------------------------------------------------------

// What the offset adds to two rows of weights.
static inline void start_pair(const ar_product_s8_t *p, const ar_channel_t *a, const ar_channel_t *b, ar_tile_pair_t *to) {
    const int8_t *w0 = ar_product_row(p, a), *w1 = ar_product_row(p, b);
    to->w0 = w0;
    to->w1 = w1;
    register uint32_t first __asm("r0") = 0;
    register uint32_t second __asm("r2") = 0;
    __asm volatile (
        "dlstp.8    lr, %4\n"
        "1:\n"
        "vldrb.8    q0, [%2], #16\n"
        "vaddva.s8  %0, q0\n"
        "vldrb.8    q1, [%3], #16\n"
        "vaddva.s8  %1, q1\n"
        "letp       lr, 1b\n"
        : "+r" (first), "+r" (second), "+r" (w0), "+r" (w1) : "r" (p->n) : "lr", "q0", "q1", "memory");
    uint32_t offset = (uint32_t)p->offset, start = (uint32_t)p->start;
    int32_t s0 = (int32_t)(start + offset * first + (p->bias ? (uint32_t)p->bias[a->channel] : 0));
    int32_t s1 = (int32_t)(start + offset * second + (p->bias ? (uint32_t)p->bias[b->channel] : 0));
    to->start0 = to->again[0] = to->again[2] = s0;
    to->start1 = to->again[1] = to->again[3] = s1;
}

// The pairs of up to eight channels; the last one once more where there are less than a tile has.
static __attribute__((cold, noinline)) void begin_tile(const ar_product_s8_t *p, const ar_channel_t *c,
    const ar_channel_t *last, ar_tile_pair_t *pair) {
    static const uint8_t order[PAIRS] = { 0, 4, 1, 5 }; // and two further
    for (uint32_t i = 0; i < PAIRS; i++, pair++) {
        const ar_channel_t *a = c + order[i], *b = a + 2;
        start_pair(p, a < last ? a : last, b < last ? b : last, pair);
    }
}

// What all tiles have in common.
static inline void set_tile(const ar_product_s8_t *p, ar_tile_t *t) {
    t->n = p->n;
    t->zero = p->out_zero;
    t->offset = p->offset;
    t->weights = p->weights;
    t->bias = p->bias;
}

// The pairs of all channels. From here on `plain` says that all factors are less than 1/2 and the range is that of int8.
void ar_product_begin(ar_product_s8_t *p) {
    ar_tile_pair_t *pair = p->scratch;
    const ar_channel_t *last = p->channels + p->n_channels - 1;
    ar_tile_t t;
    set_tile(p, &t);
    int32_t shifts = -1;            // below 0 where all are
    for (const ar_channel_t *c = p->channels; c <= last; c++) {
        shifts &= c->shift;
    }
    for (const ar_channel_t *c = p->channels; c <= last; c += AR_TILE_CHANNELS, pair += PAIRS) {
        if (p->gathered || p->start != 0 || last - c < AR_TILE_CHANNELS - 1) {
            begin_tile(p, c, last, pair);
        } else {
            t.channels = c;
            ar_tile_begin(&t, pair);
        }
    }
    p->plain = p->low == -128 && p->high == 127 && shifts < 0;
}

// ---- patches ---------------------------------------------------------------------------------------------------------

static int8_t *patches_of(const ar_product_s8_t *p) {
    return (int8_t *)p->scratch + (p->bare ? 0 : pairs_bytes(p->n_channels));
}

static inline void copy(int8_t *to, const int8_t *from, uint32_t n) {
    __asm volatile (
        "wlstp.8    lr, %2, 2f\n"
        "1:\n"
        "vldrb.8    q0, [%1], #16\n"
        "vstrb.8    q0, [%0], #16\n"
        "letp       lr, 1b\n"
        "2:\n"
        : "+r" (to), "+r" (from) : "r" (n) : "lr", "q0", "memory");
}

void ar_product_put(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step) {
    uint32_t n = p->row;
    int8_t *to = patches_of(p) + i * p->n + r * n, *second = to + p->n;
    for (; rows > 0; rows--, a += step, b += step, to += n, second += n) {
        copy(to, a, n);
        copy(second, b, n);
    }
}

static inline void fill(int8_t *to, int8x16_t value, uint32_t n) {
    __asm volatile (
        "wlstp.8    lr, %1, 2f\n"
        "1:\n"
        "vstrb.8    %q2, [%0], #16\n"
        "letp       lr, 1b\n"
        "2:\n"
        : "+r" (to) : "r" (n), "w" (value) : "lr", "memory");
}

// Rows of up to 16 elements, of which those present lie inside.
static inline int8_t *narrow_rows(int8_t *to, uint32_t row, const int8_t *x, uint32_t step, uint32_t rows, uint32_t present,
    int8x16_t value) {
    __asm volatile (
        "vmsr       p0, %5\n"
        "wls        lr, %4, 2f\n"
        "1:\n"
        "vpst\n"
        "vldrbt.u8  q0, [%1]\n"
        "add        %1, %1, %3\n"
        "vpsel      q0, q0, %q6\n"
        "vstrb.8    q0, [%0]\n"
        "add        %0, %0, %2\n"
        "le         lr, 1b\n"
        "2:\n"
        : "+r" (to), "+r" (x) : "r" (row), "r" (step), "r" (rows), "r" (present), "w" (value) : "lr", "q0", "p0", "memory");
    return to;
}

static inline int8_t *wide_rows(int8_t *to, uint32_t row, const int8_t *x, uint32_t rows, const ar_patch_t *from, int8x16_t value) {
    uint32_t inside = from->x1 - from->x0;
    for (x += from->x0; rows > 0; rows--, x += from->step, to += row) {
        if (inside < row) {
            fill(to, value, row);
        }
        copy(to + from->x0, x, inside);
    }
    return to;
}

static __attribute__((noinline)) int8_t *rows_at(int8_t *to, uint32_t row, const int8_t *x, uint32_t rows,
    const ar_patch_t *from, uint32_t present, int8x16_t zero) {
    return row <= VECTOR ? narrow_rows(to, row, x, from->step, rows, present, zero) : wide_rows(to, row, x, rows, from, zero);
}

// Patches of whole rows of up to 16 elements, at least one of each. What is written behind a row is not its own.
static inline void narrow_patches(int8_t *to, uint32_t row, const int8_t *x, uint32_t step, uint32_t rows, uint32_t count,
    uint32_t advance) {
    const int8_t *at;
    __asm volatile (
        "vctp.8     %4\n"
        "1:\n"
        "mov        %2, %1\n"
        "dls        lr, %6\n"
        "2:\n"
        "vpst\n"
        "vldrbt.u8  q0, [%2]\n"
        "add        %2, %2, %5\n"
        "vstrb.8    q0, [%0]\n"
        "add        %0, %0, %4\n"
        "le         lr, 2b\n"
        "add        %1, %1, %7\n"
        "subs       %3, %3, #1\n"
        "bne        1b\n"
        : "+r" (to), "+r" (x), "=&r" (at), "+r" (count) : "r" (row), "r" (step), "r" (rows), "r" (advance) : "lr", "q0", "p0", "cc", "memory");
}

// One row of so many patches, n apart, from what is so many bytes apart.
static inline void row_of_patches(int8_t *to, const int8_t *x, uint32_t row, uint32_t n, uint32_t advance, uint32_t count) {
    int8_t *at;
    const int8_t *from;
    __asm volatile (
        "1:\n"
        "mov        %2, %0\n"
        "mov        %3, %1\n"
        "dlstp.8    lr, %5\n"
        "2:\n"
        "vldrb.8    q0, [%3], #16\n"
        "vstrb.8    q0, [%2], #16\n"
        "letp       lr, 2b\n"
        "add        %0, %0, %6\n"
        "add        %1, %1, %7\n"
        "subs       %4, %4, #1\n"
        "bne        1b\n"
        : "+r" (to), "+r" (x), "=&r" (at), "=&r" (from), "+r" (count) : "r" (row), "r" (n), "r" (advance) : "lr", "q0", "cc", "memory");
}

// Patches of which whole rows are inside, at least one: a row of all of them after the other.
static __attribute__((noinline)) void whole_patches(const ar_product_s8_t *p, uint32_t i, const ar_patch_t *from,
    uint32_t count, uint32_t advance) {
    const int8x16_t zero = vdupq_n_s8((int8_t)-p->offset);
    const int8_t *x = from->x + from->y0 * from->step, *turn = x + from->turn * from->step;
    int8_t *to = patches_of(p) + i * p->n;
    for (uint32_t r = 0, row = p->row, n = p->n; r < p->rows; r++, to += row) {
        if (r < from->y0 || r >= from->y1) {
            for (uint32_t k = 0; k < count; k++) {
                fill(to + k * n, zero, row);
            }
            continue;
        }
        if (x == turn) {
            x -= from->ring;
        }
        row_of_patches(to, x, row, n, advance, count);
        x += from->step;
    }
}

// Patches with parts outside, perhaps of a ring: rows as far as its end, and those from its start on.
static __attribute__((noinline)) void gather_parts(const ar_product_s8_t *p, uint32_t i, const ar_patch_t *from,
    uint32_t count, uint32_t advance) {
    const int8x16_t zero = vdupq_n_s8((int8_t)-p->offset);
    uint32_t row = p->row, above = from->y0 * row, inside = from->y1 - from->y0;
    uint32_t turn = from->turn < inside ? from->turn : inside, rows = inside - turn, below = (p->rows - from->y1) * row;
    uint32_t present = vctp8q(from->x1) & ~(uint32_t)vctp8q(from->x0);
    const int8_t *x = from->x + from->y0 * from->step, *lower = x + turn * from->step - from->ring;
    int8_t *to = patches_of(p) + i * p->n;
    for (; count > 0; count--, x += advance, lower += advance) {
        fill(to, zero, above);
        to = rows_at(to + above, row, x, turn, from, present, zero);
        to = rows_at(to, row, lower, rows, from, present, zero);
        fill(to, zero, below);
        to += below;
    }
}

void ar_product_gather(const ar_product_s8_t *p, uint32_t i, const ar_patch_t *from, uint32_t count, uint32_t advance) {
    uint32_t inside = from->x1 - from->x0;
    bool turns = from->turn < from->y1 - from->y0;
    if (count > 1 && inside == p->row && (turns || inside > VECTOR)) {
        whole_patches(p, i, from, count, advance);
        return;
    }
    if (!turns && p->row <= VECTOR && from->y1 - from->y0 == p->rows && inside == p->row) {
        narrow_patches(patches_of(p) + i * p->n, p->row, from->x + from->y0 * from->step, from->step, p->rows, count, advance);
        return;
    }
    gather_parts(p, i, from, count, advance);
}

// Eight channels of a tap at a time, each to its row.
void ar_product_turn(const int8_t *from, uint32_t taps, uint32_t channels, int8_t *to) {
    const uint16x8_t rows = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)taps);
    for (uint32_t c = 0; c < channels; c += 8, to += 8 * taps) {
        const int8_t *x = from + c;
        int8_t *at = to;
        __asm volatile (
            "vctp.16    %3\n"
            "dls        lr, %2\n"
            "1:\n"
            "vpstt\n"
            "vldrbt.u16 q0, [%0]\n"
            "vstrbt.16  q0, [%1, %q5]\n"
            "add        %0, %0, %4\n"
            "add        %1, %1, #1\n"
            "le         lr, 1b\n"
            : "+l" (x), "+r" (at) : "r" (taps), "r" (channels - c), "r" (channels), "w" (rows) : "lr", "q0", "p0", "memory");
    }
}

// ---- without channels that are the zero point everywhere -------------------------------------------------------------

uint32_t ar_seen(const int8_t *x, uint32_t positions, uint32_t step, int8_t zero) {
    const int8x16_t zeros = vdupq_n_s8(zero);
    int8x16_t seen = vdupq_n_s8(0);
    for (; positions > 0; positions--, x += step) {
        seen = vorrq_s8(seen, veorq_s8(vld1q_s8(x), zeros));
    }
    return vcmpneq_n_s8(seen, 0);
}

static inline int8_t *listed(int8_t *to, const int8_t *x, const uint8_t *list, uint32_t n) {
    __asm volatile (
        "dlstp.8    lr, %2\n"
        "1:\n"
        "vldrb.8    q1, [%1], #16\n"
        "vldrb.u8   q0, [%3, q1]\n"
        "vstrb.8    q0, [%0], #16\n"
        "letp       lr, 1b\n"
        : "+r" (to), "+r" (list) : "r" (n), "r" (x) : "lr", "q0", "q1", "memory");
    return to;
}

void ar_product_listed(ar_product_s8_t *p, const int8_t *x, uint32_t step, uint32_t count, const uint8_t *list, int8_t *rows) {
    int8_t *to = patches_of(p);
    uint32_t n = p->n;
    for (; count > 0; count--, x += step, to += n) {
        listed(to, x, list, n);
    }
    const int8_t *weights = p->weights;
    p->weights = rows;
    for (uint32_t k = 0; k < p->n_channels; k++, rows += n) {
        listed(rows, weights + p->channels[k].channel * step, list, n);
    }
    p->gathered = true;
    ar_product_begin(p);
}

// ---- tiles -----------------------------------------------------------------------------------------------------------

// The factors of eight channels, of even ones and odd ones, and their places among the outputs.
typedef struct {
    int32x4_t mult[2];
    int32x4_t shift[2];
    uint16x8_t places;
} factors_t;

static inline factors_t factors_at(const ar_channel_t *c) {
    int32x4x4_t v = vld4q_s32((const int32_t *)c);
    factors_t f = { .mult = { v.val[0], v.val[2] } };
    f.shift[0] = vmovlbq_s16(vreinterpretq_s16_s32(v.val[1]));
    f.shift[1] = vmovlbq_s16(vreinterpretq_s16_s32(v.val[3]));
    f.places = vreinterpretq_u16_u32(vsriq_n_u32(vreinterpretq_u32_s32(v.val[3]), vreinterpretq_u32_s32(v.val[1]), 16));
    return f;
}

// The first n of eight channels wherever they are.
static __attribute__((cold, noinline)) void some(const ar_product_s8_t *p, const ar_tile_t *t, const ar_channel_t *c,
    uint32_t n, uint32_t patches, int8_t *out) {
    const factors_t f = factors_at(c);
    const mve_pred16_t present = vctp16q(n);
    const int32_t *sum = t->sums[0];
    for (uint32_t i = 0; i < patches; i++, sum += AR_TILE_CHANNELS, out += p->out_step) {
        int32x4_t even = vld1q_s32(sum), odd = vld1q_s32(sum + 4);
        int16x8_t v = joined(clamped(scaled(even, f.mult[0], f.shift[0]), p->out_zero, p->low, p->high),
            clamped(scaled(odd, f.mult[1], f.shift[1]), p->out_zero, p->low, p->high));
        vstrbq_scatter_offset_p_s16(out, f.places, v, present);
    }
}

// Rows of up to three patches by all channels; more than one row only where all tiles are whole and plain.
static void rows_of_tiles(const ar_product_s8_t *p, ar_tile_t *t, uint32_t patches, uint32_t rows, int8_t *out) {
    const ar_tile_pair_t *pairs = p->scratch;
    const ar_channel_t *c = p->channels, *end = c + p->n_channels;
    uint32_t whole = p->plain ? p->n_channels & ~(AR_TILE_CHANNELS - 1u) : 0;
    if (whole) {
        t->out[0] = out;
        t->out[1] = t->out[0] + (patches > 1 ? p->out_step : 0);
        t->out[2] = t->out[1] + (patches > 2 ? p->out_step : 0);
        t->channels = c;
        t->pairs = pairs;
        t->first = c;
        t->end = pairs + whole / 2;
        t->out_on = AR_TILE_PATCHES * p->out_step;
        t->rows = rows;
        (patches < AR_TILE_PATCHES ? ar_tiles_two : ar_tiles_plain)(t, pairs);
        c += whole;
        pairs = t->end;
    }
    for (; c < end; c += AR_TILE_CHANNELS, pairs += PAIRS) {
        ar_tile_s8(t, pairs);
        some(p, t, c, (uint32_t)(end - c), patches, out);
    }
}

// Where the first row of three patches is.
static inline void first_row(const ar_product_s8_t *p, ar_tile_t *t, const int8_t *x, uint32_t x_step, int8_t *out) {
    for (uint32_t i = 0; i < AR_TILE_PATCHES; i++, x += x_step, out += p->out_step) {
        t->x[i] = x;
        t->out[i] = out;
    }
}

// Up to eight channels, three patches at a time.
static __attribute__((cold, noinline)) void bare_some(const ar_product_s8_t *p, ar_tile_t *t, ar_tile_pair_t *pairs,
    const ar_channel_t *c, uint32_t n,
    const int8_t *x, uint32_t x_step, uint32_t count, int8_t *out) {
    begin_tile(p, c, c + n - 1, pairs);
    for (uint32_t patches; count > 0; count -= patches, out += patches * p->out_step) {
        patches = count < AR_TILE_PATCHES ? count : AR_TILE_PATCHES;
        for (uint32_t i = 0; i < AR_TILE_PATCHES; i++) {
            t->x[i] = x;
            x += i < patches ? x_step : 0;
        }
        ar_tile_s8(t, pairs);
        some(p, t, c, n, patches, out);
    }
}

// Eight channels of all patches, of which the rows are made of those from x on.
static inline void bare_plain(const ar_product_s8_t *p, ar_tile_t *t, ar_tile_pair_t *pairs, const ar_channel_t *c,
    uint32_t first, uint32_t rows,
    const int8_t *x, uint32_t x_step, int8_t *out) {
    t->channels = c;
    (first ? ar_tile_begin_two : ar_tile_begin)(t, pairs);
    if (rows == 0) {
        return;
    }
    t->channels = c;
    if (rows == 1) { // which moves nothing
        t->end = pairs + PAIRS;
        ar_tiles_plain(t, pairs);
        return;
    }
    bool apart = c[AR_TILE_CHANNELS - 1].channel != c->channel + AR_TILE_CHANNELS - 1;
    first_row(p, t, x, x_step, out + (apart ? 0 : c->channel));
    t->first = c;
    t->pairs = pairs;
    t->end = pairs + PAIRS;
    t->rows = rows;
    (apart ? ar_tiles_plain : ar_tile_rows)(t, pairs);
}

// All patches by a tile of channels after the other, since nothing is there of these. Those by which the patches are more than a
// multiple of three meet the weights as these are summed up.
static void bare(const ar_product_s8_t *p, const int8_t *x, uint32_t x_step, uint32_t count, int8_t *out) {
    ar_tile_t t;
    ar_tile_pair_t pairs[PAIRS];
    uint32_t first = count % AR_TILE_PATCHES, rows = count / AR_TILE_PATCHES;
    set_tile(p, &t);
    t.x_on = AR_TILE_PATCHES * x_step;
    t.out_on = AR_TILE_PATCHES * p->out_step;
    t.first_x[0] = x;
    t.first_out[0] = out;
    t.first_x[1] = first > 1 ? x + x_step : x;
    t.first_out[1] = first > 1 ? out + p->out_step : out;
    t.first_n = p->n;
    t.rows = 1;
    first_row(p, &t, x + first * x_step, x_step, out + first * p->out_step);
    const ar_channel_t *c = p->channels;
    for (uint32_t left = p->n_channels, n; left > 0; left -= n, c += n) {
        n = left < AR_TILE_CHANNELS ? left : AR_TILE_CHANNELS;
        if (p->plain && n == AR_TILE_CHANNELS) {
            bare_plain(p, &t, pairs, c, first, rows, x + first * x_step, x_step, out + first * p->out_step);
        } else {
            bare_some(p, &t, pairs, c, n, x, x_step, count, out);
        }
    }
}

void ar_product_held(const ar_product_s8_t *p, uint32_t count, int8_t *out) {
    ar_product_s8(p, patches_of(p), p->n, count, count, out);
}

void ar_product_s8(const ar_product_s8_t *p, const int8_t *x, uint32_t x_step, uint32_t count, uint32_t held, int8_t *out) {
    (void)held;
    if (p->bare) {
        bare(p, x, x_step, count, out);
        return;
    }
    ar_tile_t t;
    bool many = p->plain && p->n_channels % AR_TILE_CHANNELS == 0;
    t.n = p->n;
    t.zero = p->out_zero;
    t.x_on = AR_TILE_PATCHES * x_step;
    for (uint32_t patches, rows; count > 0; count -= rows * patches, x += rows * t.x_on, out += rows * patches * p->out_step) {
        patches = count < AR_TILE_PATCHES ? count : AR_TILE_PATCHES;
        rows = many && patches == AR_TILE_PATCHES ? count / AR_TILE_PATCHES : 1;
        t.x[0] = x;
        t.x[1] = t.x[0] + (patches > 1 ? x_step : 0);
        t.x[2] = t.x[1] + (patches > 2 ? x_step : 0);
        rows_of_tiles(p, &t, patches, rows, out);
    }
}

// ---- one patch -------------------------------------------------------------------------------------------------------

// Sums of four rows of weights, with `same` in place of what the offset adds to the activations. FIRST: what becomes of
// these before.
#define FOUR_ROWS(FIRST) \
    __asm volatile ( \
        "dlstp.8    lr, %9\n" \
        "1:\n" \
        "vldrb.8    q0, [%4], #16\n" \
        FIRST \
        "vldrb.8    q1, [%5], #16\n" \
        "vmladava.s8 %0, q0, q1\n" \
        "vldrb.8    q2, [%6], #16\n" \
        "vmladava.s8 %0, %q10, q1\n" \
        "vmladava.s8 %1, q0, q2\n" \
        "vldrb.8    q1, [%7], #16\n" \
        "vmladava.s8 %1, %q10, q2\n" \
        "vmladava.s8 %2, q0, q1\n" \
        "vldrb.8    q2, [%8], #16\n" \
        "vmladava.s8 %2, %q10, q1\n" \
        "vmladava.s8 %3, q0, q2\n" \
        "vmladava.s8 %3, %q10, q2\n" \
        "letp       lr, 1b\n" \
        : "+r" (s0), "+r" (s1), "+r" (s2), "+r" (s3), "+r" (x), "+r" (w0), "+r" (w1), "+r" (w2), "+r" (w3) \
        : "r" (p->n), "w" (same) : "lr", "q0", "q1", "q2", "memory")

// An offset of 128 is no int8. There -(x + 128) is (~x) - 127, and the sum comes out negative.
static inline int32x4_t four_rows(const ar_product_s8_t *p, const int8_t *x, const int8_t *w0, const int8_t *w1,
    const int8_t *w2, const int8_t *w3) {
    register int32_t s0 __asm("r4") = 0;
    register int32_t s1 __asm("r6") = 0;
    register int32_t s2 __asm("r8") = 0;
    register int32_t s3 __asm("r10") = 0;
    if (p->offset > 127) {
        int8x16_t same = vdupq_n_s8(-127);
        FOUR_ROWS("vmvn q0, q0\n");
        int32x4_t minus = { s0, s1, s2, s3 };
        return vnegq_s32(minus);
    }
    int8x16_t same = vdupq_n_s8((int8_t)p->offset);
    FOUR_ROWS("");
    return (int32x4_t) { s0, s1, s2, s3 };
}

// The same where little depends on it.
static __attribute__((noinline)) int32x4_t four_sums(const ar_product_s8_t *p, const int8_t *x, const int8_t *const w[4]) {
    return four_rows(p, x, w[0], w[1], w[2], w[3]);
}

// Outputs from k on, of which n are there, with one factor.
static inline void finish_four(const ar_product_s8_t *p, int32x4_t v, uint32_t k, uint32_t n, int8_t *out) {
    if (p->bias) {
        v = vaddq_s32(v, n == 4 ? vld1q_s32(p->bias + k) : vldrwq_z_s32(p->bias + k, vctp32q(n)));
    }
    if (p->plain) {
        v = vreinterpretq_s32_s16(to_eight(scaled_right_n(v, p->channels->mult, p->channels->shift), v, p->out_zero));
    } else {
        v = scaled(vaddq_n_s32(v, p->start), vdupq_n_s32(p->channels->mult), vdupq_n_s32(p->channels->shift));
        v = clamped(v, p->out_zero, p->low, p->high);
    }
    if (n == 4) {
        vstrbq_s32(out + k, v);
    } else {
        vstrbq_p_s32(out + k, v, vctp32q(n));
    }
}

// Channels in their order.
static void one_factor(const ar_product_s8_t *p, const int8_t *x, int8_t *out) {
    uint32_t k = 0;
    for (; k + 4 <= p->n_channels; k += 4) {
        const int8_t *w = p->weights + k * p->n;
        finish_four(p, four_rows(p, x, w, w + p->n, w + 2 * p->n, w + 3 * p->n), k, 4, out);
    }
    if (k < p->n_channels) {
        uint32_t n = p->n_channels - k;
        const int8_t *w = p->weights + k * p->n, *some[4] = { w, w + (n > 1 ? p->n : 0), w + (n > 2 ? 2 * p->n : 0), w };
        finish_four(p, four_sums(p, x, some), k, n, out);
    }
}

void ar_product_one(const ar_product_s8_t *p, const int8_t *x, int8_t *out) {
    if (p->one_factor) {
        one_factor(p, x, out);
        return;
    }
    for (uint32_t k = 0; k < p->n_channels; k += 4) {
        const int8_t *w[4];
        uint32_t left = p->n_channels - k;
        ar_channel_t c[4];
        int32_t start[4];
        for (uint32_t i = 0; i < 4; i++) {
            c[i] = p->channels[k + (i < left ? i : 0)];
            w[i] = p->weights + c[i].channel * p->n;
            start[i] = (int32_t)((uint32_t)p->start + (p->bias ? (uint32_t)p->bias[c[i].channel] : 0));
        }
        int32x4_t v = vaddq_s32(four_sums(p, x, w), vld1q_s32(start));
        int32x4x2_t f = vld2q_s32((const int32_t *)c);
        v = clamped(scaled(v, f.val[0], vmovlbq_s16(vreinterpretq_s16_s32(f.val[1]))), p->out_zero, p->low, p->high);
        uint32x4_t places = vshrq_n_u32(vreinterpretq_u32_s32(f.val[1]), 16);
        vstrbq_scatter_offset_p_s32(out, places, v, vctp32q(left));
    }
}

#endif // AR_TIER_MVE
