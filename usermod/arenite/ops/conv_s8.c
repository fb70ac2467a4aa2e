// CONV_2D of int8 as a matrix product: the patch of each output position by the rows of weights. A 1x1 kernel finds its
// patches in the input; others are gathered, a few at a time, with the zero point for what lies outside.

#include <string.h>

#include "ops/conv.h"
#include "ops/live.h"

enum { INPUT = 0, WEIGHTS = 1 };

// Rows of taps that do not lie in the input as they are: outside of it, and partly outside, of two patches.
#define EDGES (3)

// A row of no more positions does without a table of all channels' factors: where its patches are held at once, each channel
// is met once a row, so that its factor may as well be derived then, of so many channels at a time. On Helium, where neither the
// product needs anything of all channels then, that is so for rows of any width.
#define NARROW (6)
#define NARROW_BYTES (AR_TIER_MVE ? 0 : 1024)     // that its patches may take, where a table and fewer of them would take less
#define SOME (AR_TIER_MVE ? 64 : 32)
#define LARGE (512)             // so large a filter makes up for factors that are derived anew for each few patches, on dsp/ and mve/

// So many patches are quicker than what does without; on cores without dual multiply-adds those of a row are, too.
#define AMPLE (AR_TIER_THUMB ? 10 : 16)

// Where so many positions see so many channels, or more, those that are the zero point at all of them are left out. Their
// weights are gathered for so many outputs at a time.
#define LIVE_POSITIONS (AR_THUMB_FULL ? 9 : 8)
#define LIVE_MOST (64)
#define LIVE_CHANNELS (32)
#define LIVE_OUTPUTS (16)
#define LIVE_LISTED (256)       // on Helium no more channels than bytes can number

// Taps that lie side by side in the input as they do in the weights: a row of the kernel, or one.
static uint32_t taps_of_row(const ar_conv_t *c) {
    return ar_dilation_w(&c->w) == 1 && ar_conv_group_in(c) == c->w.in_c ? c->w.kernel_w : 1;
}

static uint32_t row_of(const ar_conv_t *c) {
    return taps_of_row(c) * ar_conv_group_in(c);
}

static inline uint32_t filled(uint32_t n) {
    return (n + 3) & ~3u;
}

static inline bool is_transposed(const ar_conv_t *c) {
    return AR_HAS_DEPTHWISE_ONE && ar_conv_is(c, AR_CONV_TRANSPOSED);
}

// Whether taps are whole words of a large filter: patches partly outside are put together tap by tap, and need no more than one
// that is outside.
static inline bool by_taps(const ar_conv_t *c) {
    return AR_TIER_DSP && ar_conv_group_in(c) % 4 == 0 && ar_conv_filter(c) >= LARGE;
}

// Bytes of a row in scratch, where it may be read in whole words. On Helium rows that lie side by side do without.
static uint32_t edge_bytes(const ar_conv_t *c) {
    if (ar_conv_is(c, AR_CONV_DIRECT) || (AR_TIER_MVE && taps_of_row(c) == c->w.kernel_w)) {
        return 0;
    }
    return by_taps(c) ? ar_conv_group_in(c) : filled(row_of(c));
}

static uint32_t edges_bytes(const ar_conv_t *c) {
    return by_taps(c) ? edge_bytes(c) : EDGES * edge_bytes(c);
}

static uint32_t table_bytes(const ar_conv_t *c) {
    return c->w.out_c * (uint32_t)sizeof(ar_channel_t);
}

// Scratch but for the table and the product: edges, weights.
static uint32_t other_bytes(const ar_conv_t *c) {
    uint32_t weights = is_transposed(c) || ar_quant_is_int4(&c->q) ? ar_conv_filter(c) * c->w.out_c : 0;
    return edges_bytes(c) + filled(weights);
}

static AR_SMALL uint32_t product_bytes(const ar_conv_t *c, uint32_t patches) {
    return ar_product_scratch(ar_conv_group_out(c), ar_conv_filter(c) / row_of(c), row_of(c), patches, ar_conv_is(c, AR_CONV_DIRECT),
        AR_TIER_THUMB ? ar_quant_offset(&c->q) : 0);
}

static uint32_t few_bytes(const ar_conv_t *c) {
    uint32_t few = product_bytes(c, ar_product_few(ar_conv_filter(c) / row_of(c), row_of(c), c->w.out_w));
    uint32_t row = AR_TIER_THUMB && ar_conv_is(c, AR_CONV_DIRECT) ? ar_product_shared(ar_conv_filter(c), c->w.out_w) : 0;
    return row > few ? row : few;
}

static uint32_t least_bytes(const ar_conv_t *c) {
    return table_bytes(c) + few_bytes(c);
}

static inline bool is_short(const ar_conv_t *c) {
    return AR_TIER_MVE ? ar_conv_is(c, AR_CONV_DIRECT) || ar_conv_filter(c) < LARGE : c->w.out_w <= NARROW;
}

static uint32_t narrow_bytes(const ar_conv_t *c) {
    if (AR_TIER_MVE) { // patches alone
        uint32_t patches = is_short(c) ? (c->w.out_w + 1u) & ~1u : 2;
        return ar_product_scratch(0, ar_conv_filter(c) / row_of(c), row_of(c), patches, ar_conv_is(c, AR_CONV_DIRECT), 0);
    }
    return is_short(c) ? product_bytes(c, AR_TIER_THUMB ? c->w.out_w : (c->w.out_w + 1u) & ~1u) : few_bytes(c);
}

