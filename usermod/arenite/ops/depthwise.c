// DEPTHWISE_CONV_2D: int8 with weights quantized per tensor or per channel, and float32.
//
// Channel oc of the output sees channel oc / multiplier of the input. A block of channels is summed at a time, tap
// after tap, so that the inner loop runs along the channels, as activations and weights lie in memory.

#include "kernels/depthwise.h"
#include "ops/activation.h"
#include "ops/spatial.h"
#include "ops/weights.h"

enum { INPUT = 0, WEIGHTS = 1, BIAS = 2 };

#define BLOCK (16)

typedef struct {
    ar_window_t w;
    uint16_t multiplier;
    union {
        ar_quant_t q;
        struct {
            float low;
            float high;
        } f;
    };
} depthwise_t;

// Activations of n output channels from oc on; where each input channel has several, it is repeated.
static const int8_t *spread_s8(const depthwise_t *d, const int8_t *x, uint32_t oc, uint32_t n, int8_t *block) {
    if (d->multiplier == 1) {
        return x + oc;
    }
    for (uint32_t i = 0; i < n; i++) {
        block[i] = x[(oc + i) / d->multiplier];
    }
    return block;
}

static void block_s8(const depthwise_t *d, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, uint32_t oc,
    uint32_t n, int8_t *out) {
    const ar_window_t *w = &d->w;
    const ar_factor_t *factors = ar_scratch_of(rec);
    const int32_t *bias = rec->n_in > BIAS ? ar_in(rec, BIAS) : NULL;
    uint32_t acc[BLOCK];
    int8_t block[BLOCK];
    for (uint32_t i = 0; i < n; i++) {
        acc[i] = bias ? (uint32_t)bias[oc + i] : 0;
    }
    for (int32_t ky = at->y0; ky < at->y1; ky++) {
        const int8_t *row = (const int8_t *)ar_row(in, (uint32_t)(at->top + ky * w->dilation_h));
        const int8_t *weights = (const int8_t *)ar_in(rec, WEIGHTS) + ky * w->kernel_w * w->out_c + oc;
        for (int32_t kx = at->x0; kx < at->x1; kx++) {
            const int8_t *x = row + (at->left + kx * w->dilation_w) * w->in_c;
            ar_depthwise_s8(acc, spread_s8(d, x, oc, n, block), d->q.in_offset, weights + kx * w->out_c, n);
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        out[oc + i] = ar_quant_out(&d->q, acc[i], factors[oc + i]);
    }
}

static void position_s8(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *to) {
    const depthwise_t *d = params;
    for (uint32_t oc = 0; oc < d->w.out_c; oc += BLOCK) {
        uint32_t n = d->w.out_c - oc;
        block_s8(d, rec, in, at, oc, n < BLOCK ? n : BLOCK, to);
    }
}

static ar_status_t eval_s8(const ar_run_t *run, const ar_rec_t *rec) {
    const depthwise_t *d = ar_params(rec);
    ar_quant_factors(&d->q, 0, d->w.out_c, ar_scratch_of(rec));
    return ar_each_position(run, rec, 1, position_s8);
}

static float sum_f32(const depthwise_t *d, const ar_plane_t *in, const ar_place_t *at, const float *weights, uint32_t oc) {
    const ar_window_t *w = &d->w;
    float acc = 0;
    for (int32_t ky = at->y0; ky < at->y1; ky++) {
        const float *row = (const float *)ar_row(in, (uint32_t)(at->top + ky * w->dilation_h));
        for (int32_t kx = at->x0; kx < at->x1; kx++) {
            float x = row[(at->left + kx * w->dilation_w) * w->in_c + (int32_t)(oc / d->multiplier)];
            acc += x * weights[(ky * w->kernel_w + kx) * w->out_c + (int32_t)oc];
        }
    }
    return acc;
}

static void position_f32(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *to) {
    const depthwise_t *d = params;
    const float *bias = rec->n_in > BIAS ? ar_in(rec, BIAS) : NULL;
    float *out = to;
    for (uint32_t oc = 0; oc < d->w.out_c; oc++) {
        float sum = sum_f32(d, in, at, ar_in(rec, WEIGHTS), oc) + (bias ? bias[oc] : 0);
        out[oc] = sum < d->f.low ? d->f.low : sum > d->f.high ? d->f.high : sum;
    }
}

static ar_status_t eval_f32(const ar_run_t *run, const ar_rec_t *rec) {
    return ar_each_position(run, rec, sizeof(float), position_f32);
}

static ar_status_t shape(ar_prep_t *p, depthwise_t *d, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out) {
    if (weights->rank != 4 || in->rank != 4 || out->rank != 4) {
        return ar_refuse(p, "input, weights and output must have 4 dimensions");
    }
    int32_t in_c = in->dim[3], out_c = out->dim[3];
    if (in_c < 1 || out_c % in_c != 0 || weights->dim[0] != 1 || weights->dim[3] != out_c) {
        return ar_refuse(p, "weights [%d, .., %d] do not fit %d input and %d output channels", (int)weights->dim[0],
            (int)weights->dim[3], (int)in_c, (int)out_c);
    }
    d->multiplier = (uint16_t)(out_c / in_c);
    int32_t said = ar_option_int(p, DEPTHWISE_DEPTH_MULTIPLIER, 0);
    if (said != d->multiplier && said != 0) {
        return ar_refuse(p, "depth multiplier %d, but %d input and %d output channels", (int)said, (int)in_c, (int)out_c);
    }
    const int32_t kernel[2] = { weights->dim[1], weights->dim[2] };
    const int32_t stride[2] = { ar_option_int(p, DEPTHWISE_STRIDE_H, 0), ar_option_int(p, DEPTHWISE_STRIDE_W, 0) };
    const int32_t dilation[2] = { ar_option_int(p, DEPTHWISE_DILATION_H, 1), ar_option_int(p, DEPTHWISE_DILATION_W, 1) };
    return ar_window(p, &d->w, in, out, ar_option_byte(p, DEPTHWISE_PADDING, PADDING_SAME), kernel, stride, dilation);
}

ar_status_t ar_prepare_depthwise_conv_2d(ar_prep_t *p) {
    ar_tensor_t in, weights, out;
    ar_status_t status = ar_expect_io(p, 2, 3, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, INPUT, &in);
    ar_get_input(p, WEIGHTS, &weights);
    ar_get_output(p, 0, &out);
    if ((in.type != AR_INT8 && in.type != AR_FLOAT32) || weights.type != in.type || out.type != in.type) {
        return ar_unsupported(p, "input %s, weights %s, output %s is not supported", ar_type_name(in.type),
            ar_type_name(weights.type), ar_type_name(out.type));
    }
    bool quantized = in.type == AR_INT8;
    depthwise_t *d = ar_record(p, quantized ? eval_s8 : eval_f32, sizeof(*d));
    if (!d) {
        return AR_NO_MEMORY;
    }
    status = shape(p, d, &in, &weights, &out);
    if (status == AR_OK) {
        status = ar_check_bias(p, quantized ? AR_INT32 : AR_FLOAT32, d->w.out_c);
    }
    int32_t activation = ar_option_byte(p, DEPTHWISE_ACTIVATION, ACTIVATION_NONE);
    if (status == AR_OK && quantized) {
        ar_scratch(p, d->w.out_c * (uint32_t)sizeof(ar_factor_t));
        status = ar_quant(p, &d->q, &in, &weights, &out, activation, d->w.out_c);
    } else if (status == AR_OK && !ar_activation_float(activation, &d->f.low, &d->f.high)) {
        status = ar_unsupported(p, "fused activation %d is not supported", (int)activation);
    }
    return status;
}
