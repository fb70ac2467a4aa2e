// The product for cores without dual multiply-adds.
//
// Patches are widened to int32 once, and so are the weights of four channels, two packed to a word: kernels/thumb/tiles.h. The
// offset of the activations is in where the sums start. A row is filled up to pairs of elements; the weights there are 0.
// Where the scratch does not hold enough of that, patches stay bytes; where it does not hold that, they are taken one by one, or
// on Armv7-M by twos, with the offset added.

#include <string.h>

#include "kernels/product.h"
#include "kernels/requantize.h"

#if AR_TIER_THUMB

#include "kernels/thumb/five.h"
#include "kernels/thumb/requantize.h"

// What runs once for many products is built small.
#define SMALL __attribute__((cold, noinline))

// Patches that share the work of packing the weights: with more of them there is little left to gain, with fewer nothing.
#define ENOUGH (64)
#define WORTH (4)

// So many, and it is of no use to hold four times as many as bytes.
#define WORTH_WORDS (10)

// With fewer, packing takes longer than other ways.
#define WORTH_PACKING (AR_THUMB_FULL ? 10 : WORTH)

// What five patches may take to be held at once in words.
#define FIVE_MOST (1024)

// So many are packed for on Armv6-M where they could be held by fives.
#define WORTH_BEFORE_FIVES (AR_THUMB_FULL ? WORTH_PACKING : 8)

// So many patches are enough, though more are to come.
#define ENOUGH_WORDS (20)
#define ENOUGH_BYTES (32)

static inline uint32_t filled(uint32_t n) {
    return (n + 1) & ~1u;
}

// Words of a patch, and half of those of four channels' weights.
static inline uint32_t patch_words(uint32_t rows, uint32_t row) {
    return rows * filled(row);
}

uint32_t ar_product_patches(uint32_t count) {
    return count < WORTH ? 2 : count < ENOUGH ? (count + 1) & ~1u : ENOUGH;
}

// How patches are held where there are so many bytes, those of the weights among them: the size of an element, or 0
// where they are taken one by one. On Armv7-M as words only if all that are to come are held, or quite a few; and as bytes,
// where rows are of odd numbers of elements, which take long to pack.
static SMALL uint32_t size_in(uint32_t n, uint32_t bytes, uint32_t count, bool odd) {
    uint32_t words = WORTH_WORDS, packing = WORTH_PACKING;
    if (AR_THUMB_FULL && count > WORTH_WORDS) {
        words = count < ENOUGH_WORDS ? count : ENOUGH_WORDS;
        packing = !odd ? packing : count < ENOUGH_BYTES ? count : ENOUGH_BYTES;
    } else if (ar_five_counts(count) && !odd) {
        packing = WORTH_BEFORE_FIVES;
    }
    return bytes >= (8 + 4 * words) * n ? 4 : bytes >= (8 + packing) * n ? 1 : 0;
}

SMALL void ar_product_begin(ar_product_s8_t *p) {
    p->size = (uint8_t)size_in(patch_words(p->rows, p->row), p->bytes, p->count, p->row & 1);
    if (p->size == 0) {
        bool five = ar_five_fits(p->row, p->n, p->bytes, p->count);
        p->few = AR_THUMB_FULL || five;
        p->size = five && p->plain && p->bias ? AR_FIVE_BYTES : 0;
    }
}

// Bytes of an element of patches that are taken by twos, with the offset added: 0 to 255 fit one.
static inline uint32_t size_of_two(int32_t offset) {
    return offset == 128 ? 1 : 2;
}

SMALL uint32_t ar_product_fit(uint32_t channels, uint32_t rows, uint32_t row, uint32_t bytes, int32_t offset, uint32_t count) {
    (void)channels, (void)offset;
    uint32_t n = patch_words(rows, row), size = size_in(n, bytes, count, row & 1), fit = size ? (bytes - 8 * n) / (n * size) : 2;
    if (size == 0 && ar_five_fits(row, rows * row, bytes, count)) {
        return AR_FIVE;
    }
    if (AR_THUMB_FULL && size == 0) {
        fit = bytes / (rows * row * size_of_two(offset));
    }
    return fit < ENOUGH ? fit & ~1u : ENOUGH;
}