// Bytes that it takes to leave channels of the input out: a list of the others, two positions, rows of weights.
static uint32_t live_bytes(const ar_conv_t *c) {
    const ar_window_t *w = &c->w;
    uint32_t positions = (uint32_t)w->out_w * w->rows.out_h;
    bool worth = AR_LOOKS && ar_conv_is(c, AR_CONV_IDLE) && ar_conv_is(c, AR_CONV_DIRECT) && !ar_quant_is_int4(&c->q)
        && positions >= LIVE_POSITIONS && positions <= LIVE_MOST && w->in_c >= LIVE_CHANNELS && w->in_c % 4 == 0
        && w->out_c >= LIVE_OUTPUTS && w->rows.stride == 1 && w->stride_w == 1;
    if (AR_TIER_MVE) { // a list, all rows of weights
        return worth && w->in_c % 16 == 0 && w->in_c <= LIVE_LISTED ? w->in_c * (1u + w->out_c) : 0;
    }
    return worth ? w->in_c * ((uint32_t)sizeof(uint16_t) + 2 + LIVE_OUTPUTS) : 0;
}

// Those of the product of the others, which holds all positions.
static uint32_t live_product_bytes(const ar_conv_t *c) {
    return ar_product_scratch(ar_conv_group_out(c), 1, ar_conv_filter(c), ((uint32_t)c->w.out_w * c->w.rows.out_h + 1u) & ~1u, false,
        ar_quant_offset(&c->q));
}

static void note(ar_conv_t *c, unsigned what, bool so) {
    c->w.rows.own |= so ? what & 0x7f : 0;
}

// Whether there is a channel without weights, or nobody knows; and whether there seem to be many, by the first weight of each.
static void look_for_dead(ar_conv_t *c, const int8_t *weights) {
    uint32_t zeros = 0, filter = ar_conv_filter(c);
    bool dead = weights == NULL;
    for (uint32_t i = 0; weights && i < c->w.out_c; i++, weights += filter) {
        if (*weights == 0) {
            zeros++;
            dead = dead || ar_is_zero(weights, filter);
        }
    }
    note(c, AR_CONV_DEAD, dead);
    c->w.rows.idle = dead && zeros * 4 >= c->w.out_c;
}

// Bytes from which on patches are quicker than what does without: those that are stretches of the input where five are held at once.
static uint32_t enough_bytes(const ar_conv_t *c) {
    uint32_t patches = AR_TIER_THUMB && c->w.out_w < AMPLE ? (c->w.out_w + 1u) & ~1u : AMPLE;
    bool five = AR_THUMB_FULL && ar_conv_is(c, AR_CONV_DIRECT);
    return table_bytes(c) + other_bytes(c) + (five ? AR_FIVE_BYTES * ar_conv_filter(c) : product_bytes(c, patches));
}

// With patches.
static uint32_t patched_bytes(const ar_conv_t *c) {
    return other_bytes(c) + (ar_conv_is(c, AR_CONV_NARROW) ? narrow_bytes(c) : least_bytes(c));
}

AR_SMALL uint32_t ar_conv_s8_least(const ar_conv_t *c) {
    return ar_conv_is_little(c) ? ar_little_least(c) : patched_bytes(c);
}

// Whether to do without patches. On cores without dual multiply-adds those of several rows, where they are made at once, take
// less time.
static bool runs_little(const ar_conv_t *c, const ar_run_t *run) {
    bool rows = AR_TIER_THUMB && run->y1 - run->y0 > 1;
    return ar_conv_is_little(c) && ar_rows_scratch(&c->w.rows) < (rows ? patched_bytes(c) : enough_bytes(c));
}

AR_SMALL void ar_conv_s8_scratch(ar_prep_t *p, ar_conv_t *c, const int8_t *weights) {
    const ar_window_t *w = &c->w;
    note(c, AR_CONV_IDLE, ar_rows_idle(p));
    if (AR_LOOKS) {
        look_for_dead(c, weights);
    }
    note(c, AR_CONV_DIRECT, w->rows.window == 1 && w->kernel_w == 1 && ar_conv_group_in(c) == w->in_c && w->rows.before == 0
        && w->pad_left == 0);
    uint32_t patches = ar_product_patches((uint32_t)w->out_w * w->rows.out_h), other = other_bytes(c);
    uint32_t least = least_bytes(c), narrow = narrow_bytes(c);
    bool large = (AR_TIER_DSP || AR_TIER_MVE) && ar_conv_filter(c) >= LARGE;
    note(c, AR_CONV_NARROW, is_short(c) ? narrow <= NARROW_BYTES || narrow < least : large);
    // More than one patch of a narrow row is held, and so all of them.
    c->w.rows.reads_first = ar_product_reads_first(ar_conv_filter(c), w->out_w, narrow) && is_short(c) && ar_conv_is(c, AR_CONV_NARROW)
        && ar_conv_is(c, AR_CONV_DIRECT) && w->out_w > 1;
    uint32_t most = product_bytes(c, patches), live = live_bytes(c);
    if (live && most < live + live_product_bytes(c)) {
        most = live + live_product_bytes(c);
    }
    ar_scratch_between(p, ar_conv_s8_least(c), other + table_bytes(c) + most);
}

