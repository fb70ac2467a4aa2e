// The product for cores with dual 16-bit multiply-adds.
//
// Patches are widened to int16 once, with the offset added, two side by side, and so are two rows of weights: then four sums
// grow by eight dual multiply-adds for two loads. Bytes 0 and 2 of a word widen in one instruction, and so do bytes 1 and 3:
// activations and weights are paired alike, so nothing has to be packed. A row is filled up to whole words; the weights
// there are 0, and the activations anything.
//
// Where no more than three pairs of patches are held, weights are widened as they are loaded, a row at a time, and the words of
// the pairs lie in turn.

#include "kernels/has.h"
#include "kernels/product.h"
#include "kernels/requantize.h"

#if AR_TIER_DSP

#include "kernels/dsp/instructions.h"
#include "kernels/dsp/tiles.h"

// Patches that share the work of widening the weights: with more of them there is little left to gain.
#define ENOUGH (256)

static inline uint32_t filled(uint32_t n) {
    return (n + 3) & ~3u;
}

// Words of a pair of patches, or of rows of weights.
static inline uint32_t pair_words(uint32_t rows, uint32_t row) {
    return rows * filled(row);
}

uint32_t ar_product_patches(uint32_t count) {
    return count < ENOUGH ? (count + 1) & ~1u : ENOUGH;
}

// Up to so many pairs meet weights that are not widened before; these must be whole words.
#define FEW (3)

static inline bool few_can(uint32_t row) {
    return AR_HAS_FEW && (row & 3) == 0;
}

// Pairs that fit so many bytes.
static inline uint32_t pairs_in(uint32_t rows, uint32_t row, uint32_t bytes) {
    uint32_t fit = bytes / (4 * pair_words(rows, row));
    return !few_can(row) || fit > FEW + 1 ? fit - 1 : fit < FEW ? fit : FEW;
}

// few: how many patches lie in turn, as many as are there; 0: pairs lie one behind another.
void ar_product_begin(ar_product_s8_t *p) {
    uint32_t pairs = pairs_in(p->rows, p->row, p->bytes);
    p->few = (uint8_t)(few_can(p->row) && pairs <= FEW ? 2 * pairs : 0);
}

uint32_t ar_product_fit(uint32_t channels, uint32_t rows, uint32_t row, uint32_t bytes, int32_t offset, uint32_t count) {
    (void)channels, (void)offset, (void)count;
    uint32_t fit = 2 * pairs_in(rows, row, bytes);
    return fit < ENOUGH ? fit : ENOUGH;
}

// Bytes that are not too many for patches.
#define MODEST (1024)

uint32_t ar_product_few(uint32_t rows, uint32_t row, uint32_t count) {
    uint32_t least = few_can(row) ? 2 : 1, pairs = least;
    if (MODEST >= 4 * pair_words(rows, row) * (least + 1)) {
        pairs = pairs_in(rows, row, MODEST);
    }
    uint32_t patches = ar_product_patches(count);
    return 2 * pairs < patches ? 2 * pairs : patches;
}

uint32_t ar_product_scratch(uint32_t channels, uint32_t rows, uint32_t row, uint32_t patches, bool direct, int32_t offset) {
    (void)channels, (void)direct, (void)offset;
    uint32_t pairs = (patches + 1) / 2, more = !few_can(row) || pairs > FEW;
    return 4 * pair_words(rows, row) * (more + pairs);
}

// ---- widening --------------------------------------------------------------------------------------------------------

// The last n % 4 bytes, and zeros.
static uint32_t tail_at(const int8_t *x, uint32_t n) {
    uint32_t w = (uint8_t)x[0];
    w |= n & 2 ? (uint32_t)(uint8_t)x[1] << 8 : 0;
    w |= (n & 3) == 3 ? (uint32_t)(uint8_t)x[2] << 16 : 0;
    return w;
}

// stm needs its registers in order.
static inline uint32_t *widen(uint32_t a, uint32_t b, uint32_t offset, uint32_t *to) {
    register uint32_t even_a __asm("r4") = sxtab16(offset, a);
    register uint32_t even_b __asm("r5") = sxtab16(offset, b);
    register uint32_t odd_a __asm("r6") = sxtab16_odd(offset, a);
    register uint32_t odd_b __asm("r7") = sxtab16_odd(offset, b);
    __asm volatile ("stm %0!, {%1, %2, %3, %4}" : "+r" (to) : "r" (even_a), "r" (even_b), "r" (odd_a), "r" (odd_b) : "memory");
    return to;
}

