// CONV_2D of int8 whose kernel has three taps a row, in little scratch: four positions at a time, whose columns are widened for all rows
// of the kernel at once, or row by row with sums in between.

#include "ops/conv.h"

#if AR_TIER_DSP

#include "kernels/columns.h"

enum { INPUT = 0, WEIGHTS = 1 };

// Bytes that are not too many, where a way of fewer is slower; and channels on the stack, or with sums, at a time.
#define MODEST (1792)
#define SOME (32)

// What the scratch holds. Sums: none where there are columns for all rows of the kernel.
typedef struct {
    bool table;                 // of the channels
    bool sums;
} way_t;

// From the quickest to the one of fewest bytes.
static const way_t ways[] = { { true, false }, { false, false }, { true, true }, { false, true } };
#define WAYS (4)

static uint32_t some_of(const ar_conv_t *c) {
    return c->w.out_c < SOME ? c->w.out_c : SOME;
}

static uint32_t bytes_of(const ar_conv_t *c, way_t way) {
    uint32_t columns = ar_columns_bytes(c->w.stride_w, c->w.in_c) * (way.sums ? 1 : ar_kernel_h(&c->w));
    uint32_t sums = way.sums ? some_of(c) * AR_COLUMNS_POSITIONS * (uint32_t)sizeof(int32_t) : 0;
    return columns + sums + (way.table ? c->w.out_c * (uint32_t)sizeof(ar_channel_t) : 0);
}

// The quickest way in so many bytes, or the one of fewest.
static way_t way_in(const ar_conv_t *c, uint32_t bytes) {
    uint32_t i = 0;
    while (i < WAYS - 1 && bytes_of(c, ways[i]) > bytes) {
        i++;
    }
    return ways[i];
}

// Not where many of the last four positions would be none.
bool ar_little_fits(const ar_conv_t *c) {
    const ar_window_t *w = &c->w;
    return w->kernel_w == AR_COLUMNS_TAPS && ar_dilation_w(w) == 1 && w->stride_w <= 2 && w->in_c % 4 == 0
        && ar_conv_group_in(c) == w->in_c && !ar_quant_is_int4(&c->q) && w->out_w > 6 && w->out_w != 9;
}

uint32_t ar_little_least(const ar_conv_t *c) {
    return bytes_of(c, way_in(c, MODEST));
}

// The operator as it runs.
typedef struct {
    const ar_conv_t *c;
    ar_product_s8_t product;
    ar_columns_t columns;
    way_t way;
    ar_channel_t *table;
    uint32_t live;                  // of those in the table: the others are constants
    ar_factors_t factors;           // where there is none
    bool plain;
    ar_plane_t in;
} job_t;

// Four positions of a row, from x on, of which `count` are there.
typedef struct {
    ar_place_t at;
    uint32_t x, count;
    int8_t *out;
} block_t;

static void fill_constants(const job_t *j, const ar_channel_t *c, uint32_t n, const block_t *b) {
    for (const ar_channel_t *end = c + n; c < end; c++) {
        for (uint32_t k = 0; k < b->count; k++) {
            b->out[k * j->product.out_step + c->channel] = (int8_t)c->mult;
        }
    }
}

// The columns of a row of the kernel, which may be outside if it is the only one.
static void put_row(const job_t *j, const block_t *b, int32_t ky) {
    const ar_window_t *w = &j->c->w;
    int32_t left = (int32_t)(b->x * w->stride_w) - w->pad_left, beyond = ky < b->at.y1 ? w->in_w - left : 0;
    uint32_t y = ky < b->at.y1 ? (uint32_t)(b->at.top + ky * ar_dilation_h(w)) : 0;
    ar_columns_put(&j->product, &j->columns, j->way.sums ? 0 : (uint32_t)(ky - b->at.y0), (const int8_t *)ar_row(&j->in, y) + left * w->in_c,
        (uint32_t)(left < 0 ? -left : 0), (uint32_t)(beyond < 0 ? 0 : beyond));
}

// The channels listed. put: columns are not there yet.
static void channels(job_t *j, const block_t *b, bool put) {
    ar_columns_t *c = &j->columns;
    int32_t y0 = b->at.y0, y1 = b->at.y1 > y0 ? b->at.y1 : y0 + 1;
    c->rows = j->way.sums ? 1 : (uint32_t)(y1 - y0);
    for (int32_t ky = y0, end; ky < y1; ky = end) {
        end = ky + (int32_t)c->rows;
        for (int32_t row = ky; (put || j->way.sums) && row < end; row++) {
            put_row(j, b, row);
        }
        c->first = (uint32_t)ky;
        c->begins = ky == y0;
        c->ends = end == y1;
        ar_columns_product(&j->product, c, b->count, b->out);
    }
}