static inline uint32_t word_at(const int8_t *x) {
    uint32_t w;
    memcpy(&w, __builtin_assume_aligned(x, sizeof(w)), sizeof(w));
    return w;
}

static inline void put_word(int8_t *to, uint32_t w) {
    memcpy(__builtin_assume_aligned(to, sizeof(w)), &w, sizeof(w));
}

// Four taps of four channels.
static inline void transpose_words(const int8_t *w, uint32_t channels, int8_t *to, uint32_t taps) {
    const uint32_t even = 0x00ff00ff, low = 0xffff;
    uint32_t w0 = word_at(w), w1 = word_at(w + channels), w2 = word_at(w + 2 * channels), w3 = word_at(w + 3 * channels);
    uint32_t a = (w0 & even) | (w1 & even) << 8, b = (w0 >> 8 & even) | (w1 & ~even);
    uint32_t c = (w2 & even) | (w3 & even) << 8, d = (w2 >> 8 & even) | (w3 & ~even);
    put_word(to, (a & low) | c << 16);
    put_word(to + taps, (b & low) | d << 16);
    put_word(to + 2 * taps, a >> 16 | (c & ~low));
    put_word(to + 3 * taps, b >> 16 | (d & ~low));
}

// Each channel's taps: it is done anew for each row.
static AR_SMALL void transpose(const int8_t *from, uint32_t taps, uint32_t channels, int8_t *to) {
#if AR_TIER_MVE
    if (taps <= AR_TURNED_TAPS) {
        ar_product_turn(from, taps, channels, to);
        return;
    }
#endif
    bool words = AR_QUICK && (((uintptr_t)from | taps | channels) & 3) == 0;
    for (const int8_t *end = from + channels; from < end; from += words ? 4 : 1) {
        const int8_t *w = from;
        if (words) {
            for (int8_t *last = to + taps; to < last; to += 4, w += 4 * channels) {
                transpose_words(w, channels, to, taps);
            }
            to += 3 * taps;
        } else {
            for (int8_t *last = to + taps; to < last; w += channels) {
                *to++ = *w;
            }
        }
    }
}

// The weights as the product takes them: the model's, or made of them in scratch.
static const int8_t *weights_of(const ar_conv_t *c, const ar_rec_t *rec, int8_t *scratch) {
    const int8_t *from = ar_in(rec, WEIGHTS);
    if (ar_quant_is_int4(&c->q)) {
        return ar_unpack_int4(ar_in(rec, WEIGHTS), ar_conv_filter(c) * c->w.out_c, scratch);
    }
    if (is_transposed(c)) {
        transpose(from, ar_conv_filter(c), c->w.out_c, scratch);
    }
    return is_transposed(c) ? scratch : from;
}

// The operator as it runs, one group.
typedef struct {
    const ar_conv_t *c;
    ar_product_s8_t product;
    ar_factors_t factors;           // where there is no table of the channels
    bool no_table;
    bool begun;                     // the product
    const ar_channel_t *constant;   // channels whose weights are all zero: mult is their output
    uint32_t n_constant;
    uint32_t held;                  // patches that fit the scratch
    int8_t *edges;
    uint32_t group;
    uint32_t group_out;             // channels of each
} job_t;

// Words of bytes that are alike.
static void fill(int8_t *to, int8_t byte, uint32_t bytes) {
    uint32_t word = (uint8_t)byte * 0x01010101u;
    for (int8_t *end = to + bytes; to < end; to += sizeof(word)) {
        memcpy(__builtin_assume_aligned(to, sizeof(word)), &word, sizeof(word));
    }
}

// ---- patches ---------------------------------------------------------------------------------------------------------

// The row of taps from (ky, kx) on: in the input, or made of it at edge.
static const int8_t *row_at(const job_t *j, const ar_plane_t *in, const ar_place_t *at, int32_t ky, int32_t kx, int8_t *edge) {
    const ar_window_t *w = &j->c->w;
    uint32_t depth = ar_conv_group_in(j->c), taps = taps_of_row(j->c);
    if (ky < at->y0 || ky >= at->y1 || kx + (int32_t)taps <= at->x0 || kx >= at->x1) {
        return j->edges;
    }
    const int8_t *row = (const int8_t *)ar_row(in, (uint32_t)(at->top + ky * ar_dilation_h(w))) + j->group * depth;
    if (taps == 1) {
        return row + (at->left + kx * ar_dilation_w(w)) * w->in_c;
    }
    if (at->x0 == 0 && at->x1 == w->kernel_w) {
        return row + at->left * w->in_c;
    }
    fill(edge, j->c->q.in_zero, edge_bytes(j->c));
    memcpy(edge + (uint32_t)at->x0 * depth, row + (at->left + at->x0) * w->in_c, (uint32_t)(at->x1 - at->x0) * depth);
    return edge;
}

// The rows of the kernel, one by one.
static void put_rows(const job_t *j, const ar_plane_t *in, const ar_place_t *a, const ar_place_t *b, uint32_t i) {
    const ar_window_t *w = &j->c->w;
    int32_t step = (int32_t)taps_of_row(j->c);
    int8_t *edge = j->edges + edge_bytes(j->c);
    uint32_t r = 0;
    for (int32_t ky = 0, h = ar_kernel_h(w); ky < h; ky++) {
        for (int32_t kx = 0; kx < w->kernel_w; kx += step, r++) {
            const int8_t *first = row_at(j, in, a, ky, kx, edge), *second = first;
            if (b != a) {
                second = row_at(j, in, b, ky, kx, edge + edge_bytes(j->c));
            }
            ar_product_put(&j->product, i, r, 1, first, second, 0);
        }
    }
}

