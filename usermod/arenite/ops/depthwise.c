// DEPTHWISE_CONV_2D: float32 (weights float32 or int8), int8 (weights int8 or int4) and int16 with int8 weights; these per
// tensor or per channel.
//
// Channel oc of the output sees channel oc / multiplier of the input. A block of channels is summed at a time, tap after
// tap, so that the inner loop runs along the channels, as activations and weights lie in memory.

#include <string.h>

#include "ops/conv.h"
#include "ops/depthwise.h"

enum { WEIGHTS = 1 };

static const uint8_t *weights_of(const ar_depthwise_conv_t *d, const ar_rec_t *rec) {
    if (ar_quant_is_int4(&d->q)) {
        return (const uint8_t *)((const ar_factor_t *)ar_scratch_of(rec) + d->w.out_c);
    }
    return ar_in(rec, WEIGHTS);
}

// One tap, output channels from oc on. Where each input channel has several, they come in runs of one activation.
static void tap(const ar_depthwise_conv_t *d, const uint8_t *x, const uint8_t *weights, uint32_t oc, uint32_t n, ar_sums_t *sums) {
    const ar_mac_t *mac = ar_mac_of(&d->q);
    int32_t offset = mac->size == 1 ? ar_quant_offset(&d->q) : 0;
    uint32_t multiplier = d->q.own;
    if (multiplier == 1) {
        mac->depthwise(sums, x + oc * mac->size, 1, offset, weights, n);
        return;
    }
    uint32_t channel = oc / multiplier, left = multiplier - oc % multiplier;
    for (uint32_t i = 0, run; i < n; i += run, channel++, left = multiplier) {
        run = left < n - i ? left : n - i;
        mac->depthwise((uint8_t *)sums + i * mac->sum_size, x + channel * mac->size, 0, offset, weights + i * mac->weight_size, run);
    }
}

static void accumulate(const ar_depthwise_conv_t *d, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, uint32_t oc,
    uint32_t n, ar_sums_t *sums) {
    const ar_window_t *w = &d->w;
    const ar_mac_t *mac = ar_mac_of(&d->q);
    const uint8_t *weights = weights_of(d, rec);
    for (int32_t ky = at->y0; ky < at->y1; ky++) {
        const uint8_t *row = ar_row(in, (uint32_t)(at->top + ky * ar_dilation_h(w)));
        for (int32_t kx = at->x0; kx < at->x1; kx++) {
            const uint8_t *x = row + (uint32_t)((at->left + kx * ar_dilation_w(w)) * w->in_c) * mac->size;
            uint32_t at_weights = (uint32_t)(ky * w->kernel_w + kx) * w->out_c + oc;
            tap(d, x, weights + at_weights * mac->weight_size, oc, n, sums);
        }
    }
}

static void position(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *out) {
    const ar_depthwise_conv_t *d = params;
    const ar_mac_t *mac = ar_mac_of(&d->q);
    const ar_factor_t *factors = ar_scratch_of(rec);
    for (uint32_t oc = 0, n; oc < d->w.out_c; oc += n) {
        n = d->w.out_c - oc < AR_SUMS ? d->w.out_c - oc : AR_SUMS;
        ar_sums_t sums;
        memset(&sums, 0, n * mac->sum_size);
        accumulate(d, rec, in, at, oc, n, &sums);
        mac->finish(&d->q, &sums, ar_bias(rec), factors ? factors + oc : NULL, oc, n, out);
    }
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_depthwise_conv_t *d = ar_params(rec);
    const ar_window_t *w = &d->w;
    const ar_mac_t *mac = ar_mac_of(&d->q);
    ar_weights_ready(rec, &d->q, mac, w->out_c, ar_quant_is_int4(&d->q) ? (uint32_t)ar_kernel_h(w) * w->kernel_w * w->out_c : 0);
    return ar_each_position(run, rec, w, mac->size, position);
}