// Of each four elements the even ones of a, of b, the odd ones of a, of b. whole: the words that they end in may be read.
static inline __attribute__((always_inline)) uint32_t *widen_pair(const int8_t *a, const int8_t *b, uint32_t n,
    uint32_t offset, bool whole, uint32_t *to) {
    for (const int8_t *last = a + (n & ~3u); a < last; a += 4, b += 4) {
        to = widen(word_at(a), word_at(b), offset, to);
    }
    if (n & 3) {
        to = widen(whole ? word_at(a) : tail_at(a, n), whole ? word_at(b) : tail_at(b, n), offset, to);
    }
    return to;
}

// Whether they may, of rows from a and b on that long.
static inline bool words_whole(const ar_product_s8_t *p, const int8_t *a, const int8_t *b, uint32_t rows, uint32_t step) {
    return (uintptr_t)(a < b ? b : a) + (rows - 1) * step + filled(p->row) <= (uintptr_t)p->x_end;
}

static void widen_weights(const ar_product_s8_t *p, const ar_channel_t *c0, const ar_channel_t *c1) {
    const int8_t *a = ar_product_row(p, c0), *b = ar_product_row(p, c1);
    uint32_t *to = p->scratch, row = p->row & 3 ? p->row : p->n;
    for (const int8_t *end = a + p->n; a < end; a += row, b += row) {
        to = widen_pair(a, b, row, 0, false, to);
    }
}

static inline uint32_t offset_of(const ar_product_s8_t *p) {
    return in_both(p->offset);
}

// Behind the weights.
static inline uint32_t *patches_of(const ar_product_s8_t *p) {
    return (uint32_t *)p->scratch + pair_words(p->rows, p->row);
}

// A few patches, in turn: the words of a group are 4 a pair behind those of the one before, of five patches 10.
static __attribute__((noinline)) void put_in_turn(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a,
    const int8_t *b, uint32_t step) {
    uint32_t row = p->row, pairs = (p->few + 1u) / 2, offset = offset_of(p), beyond = step - row;
    uint32_t *to = p->scratch;
    if (p->few == 5) {
        uint32_t last = i < 4;
        to += r * row / 4 * 10 + i;
        for (; rows > 0; rows--, a += step, b += step) {
            for (uint32_t k = 0; k < row; k += 4, to += 10) {
                uint32_t x = word_at(a + k), y = word_at(b + k);
                to[last] = sxtab16(offset, y);
                to[0] = sxtab16(offset, x);
                to[5 + last] = sxtab16_odd(offset, y);
                to[5] = sxtab16_odd(offset, x);
            }
        }
        return;
    }
    to += (r * row / 4 * pairs + i / 2) * 4;
    for (; rows > 0; rows--, a += beyond, b += beyond) {
        for (const int8_t *end = a + row; a < end; a += 4, b += 4) {
            to = widen(word_at(a), word_at(b), offset, to) + 4 * (pairs - 1);
        }
    }
}

void ar_product_put(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step) {
    if (AR_HAS_FEW && p->few) {
        put_in_turn(p, i, r, rows, a, b, step);
        return;
    }
    uint32_t row = p->row, offset = offset_of(p);
    uint32_t *to = patches_of(p) + (i / 2 * p->rows + r) * filled(row);
    bool whole = words_whole(p, a, b, rows, step);
    for (; rows > 0; rows--, a += step, b += step) {
        to = widen_pair(a, b, row, offset, whole, to);
    }
}

// ---- many patches ----------------------------------------------------------------------------------------------------

static int8_t requantize(const ar_product_s8_t *p, int32_t sum, const ar_channel_t *c) {
    return (int8_t)ar_requantize_clamp(sum, (ar_factor_t) { c->mult, c->shift }, p->out_zero, p->low, p->high);
}

// Any factor and range: one channel (the first or the second of the pair) of one patch (likewise).
static void one_channel(const ar_product_s8_t *p, const ar_channel_t *c, uint32_t second, uint32_t count, int8_t *out) {
    const uint32_t *x = patches_of(p), n = pair_words(p->rows, p->row);
    for (uint32_t i = 0; i < count; i++, out += p->out_step) {
        const uint32_t *patch = x + i / 2 * n + (i & 1), *w = (const uint32_t *)p->scratch + second;
        int32_t sum = ar_product_start(p, c->channel);
        for (uint32_t k = 0; k < n; k += 2) {
            sum = smlad(patch[k], w[k], sum);
        }
        out[c->channel] = requantize(p, sum, c);
    }
}