SMALL uint32_t ar_product_scratch(uint32_t channels, uint32_t rows, uint32_t row, uint32_t patches, bool direct, int32_t offset) {
    (void)channels, (void)direct, (void)offset;
    uint32_t n = patch_words(rows, row);
    if (patches == AR_FIVE && ar_five_fits(row, rows * row, FIVE_MOST, patches)) {
        return rows * row * AR_FIVE_BYTES;
    }
    patches = (patches + 1) & ~1u; // they are put two by two
    if (patches < WORTH_PACKING) {
        return AR_THUMB_FULL ? rows * row * patches * size_of_two(offset) : direct ? 0 : rows * row * patches;
    }
    return patches >= WORTH_WORDS ? 4 * n * (2 + patches) : n * (8 + patches);
}

// Bytes that are not too many for patches, and patches that there is no use in holding more than.
#define MODEST (AR_THUMB_FULL ? 256 : 512)
#define SOME (8)

SMALL uint32_t ar_product_few(uint32_t rows, uint32_t row, uint32_t count) {
    uint32_t fit = MODEST / (rows * row), patches = ar_product_patches(count);
    if (!AR_THUMB_FULL) {
        fit = (8 + SOME) * patch_words(rows, row) <= MODEST ? SOME : 2;
    }
    fit = fit < 2 ? 2 : fit < SOME ? fit & ~1u : SOME;
    return fit < patches ? fit : patches;
}

// ---- widening --------------------------------------------------------------------------------------------------------

// stm needs its registers in order.
static inline int32_t *widen_four(const int8_t *x, int32_t *to) {
    register int32_t a __asm("r4") = x[0];
    register int32_t b __asm("r5") = x[1];
    register int32_t c __asm("r6") = x[2];
    register int32_t d __asm("r7") = x[3];
    __asm volatile ("stmia %0!, {%1, %2, %3, %4}" : "+l" (to) : "r" (a), "r" (b), "r" (c), "r" (d) : "memory");
    return to;
}

static int32_t *widen(const int8_t *x, uint32_t n, int32_t *to) {
    for (const int8_t *end = x + (n & ~7u); x < end; x += 8) {
        to = widen_four(x + 4, widen_four(x, to));
    }
    for (n &= 7; n > 0; n--) {
        *to++ = *x++;
    }
    return to;
}

// Behind the weights.
static inline void *patches_of(const ar_product_s8_t *p) {
    return (int32_t *)p->scratch + 2 * patch_words(p->rows, p->row);
}

// Eight bytes. Only Armv7-M has words that lie anywhere.
static inline void copy_eight(uint8_t *to, const uint8_t *from) {
#if AR_THUMB_FULL
    uint32_t first, second;
    memcpy(&first, from, sizeof(first));
    memcpy(&second, from + 4, sizeof(second));
    memcpy(to, &first, sizeof(first));
    memcpy(to + 4, &second, sizeof(second));
#else
    for (uint32_t i = 0; i < 8; i += 4) {
        uint8_t a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];
        to[i] = a;
        to[i + 1] = b;
        to[i + 2] = c;
        to[i + 3] = d;
    }
#endif
}

// Rows of a patch. They are short, so that a call of memcpy takes longer than they do. The empty statement hides where whole
// eights end, which would else be worked out once more.
static __attribute__((noinline)) void copy_rows(const int8_t *x, uint32_t step, uint32_t rows, uint32_t row, int8_t *out, uint32_t next) {
    for (; rows > 0; rows--, x += step, out += next) {
        const uint8_t *from = (const uint8_t *)x;
        uint8_t *to = (uint8_t *)out;
        for (uint32_t eights = row / 8; eights > 0; eights--) {
            copy_eight(to, from);
            from += 8;
            to += 8;
            __asm volatile ("" : "+r" (from), "+r" (to));
        }
        for (uint32_t n = row & 7; n > 0; n--) {
            *to++ = *from++;
        }
    }
}

// Rows of two patches as bytes: from a row to the next `filled` bytes, n from the first to the second.
static void put_bytes(const ar_product_s8_t *p, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step, int8_t *to, uint32_t n) {
    uint32_t next = n == p->n ? p->row : filled(p->row);
    copy_rows(a, step, rows, p->row, to, next);
    copy_rows(b, step, rows, p->row, to + n, next);
}

#if AR_THUMB_FULL

// Any offset, as int16.
static __attribute__((noinline)) void widen_halves(const int8_t *x, uint32_t step, uint32_t rows, uint32_t row, int32_t offset,
    int16_t *to) {
    for (; rows > 0; rows--, x += step) {
        const int8_t *from = x;
        for (int16_t *end = to + row; to < end;) {
            *to++ = (int16_t)(*from++ + offset);
        }
    }
}

