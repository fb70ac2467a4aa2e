// DEPTHWISE_CONV_2D of int8 with a 3x3 kernel and one output channel an input channel: a block of channels at a time, for
// all rows, since what a block needs is set up once.

#include "ops/depthwise.h"

enum { INPUT = 0, WEIGHTS = 1 };

bool ar_depthwise3_fits(const ar_depthwise_conv_t *d) {
    const ar_window_t *w = &d->w;
    return d->mac->size == 1 && d->multiplier == 1 && w->kernel_h == 3 && w->kernel_w == 3
           && w->dilation_h == 1 && w->dilation_w == 1 && w->pad_left <= 1 && ar_depthwise3_can(w->out_c, w->stride_w) && !d->int4_count;
}

void ar_depthwise3_ask(ar_prep_t *p, const ar_depthwise_conv_t *d) {
    uint32_t channels = d->w.out_c * (uint32_t)sizeof(ar_channel_t), width = d->w.out_w, stride = d->w.stride_w;
    ar_scratch_between(p, channels + ar_depthwise3_scratch(width, stride), channels + ar_depthwise3_most(width, stride));
}

// ---- blocks ----------------------------------------------------------------------------------------------------------

#if AR_TIER_MVE

// Rows of output from y on, one or two of them at a time.
static uint32_t some_rows(const ar_depthwise3_t *k, const ar_window_t *w, const ar_plane_t *in, const ar_plane_t *out,
    const ar_depthwise3_block_t *b, uint32_t y, uint32_t y1) {
    const int8_t *rows[4] = { NULL, NULL, NULL, NULL };
    int32_t top = (int32_t)(y * w->rows.stride) - w->rows.before;
    uint32_t two = w->rows.stride == 1 && w->stride_w == 1 && y + 1 < y1;
    for (int32_t i = 0; i < 3 + (int32_t)two; i++) {
        if (top + i >= 0 && top + i < w->rows.in_h) {
            rows[i] = (const int8_t *)ar_row(in, (uint32_t)(top + i));
        }
    }
    ar_depthwise3_rows(k, b, rows, (int8_t *)ar_row(out, y), two ? (int8_t *)ar_row(out, y + 1) : NULL);
    return 1 + two;
}

static void blocks(const ar_depthwise3_t *k, const ar_window_t *w, const ar_plane_t *in, const ar_plane_t *out,
    const ar_run_t *run, const ar_channel_t *channels) {
    ar_depthwise3_block_t b;
    uint32_t y1 = run->y1 < w->rows.out_h ? run->y1 : w->rows.out_h;
    for (uint32_t c = 0, n; c < k->n_channels; c += n) {
        n = k->n_channels - c < AR_DEPTHWISE_BLOCK ? k->n_channels - c : AR_DEPTHWISE_BLOCK;
        ar_depthwise3_begin(k, &b, channels + c, n);
        for (uint32_t y = run->y0; y < y1; ) {
            y += some_rows(k, w, in, out, &b, y, y1);
        }
    }
}

#else

// The block of channels from `channels` on, all rows asked for, of one batch.
static void block(const ar_depthwise3_t *k, const ar_window_t *w, const ar_plane_t *in, const ar_plane_t *out,
    const ar_run_t *run, const ar_channel_t *channels) {
    ar_depthwise3_block_t b = { .ready = false, .channels = channels };
    uint32_t y1 = run->y1 < w->rows.out_h ? run->y1 : w->rows.out_h;
    for (uint32_t y = run->y0; y < y1; y++) {
        const int8_t *rows[3];
        uint32_t top = y * w->rows.stride + (uint32_t)-w->rows.before; // wraps where it lies outside
        for (uint32_t ky = 0; ky < 3; ky++) {
            rows[ky] = top + ky < w->rows.in_h ? (const int8_t *)ar_row(in, top + ky) : NULL;
        }
        ar_depthwise3_s8(k, &b, rows, (int8_t *)ar_row(out, y));
    }
}

static void blocks(const ar_depthwise3_t *k, const ar_window_t *w, const ar_plane_t *in, const ar_plane_t *out,
    const ar_run_t *run, const ar_channel_t *channels) {
    uint32_t n = k->n_channels;
    for (uint32_t c = 0; c < n; c += AR_DEPTHWISE_BLOCK) {
        // The last block may begin in the one before, and compute some channels once more.
        uint32_t first = c + AR_DEPTHWISE_BLOCK <= n ? c : n - AR_DEPTHWISE_BLOCK;
        block(k, w, in, out, run, channels + first);
    }
}

#endif

ar_status_t ar_depthwise3(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_depthwise_conv_t *d = ar_params(rec);
    const ar_window_t *w = &d->w;
    uint32_t n = w->out_c;
    ar_channel_t *channels = ar_scratch_of(rec);
    ar_product_s8_t product = { .weights = ar_in(rec, WEIGHTS), .bias = ar_bias(rec), .n = 9 };
    ar_quant_product(&d->q, &product);
    ar_quant_channels(&d->q, &product, 0, n, false, channels);
    ar_depthwise3_t k = {
        .weights = product.weights, .bias = product.bias, .n_channels = n, .in_w = w->in_w, .out_w = w->out_w,
        .stride = w->stride_w, .pad_left = (uint32_t)w->pad_left, .offset = product.offset, .out_zero = product.out_zero,
        .low = product.low, .high = product.high, .plain = product.plain, .scratch = channels + n,
        .bytes = w->rows.scratch - n * (uint32_t)sizeof(ar_channel_t),
    };
    for (uint32_t batch = 0; batch < w->batches; batch++) {
        ar_plane_t in = ar_in_plane(w, ar_in(rec, INPUT), batch, 1);
        ar_plane_t out = ar_out_plane(w, ar_out(rec, 0), batch, 1);
        blocks(&k, w, &in, &out, run, channels);
    }
    return AR_OK;
}
