// DEPTHWISE_CONV_2D of int8 with a 3x3 kernel and one output channel an input channel: a block of channels at a time, for
// all rows, since what a block needs is set up once.

#include <string.h>

#include "engine/bytes.h"
#include "ops/depthwise.h"
#include "ops/live.h"

enum { INPUT = 0, WEIGHTS = 1 };

bool ar_depthwise3_fits(const ar_depthwise_conv_t *d) {
    const ar_window_t *w = &d->w;
    return ar_quant_is_s8(&d->q) && d->q.own == 1 && w->rows.window == 3 && w->kernel_w == 3
           && ar_dilation_h(w) == 1 && ar_dilation_w(w) == 1 && w->pad_left <= 1 && ar_depthwise3_can(w->out_c, w->stride_w) && !ar_quant_is_int4(&d->q);
}

// Planes of so many positions are looked at for channels that are the zero point at all of them, if there are enough channels.
#define LIVE_POSITIONS (256)
#define LIVE_CHANNELS (32)

// Bytes that it takes to leave such channels out: a list of the others, and four of them before and after.
static uint32_t live_bytes(const ar_window_t *w) {
    uint32_t before = (uint32_t)w->in_w * w->rows.in_h, after = (uint32_t)w->out_w * w->rows.out_h;
    bool worth = AR_LIVE && w->rows.idle && before <= LIVE_POSITIONS && w->out_c >= LIVE_CHANNELS && w->out_c % 4 == 0;
    return worth ? 4 * (before + after) + w->out_c * (uint32_t)sizeof(uint16_t) : 0;
}

AR_SMALL void ar_depthwise3_ask(ar_prep_t *p, ar_depthwise_conv_t *d) {
    d->w.rows.idle = ar_rows_idle(p);
    uint32_t all = ar_depthwise3_scratch(d->w.out_w, d->w.stride_w);
    ar_scratch_between(p, ar_depthwise3_least(d->w.out_w, d->w.stride_w, d->w.out_c), all + live_bytes(&d->w));
}

// ---- blocks ----------------------------------------------------------------------------------------------------------

// The operator as it runs.
typedef struct {
    const ar_run_t *run;
    const ar_window_t *w;
    ar_product_s8_t product;        // what tells the factors
    ar_factors_t factors;
    ar_depthwise3_t k;
    bool plain;                     // as far as is known of all channels
    uint32_t y1;                    // the end of the rows asked for
#if !AR_TIER_MVE
    uint32_t strip;                 // outputs that fit the scratch
    uint32_t y;                     // the row of output that the next two belong to
    const int8_t *rows[3];
    int8_t *out;
#endif
} job_t;

// The factors of n channels from first on. Each channel is met once, so that no table of them all is kept.
static void block_factors(job_t *j, uint32_t first, uint32_t n, ar_channel_t *channels) {
    j->product.plain = j->plain;
    ar_quant_some(&j->factors, &j->product, first, n, false, channels);
    j->k.plain = j->product.plain;
}

#if AR_TIER_MVE

// The rows of input that so many rows of the kernel see from y on, NULL for those outside.
static inline void find_rows(const ar_window_t *w, const ar_plane_t *in, uint32_t y, uint32_t n, const int8_t *rows[]) {
    int32_t top = (int32_t)(y * w->rows.stride) - w->rows.before;
    for (int32_t i = 0; i < (int32_t)n; i++) {
        bool inside = top + i >= 0 && top + i < w->rows.in_h;
        rows[i] = inside ? (const int8_t *)ar_row(in, (uint32_t)(top + i)) : NULL;
    }
}

// Rows of output from y on, one or two of them at a time.
static uint32_t some_rows(const job_t *j, const ar_plane_t *in, const ar_plane_t *out, const ar_depthwise3_block_t *b,
    uint32_t y, uint32_t y1) {
    const ar_window_t *w = j->w;
    const int8_t *rows[4] = { NULL, NULL, NULL, NULL };
    uint32_t two = w->rows.stride == 1 && w->stride_w == 1 && y + 1 < y1;
    find_rows(w, in, y, 3 + two, rows);
    ar_depthwise3_rows(&j->k, b, rows, (int8_t *)ar_row(out, y), two ? (int8_t *)ar_row(out, y + 1) : NULL);
    return 1 + two;
}