// The last of an odd number is of int16 and takes the place of two.
static SMALL void put_two(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b,
    uint32_t step) {
    uint32_t size = size_of_two(p->offset), n = p->n * size;
    uint8_t *to = (uint8_t *)p->scratch + i * n;
    if (size == 1 && i + 1 < p->few) {
        ar_thumb_put_bytes(a, step - p->row, rows, p->row, to + r * p->row);
        ar_thumb_put_bytes(b, step - p->row, rows, p->row, to + n + r * p->row);
        return;
    }
    int16_t *halves = (int16_t *)(void *)to + r * p->row;
    widen_halves(a, step, rows, p->row, p->offset, halves);
    if (i + 1 < p->few) {
        widen_halves(b, step, rows, p->row, p->offset, halves + p->n);
    }
}

#else
static inline void put_two(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b,
    uint32_t step) {
    (void)p, (void)i, (void)r, (void)rows, (void)a, (void)b, (void)step;
}
#endif

void ar_product_put(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step) {
    uint32_t n = patch_words(p->rows, p->row), odd = p->row & 1, size = p->size;
    if (AR_THUMB_FULL && size == 0 && p->few) {
        put_two(p, i, r, rows, a, b, step);
        return;
    }
    if (size == 0 || (!AR_THUMB_FULL && size == AR_FIVE_BYTES && p->few != AR_FIVE)) {
        put_bytes(p, rows, a, b, step, (int8_t *)p->scratch + i * p->n + r * p->row, p->n);
        return;
    }
    if (size == 1) {
        put_bytes(p, rows, a, b, step, (int8_t *)patches_of(p) + i * n + r * filled(p->row), n);
        return;
    }
    if (size == AR_FIVE_BYTES) {
        (p->few == AR_FIVE ? ar_five_put : put_two)(p, i, r, rows, a, b, step);
        return;
    }
    int32_t *first = (int32_t *)patches_of(p) + i * n + r * filled(p->row), *second = first + n;
    for (; rows > 0; rows--, a += step, b += step) {
        first = widen(a, p->row, first);
        second = widen(b, p->row, second);
        if (odd) {
            *first++ = 0;
            *second++ = 0;
        }
    }
}

static inline uint32_t pack(int32_t first, int32_t second) {
    return (uint32_t)first + ((uint32_t)second << 16);
}

// Two channels' weights; the words of each pair of elements are four apart.
static ar_thumb_packed_t pack_channels(const ar_product_s8_t *p, const int8_t *a, const int8_t *b, uint32_t *to) {
    ar_thumb_packed_t s = { 0, 0, 0 };
    uint32_t row = p->row & 1 ? p->row : p->n, even = row & ~1u;
    for (const int8_t *end = a + p->n; a < end; a += row, b += row) {
        for (uint32_t k = 0, n; k < even; k += n, to += 2 * n) {
            n = even - k < AR_THUMB_PACKED ? even - k : AR_THUMB_PACKED;
            ar_thumb_pack(a + k, b + k, to, a + k + n, &s);
        }
        if (row & 1) {
            s.packed += to[0] = pack(a[even], b[even]);
            s.second += (uint32_t)b[even];
            to[1] = 0;
            to += 4;
        }
    }
    return s;
}

// ---- many patches ----------------------------------------------------------------------------------------------------

static inline uint32_t start_of(const ar_product_s8_t *p, const ar_channel_t *c) {
    return (uint32_t)p->start + (p->bias ? (uint32_t)p->bias[c->channel] : 0);
}

static inline int8_t requantize(const ar_product_s8_t *p, uint32_t sum, const ar_channel_t *c) {
    return (int8_t)ar_requantize_clamp((int32_t)sum, (ar_factor_t) { c->mult, c->shift }, p->out_zero, p->low, p->high);
}

// Any factor, range and weights: one channel, whose weights are in the lower (upper) halves of the words at w.
static void one_channel(const ar_product_s8_t *p, const ar_channel_t *c, const uint32_t *w, uint32_t upper, uint32_t count,
    int8_t *out) {
    const int8_t *bytes = patches_of(p);
    const int32_t *words = patches_of(p);
    uint32_t n = patch_words(p->rows, p->row), size = p->size;
    for (; count > 0; count--, bytes += n, words += n, out += p->out_step) {
        uint32_t sum = start_of(p, c);
        for (uint32_t k = 0; k < n; k += 2) {
            for (uint32_t i = 0; i < 2; i++) {
                uint32_t packed = w[2 * k + i];
                int32_t weight = upper ? (int32_t)(packed + 0x8000) >> 16 : (int16_t)packed;
                sum += (uint32_t)(weight * ((size == 1 ? bytes[k + i] : words[k + i]) + p->offset));
            }
        }
        out[c->channel] = requantize(p, sum, c);
    }
}