static void with_table(job_t *j, const block_t *b) {
    for (uint32_t k = 0, n; k < j->live; k += n) {
        n = j->way.sums && j->live - k > SOME ? SOME : j->live - k;
        j->product.channels = j->table + k;
        j->product.n_channels = n;
        channels(j, b, k == 0);
    }
    fill_constants(j, j->table + j->live, j->c->w.out_c - j->live, b);
}

static __attribute__((noinline)) void without_table(job_t *j, const block_t *b) {
    ar_channel_t list[SOME];
    ar_product_s8_t *p = &j->product;
    p->channels = list;
    for (uint32_t k = 0, n; k < j->c->w.out_c; k += n) {
        n = j->c->w.out_c - k < SOME ? j->c->w.out_c - k : SOME;
        p->plain = j->plain;
        p->n_channels = ar_quant_some(&j->factors, p, k, n, ar_conv_is(j->c, AR_CONV_DEAD), list);
        channels(j, b, k == 0);
        fill_constants(j, list + p->n_channels, n - p->n_channels, b);
    }
}

static void row_of(job_t *j, uint32_t y, int8_t *out) {
    const ar_window_t *w = &j->c->w;
    block_t b;
    ar_place_row(w, y, &b.at);
    if (b.at.y1 == b.at.y0) { // all outside
        b.at.y0 = b.at.y1 = 0;
    }
    for (b.x = 0; b.x < w->out_w; b.x += AR_COLUMNS_POSITIONS) {
        b.count = w->out_w - b.x < AR_COLUMNS_POSITIONS ? w->out_w - b.x : AR_COLUMNS_POSITIONS;
        b.out = out + b.x * w->out_c;
        if (j->way.table) {
            with_table(j, &b);
        } else {
            without_table(j, &b);
        }
    }
}

// Where there is a table, it comes first.
static void begin(job_t *j, const ar_rec_t *rec) {
    const ar_conv_t *c = j->c;
    ar_product_s8_t *p = &j->product;
    uint8_t *at = ar_scratch_of(rec);
    p->weights = ar_in(rec, WEIGHTS);
    p->bias = ar_bias(rec);
    p->n = ar_conv_filter(c);
    p->out_step = c->w.out_c;
    p->start = 0;
    p->one_factor = p->gathered = false;
    ar_quant_product(&c->q, p);
    j->plain = p->plain;
    j->table = (ar_channel_t *)(void *)at;
    if (j->way.table) {
        j->live = ar_quant_channels(&c->q, p, 0, c->w.out_c, ar_conv_is(c, AR_CONV_DEAD), j->table);
        at += c->w.out_c * sizeof(ar_channel_t);
    } else {
        ar_quant_begin(&j->factors, &c->q, c->w.out_c);
    }
    j->columns.sums = j->way.sums ? (int32_t *)(void *)at : NULL;
    at += j->way.sums ? some_of(c) * AR_COLUMNS_POSITIONS * sizeof(int32_t) : 0;
    j->columns.x = (uint32_t *)(void *)at;
    j->columns.depth = c->w.in_c;
    j->columns.stride = c->w.stride_w;
}

ar_status_t ar_little(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_conv_t *c = ar_params(rec);
    const ar_window_t *w = &c->w;
    uint32_t y1 = run->y1 < w->rows.out_h ? run->y1 : w->rows.out_h;
    job_t j; // not all of it is needed
    j.c = c;
    j.way = way_in(c, ar_rows_scratch(&w->rows));
    begin(&j, rec);
    for (uint32_t batch = 0; batch < ar_batches(w); batch++) {
        ar_plane_t out = ar_out_plane(w, ar_out(rec, 0), batch, 1);
        j.in = ar_in_plane(w, ar_in(rec, INPUT), batch, 1);
        j.columns.x_begin = (const int8_t *)j.in.base;
        j.product.x_end = (const int8_t *)j.in.base + j.in.rows * j.in.stride;
        for (uint32_t y = run->y0; y < y1; y++) {
            row_of(&j, y, (int8_t *)ar_row(&out, y));
        }
    }
    return AR_OK;
}

#endif // AR_TIER_DSP