// Rows y0 to y1 of the kernel, inside the input, as they lie there: in one piece, or, in a ring, in as many as it takes.
static void put_inside(const job_t *j, const ar_plane_t *in, const ar_place_t *a, const ar_place_t *b, uint32_t i) {
    const ar_window_t *w = &j->c->w;
    uint32_t dilation = ar_dilation_h(w), y = (uint32_t)a->top + (uint32_t)a->y0 * dilation, step = in->stride * dilation;
    for (uint32_t r = (uint32_t)a->y0, n; r < (uint32_t)a->y1; r += n, y += n * dilation) {
        uint32_t at = ar_rows_place(y, in->rows), to_wrap = (in->rows - at + dilation - 1) / dilation;
        const int8_t *row = (const int8_t *)in->base + at * in->stride + j->group * ar_conv_group_in(j->c);
        n = (uint32_t)a->y1 - r < to_wrap ? (uint32_t)a->y1 - r : to_wrap;
        ar_product_put(&j->product, i, r, n, row + a->left * w->in_c, row + b->left * w->in_c, step);
    }
}

static const int8_t *tap_at(const job_t *j, const ar_plane_t *in, const ar_place_t *at, int32_t ky, int32_t kx) {
    const ar_window_t *w = &j->c->w;
    if (ky < at->y0 || ky >= at->y1 || kx < at->x0 || kx >= at->x1) {
        return j->edges;
    }
    const int8_t *row = (const int8_t *)ar_row(in, (uint32_t)(at->top + ky * ar_dilation_h(w)));
    return row + (at->left + kx * ar_dilation_w(w)) * w->in_c + j->group * ar_conv_group_in(j->c);
}

// Taps as rows: the same in scratch where they are whole words.
static inline ar_product_s8_t with_taps(const job_t *j) {
    ar_product_s8_t p = j->product;
    p.row = ar_conv_group_in(j->c);
    p.rows = (uint32_t)ar_kernel_h(&j->c->w) * j->c->w.kernel_w;
    return p;
}

// Tap by tap, from the input or from one that is outside.
static __attribute__((noinline)) void put_taps(const job_t *j, const ar_plane_t *in, const ar_place_t *a, const ar_place_t *b, uint32_t i) {
    const ar_product_s8_t p = with_taps(j);
    uint32_t r = 0;
    for (int32_t ky = 0, h = ar_kernel_h(&j->c->w); ky < h; ky++) {
        for (int32_t kx = 0; kx < j->c->w.kernel_w; kx++, r++) {
            const int8_t *first = tap_at(j, in, a, ky, kx);
            ar_product_put(&p, i, r, 1, first, b != a ? tap_at(j, in, b, ky, kx) : first, 0);
        }
    }
}

// Rows outside, from y on.
static __attribute__((noinline)) void put_zeros(const job_t *j, uint32_t i, uint32_t y, uint32_t n) {
    if (by_taps(j->c)) {
        const ar_product_s8_t p = with_taps(j);
        uint32_t w = j->c->w.kernel_w;
        ar_product_put(&p, i, y * w, n * w, j->edges, j->edges, 0);
        return;
    }
    ar_product_put(&j->product, i, y, n, j->edges, j->edges, 0);
}

// What of patches i and i + 1 lies above or below the input.
static inline void put_outside(const job_t *j, const ar_place_t *at, uint32_t i) {
    uint32_t y0 = (uint32_t)at->y0, y1 = (uint32_t)at->y1, h = ar_kernel_h(&j->c->w);
    if (y0 > 0) {
        put_zeros(j, i, 0, y0);
    }
    if (y1 < h) {
        put_zeros(j, i, y1, h - y1);
    }
}

// Rows inside, of which parts are outside: of both patches the same parts of all rows.
static AR_SMALL void put_parts(const job_t *j, const ar_plane_t *in, const ar_place_t *a, const ar_place_t *b, uint32_t i) {
    const ar_window_t *w = &j->c->w;
    uint32_t in_c = w->in_c, bytes = edge_bytes(j->c);
    int8_t *first = j->edges + bytes, *second = first + bytes;
    fill(first, j->c->q.in_zero, 2 * bytes);
    for (int32_t ky = a->y0; ky < a->y1; ky++) {
        const int8_t *row = (const int8_t *)ar_row(in, (uint32_t)(a->top + ky * ar_dilation_h(w)));
        memcpy(first + (uint32_t)a->x0 * in_c, row + (uint32_t)(a->left + a->x0) * in_c, (uint32_t)(a->x1 - a->x0) * in_c);
        memcpy(second + (uint32_t)b->x0 * in_c, row + (uint32_t)(b->left + b->x0) * in_c, (uint32_t)(b->x1 - b->x0) * in_c);
        ar_product_put(&j->product, i, (uint32_t)ky, 1, first, second, 0);
    }
}