static inline ar_thumb_factor_t factor_of(const ar_product_s8_t *p, const ar_channel_t *c) {
    ar_thumb_factor_t f = ar_thumb_factor(c->mult, c->shift, p->out_zero);
    f.place = c->channel;
    return f;
}

// Where the sums of a pair of channels start.
static void start_at(const ar_product_s8_t *p, const ar_channel_t *const c[2], const ar_thumb_packed_t *s, ar_thumb_tiles_t *t,
    uint32_t i) {
    uint32_t bias = patch_words(p->rows, p->row) / 2 * AR_THUMB_BIAS;
    uint32_t first = start_of(p, c[0]) + (uint32_t)p->offset * (s->packed - (s->second << 16));
    t->second[i] = start_of(p, c[1]) + (uint32_t)p->offset * s->second - bias;
    t->packed[i] = first - bias + (t->second[i] << 16);
}

// Four channels, of which some may be the same.
static void tiles(const ar_product_s8_t *p, const ar_channel_t *const c[4], uint32_t count, int8_t *out) {
    uint32_t n = patch_words(p->rows, p->row), bad = 0;
    uint32_t *w = p->scratch;
    uint32_t size = p->size;
    ar_thumb_tiles_t t; // filled in field by field: zeros first would take as long
    t.w = w;
    t.out = out;
    t.step = p->out_step;
    t.x = patches_of(p);
    t.x_end = (const int8_t *)t.x + count * n * size;
    for (uint32_t i = 0; i < 2; i++) {
        const int8_t *a = ar_product_row(p, c[2 * i]), *b = ar_product_row(p, c[2 * i + 1]);
        ar_thumb_packed_t s = pack_channels(p, a, b, w + 2 * i);
        start_at(p, c + 2 * i, &s, &t, i);
        bad |= s.bad;
    }
    if (!p->plain || (!AR_THUMB_FULL && (bad & AR_THUMB_BAD))) {
        for (uint32_t i = 0; i < 2; i++) {
            one_channel(p, c[2 * i], w + 2 * i, 0, count, out);
            one_channel(p, c[2 * i + 1], w + 2 * i, 1, count, out);
        }
        return;
    }
    for (uint32_t i = 0; i < 4; i++) {
        t.factor[i] = factor_of(p, c[i]);
    }
    (size == 1 ? ar_thumb_tiles_bytes : ar_thumb_tiles)(&t, w + 2 * n, ar_thumb_first(n / 2));
}

#if AR_THUMB_FULL
static void by_twos(const ar_product_s8_t *p, uint32_t count, int8_t *out);
#else
#define by_twos(p, count, out) ((void)0)
#endif

void ar_product_held(const ar_product_s8_t *p, uint32_t count, int8_t *out) {
    if (p->size == AR_FIVE_BYTES && count == AR_FIVE) {
        ar_five_held(p, out);
        return;
    }
    if (AR_THUMB_FULL && p->few) {
        by_twos(p, count, out);
        return;
    }
    if (p->size == 0 || p->size == AR_FIVE_BYTES) {
        const int8_t *x = p->scratch;
        for (; count > 0; count--, x += p->n, out += p->out_step) {
            ar_product_one(p, x, out);
        }
        return;
    }
    for (uint32_t k = 0; k < p->n_channels; k += 4) {
        const ar_channel_t *c[4];
        for (uint32_t i = 0; i < 4; i++) {
            c[i] = p->channels + (k + i < p->n_channels ? k + i : k);
        }
        tiles(p, c, count, out);
    }
}

// ---- one patch -------------------------------------------------------------------------------------------------------

// The sums of four rows.
static inline void four_rows(const ar_product_s8_t *p, const int8_t *x, ar_thumb_rows_t *r) {
    ar_thumb_rows_bytes(r, x, p->n, ar_thumb_bytes_first(p->n));
}

