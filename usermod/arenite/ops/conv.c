// CONV_2D: int8 with weights quantized per tensor or per channel, and float32. Groups as TensorFlow Lite has them:
// where the weights are shallower than the input, each group of output channels sees its own slice of the input.

#include "kernels/dot.h"
#include "ops/activation.h"
#include "ops/spatial.h"
#include "ops/weights.h"

enum { INPUT = 0, WEIGHTS = 1, BIAS = 2 };

typedef struct {
    ar_window_t w;
    uint16_t group_in;          // input channels of a group
    uint16_t group_out;         // output channels of a group
    union {
        ar_quant_t q;
        struct {
            float low;
            float high;
        } f;
    };
} conv_t;

// Taps of one row that lie side by side in memory as the weights do: all of them, or one where they are apart.
static int32_t run_of_taps(const conv_t *c, const ar_place_t *at) {
    return c->w.dilation_w == 1 && c->group_in == c->w.in_c ? at->x1 - at->x0 : 1;
}

static void accumulate_s8(const conv_t *c, const ar_plane_t *in, const ar_place_t *at, uint32_t group, const int8_t *weights,
    uint32_t rows, uint32_t *acc) {
    const ar_window_t *w = &c->w;
    uint32_t filter = (uint32_t)w->kernel_h * w->kernel_w * c->group_in;
    int32_t run = run_of_taps(c, at);
    for (int32_t ky = at->y0; ky < at->y1; ky++) {
        const int8_t *row = (const int8_t *)ar_row(in, (uint32_t)(at->top + ky * w->dilation_h));
        for (int32_t kx = at->x0; kx < at->x1; kx += run) {
            const int8_t *x = row + (at->left + kx * w->dilation_w) * w->in_c + group * c->group_in;
            ar_dot_s8(acc, rows, x, c->q.in_offset, weights + (ky * w->kernel_w + kx) * c->group_in, filter,
                (uint32_t)run * c->group_in);
        }
    }
}

static void position_s8(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *to) {
    const conv_t *c = params;
    const ar_window_t *w = &c->w;
    int8_t *out = to;
    const ar_factor_t *factors = ar_scratch_of(rec);
    const int32_t *bias = rec->n_in > BIAS ? ar_in(rec, BIAS) : NULL;
    uint32_t filter = (uint32_t)w->kernel_h * w->kernel_w * c->group_in;
    for (uint32_t first = 0; first < w->out_c; first += c->group_out) {
        uint32_t end = first + c->group_out;
        for (uint32_t oc = first, n; oc < end; oc += n) {
            n = end - oc < AR_DOT_ROWS ? end - oc : AR_DOT_ROWS;
            uint32_t acc[AR_DOT_ROWS] = { 0 };
            for (uint32_t i = 0; bias && i < n; i++) {
                acc[i] = (uint32_t)bias[oc + i];
            }
            accumulate_s8(c, in, at, first / c->group_out, (const int8_t *)ar_in(rec, WEIGHTS) + oc * filter, n, acc);
            for (uint32_t i = 0; i < n; i++) {
                out[oc + i] = ar_quant_out(&c->q, acc[i], factors[oc + i]);
            }
        }
    }
}

static ar_status_t eval_s8(const ar_run_t *run, const ar_rec_t *rec) {
    const conv_t *c = ar_params(rec);
    ar_quant_factors(&c->q, 0, c->w.out_c, ar_scratch_of(rec));
    return ar_each_position(run, rec, 1, position_s8);
}

static float sum_f32(const conv_t *c, const ar_plane_t *in, const ar_place_t *at, uint32_t group, const float *weights) {
    const ar_window_t *w = &c->w;
    float acc = 0;
    int32_t run = run_of_taps(c, at);
    for (int32_t ky = at->y0; ky < at->y1; ky++) {
        const float *row = (const float *)ar_row(in, (uint32_t)(at->top + ky * w->dilation_h));
        for (int32_t kx = at->x0; kx < at->x1; kx += run) {
            const float *x = row + (at->left + kx * w->dilation_w) * w->in_c + group * c->group_in;
            ar_dot_f32(&acc, 1, x, weights + (ky * w->kernel_w + kx) * c->group_in, 0, (uint32_t)run * c->group_in);
        }
    }
    return acc;
}

static void position_f32(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *to) {
    const conv_t *c = params;
    const float *bias = rec->n_in > BIAS ? ar_in(rec, BIAS) : NULL;
    uint32_t filter = (uint32_t)c->w.kernel_h * c->w.kernel_w * c->group_in;
    float *out = to;
    for (uint32_t oc = 0; oc < c->w.out_c; oc++) {
        const float *weights = (const float *)ar_in(rec, WEIGHTS) + oc * filter;
        float sum = sum_f32(c, in, at, oc / c->group_out, weights) + (bias ? bias[oc] : 0);
        out[oc] = sum < c->f.low ? c->f.low : sum > c->f.high ? c->f.high : sum;
    }
}

static ar_status_t eval_f32(const ar_run_t *run, const ar_rec_t *rec) {
    return ar_each_position(run, rec, sizeof(float), position_f32);
}

static ar_status_t shape(ar_prep_t *p, conv_t *c, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out) {
    if (weights->rank != 4 || in->rank != 4 || out->rank != 4) {
        return ar_refuse(p, "input, weights and output must have 4 dimensions");
    }
    int32_t depth = weights->dim[3];
    if (depth < 1 || in->dim[3] % depth != 0 || weights->dim[0] != out->dim[3]) {
        return ar_refuse(p, "weights [%d, .., %d] do not fit %d input and %d output channels", (int)weights->dim[0],
            (int)depth, (int)in->dim[3], (int)out->dim[3]);
    }
    int32_t groups = in->dim[3] / depth;
    if (groups < 1 || out->dim[3] % groups != 0) {
        return ar_refuse(p, "%d output channels do not divide into %d groups", (int)out->dim[3], (int)groups);
    }
    c->group_in = (uint16_t)depth;
    c->group_out = (uint16_t)(out->dim[3] / groups);
    const int32_t kernel[2] = { weights->dim[1], weights->dim[2] };
    const int32_t stride[2] = { ar_option_int(p, CONV_2D_STRIDE_H, 0), ar_option_int(p, CONV_2D_STRIDE_W, 0) };
    const int32_t dilation[2] = { ar_option_int(p, CONV_2D_DILATION_H, 1), ar_option_int(p, CONV_2D_DILATION_W, 1) };
    return ar_window(p, &c->w, in, out, ar_option_byte(p, CONV_2D_PADDING, PADDING_SAME), kernel, stride, dilation);
}

ar_status_t ar_prepare_conv_2d(ar_prep_t *p) {
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
    conv_t *c = ar_record(p, quantized ? eval_s8 : eval_f32, sizeof(*c));
    if (!c) {
        return AR_NO_MEMORY;
    }
    status = shape(p, c, &in, &weights, &out);
    if (status == AR_OK) {
        status = ar_check_bias(p, quantized ? AR_INT32 : AR_FLOAT32, c->w.out_c);
    }
    int32_t activation = ar_option_byte(p, CONV_2D_ACTIVATION, ACTIVATION_NONE);
    if (status == AR_OK && quantized) {
        ar_scratch(p, c->w.out_c * (uint32_t)sizeof(ar_factor_t));
        status = ar_quant(p, &c->q, &in, &weights, &out, activation, c->w.out_c);
    } else if (status == AR_OK && !ar_activation_float(activation, &c->f.low, &c->f.high)) {
        status = ar_unsupported(p, "fused activation %d is not supported", (int)activation);
    }
    return status;
}