// All rows asked for, of some channels.
static void block(const job_t *j, const ar_plane_t *in, const ar_plane_t *out, const ar_channel_t *channels, uint32_t n,
    const uint8_t *list) {
    ar_depthwise3_block_t b;
    ar_depthwise3_begin(&j->k, &b, channels, n, list);
    for (uint32_t y = j->run->y0; y < j->y1; ) {
        y += some_rows(j, in, out, &b, y, j->y1);
    }
}

// ---- without channels that are the zero point everywhere -------------------------------------------------------------

#define BLOCK AR_DEPTHWISE_BLOCK
#define LIVE_MOST (256)         // channels: their numbers are bytes

// Constants for the channels that are not live: at the first position, and so, whatever the others are, at all. channels: of a
// block, for its factors.
static __attribute__((noinline)) void fill_dead(job_t *j, const uint16_t *live, int8_t *out, uint32_t positions, ar_channel_t *channels) {
    uint32_t n = j->k.n_channels;
    bool plain = true;
    for (uint32_t c = 0; c < n; c += BLOCK) {
        block_factors(j, c, BLOCK, channels);
        plain = plain && j->k.plain;
        for (uint32_t i = 0; i < BLOCK; i++) {
            if (!(live[c / BLOCK] >> i & 1)) {
                out[c + i] = ar_quant_of_bias(j->factors.q, j->k.bias ? j->k.bias[c + i] : 0, channels + i);
            }
        }
    }
    for (uint32_t i = 1; i < positions; i++) {
        memcpy(out + i * n, out, n);
    }
    j->k.plain = plain;
}

// A whole plane so, if that is worth it.
static AR_SMALL bool live_blocks(job_t *j, const ar_plane_t *in, const ar_plane_t *out) {
    const ar_window_t *w = j->w;
    uint32_t n = j->k.n_channels, positions = (uint32_t)w->in_w * w->rows.in_h, count = 0, k = 0;
    uint16_t live[LIVE_MOST / BLOCK];
    uint8_t list[BLOCK];
    ar_channel_t channels[BLOCK], some[BLOCK];
    bool whole = j->run->y0 == 0 && j->run->y1 >= w->rows.out_h && in->rows == in->h && out->rows == out->h;
    if (!w->rows.idle || !whole || n > LIVE_MOST || n % BLOCK || positions > LIVE_POSITIONS) {
        return false;
    }
    for (uint32_t c = 0; c < n; c += BLOCK) {
        live[c / BLOCK] = (uint16_t)ar_seen((const int8_t *)in->base + c, positions, n, (int8_t)-j->k.offset);
        count += (uint32_t)__builtin_popcount(live[c / BLOCK]);
    }
    if (count * 4 >= n * 3) {
        return false;
    }
    fill_dead(j, live, (int8_t *)out->base, (uint32_t)w->out_w * w->rows.out_h, channels);
    bool plain = j->k.plain;
    memset(list, 0, sizeof(list));
    for (uint32_t c = 0; c < n; c += BLOCK) {
        if (live[c / BLOCK]) {
            block_factors(j, c, BLOCK, channels);
        }
        j->k.plain = plain;
        for (uint32_t i = 0; i < BLOCK; i++) {
            if (live[c / BLOCK] >> i & 1) {
                list[k] = (uint8_t)(c + i);
                some[k++] = channels[i];
            }
            if (k == BLOCK || (k && c + i + 1 == n)) {
                block(j, in, out, some, k, list);
                k = 0;
            }
        }
    }
    return true;
}

// A frame of its own: what is live is looked for without these factors on the stack.
static __attribute__((noinline)) void all_blocks(job_t *j, const ar_plane_t *in, const ar_plane_t *out) {
    ar_channel_t channels[BLOCK];
    for (uint32_t c = 0, n; c < j->k.n_channels; c += n) {
        n = j->k.n_channels - c < BLOCK ? j->k.n_channels - c : BLOCK;
        block_factors(j, c, n, channels);
        block(j, in, out, channels, n, NULL);
    }
}