// Channels in fours with one factor, in the short way; how many.
static uint32_t fours(const ar_product_s8_t *p, const int8_t *x, ar_thumb_rows_t *r, int8_t *out) {
    ar_thumb_factor_t f = factor_of(p, p->channels);
    const int32_t *bias = p->bias;
    const int8_t *w = p->weights;
    uint32_t first = 0;
    for (; first + 4 <= p->n_channels; first += 4, out += 4) {
        for (uint32_t i = 0; i < 4; i++, w += p->n) {
            r->w[i] = w;
            r->sum[i] = bias ? (uint32_t)bias[i] : 0;
        }
        bias += bias ? 4 : 0;
        four_rows(p, x, r);
        out[0] = ar_thumb_requantize(r->sum[0], &f);
        out[1] = ar_thumb_requantize(r->sum[1], &f);
        out[2] = ar_thumb_requantize(r->sum[2], &f);
        out[3] = ar_thumb_requantize(r->sum[3], &f);
    }
    return first;
}

#if AR_THUMB_FULL

static void widen_one(const int8_t *x, uint32_t n, int32_t offset, int32_t *to) {
    for (const int8_t *end = x + (n & ~3u); x < end; x += 4, to += 4) {
        int32_t a = x[0] + offset, b = x[1] + offset, c = x[2] + offset, d = x[3] + offset;
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
    }
    if (n & 3) {
        to[0] = x[0] + offset;
        to[1] = n & 2 ? x[1] + offset : 0;
        to[2] = (n & 3) == 3 ? x[2] + offset : 0;
        to[3] = 0;
    }
}

// The same with a widened row. Where rows are not of whole groups of four the last one must have something to read behind it.
static uint32_t wide_fours(const ar_product_s8_t *p, const int8_t *x, int8_t *out) {
    static const int32_t none[4] = { 0 };
    uint32_t channels = (p->n_channels - (p->n & 3 && !p->on ? 1 : 0)) & ~3u, groups = (p->n + 3) / 4;
    int32_t *wide = p->scratch;
    if (channels == 0) {
        return 0;
    }
    ar_thumb_factor_t factor = factor_of(p, p->channels);
    ar_thumb_fours_t f = {
        .w = p->weights, .n = p->n, .bias = p->bias ? p->bias : none, .bias_step = p->bias ? 16 : 0, .x = wide, .out = out,
        .out_end = out + channels, .mult = factor.mult, .round = factor.round, .shift = factor.shift,
    };
    widen_one(x, p->n, p->offset, wide);
    ar_thumb_fours(&f, wide + 4 * groups, ar_thumb_wide_first(groups));
    return channels;
}

#endif

static uint32_t one_row(const ar_product_s8_t *p, const int8_t *x, const int8_t *w, uint32_t sum) {
    int32_t offset = p->offset;
    for (const int8_t *end = w + p->n; w < end; w++, x++) {
        sum += (uint32_t)((*x + offset) * *w);
    }
    return sum;
}

// Up to four channels from first on, each with its factor.
static void some(const ar_product_s8_t *p, const int8_t *x, ar_thumb_rows_t *r, uint32_t first, uint32_t n, int8_t *out) {
    ar_channel_t c[4];
    for (uint32_t i = 0; i < 4; i++) {
        c[i] = ar_product_channel(p, first + (i < n ? i : 0));
        r->w[i] = p->weights + c[i].channel * p->n;
        r->sum[i] = start_of(p, &c[i]);
    }
    if (n == 1) {
        r->sum[0] = one_row(p, x, r->w[0], r->sum[0]);
    } else {
        four_rows(p, x, r);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (p->plain) {
            ar_thumb_factor_t f = factor_of(p, &c[i]);
            out[c[i].channel] = ar_thumb_requantize(r->sum[i], &f);
        } else {
            out[c[i].channel] = requantize(p, r->sum[i], &c[i]);
        }
    }
}

void ar_product_one(const ar_product_s8_t *p, const int8_t *x, int8_t *out) {
    ar_thumb_rows_t rows;
    uint32_t first = 0;
    rows.offset = p->offset;
    if (p->one_factor && p->plain) {
#if AR_THUMB_FULL
        first = p->scratch ? wide_fours(p, x, out) : fours(p, x, &rows, out);
#else
        first = fours(p, x, &rows, out);
#endif
    }
    for (; first < p->n_channels; first += 4) {
        some(p, x, &rows, first, p->n_channels - first < 4 ? p->n_channels - first : 4, out);
    }
}

// ---- patches by twos -------------------------------------------------------------------------------------------------

#if AR_THUMB_FULL

