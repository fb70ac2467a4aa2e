// CONV_2D of int8 in little scratch, on cores without dual multiply-adds: a row of positions at a time, of which the weights of four
// channels are packed once and meet the activations where they lie; those of all rows of the kernel at once, or row by row with sums
// in between.

#include "ops/conv.h"

#if AR_TIER_THUMB

#include "kernels/packed.h"

enum { INPUT = 0, WEIGHTS = 1 };

// Bytes that are not too many: for all rows of the kernel, and at all.
#define MODEST (1280)
#define MOST (2048)

// Positions of a row that make up for packing: more than those of narrow rows (ops/conv_s8.c), which are read before outputs are
// written, as these are not. And channels on the stack at a time.
#define WORTH (AR_THUMB_FULL ? 12 : 7)
#define SOME (16)

static uint32_t all_bytes(const ar_conv_t *c) {
    return ar_packed_bytes(c->w.in_c, c->w.kernel_w, ar_kernel_h(&c->w));
}

static uint32_t by_row_bytes(const ar_conv_t *c) {
    return ar_packed_bytes(c->w.in_c, c->w.kernel_w, 1) + c->w.out_w * (uint32_t)AR_PACKED_SUMS;
}

uint32_t ar_little_least(const ar_conv_t *c) {
    uint32_t all = all_bytes(c), by_row = by_row_bytes(c);
    return all <= MODEST || all < by_row ? all : by_row;
}

// Where patches are stretches of the input, a row of them takes few bytes, and then fewer instructions.
static bool has_better(const ar_conv_t *c) {
    return ar_conv_is(c, AR_CONV_DIRECT) && ar_product_shared(ar_conv_filter(c), c->w.out_w) != 0;
}

bool ar_little_fits(const ar_conv_t *c) {
    const ar_window_t *w = &c->w;
    const ar_quant_t *q = &c->q;
    bool small = w->in_c <= AR_PACKED_DEPTH && w->kernel_w <= AR_PACKED_TAPS && ar_little_least(c) <= MOST;
    bool stretches = ar_dilation_w(w) == 1 && ar_conv_group_in(c) == w->in_c && w->in_c % 2 == 0;
    bool known = !ar_quant_is_int4(q) && !ar_conv_is(c, AR_CONV_TRANSPOSED) && ar_quant_plain(q, ar_conv_filter(c));
    return small && stretches && known && w->out_w >= WORTH && q->low == -128 && q->high == 127 && !has_better(c);
}

// The operator as it runs.
typedef struct {
    const ar_conv_t *c;
    ar_product_s8_t product;
    ar_packed_t packed;
    uint32_t *sums;                 // NULL: all rows of the kernel at once
    ar_factors_t factors;
    ar_plane_t in;
} job_t;

// A row of positions: its taps along the height, the positions whose windows are inside along the width, and its outputs.
typedef struct {
    ar_place_t at;
    uint32_t first, end;
    int8_t *out;
} row_t;

// Any weights and factors: one position after another.
static __attribute__((cold, noinline)) void slowly(const job_t *j, const row_t *row, const ar_channel_t *c) {
    const ar_window_t *w = &j->c->w;
    const ar_product_s8_t *p = &j->product;
    const int8_t *weights = ar_product_row(p, c);
    int8_t *out = row->out + c->channel;
    ar_place_t at = row->at;
    for (uint32_t x = 0; x < w->out_w; x++, out += p->out_step) {
        uint32_t sum = (uint32_t)ar_product_start(p, c->channel);
        ar_place_along(w, x, &at);
        for (int32_t ky = at.y0; ky < at.y1; ky++) {
            const int8_t *in = (const int8_t *)ar_row(&j->in, (uint32_t)(at.top + ky * ar_dilation_h(w)));
            const int8_t *from = weights + (ky * w->kernel_w + at.x0) * w->in_c, *end = from + (at.x1 - at.x0) * w->in_c;
            in += (at.left + at.x0) * w->in_c;
            while (from < end) {
                sum += (uint32_t)((*in++ + p->offset) * *from++);
            }
        }
        *out = (int8_t)ar_requantize_clamp((int32_t)sum, (ar_factor_t) { c->mult, c->shift }, p->out_zero, p->low, p->high);
    }
}