// Patches i and i + 1, of the positions a and b. Most lie inside the input but for whole rows.
static void put(const job_t *j, const ar_plane_t *in, const ar_place_t *a, const ar_place_t *b, uint32_t i) {
    const ar_window_t *w = &j->c->w;
    bool inside = a->x1 - a->x0 == w->kernel_w && b->x1 - b->x0 == w->kernel_w, parts = AR_QUICK && a->x1 > a->x0 && b->x1 > b->x0;
    bool rows = a->top == b->top && a->y1 > a->y0 && taps_of_row(j->c) == w->kernel_w;
    if (by_taps(j->c) && !(rows && inside)) {
        put_taps(j, in, a, b, i);
        return;
    }
    if (!rows || !(inside || parts)) {
        put_rows(j, in, a, b, i);
        return;
    }
    if (inside) {
        put_inside(j, in, a, b, i);
    } else {
        put_parts(j, in, a, b, i);
    }
    put_outside(j, a, i);
}

static inline void begin_product(job_t *j, bool wanted) {
    if (wanted && !j->begun) {
        ar_product_begin(&j->product);
        j->begun = true;
    }
}

// ---- rows of output --------------------------------------------------------------------------------------------------

static __attribute__((noinline)) void fill_constants(const job_t *j, uint32_t count, int8_t *out) {
    uint32_t step = j->product.out_step;
    for (uint32_t i = 0; i < j->n_constant; i++) {
        int8_t *to = out + j->constant[i].channel;
        int8_t value = (int8_t)j->constant[i].mult;
        for (uint32_t k = 0; k < count; k++, to += step) {
            *to = value;
        }
    }
}

// The outputs of so many patches, held or at x, in the channels that are listed.
static inline void listed(const job_t *j, const int8_t *x, uint32_t count, int8_t *out) {
    if (x) {
        ar_product_s8(&j->product, x, (uint32_t)j->c->w.stride_w * j->c->w.in_c, count, j->held, out);
    } else {
        ar_product_held(&j->product, count, out);
    }
    if (AR_LOOKS && j->n_constant) {
        fill_constants(j, count, out);
    }
}

// In all channels of the group, as many at a time as are listed on the stack.
static __attribute__((noinline)) void without_table(job_t *j, const int8_t *x, uint32_t count, int8_t *out) {
    ar_product_s8_t *p = &j->product;
    ar_channel_t channels[SOME];
    bool plain = p->plain;
    p->channels = channels;
    for (uint32_t k = 0, n; k < j->group_out; k += n) {
        n = j->group_out - k < SOME ? j->group_out - k : SOME;
        p->plain = plain;
        p->n_channels = ar_quant_some(&j->factors, p, j->group * j->group_out + k, n, ar_conv_is(j->c, AR_CONV_DEAD), channels);
        j->constant = channels + p->n_channels;
        j->n_constant = n - p->n_channels;
        listed(j, x, count, out);
        p->same = count <= j->held;
    }
    p->plain = plain;
    p->same = false;
}

static inline void outputs(job_t *j, const int8_t *x, uint32_t count, int8_t *out) {
    if (NARROW && j->no_table) {
        without_table(j, x, count, out);
    } else {
        listed(j, x, count, out);
    }
}

// Constants for every position, and anything for the others: where they are many that is sooner done. 16 bytes at a time.
static __attribute__((noinline)) void fill_rows(const job_t *j, uint32_t count, int8_t *out) {
    uint32_t words[4], n = j->product.out_step;
    fill_constants(j, 1, out);
    for (int8_t *from = out, *to = out + n, *end = out + n * count; to < end; from += 16, to += 16) {
        memcpy(words, __builtin_assume_aligned(from, 4), sizeof(words));
        memcpy(__builtin_assume_aligned(to, 4), words, sizeof(words));
    }
}

#if !AR_TIER_MVE

// The product of n channels of the input, with the weights that meet them. Zeros fill the last word.
static __attribute__((noinline)) void live_product(const job_t *j, const int8_t *x, uint32_t count, uint32_t n,
    const uint16_t *list, int8_t *out) {
    ar_product_s8_t p = j->product;
    uint32_t depth = p.n, row = (n + 3) & ~3u;
    int8_t *a = (int8_t *)(uintptr_t)(list + depth), *b = a + depth, *rows = b + depth;
    p.row = p.n = row;
    p.few = 0;
    if (AR_TIER_THUMB) {
        p.count = count;
        ar_product_begin(&p);
    }
    p.gathered = true;
    memset(a, 0, 2 * depth);
    for (uint32_t i = 0; i < count; i += 2) {
        ar_live_gather(x + i * depth, list, n, a);
        ar_live_gather(x + (i + 1 < count ? i + 1 : i) * depth, list, n, b);
        ar_product_put(&p, i, 0, 1, a, b, 0);
    }
    p.weights = rows;
    memset(rows, 0, LIVE_OUTPUTS * row);
    for (uint32_t k = 0; k < j->product.n_channels; k += p.n_channels) {
        p.channels = j->product.channels + k;
        p.n_channels = j->product.n_channels - k < LIVE_OUTPUTS ? j->product.n_channels - k : LIVE_OUTPUTS;
        for (uint32_t i = 0; i < p.n_channels; i++) {
            ar_live_gather(j->product.weights + p.channels[i].channel * depth, list, n, rows + i * row);
        }
        ar_product_held(&p, count, out);
    }
}