// Channels whose factors are derived at a time.
#define SOME (64)

// One row at a time without scratch. The last channels may begin in those before.
static __attribute__((noinline)) void by_eights(job_t *j, const ar_plane_t *in, const ar_plane_t *out, uint32_t y) {
    ar_channel_t channels[SOME];
    const int8_t *rows[3];
    uint32_t n = j->k.n_channels;
    find_rows(j->w, in, y, 3, rows);
    for (uint32_t c = 0, some; c < n; c += some) {
        c = c + AR_DEPTHWISE_EIGHT <= n ? c : n - AR_DEPTHWISE_EIGHT;
        some = n - c < SOME ? n - c : SOME;
        block_factors(j, c, some, channels);
        ar_depthwise3_row(&j->k, channels, some, rows, (int8_t *)ar_row(out, y));
    }
}

static void blocks(job_t *j, const ar_plane_t *in, const ar_plane_t *out) {
    bool short_of = j->k.bytes < ar_depthwise3_scratch(j->k.out_w, j->k.stride);
    if (j->k.n_channels >= AR_DEPTHWISE_EIGHT && (short_of || j->y1 - j->run->y0 == 1)) {
        for (uint32_t y = j->run->y0; y < j->y1; y++) {
            by_eights(j, in, out, y);
        }
    } else if (!live_blocks(j, in, out)) {
        all_blocks(j, in, out);
    }
}

#else

// A row in strips of so many outputs, each as if it were a row of a narrower image.
static __attribute__((noinline)) void strips(const job_t *j, ar_depthwise3_block_t *b, const int8_t *const rows[3], int8_t *out) {
    const ar_depthwise3_t *k = &j->k;
    for (uint32_t o = 0, n; o < k->out_w; o += n) {
        ar_depthwise3_t strip = *k;
        const int8_t *from[3];
        uint32_t x = o * k->stride - (o ? k->pad_left : 0);
        n = k->out_w - o < j->strip ? k->out_w - o : j->strip;
        strip.pad_left = o ? 0 : k->pad_left;
        strip.out_w = n;
        strip.in_w = k->in_w - x;
        for (uint32_t ky = 0; ky < 3; ky++) {
            from[ky] = rows[ky] ? rows[ky] + x * k->n_channels : NULL;
        }
        ar_depthwise3_begin(&strip);
        ar_depthwise3_s8(&strip, b, from, out + o * k->n_channels);
    }
}

// Where row y and what it sees lie. Where there is but one row, all blocks ask for the same.
static void find_row(job_t *j, const ar_plane_t *in, const ar_plane_t *out, uint32_t y) {
    uint32_t top = y * j->w->rows.stride + (uint32_t)-j->w->rows.before, h = j->w->rows.in_h; // wraps where it lies outside
    uint32_t first = top < h ? top : 0;
    const int8_t *row = (const int8_t *)ar_row(in, first), *end = (const int8_t *)in->base + in->rows * in->stride;
    for (uint32_t ky = 0; ky < 3; ky++) {
        j->rows[ky] = top + ky < h ? row : NULL;
        if (top + ky < h) {
            row += in->stride;
            row = row < end ? row : (const int8_t *)in->base;
        }
    }
    j->out = (int8_t *)ar_row(out, y);
    j->y = y;
}

// A block of channels, all rows asked for, of one batch.
static __attribute__((noinline)) void block(job_t *j, const ar_plane_t *in, const ar_plane_t *out, const ar_channel_t *channels) {
    ar_depthwise3_block_t b;
    b.ready = false;
    b.channels = channels;
    for (uint32_t y = j->run->y0; y < j->y1; y++) {
        if (y != j->y) {
            find_row(j, in, out, y);
        }
        if (j->strip < j->k.out_w) {
            strips(j, &b, j->rows, j->out);
        } else {
            ar_depthwise3_s8(&j->k, &b, j->rows, j->out);
        }
    }
}

// ---- without channels that are the zero point everywhere -------------------------------------------------------------