static void tiles(const ar_product_s8_t *p, const ar_channel_t *c0, const ar_channel_t *c1, uint32_t count, int8_t *out) {
    uint32_t n = pair_words(p->rows, p->row);
    uint32_t *x = patches_of(p), *w_end = (uint32_t *)p->scratch + n;
    ar_tiles_t t; // filled in field by field: zeros first would take as long
    t.x = x;
    t.x_end = x + (count / 2) * n;
    t.w = p->scratch;
    t.start[0] = ar_product_start(p, c0->channel);
    t.start[1] = ar_product_start(p, c1->channel);
    t.out[0] = out + c0->channel;
    t.out[1] = out + c1->channel;
    t.step = p->out_step;
    t.zero = p->out_zero;
    t.factor[0].mult = twice_of(c0->mult);
    t.factor[0].power = power_of(c0->shift);
    t.factor[1].mult = twice_of(c1->mult);
    t.factor[1].power = power_of(c1->shift);
    if (count > 1) {
        ar_tiles_plain(&t, w_end, ar_groups_first(n / 4));
    }
    if (count & 1) {
        // The second of the pair is the first once more, and is written before it.
        t.x = t.x_end;
        t.x_end += n;
        t.step = 0;
        t.out[0] = out + c0->channel + (count - 1) * p->out_step;
        t.out[1] = out + c1->channel + (count - 1) * p->out_step;
        ar_tiles_plain(&t, w_end, ar_groups_first(n / 4));
    }
}

// ---- few patches -----------------------------------------------------------------------------------------------------

typedef void (*few_t)(ar_few_t *t, uint32_t count, uint32_t groups_first);

static inline uint32_t few_first(const ar_product_s8_t *p) {
    return p->few == 5 ? ar_groups_first_of_8(p->n / 4) : ar_groups_first(p->n / 4);
}

// Any factor and range: one channel.
static void few_outputs(const ar_product_s8_t *p, few_t few, ar_few_t *t, const ar_channel_t *c, uint32_t count, int8_t *out) {
    int32_t sums[2 * FEW], start = ar_product_start(p, c->channel);
    t->channel = c;
    t->bias = (const int32_t *)((uintptr_t)&start - 4u * c->channel);
    t->out = sums;
    few(t, 0, few_first(p));
    out += c->channel;
    for (uint32_t i = 0; i < count; i++, out += p->out_step) {
        *out = requantize(p, sums[i], c);
    }
}

static void few_patches(const ar_product_s8_t *p, uint32_t count, int8_t *out) {
    static const few_t by[2 * FEW] = { ar_few_two, ar_few_two, ar_few_four, ar_few_four, ar_few_five, ar_few_six };
    const ar_channel_t *c = p->channels, *end = c + p->n_channels;
    few_t few = by[p->few - 1];
    ar_few_t t;
    t.channel = c;
    t.channels_end = end;
    t.weights = p->weights;
    t.n = p->n;
    t.bias = p->bias;
    t.x = p->scratch;
    t.x_end = t.x + p->n / 2 * (p->few == 5 ? 5 : (p->few + 1u) & ~1u);
    t.out = out + (count - 1) * p->out_step;
    t.step = -(int32_t)p->out_step;
    t.zero = p->out_zero;
    if (p->plain && p->bias && c < end) {
        few(&t, count, few_first(p));
        return;
    }
    for (; c < end; c++) {
        few_outputs(p, few, &t, c, count, out);
    }
}

void ar_product_held(const ar_product_s8_t *p, uint32_t count, int8_t *out) {
    if (AR_HAS_FEW && p->few) {
        few_patches(p, count, out);
        return;
    }
    const ar_channel_t *c = p->channels, *end = c + p->n_channels;
    for (; c < end; c += 2) {
        const ar_channel_t *c1 = c + 1 < end ? c + 1 : c;
        widen_weights(p, c, c1);
        if (p->plain) {
            tiles(p, c, c1, count, out);
        } else {
            one_channel(p, c, 0, count, out);
            one_channel(p, c1, 1, count, out);
        }
    }
}

// ---- one patch -------------------------------------------------------------------------------------------------------

// Of each four elements the even ones, the odd ones; zeros to fill the last.
static void widen_one(const int8_t *x, uint32_t n, uint32_t offset, uint32_t *to) {
    for (const int8_t *end = x + (n & ~3u); x < end; x += 4, to += 2) {
        uint32_t v = word_at(x);
        to[0] = sxtab16(offset, v);
        to[1] = sxtab16_odd(offset, v);
    }
    if (n & 3) {
        uint32_t v = tail_at(x, n), low = 0xffff;
        to[0] = sxtab16(offset, v) & ((n & 3) == 3 ? ~0u : low);
        to[1] = sxtab16_odd(offset, v) & ((n & 3) == 1 ? 0 : low);
    }
}

// The words of an activation and of a row.
static inline int32_t by_words(uint32_t v, uint32_t w, uint32_t offset, int32_t sum) {
    return smlad(sxtab16_odd(offset, v), sxtb16_odd(w), smlad(sxtab16(offset, v), sxtb16(w), sum));
}