// All positions of a row, with what of the kernel is packed: rows from ky on.
static void positions(job_t *j, const row_t *row, int32_t ky, ar_packed_positions_t *to) {
    const ar_window_t *w = &j->c->w;
    uint32_t dilation = ar_dilation_h(w), place = ar_rows_place((uint32_t)row->at.top + (uint32_t)ky * dilation, j->in.rows);
    uint32_t to_wrap = (j->in.rows - place + dilation - 1) / dilation;
    const int8_t *from = (const int8_t *)j->in.base + place * j->in.stride;
    ar_place_t at;
    to->x_step = (uint32_t)w->stride_w * w->in_c;
    to->row_step = j->in.stride * dilation;
    to->turn = to_wrap < j->packed.rows ? j->packed.rows - to_wrap : 0;
    to->ring = j->in.rows * j->in.stride;
    for (uint32_t x = 0; x < w->out_w; x += to->count) {
        to->count = x >= row->first && x < row->end ? row->end - x : 1;
        ar_place_along(w, x, &at);
        to->x = from + (at.left + at.x0) * w->in_c;
        to->first = (uint32_t)at.x0;
        to->taps = (uint32_t)(at.x1 - at.x0);
        to->sums = j->sums ? j->sums + x * AR_PACKED_CHANNELS : NULL;
        ar_packed_product(&j->packed, &j->product, to, row->out + x * w->out_c);
    }
}

// Up to four channels.
static void some(job_t *j, const row_t *row, const ar_channel_t *c, uint32_t n) {
    bool bad = !j->product.plain || row->at.y1 <= row->at.y0;
    ar_packed_positions_t to;
    for (uint32_t i = 0; i < AR_PACKED_CHANNELS; i++) {
        j->packed.channels[i] = c + (i < n ? i : 0);
    }
    j->packed.rows = j->sums ? 1 : (uint32_t)(row->at.y1 - row->at.y0);
    for (int32_t ky = row->at.y0, end; ky < row->at.y1 && !bad; ky = end) {
        end = ky + (int32_t)j->packed.rows;
        ar_packed_weights(&j->packed, &j->product, (uint32_t)ky);
        to.begins = ky == row->at.y0;
        to.ends = end == row->at.y1;
        bad = j->packed.bad;
        if (!bad) {
            positions(j, row, ky, &to);
        }
    }
    for (uint32_t i = 0; bad && i < n; i++) {
        slowly(j, row, c + i);
    }
}

static void row_of(job_t *j, uint32_t y, int8_t *out) {
    const ar_window_t *w = &j->c->w;
    ar_product_s8_t *p = &j->product;
    int32_t beyond = w->in_w + w->pad_left - w->kernel_w;
    ar_channel_t list[SOME];
    row_t row;
    ar_place_row(w, y, &row.at);
    row.first = (w->pad_left + w->stride_w - 1u) / w->stride_w;
    row.end = beyond >= 0 ? (uint32_t)beyond / w->stride_w + 1 : 0;
    row.out = out;
    for (uint32_t k = 0, n; k < w->out_c; k += n) {
        n = w->out_c - k < SOME ? w->out_c - k : SOME;
        p->plain = true;
        uint32_t live = ar_quant_some(&j->factors, p, k, n, ar_conv_is(j->c, AR_CONV_DEAD), list);
        for (uint32_t i = 0; i < live; i += AR_PACKED_CHANNELS) {
            some(j, &row, list + i, live - i < AR_PACKED_CHANNELS ? live - i : AR_PACKED_CHANNELS);
        }
        for (const ar_channel_t *c = list + live; c < list + n; c++) {
            for (uint32_t x = 0; x < w->out_w; x++) {
                out[x * w->out_c + c->channel] = (int8_t)c->mult;
            }
        }
    }
}

ar_status_t ar_little(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_conv_t *c = ar_params(rec);
    const ar_window_t *w = &c->w;
    uint32_t y1 = run->y1 < w->rows.out_h ? run->y1 : w->rows.out_h, all = all_bytes(c);
    job_t j; // not all of it is needed
    ar_product_s8_t *p = &j.product;
    j.c = c;
    j.packed.w = ar_scratch_of(rec);
    j.packed.depth = w->in_c;
    j.packed.taps = w->kernel_w;
    j.sums = ar_rows_scratch(&w->rows) < all ? j.packed.w + ar_packed_bytes(w->in_c, w->kernel_w, 1) / sizeof(uint32_t) : NULL;
    p->weights = ar_in(rec, WEIGHTS);
    p->bias = ar_bias(rec);
    p->n = ar_conv_filter(c);
    p->out_step = w->out_c;
    p->start = 0;
    p->one_factor = p->gathered = false;
    ar_quant_product(&c->q, p);
    ar_quant_begin(&j.factors, &c->q, w->out_c);
    for (uint32_t batch = 0; batch < ar_batches(w); batch++) {
        ar_plane_t out = ar_out_plane(w, ar_out(rec, 0), batch, 1);
        j.in = ar_in_plane(w, ar_in(rec, INPUT), batch, 1);
        for (uint32_t y = run->y0; y < y1; y++) {
            row_of(&j, y, (int8_t *)ar_row(&out, y));
        }
    }
    return AR_OK;
}

#endif // AR_TIER_THUMB