// Four channels at all positions.
static void fill(int8_t *to, uint32_t positions, uint32_t step, const int8_t four[4]) {
    uint32_t word;
    memcpy(&word, four, sizeof(word));
    for (; positions > 0; positions--, to += step) {
        memcpy(__builtin_assume_aligned(to, sizeof(word)), &word, sizeof(word));
    }
}

// Constants where at least one of four channels is not listed; what else is written there is written once more later.
static __attribute__((noinline)) void fill_dead(const job_t *j, const uint16_t *list, const uint16_t *end, int8_t *out) {
    uint32_t positions = (uint32_t)j->w->out_w * j->w->rows.out_h;
    for (uint32_t c = 0; c < j->k.n_channels; c += 4) {
        uint32_t dead = 0;
        int8_t four[4] = { 0, 0, 0, 0 };
        for (uint32_t i = 0; i < 4; i++) {
            if (list < end && *list == c + i) {
                list++;
            } else {
                four[i] = ar_quant_constant(j->factors.q, c + i, j->k.bias ? j->k.bias[c + i] : 0);
                dead++;
            }
        }
        if (dead) {
            fill(out + c, positions, j->k.n_channels, four);
        }
    }
}

// What a job says of all channels.
typedef struct {
    uint32_t n;
    const int8_t *weights;
    const int32_t *bias;
    const uint8_t *scales;
} all_t;

// Four channels wherever they are, as if there were no others.
static __attribute__((noinline)) void four_live(job_t *j, const all_t *all, const int8_t *x, const uint16_t list[4],
    int8_t *before, int8_t *after, int8_t *out) {
    uint32_t n = all->n, positions = (uint32_t)j->w->in_w * j->w->rows.in_h;
    int8_t weights[9 * 4];
    int32_t bias[4];
    uint32_t scales[4];
    ar_channel_t channels[4];
    const int8_t *a = x + list[0], *b = x + list[1], *c = x + list[2], *d = x + list[3];
    for (int8_t *to = before, *end = to + 4 * positions; to < end; to += 4, a += n, b += n, c += n, d += n) {
        int8_t second = *b, third = *c, fourth = *d;
        to[0] = *a;
        to[1] = second;
        to[2] = third;
        to[3] = fourth;
    }
    for (uint32_t i = 0; i < 9; i++) {
        ar_live_gather(all->weights + i * n, list, 4, weights + 4 * i);
    }
    for (uint32_t i = 0; i < 4; i++) {
        bias[i] = all->bias ? all->bias[list[i]] : 0;
        scales[i] = all->scales ? ar_u32(all->scales + 4 * list[i]) : 0;
    }
    j->factors.scales = all->scales ? (const uint8_t *)scales : NULL;
    block_factors(j, 0, 4, channels);
    j->k.weights = weights;
    j->k.bias = bias;
    ar_plane_t in = { (uint8_t *)before, 4u * j->w->in_w, j->w->rows.in_h, j->w->rows.in_h };
    ar_plane_t to = { (uint8_t *)after, 4u * j->w->out_w, j->w->rows.out_h, j->w->rows.out_h };
    block(j, &in, &to, channels);
    positions = (uint32_t)j->w->out_w * j->w->rows.out_h;
    int8_t *w0 = out + list[0], *w1 = out + list[1], *w2 = out + list[2], *w3 = out + list[3];
    for (int8_t *end = after + 4 * positions; after < end; after += 4, w0 += n, w1 += n, w2 += n, w3 += n) {
        *w0 = after[0];
        *w1 = after[1];
        *w2 = after[2];
        *w3 = after[3];
    }
}