// All positions without the channels that are the zero point at each of them, if these are so many that it is worth it.
static AR_SMALL bool live_rows(const job_t *j, const int8_t *x, uint32_t count, int8_t *out) {
    const ar_conv_t *c = j->c;
    uint32_t product = live_product_bytes(c), live = live_bytes(c), depth = ar_conv_filter(c), outputs = j->product.n_channels;
    if (live == 0 || outputs == 0 || j->product.bytes < product + live) {
        return false;
    }
    uint16_t *list = (uint16_t *)(void *)((int8_t *)j->product.scratch + product);
    uint32_t n = ar_live(x, count, depth, (int8_t)-j->product.offset, list);
    if (n == 0) { // one of them, since a product needs some
        list[n++] = 0;
    }
    if (8 * n * (count + outputs) >= (depth - n) * count * outputs) {
        return false;
    }
    live_product(j, x, count, n, list, out);
    fill_constants(j, count, out);
    return true;
}

#else

// The same where gathering takes little.
static AR_SMALL bool live_rows(const job_t *j, const int8_t *x, uint32_t count, int8_t *out) {
    uint32_t live = live_bytes(j->c), depth = j->product.n, outputs = j->product.n_channels, n = 0, seen;
    if (live == 0 || outputs == 0 || j->product.bytes < live_product_bytes(j->c) + live) {
        return false;
    }
    uint8_t *list = (uint8_t *)j->product.scratch + live_product_bytes(j->c);
    for (uint32_t c = 0; c < depth; c += 16) {
        for (seen = ar_seen(x + c, count, depth, (int8_t)-j->product.offset); seen; seen &= seen - 1) {
            list[n++] = (uint8_t)(c + (uint32_t)__builtin_ctz(seen));
        }
    }
    if (n == 0) { // one of them, since a product needs some
        list[n++] = 0;
    }
    if (2 * n * (count + outputs) >= (depth - n) * count * outputs) {
        return false;
    }
    ar_product_s8_t p = j->product;
    p.row = p.n = n;
    ar_product_listed(&p, x, depth, count, list, (int8_t *)list + depth);
    ar_product_held(&p, count, out);
    fill_constants(j, count, out);
    return true;
}

#endif

static void direct_rows(job_t *j, const ar_plane_t *in, uint32_t y, uint32_t rows, int8_t *out) {
    const ar_window_t *w = &j->c->w;
    const int8_t *x = (const int8_t *)ar_row(in, y * w->rows.stride);
    uint32_t step = (uint32_t)w->stride_w * w->in_c, left = rows * w->out_w, constant = AR_LOOKS ? j->n_constant : 0;
    if (!j->no_table && constant * 4 > w->out_c && w->out_c % 16 == 0) {
        fill_rows(j, left, out);
        j->n_constant = 0;
    }
    left = AR_LOOKS && !j->no_table && rows == w->rows.out_h && live_rows(j, x, left, out) ? 0 : left;
    begin_product(j, left > 0);
    for (uint32_t n; left > 0; left -= n, x += n * step, out += n * w->out_c) {
        n = j->product.few && left > j->held ? j->held : left;
        ar_product_next(&j->product, n);
        outputs(j, x, n, out);
    }
    if (AR_LOOKS) {
        j->n_constant = constant;
    }
}

// A row of positions: its taps along y, where those inside begin if they lie side by side, and the positions whose windows are
// inside along x.
typedef struct {
    ar_place_t at;
    const int8_t *from;         // NULL: they do not
    const int8_t *wrapped;      // in a ring, where those begin that go on at its start; NULL: these are all of them
    uint32_t to_wrap;           // rows before
    uint32_t first, end;
} row_t;

static void begin_row(const job_t *j, const ar_plane_t *in, uint32_t y, row_t *row) {
    const ar_window_t *w = &j->c->w;
    int32_t beyond = w->in_w + w->pad_left - w->kernel_w;
    ar_place_row(w, y, &row->at);
    uint32_t dilation = ar_dilation_h(w), n = (uint32_t)(row->at.y1 - row->at.y0);
    uint32_t top = (uint32_t)row->at.top + (uint32_t)row->at.y0 * dilation;
    uint32_t place = ar_rows_place(top, in->rows);
    bool whole = row->at.y1 > row->at.y0 && taps_of_row(j->c) == w->kernel_w && beyond >= 0;
    row->from = whole ? (const int8_t *)in->base + place * in->stride + j->group * ar_conv_group_in(j->c) : NULL;
    row->wrapped = NULL;
    if (whole && place + (n - 1) * dilation >= in->rows) {
        row->to_wrap = (in->rows - place + dilation - 1) / dilation;
        row->wrapped = row->from + (int32_t)(row->to_wrap * dilation - in->rows) * (int32_t)in->stride;
    }
    row->first = ((uint32_t)w->pad_left + w->stride_w - 1u) / w->stride_w;
    row->end = beyond >= 0 ? (uint32_t)beyond / w->stride_w + 1 : 0;
}

