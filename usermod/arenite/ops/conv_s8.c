// CONV_2D of int8 as a matrix product: the patch of each output position by the rows of weights. A 1x1 kernel finds its
// patches in the input; others are gathered, a few at a time, with the zero point for what lies outside.

#include <string.h>

#include "ops/conv.h"

enum { INPUT = 0, WEIGHTS = 1 };

// Bytes of scratch to spend on patches, and how many are worth having.
#define PATCH_BYTES (2048)
#define PATCHES_MAX (16)

// Each position's patch is a stretch of the input.
static bool is_direct(const ar_conv_t *c) {
    const ar_window_t *w = &c->w;
    return w->kernel_h == 1 && w->kernel_w == 1 && c->group_in == w->in_c && w->pad_top == 0 && w->pad_left == 0;
}

static uint32_t gathered(const ar_conv_t *c) {
    return is_direct(c) ? 0 : c->held * ((c->filter + 3) & ~3u);
}

void ar_conv_s8_scratch(ar_prep_t *p, ar_conv_t *c) {
    uint32_t positions = is_direct(c) ? (uint32_t)c->w.out_w * c->w.out_h : c->w.out_w;
    uint32_t held = PATCH_BYTES / (2 * c->filter);
    held = held > PATCHES_MAX ? PATCHES_MAX : held;
    held = held > positions ? positions + 1 : held;
    held &= ~1u;
    c->held = (uint16_t)(held < 2 ? 2 : held);
    uint32_t channels = c->w.out_c * (uint32_t)sizeof(ar_channel_t);
    uint32_t weights = c->transposed ? c->filter * c->w.out_c : c->int4_count;
    ar_scratch(p, channels + gathered(c) + ar_product_scratch(c->filter, c->held) + weights);
}

// The weights as the product takes them: the model's, or made of them in scratch.
static const int8_t *weights_of(const ar_conv_t *c, const ar_rec_t *rec, int8_t *scratch) {
    const int8_t *from = ar_in(rec, WEIGHTS);
    if (c->int4_count) {
        return ar_unpack_int4(ar_in(rec, WEIGHTS), c->int4_count, scratch);
    }
    for (uint32_t tap = 0; c->transposed && tap < c->filter; tap++) {
        for (uint32_t channel = 0; channel < c->w.out_c; channel++) {
            scratch[channel * c->filter + tap] = *from++;
        }
    }
    return c->transposed ? scratch : from;
}

// ---- patches ---------------------------------------------------------------------------------------------------------

static void copy_bytes(int8_t *to, const int8_t *from, uint32_t n) {
    #if __ARM_FEATURE_UNALIGNED
    for (; n >= 4; n -= 4, to += 4, from += 4) {
        uint32_t w;
        memcpy(&w, from, 4);
        memcpy(to, &w, 4);
    }
    #endif
    while (n-- > 0) {
        *to++ = *from++;
    }
}

// Taps of one row of a patch; what lies outside stays as it is.
static void gather_row(const ar_conv_t *c, const int8_t *row, const ar_place_t *at, uint32_t group, int8_t *to) {
    const ar_window_t *w = &c->w;
    uint32_t depth = c->group_in;
    if (w->dilation_w == 1 && depth == w->in_c) {
        copy_bytes(to + (uint32_t)at->x0 * depth, row + (at->left + at->x0) * (int32_t)depth, (uint32_t)(at->x1 - at->x0) * depth);
        return;
    }
    for (int32_t kx = at->x0; kx < at->x1; kx++) {
        copy_bytes(to + (uint32_t)kx * depth, row + (at->left + kx * w->dilation_w) * w->in_c + group * depth, depth);
    }
}

static void gather(const ar_conv_t *c, const ar_plane_t *in, const ar_place_t *at, uint32_t group, int8_t *to) {
    const ar_window_t *w = &c->w;
    uint32_t row_bytes = (uint32_t)w->kernel_w * c->group_in;
    if (at->y0 > 0 || at->x0 > 0 || at->y1 < w->kernel_h || at->x1 < w->kernel_w) {
        memset(to, -c->q.in_offset, c->filter);
    }
    for (int32_t ky = at->y0; ky < at->y1; ky++) {
        const int8_t *row = (const int8_t *)ar_row(in, (uint32_t)(at->top + ky * w->dilation_h));
        gather_row(c, row, at, group, to + (uint32_t)ky * row_bytes);
    }
}

