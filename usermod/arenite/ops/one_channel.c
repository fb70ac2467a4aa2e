// DEPTHWISE_CONV_2D of int8 with one input channel and a large kernel, on cores that have a product for it: two output channels
// at a time, so that no patches and few turned weights are held.

#include <string.h>

#include "ops/conv.h"

#if AR_TURNS

// Of a kernel, which is gathered on the stack where it is partly outside.
#define MOST_TAPS (128)
#define LEAST_TAPS (32)

bool ar_one_channel_fits(const ar_conv_t *c) {
    uint32_t taps = ar_conv_filter(c);
    return ar_dilation_w(&c->w) == 1 && ar_dilation_h(&c->w) == 1 && c->w.kernel_w == AR_TURNED_ROW
           && taps >= LEAST_TAPS && taps <= MOST_TAPS;
}

void ar_one_channel_ask(ar_prep_t *p, const ar_conv_t *c) {
    ar_scratch_between(p, ar_conv_filter(c) * (uint32_t)sizeof(uint32_t), p->scratch_most);
}

// A pair of channels, and the rows of input that a row of output sees.
typedef struct {
    const ar_conv_t *c;
    ar_product_s8_t product;
    ar_channel_t channels[2];
    ar_turned_rows_t rows;
} job_t;

// The bytes of a row that lie inside; at least a word, most often.
static inline void copy(int8_t *to, const int8_t *from, uint32_t n) {
    for (; n > 4; n -= 4, to += 4, from += 4) {
        memcpy(to, from, 4);
    }
    for (; n > 0; n--) {
        *to++ = *from++;
    }
}

// The same of rows at whose beginning, or else end, lie as many bytes as taps: some are shifted out.
static inline void copy_shifted(int8_t *to, const int8_t *from, uint32_t step, uint32_t n, bool begins, uint32_t bits, uint64_t zeros) {
    for (; n > 0; n--, from += step, to += AR_TURNED_ROW) {
        uint64_t taps;
        memcpy(&taps, from, sizeof(taps));
        taps = (begins ? taps << bits : taps >> bits) | zeros;
        memcpy(__builtin_assume_aligned(to, sizeof(uint32_t)), &taps, sizeof(taps));
    }
}

// The rows of a position partly beside the input, from left on: taps x0 to x1 are inside.
static void put_edge(const job_t *j, int32_t left, uint32_t x0, uint32_t x1, int8_t *to) {
    const uint32_t beyond = AR_TURNED_ROW - x1;
    const uint64_t zeros = (uint8_t)j->c->q.in_zero * 0x0101010101010101u;
    for (uint32_t i = 0, n; i < 2; i++, to += n * AR_TURNED_ROW) {
        const int8_t *from = j->rows.x[i];
        n = j->rows.n[i];
        if (j->c->w.in_w < AR_TURNED_ROW) {
            for (uint32_t k = 0; k < n; k++) {
                memcpy(to + k * AR_TURNED_ROW, &zeros, sizeof(zeros));
                copy(to + k * AR_TURNED_ROW + x0, from + k * j->rows.step + (left + (int32_t)x0), x1 - x0);
            }
        } else if (x0 > 0) {
            copy_shifted(to, from, j->rows.step, n, true, 8 * x0, zeros >> 8 * (AR_TURNED_ROW - x0));
        } else {
            copy_shifted(to, from + left - beyond, j->rows.step, n, false, 8 * beyond, zeros << 8 * x1);
        }
    }
}

static void edge(const job_t *j, int32_t left, uint32_t x0, uint32_t x1, int8_t *out) {
    uint32_t taps[MOST_TAPS / 4];
    const ar_turned_rows_t rows = {
        .x = { (const int8_t *)taps }, .n = { j->rows.n[0] + j->rows.n[1] }, .step = AR_TURNED_ROW, .first = j->rows.first,
        .sums = j->rows.sums,
    };
    put_edge(j, left, x0, x1, (int8_t *)taps);
    ar_product_turned(&j->product, j->channels, &rows, 0, 1, out);
}