// The next n patches, from the position (*x, *y) on, which moves.
static void put_patches(const job_t *j, const ar_plane_t *in, uint32_t *x, uint32_t *y, uint32_t n) {
    const ar_window_t *w = &j->c->w;
    uint32_t step = in->stride * ar_dilation_h(w);
    row_t row;
    ar_place_t at[2];
    begin_row(j, in, *y, &row);
    for (uint32_t i = 0; i < n; i += 2) {
        uint32_t two = n - i > 1;
        if (row.from && two && *x >= row.first && *x + 2 <= row.end) {
            uint32_t y0 = (uint32_t)row.at.y0, on = (uint32_t)w->stride_w * w->in_c;
            const int8_t *a = row.from + (*x * on - (uint32_t)w->pad_left * w->in_c);
            if (row.wrapped) {
                const int8_t *wrapped = row.wrapped + (a - row.from);
                ar_product_put(&j->product, i, y0, row.to_wrap, a, a + on, step);
                ar_product_put(&j->product, i, y0 + row.to_wrap, (uint32_t)row.at.y1 - y0 - row.to_wrap, wrapped, wrapped + on, step);
            } else {
                ar_product_put(&j->product, i, y0, (uint32_t)row.at.y1 - y0, a, a + on, step);
            }
            put_outside(j, &row.at, i);
            *x += 2;
        } else {
            for (uint32_t k = 0; k <= two; k++) {
                at[k] = row.at;
                ar_place_along(w, *x, &at[k]);
                *x = *x + 1;
                if (*x == w->out_w && k < two) {
                    *x = 0;
                    begin_row(j, in, ++*y, &row);
                }
            }
            put(j, in, &at[0], &at[two], i);
        }
        if (*x == w->out_w) {
            *x = 0;
            begin_row(j, in, ++*y, &row);
        }
    }
}

#if AR_TIER_MVE

// Positions from x on, at most n, whose windows lie in the input as the first one does: it alone if a part is beside it.
static uint32_t alike(const ar_window_t *w, uint32_t x, int32_t left, uint32_t n) {
    int32_t beyond = w->in_w - w->kernel_w - left;
    if (left < 0 || beyond < 0) {
        return 1;
    }
    uint32_t inside = (uint32_t)beyond / w->stride_w + 1, of_row = w->out_w - x;
    inside = inside < of_row ? inside : of_row;
    return inside < n ? inside : n;
}

// What of the patches of a row of positions does not depend on where they begin along it.
static ar_patch_t patch_rows(const job_t *j, const ar_plane_t *in, const ar_place_t *at) {
    const ar_window_t *w = &j->c->w;
    uint32_t step = in->stride * ar_dilation_h(w), y = (uint32_t)(at->top + at->y0 * ar_dilation_h(w));
    uint32_t place = ar_rows_place(y, in->rows);
    return (ar_patch_t) {
        .x = (const int8_t *)in->base + place * in->stride - (uint32_t)at->y0 * step + j->group * ar_conv_group_in(j->c), .step = step,
        .y0 = (uint32_t)at->y0, .y1 = (uint32_t)at->y1, .turn = (in->rows - place + ar_dilation_h(w) - 1u) / ar_dilation_h(w),
        .ring = in->rows * in->stride,
    };
}

// The same where the rows of the kernel lie in rows of the input: what is inside of a row of positions is found once for its
// rows, and for each position only along it.
static void gather_patches(const job_t *j, const ar_plane_t *in, uint32_t *x, uint32_t *y, uint32_t n) {
    const ar_window_t *w = &j->c->w;
    int32_t in_c = w->in_c;
    uint32_t group_in = ar_conv_group_in(j->c);
    ar_place_t at;
    ar_place_row(w, *y, &at);
    ar_patch_t patch = patch_rows(j, in, &at);
    const int8_t *first = patch.x;
    for (uint32_t i = 0, count; i < n; i += count) {
        int32_t left = (int32_t)(*x * w->stride_w) - w->pad_left;
        int32_t x0 = left < 0 ? -left : 0, x1 = w->in_w - left < w->kernel_w ? w->in_w - left : w->kernel_w;
        patch.x = first + left * in_c;
        patch.x0 = (uint32_t)x0 * group_in;
        patch.x1 = (uint32_t)x1 * group_in;
        count = alike(w, *x, left, n - i);
        ar_product_gather(&j->product, i, &patch, count, (uint32_t)(w->stride_w * in_c));
        *x += count;
        if (*x == w->out_w) {
            *x = 0;
            ar_place_row(w, ++*y, &at);
            patch = patch_rows(j, in, &at);
            first = patch.x;
        }
    }
}

#else
#define gather_patches put_patches
#endif

// Rows of output from y on, side by side in memory.
static void gathered_rows(job_t *j, const ar_plane_t *in, uint32_t y, uint32_t rows, int8_t *out) {
    const ar_window_t *w = &j->c->w;
    bool simple = taps_of_row(j->c) == w->kernel_w;
    uint32_t x = 0;
    begin_product(j, true);
    for (uint32_t left = rows * w->out_w, n; left > 0; left -= n, out += n * w->out_c) {
        n = left < j->held ? left : j->held;
        ar_product_next(&j->product, n);
        (simple ? gather_patches : put_patches)(j, in, &x, &y, n);
        outputs(j, NULL, n, out);
    }
}