static ar_status_t shape(ar_prep_t *p, ar_depthwise_conv_t *d, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out) {
    ar_status_t status = ar_expect_images(p, in, weights);
    if (status != AR_OK) {
        return status;
    }
    int32_t in_c = in->dim[3], out_c = out->dim[3];
    if (in_c < 1 || out_c % in_c != 0 || weights->dim[0] != 1 || weights->dim[3] != out_c) {
        return ar_weights_misfit(p, weights->dim[0], weights->dim[3], in, out);
    }
    d->q.own = (uint16_t)(out_c / in_c);
    int32_t said = ar_option_int(p, DEPTHWISE_DEPTH_MULTIPLIER, 0);
    if (said != d->q.own && said != 0) {
        return ar_refuse(p, "depth multiplier %d, but %d %I%A%d %O channels", (int)said, (int)in_c, (int)out_c);
    }
    const int32_t kernel[2] = { weights->dim[1], weights->dim[2] };
    const int32_t stride[2] = { ar_option_int(p, DEPTHWISE_STRIDE_H, 0), ar_option_int(p, DEPTHWISE_STRIDE_W, 0) };
    const int32_t dilation[2] = { ar_option_int(p, DEPTHWISE_DILATION_H, 1), ar_option_int(p, DEPTHWISE_DILATION_W, 1) };
    return ar_window(p, &d->w, in, out, ar_option_byte(p, DEPTHWISE_PADDING, PADDING_SAME), kernel, stride, dilation);
}

// One input channel: the product of a convolution, its weights being turned round for it.
static ar_status_t as_product(ar_prep_t *p, const ar_depthwise_conv_t *d) {
    ar_conv_t *c = ar_record(p, ar_conv_s8, sizeof(*c));
    if (!c) {
        return AR_NO_MEMORY;
    }
    *c = (ar_conv_t) { .w = d->w, .q = d->q };
    c->w.rows.own = AR_CONV_TRANSPOSED;
    c->q.own = 1; // ar_conv_group_in
    ar_conv_s8_scratch(p, c, NULL);
    if (AR_HAS_PAIRS && ar_one_channel_fits(c)) {
        p->rec->eval = ar_one_channel;
        ar_one_channel_ask(p, c);
    }
    ar_window_by_rows(p, &c->w);
    return AR_OK;
}

ar_status_t ar_prepare_depthwise_conv_2d(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_tensor_t weights;
    ar_depthwise_conv_t d;
    memset(&d, 0, sizeof(d));
    ar_get_input(p, WEIGHTS, &weights);
    ar_status_t status = ar_quant_mac(p, in, &weights, out, &d.q);
    if (status == AR_OK) {
        status = shape(p, &d, in, &weights, out);
    }
    if (status == AR_OK) {
        status = ar_quant(p, &d.q, in, &weights, out, ar_option_byte(p, DEPTHWISE_ACTIVATION, ACTIVATION_NONE), d.w.out_c);
    }
    if (status != AR_OK) {
        return status;
    }
    if (ar_quant_is_s8(&d.q) && d.w.in_c == 1 && !ar_quant_is_int4(&d.q)) {
        return AR_HAS_DEPTHWISE_ONE ? as_product(p, &d) : ar_left_out(p, "one input channel");
    }
    bool fits = ar_depthwise3_fits(&d);
    if (!AR_HAS_DEPTHWISE_ANY && !fits) {
        return ar_left_out(p, "this kind of kernel");
    }
    ar_depthwise_conv_t *rec = ar_record(p, !AR_HAS_DEPTHWISE_ANY || fits ? ar_depthwise3 : eval, sizeof(d));
    if (!rec) {
        return AR_NO_MEMORY;
    }
    *rec = d;
    if (!AR_HAS_DEPTHWISE_ANY || fits) {
        ar_depthwise3_ask(p, rec);
    } else {
        ar_weights_scratch(p, &weights, d.w.out_c);
    }
    ar_window_by_rows(p, &d.w);
    return AR_OK;
}