// ---- rows of output --------------------------------------------------------------------------------------------------

// The operator as it runs, one group.
typedef struct {
    const ar_conv_t *c;
    ar_product_s8_t product;
    const ar_channel_t *constant;   // channels whose weights are all zero: mult is their output
    uint32_t n_constant;
    int8_t *patches;
    uint32_t group;
} job_t;

static void fill_constants(const job_t *j, uint32_t count, int8_t *out) {
    uint32_t step = j->product.out_step;
    for (uint32_t i = 0; i < j->n_constant; i++) {
        int8_t *to = out + j->constant[i].channel;
        int8_t value = (int8_t)j->constant[i].mult;
        for (uint32_t k = 0; k < count; k++, to += step) {
            *to = value;
        }
    }
}

static void product(const job_t *j, const int8_t *x, uint32_t count, int8_t *out) {
    ar_product_s8(&j->product, x, count, j->c->held, out);
    if (j->n_constant) {
        fill_constants(j, count, out);
    }
}

static void direct_rows(const job_t *j, const ar_plane_t *in, const ar_plane_t *out, uint32_t y0, uint32_t y1) {
    const ar_window_t *w = &j->c->w;
    if (w->stride_h == 1 && w->stride_w == 1 && in->rows == in->h && out->rows == out->h) {
        product(j, (const int8_t *)ar_row(in, y0), (y1 - y0) * w->out_w, (int8_t *)ar_row(out, y0));
        return;
    }
    for (uint32_t y = y0; y < y1; y++) {
        product(j, (const int8_t *)ar_row(in, y * w->stride_h), w->out_w, (int8_t *)ar_row(out, y));
    }
}

static void gathered_row(const job_t *j, const ar_plane_t *in, uint32_t y, int8_t *out) {
    const ar_window_t *w = &j->c->w;
    uint32_t held = j->c->held;
    for (uint32_t x = 0, n; x < w->out_w; x += n, out += n * w->out_c) {
        n = w->out_w - x < held ? w->out_w - x : held;
        for (uint32_t i = 0; i < n; i++) {
            ar_place_t at;
            ar_place(w, y, x + i, &at);
            gather(j->c, in, &at, j->group, j->patches + i * j->product.x_step);
        }
        product(j, j->patches, n, out);
    }
}

static void run_group(const job_t *j, const ar_run_t *run, const ar_rec_t *rec) {
    const ar_window_t *w = &j->c->w;
    uint32_t y1 = run->y1 < w->out_h ? run->y1 : w->out_h;
    for (uint32_t batch = 0; batch < w->batches; batch++) {
        ar_plane_t in = ar_in_plane(w, ar_in(rec, INPUT), batch, 1);
        ar_plane_t out = ar_out_plane(w, ar_out(rec, 0), batch, 1);
        if (!j->patches) {
            direct_rows(j, &in, &out, run->y0, y1);
            continue;
        }
        for (uint32_t y = run->y0; y < y1; y++) {
            gathered_row(j, &in, y, (int8_t *)ar_row(&out, y));
        }
    }
}

ar_status_t ar_conv_s8(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_conv_t *c = ar_params(rec);
    ar_channel_t *channels = ar_scratch_of(rec);
    int8_t *patches = (int8_t *)(channels + c->w.out_c), *wide = patches + gathered(c);
    bool direct = is_direct(c);
    job_t j = { .c = c, .patches = direct ? NULL : patches };
    j.product = (ar_product_s8_t) {
        .weights = weights_of(c, rec, wide + ar_product_scratch(c->filter, c->held)),
        .bias = ar_bias(rec), .n = c->filter, .x_step = direct ? (uint32_t)c->w.stride_w * c->w.in_c : (c->filter + 3) & ~3u,
        .out_step = c->w.out_c, .scratch = wide,
    };
    ar_quant_product(&c->q, &j.product);
    for (uint32_t first = 0; first < c->w.out_c; first += c->group_out, j.group++) {
        j.product.channels = channels;
        j.product.n_channels = ar_quant_channels(&c->q, &j.product, first, c->group_out, true, channels);
        j.constant = channels + j.product.n_channels;
        j.n_constant = c->group_out - j.product.n_channels;
        run_group(&j, run, rec);
    }
    return AR_OK;
}