// How many positions from x on, which is inside, are inside.
static uint32_t inside(const ar_window_t *w, uint32_t x, int32_t left) {
    uint32_t alike = (uint32_t)(w->in_w - AR_TURNED_ROW - left) / w->stride_w + 1, n = w->out_w - x;
    return alike < n ? alike : n;
}

static void find_rows(job_t *j, const ar_plane_t *in, uint32_t y) {
    const ar_window_t *w = &j->c->w;
    ar_place_t at;
    ar_place_row(w, y, &at);
    uint32_t rows = (uint32_t)(at.y1 - at.y0), place = ar_rows_place((uint32_t)(at.top + at.y0), in->rows);
    j->rows.first = (uint32_t)at.y0;
    j->rows.step = in->stride;
    j->rows.n[0] = in->rows - place < rows ? in->rows - place : rows;
    j->rows.n[1] = rows - j->rows.n[0];
    j->rows.x[0] = (const int8_t *)in->base + place * in->stride;
    j->rows.x[1] = (const int8_t *)in->base;
}

static void outputs(job_t *j, const ar_plane_t *in, uint32_t y, int8_t *out) {
    const ar_window_t *w = &j->c->w;
    find_rows(j, in, y);
    j->rows.sums = ar_product_turned_sums(&j->product, &j->rows);
    for (uint32_t x = 0, n; x < w->out_w; x += n, out += n * w->out_c) {
        int32_t left = (int32_t)(x * w->stride_w) - w->pad_left, x0, x1;
        ar_taps((int32_t)x, w->stride_w, w->pad_left, 1, AR_TURNED_ROW, w->in_w, &x0, &x1);
        n = 1;
        if (x1 - x0 < AR_TURNED_ROW) {
            edge(j, left, (uint32_t)x0, (uint32_t)x1, out);
            continue;
        }
        n = inside(w, x, left);
        ar_turned_rows_t rows = j->rows;
        rows.x[0] += left;
        rows.x[1] += left;
        ar_product_turned(&j->product, j->channels, &rows, w->stride_w, n, out);
    }
}

static __attribute__((noinline)) ar_status_t by_pairs(const ar_run_t *run, const ar_rec_t *rec, const ar_conv_t *c) {
    const ar_window_t *w = &c->w;
    uint32_t y1 = run->y1 < w->rows.out_h ? run->y1 : w->rows.out_h;
    ar_factors_t factors;
    job_t j = { .c = c, .product = {
        .weights = ar_in(rec, 1), .bias = ar_bias(rec), .rows = ar_kernel_h(w), .row = AR_TURNED_ROW, .n = ar_conv_filter(c),
        .out_step = w->out_c, .scratch = ar_scratch_of(rec),
    } };
    ar_quant_product(&c->q, &j.product);
    ar_quant_begin(&factors, &c->q, w->out_c);
    bool plain = j.product.plain;
    for (uint32_t k = 0; k < w->out_c; k += 2) {
        uint32_t n = w->out_c - k > 1 ? 2 : 1;
        j.product.plain = plain;
        ar_quant_some(&factors, &j.product, k, n, false, j.channels);
        j.channels[1] = j.channels[n - 1];
        ar_product_turn(&j.product, j.channels);
        for (uint32_t batch = 0; batch < ar_batches(w); batch++) {
            ar_plane_t in = ar_in_plane(w, ar_in(rec, 0), batch, 1), out = ar_out_plane(w, ar_out(rec, 0), batch, 1);
            for (uint32_t y = run->y0; y < y1; y++) {
                outputs(&j, &in, y, (int8_t *)ar_row(&out, y));
            }
        }
    }
    return AR_OK;
}

// Where there is room for patches and all weights, these are quicker.
ar_status_t ar_one_channel(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_conv_t *c = ar_params(rec);
    return ar_rows_scratch(&c->w.rows) < ar_conv_s8_least(c) ? by_pairs(run, rec, c) : ar_conv_s8(run, rec);
}

#endif // AR_TURNS