// A whole plane so, if that is worth it.
static AR_SMALL bool live_blocks(job_t *j, const ar_plane_t *in, const ar_plane_t *out) {
    const ar_window_t *w = j->w;
    uint32_t live = live_bytes(w), all = ar_depthwise3_scratch(w->out_w, w->stride_w), n = j->k.n_channels;
    uint32_t before = (uint32_t)w->in_w * w->rows.in_h, after = (uint32_t)w->out_w * w->rows.out_h;
    if (live == 0 || j->k.bytes < all + live || j->run->y0 > 0 || j->run->y1 < w->rows.out_h || in->rows != in->h || out->rows != out->h) {
        return false;
    }
    int8_t *four = (int8_t *)j->k.scratch + all;
    uint16_t *list = (uint16_t *)(void *)(four + 4 * (before + after));
    uint32_t count = ar_live((const int8_t *)in->base, before, n, (int8_t)-j->k.offset, list);
    if (count * 4 >= n * 3) {
        return false;
    }
    fill_dead(j, list, list + count, (int8_t *)out->base);
    for (; count > 0 && count % 4; count++) { // once more what comes last
        list[count] = list[count - 1];
    }
    const all_t whole = { n, j->k.weights, j->k.bias, j->factors.scales };
    j->k.n_channels = 4;
    for (uint32_t k = 0; k < count; k += 4) {
        four_live(j, &whole, (const int8_t *)in->base, list + k, four, four + 4 * before, (int8_t *)out->base);
    }
    j->k.n_channels = n; // for the next batch
    j->k.weights = whole.weights;
    j->k.bias = whole.bias;
    j->factors.scales = whole.scales;
    return true;
}

// ---- all channels ----------------------------------------------------------------------------------------------------

// Channels whose factors are derived at a time.
#define SOME (32)

// A frame of its own: what is live is looked for without these factors on the stack.
static __attribute__((noinline)) void some_blocks(job_t *j, const ar_plane_t *in, const ar_plane_t *out) {
    ar_channel_t channels[SOME];
    uint32_t n = j->k.n_channels;
    for (uint32_t c = 0, some; c < n; c += some) {
        // The last block may begin in the one before, and compute some channels once more.
        c = c + AR_DEPTHWISE_BLOCK <= n ? c : n - AR_DEPTHWISE_BLOCK;
        some = n - c < SOME ? n - c : SOME;
        block_factors(j, c, some, channels);
        for (uint32_t k = 0; k < some; k += AR_DEPTHWISE_BLOCK) {
            block(j, in, out, channels + (k + AR_DEPTHWISE_BLOCK <= some ? k : some - AR_DEPTHWISE_BLOCK));
        }
    }
}

static void blocks(job_t *j, const ar_plane_t *in, const ar_plane_t *out) {
    j->strip = ar_depthwise3_outputs(j->k.bytes, j->k.stride);
    j->y = UINT32_MAX;
    if (j->strip >= j->k.out_w) {
        ar_depthwise3_begin(&j->k);
        if (live_blocks(j, in, out)) {
            return;
        }
    }
    some_blocks(j, in, out);
}

#endif

ar_status_t ar_depthwise3(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_depthwise_conv_t *d = ar_params(rec);
    const ar_window_t *w = &d->w;
    job_t j; // not all of it is needed, and zeros take their time
    j.run = run;
    j.w = w;
    j.product.weights = ar_in(rec, WEIGHTS);
    j.product.bias = ar_bias(rec);
    j.product.n = 9;
    j.product.start = 0;
    ar_quant_begin(&j.factors, &d->q, w->out_c);
    ar_quant_product(&d->q, &j.product);
    j.plain = j.product.plain;
    j.y1 = run->y1 < w->rows.out_h ? run->y1 : w->rows.out_h;
    j.k = (ar_depthwise3_t) {
        .weights = j.product.weights, .bias = j.product.bias, .n_channels = w->out_c, .in_w = w->in_w, .out_w = w->out_w,
        .stride = w->stride_w, .pad_left = (uint32_t)w->pad_left, .offset = ar_quant_offset(&d->q), .out_zero = d->q.out_zero,
        .low = d->q.low, .high = d->q.high, .scratch = ar_scratch_of(rec), .bytes = ar_rows_scratch(&w->rows),
    };
    for (uint32_t batch = 0; batch < ar_batches(w); batch++) {
        ar_plane_t in = ar_in_plane(w, ar_in(rec, INPUT), batch, 1);
        ar_plane_t out = ar_out_plane(w, ar_out(rec, 0), batch, 1);
        blocks(&j, &in, &out);
    }
    return AR_OK;
}