// The last n % 4 elements of four rows.
static void four_tails(const ar_product_s8_t *p, const int8_t *x, ar_rows_t *r) {
    uint32_t v = tail_at(x + (p->n & ~3u), p->n);
    for (uint32_t k = 0; k < 4; k++) {
        r->sum[k] = by_words(v, tail_at(r->w[k], p->n), r->offset, r->sum[k]);
    }
}

static void four_rows(const ar_product_s8_t *p, const int8_t *x, ar_rows_t *r) {
    uint32_t whole = p->n & ~3u;
    if (whole) {
        ar_rows_bytes(r, x, x + whole, ar_groups_first(whole / 4));
    }
    if (p->n & 3) {
        four_tails(p, x, r);
    }
}

static int32_t one_row(const ar_product_s8_t *p, const int8_t *x, const int8_t *w, uint32_t offset, int32_t sum) {
    for (const int8_t *end = x + (p->n & ~3u); x < end; x += 4, w += 4) {
        sum = by_words(word_at(x), word_at(w), offset, sum);
    }
    return p->n & 3 ? by_words(tail_at(x, p->n), tail_at(w, p->n), offset, sum) : sum;
}

// Channels in fours with one factor, in the short way; how many. The words behind a row that is not of whole words are those
// of the next, so the last row must not be among them, unless there is something to read behind it.
static uint32_t fours(const ar_product_s8_t *p, const int8_t *x, int8_t *out) {
    static const int32_t none[4] = { 0 };
    uint32_t channels = (p->n_channels - (p->n & 3 && !p->on ? 1 : 0)) & ~3u, groups = filled(p->n) / 4;
    uint32_t *wide = AR_HAS_WIDE ? p->scratch : NULL;
    if (channels == 0 || (!wide && p->n & 3)) {
        return 0;
    }
    ar_fours_t f = {
        .w = p->weights, .n = p->n, .bias = p->bias ? p->bias : none, .bias_step = p->bias ? 16 : 0, .x = x, .out = out,
        .out_end = out + channels, .mult = twice_of(p->channels->mult), .power = power_of(p->channels->shift), .zero = p->out_zero,
        .offset = offset_of(p),
    };
    if (wide) {
        widen_one(x, p->n, f.offset, wide);
        f.x = wide;
        ar_fours_wide(&f, wide + 2 * groups, ar_groups_first(groups));
    } else {
        ar_fours_bytes(&f, x + p->n, ar_groups_first(groups));
    }
    return channels;
}

void ar_product_one(const ar_product_s8_t *p, const int8_t *x, int8_t *out) {
    uint32_t first = p->one_factor && p->plain ? fours(p, x, out) : 0;
    for (uint32_t n; first < p->n_channels; first += n) {
        ar_rows_t rows;
        n = p->n_channels - first < 4 ? p->n_channels - first : 4;
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t channel = ar_product_channel(p, first + (i < n ? i : 0)).channel;
            rows.w[i] = p->weights + channel * p->n;
            rows.sum[i] = ar_product_start(p, channel);
        }
        rows.offset = offset_of(p);
        if (n == 1) {
            rows.sum[0] = one_row(p, x, rows.w[0], rows.offset, rows.sum[0]);
        } else {
            four_rows(p, x, &rows);
        }
        for (uint32_t i = 0; i < n; i++) {
            ar_channel_t c = ar_product_channel(p, first + i);
            out[c.channel] = p->plain ? (int8_t)requantize_plain(rows.sum[i], twice_of(c.mult), power_of(c.shift), p->out_zero)
                : requantize(p, rows.sum[i], &c);
        }
    }
}

// Patches in one piece.
static void put_all(const ar_product_s8_t *p, const int8_t *x, uint32_t x_step, uint32_t n) {
    uint32_t *to = patches_of(p), offset = offset_of(p);
    for (uint32_t i = 0; i < n; i += 2, x += 2 * x_step) {
        const int8_t *second = i + 1 < n ? x + x_step : x;
        if (p->few) {
            put_in_turn(p, i, 0, 1, x, second, 0);
        } else {
            to = widen_pair(x, second, p->row, offset, words_whole(p, x, second, 1, 0), to);
        }
    }
}

void ar_product_s8(const ar_product_s8_t *p, const int8_t *x, uint32_t x_step, uint32_t count, uint32_t held, int8_t *out) {
    if (count == 1) {
        ar_product_one(p, x, out);
        return;
    }
    for (uint32_t n; count > 0; count -= n, out += n * p->out_step) {
        n = count < held ? count : held;
        if (!p->same) {
            put_all(p, x, x_step, n);
        }
        x += n * x_step;
        ar_product_held(p, n, out);
    }
}

#endif // AR_TIER_DSP