// Two patches, or one, by eight channels that are side by side, and by those that follow them so.
static void eights(const ar_product_s8_t *p, const ar_channel_t *c, const ar_channel_t *end, const void *x, bool two, int8_t *out) {
    uint32_t size = size_of_two(p->offset);
    ar_thumb_eights_t t; // filled in field by field: zeros first would take as long
    t.w = ar_product_row(p, c);
    t.row = (int32_t)p->n;
    t.bias = p->bias + c->channel;
    t.x = x;
    t.four = 4;
    t.n = p->n;
    t.channel = c;
    t.out = out + c->channel;
    t.step = two ? (int32_t)p->out_step : 0;
    t.zero = p->out_zero;
    t.end = end;
    t.size = two ? (int32_t)size : 0;
    if (two && size == 1) {
        ar_thumb_eights_bytes(&t, ar_thumb_bytes_first(p->n));
    } else {
        (two ? ar_thumb_eights_halves : ar_thumb_eights_one)(&t, ar_thumb_halves_first(p->n));
    }
}

// How many channels from c on are eights that are side by side and have a short way.
static SMALL uint32_t in_eights(const ar_product_s8_t *p, const ar_channel_t *c, const ar_channel_t *end) {
    uint32_t n = 0;
    while (p->plain && p->bias && n + 8 <= (uint32_t)(end - c) && c[n + 7].channel == c->channel + n + 7) {
        n += 8;
    }
    return n;
}

// Any other channels, by patches as the model has them, which come back from what was made of them and go there again.
static SMALL void one_by_one(const ar_product_s8_t *p, const ar_channel_t *c, uint32_t n, void *x, bool two, int8_t *out) {
    ar_product_s8_t some = *p;
    int8_t *b = x;
    int16_t *h = x;
    uint32_t all = two ? 2 * p->n : p->n;
    bool bytes = two && size_of_two(p->offset) == 1;
    some.channels = c;
    some.n_channels = n;
    for (uint32_t i = 0; i < all; i++) {
        b[i] = (int8_t)(bytes ? b[i] ^ -128 : h[i] - p->offset);
    }
    ar_product_one(&some, b, out);
    if (two) {
        ar_product_one(&some, b + p->n, out + p->out_step);
    }
    for (uint32_t i = all; i-- > 0;) {
        if (bytes) {
            b[i] = (int8_t)(b[i] ^ -128);
        } else {
            h[i] = (int16_t)(b[i] + p->offset);
        }
    }
}

static SMALL void by_twos(const ar_product_s8_t *p, uint32_t count, int8_t *out) {
    const ar_channel_t *c = p->channels, *end = c + p->n_channels;
    uint32_t on = 2 * p->n * size_of_two(p->offset);
    for (uint32_t n; c < end; c += n) {
        uint32_t whole = in_eights(p, c, end);
        int8_t *x = p->scratch, *to = out;
        for (n = whole ? whole : 1; !whole && c + n < end && in_eights(p, c + n, end) == 0; n++) {
        }
        for (uint32_t i = 0; i < count; i += 2, x += on, to += 2 * p->out_step) {
            if (whole) {
                eights(p, c, c + n, x, i + 1 < count, to);
            } else {
                one_by_one(p, c, n, x, i + 1 < count, to);
            }
        }
    }
}

#endif

void ar_product_s8(const ar_product_s8_t *p, const int8_t *x, uint32_t x_step, uint32_t count, uint32_t fit, int8_t *out) {
    if (p->few && (AR_THUMB_FULL ? count > 1 : count == AR_FIVE)) {
        for (uint32_t i = 0; i < count && !p->same; i += 2) {
            ar_product_put(p, i, 0, 1, x + i * x_step, x + (i + 1 < count ? i + 1 : i) * x_step, 0);
        }
        ar_product_held(p, count, out);
        return;
    }
    if (count < WORTH || p->size == 0 || p->size == AR_FIVE_BYTES) {
        for (; count > 0; count--, x += x_step, out += p->out_step) {
            ar_product_one(p, x, out);
        }
        return;
    }
    for (uint32_t n; count > 0; count -= n, out += n * p->out_step) {
        n = count < fit ? count : fit;
        for (uint32_t i = 0; i < n && !p->same; i += 2) {
            ar_product_put(p, i, 0, 1, x + i * x_step, x + (i + 1 < n ? i + 1 : i) * x_step, 0);
        }
        x += n * x_step;
        ar_product_held(p, n, out);
    }
}

#endif // AR_TIER_THUMB