static void run_group(job_t *j, const ar_run_t *run, const ar_rec_t *rec) {
    const ar_window_t *w = &j->c->w;
    uint32_t y1 = run->y1 < w->rows.out_h ? run->y1 : w->rows.out_h;
    bool direct = ar_conv_is(j->c, AR_CONV_DIRECT);
    for (uint32_t batch = 0; batch < ar_batches(w); batch++) {
        ar_plane_t in = ar_in_plane(w, ar_in(rec, INPUT), batch, 1);
        ar_plane_t out = ar_out_plane(w, ar_out(rec, 0), batch, 1);
        // Rows that can be taken as one.
        bool whole = !j->no_table && out.rows == out.h && (!direct || (w->rows.stride == 1 && w->stride_w == 1 && in.rows == in.h));
        j->product.x_end = (const int8_t *)in.base + in.rows * in.stride;
        for (uint32_t y = run->y0, rows; y < y1; y += rows) {
            rows = whole ? y1 - y : 1;
            (direct ? direct_rows : gathered_rows)(j, &in, y, rows, (int8_t *)ar_row(&out, y));
        }
    }
}

static void list_channels(job_t *j, ar_channel_t *channels) {
    const ar_conv_t *c = j->c;
    j->product.channels = channels;
    j->product.n_channels = ar_quant_channels(&c->q, &j->product, j->group * j->group_out, j->group_out, ar_conv_is(c, AR_CONV_DEAD), channels);
    j->constant = channels + j->product.n_channels;
    j->n_constant = j->group_out - j->product.n_channels;
}

#if AR_TIER_MVE

static inline bool is_row_alone(const ar_conv_t *c, const ar_run_t *run) {
    const unsigned notes = AR_CONV_DIRECT | AR_CONV_NARROW;
    bool direct = (c->w.rows.own & (notes | AR_CONV_TRANSPOSED)) == notes && !ar_quant_is_int4(&c->q);
    return direct && run->y1 - run->y0 == 1 && ar_batches(&c->w) == 1;
}

// A row by itself whose patches lie in the input: most of what is to be found out for others is not needed.
static __attribute__((noinline)) ar_status_t row_alone(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_conv_t *c = ar_params(rec);
    const ar_window_t *w = &c->w;
    ar_plane_t in = ar_in_plane(w, ar_in(rec, INPUT), 0, 1), out = ar_out_plane(w, ar_out(rec, 0), 0, 1);
    job_t j;
    j.c = c;
    j.group = j.held = 0;
    j.group_out = w->out_c;
    j.product.weights = ar_in(rec, WEIGHTS);
    j.product.bias = ar_bias(rec);
    j.product.n = w->in_c;
    j.product.out_step = w->out_c;
    j.product.start = 0;
    j.product.gathered = false;
    j.product.bare = true;
    ar_quant_product(&c->q, &j.product);
    ar_quant_begin(&j.factors, &c->q, w->out_c);
    without_table(&j, (const int8_t *)ar_row(&in, run->y0 * w->rows.stride), w->out_w, (int8_t *)ar_row(&out, run->y0));
    return AR_OK;
}

#endif

ar_status_t ar_conv_s8(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_conv_t *c = ar_params(rec);
#if AR_TIER_MVE
    if (is_row_alone(c, run)) {
        return row_alone(run, rec);
    }
#endif
    if (runs_little(c, run)) {
        return ar_little(run, rec);
    }
    uint32_t filter = ar_conv_filter(c), rows = filter / row_of(c), bytes = ar_rows_scratch(&c->w.rows) - other_bytes(c);
    bool no_table = NARROW && ar_conv_is(c, AR_CONV_NARROW) && ((is_short(c) && run->y1 - run->y0 == 1) || bytes < least_bytes(c));
    ar_channel_t *channels = ar_scratch_of(rec);
    int8_t *edges = ar_scratch_of(rec), *weights;
    if (!no_table) {
        edges += table_bytes(c);
        bytes -= table_bytes(c);
    }
    weights = edges + edges_bytes(c);
    job_t j; // not all of it is needed, and zeros take their time
    j.c = c;
    j.edges = edges;
    j.no_table = no_table;
    j.n_constant = 0;
    j.group = 0;
    j.group_out = ar_conv_group_out(c);
    ar_product_s8_t *product = &j.product;
    product->weights = weights_of(c, rec, weights);
    product->bias = ar_bias(rec);
    product->rows = rows;
    product->row = row_of(c);
    product->n = filter;
    product->out_step = c->w.out_c;
    product->scratch = edges + other_bytes(c);
    product->bytes = no_table && is_short(c) ? narrow_bytes(c) : bytes;
    if (AR_TIER_THUMB) {
        product->count = (run->y1 < c->w.rows.out_h ? run->y1 - run->y0 : c->w.rows.out_h - run->y0) * c->w.out_w;
    }
    product->start = 0;
    product->one_factor = product->gathered = product->same = false;
    if (AR_TIER_MVE) {
        product->bare = no_table;
    }
    product->few = 0;
    j.held = ar_product_fit(AR_TIER_MVE && no_table ? 0 : j.group_out, rows, product->row, product->bytes, ar_quant_offset(&c->q),
        product->count);
    fill(edges, c->q.in_zero, edge_bytes(c));
    ar_quant_product(&c->q, &j.product);
    if (no_table) {
        ar_quant_begin(&j.factors, &c->q, c->w.out_c);
    }
    for (uint32_t first = 0; first < c->w.out_c; first += j.group_out, j.group++) {
        if (!no_table) {
            list_channels(&j, channels);
        }
        j.begun = AR_TIER_MVE && no_table;
        run_group(&j, run, rec);
    }
    return AR_OK;
}
