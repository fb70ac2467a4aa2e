// CONV_2D: float32 (weights float32 or int8), int8 (weights int8 or int4) and int16 with int8 weights; these per tensor or per
// channel. Groups as TensorFlow Lite has them: where the weights are shallower than the input, each group of output channels
// sees its own slice of it.

#include <string.h>

#include "ops/conv.h"

enum { WEIGHTS = 1 };

// Taps of one row that lie side by side in memory as the weights do: all of them, or one where they are apart.
static int32_t run_of_taps(const ar_conv_t *c, const ar_place_t *at) {
    return ar_dilation_w(&c->w) == 1 && ar_conv_group_in(c) == c->w.in_c ? at->x1 - at->x0 : 1;
}

static void accumulate(const ar_conv_t *c, const ar_plane_t *in, const ar_place_t *at, uint32_t group, const uint8_t *weights,
    uint32_t rows, ar_sums_t *sums) {
    const ar_window_t *w = &c->w;
    const ar_mac_t *mac = ar_mac_of(&c->q);
    uint32_t group_in = ar_conv_group_in(c);
    int32_t run = run_of_taps(c, at);
    for (int32_t ky = at->y0; ky < at->y1; ky++) {
        const uint8_t *row = ar_row(in, (uint32_t)(at->top + ky * ar_dilation_h(w)));
        for (int32_t kx = at->x0; kx < at->x1; kx += run) {
            uint32_t x = (uint32_t)((at->left + kx * ar_dilation_w(w)) * w->in_c) + group * group_in;
            uint32_t tap = (uint32_t)(ky * w->kernel_w + kx) * group_in;
            mac->dot(sums, rows, row + x * mac->size, 0, weights + tap * mac->weight_size, ar_conv_filter(c),
                (uint32_t)run * group_in);
        }
    }
}

static void position(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *out) {
    const ar_conv_t *c = params;
    const ar_factor_t *factors = ar_scratch_of(rec);
    const ar_mac_t *mac = ar_mac_of(&c->q);
    const uint8_t *weights = ar_in(rec, WEIGHTS);
    uint32_t group_out = ar_conv_group_out(c), row = ar_conv_filter(c) * mac->weight_size;
    for (uint32_t first = 0; first < c->w.out_c; first += group_out) {
        uint32_t end = first + group_out;
        for (uint32_t oc = first, n; oc < end; oc += n) {
            n = end - oc < AR_DOT_ROWS ? end - oc : AR_DOT_ROWS;
            ar_sums_t sums;
            memset(&sums, 0, n * mac->sum_size);
            accumulate(c, in, at, first / group_out, weights + oc * row, n, &sums);
            mac->finish(&c->q, &sums, ar_bias(rec), factors ? factors + oc : NULL, oc, n, out);
        }
    }
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_conv_t *c = ar_params(rec);
    ar_weights_ready(rec, &c->q, ar_mac_of(&c->q), c->w.out_c, 0);
    return ar_each_position(run, rec, &c->w, ar_mac_of(&c->q)->size, position);
}

static ar_status_t shape(ar_prep_t *p, ar_conv_t *c, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out) {
    ar_status_t status = ar_expect_images(p, in, weights);
    if (status != AR_OK) {
        return status;
    }
    int32_t depth = weights->dim[3];
    if (depth < 1 || in->dim[3] % depth != 0 || weights->dim[0] != out->dim[3]) {
        return ar_weights_misfit(p, weights->dim[0], depth, in, out);
    }
    int32_t groups = in->dim[3] / depth;
    if (groups < 1 || out->dim[3] % groups != 0) {
        return ar_refuse(p, "%d %O channels do not divide into %d groups", (int)out->dim[3], (int)groups);
    }
    if (!AR_HAS_GROUPS && groups > 1) {
        return ar_left_out(p, "this number of groups");
    }
    c->q.own = (uint16_t)depth; // ar_conv_group_in
    const int32_t kernel[2] = { weights->dim[1], weights->dim[2] };
    const int32_t stride[2] = { ar_option_int(p, CONV_2D_STRIDE_H, 0), ar_option_int(p, CONV_2D_STRIDE_W, 0) };
    const int32_t dilation[2] = { ar_option_int(p, CONV_2D_DILATION_H, 1), ar_option_int(p, CONV_2D_DILATION_W, 1) };
    return ar_window(p, &c->w, in, out, ar_option_byte(p, CONV_2D_PADDING, PADDING_SAME), kernel, stride, dilation);
}

ar_status_t ar_prepare_conv_2d(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_tensor_t weights;
    ar_quant_t q = { .mac = 0 };
    ar_get_input(p, WEIGHTS, &weights);
    ar_status_t status = ar_quant_mac(p, in, &weights, out, &q);
    if (status != AR_OK) {
        return status;
    }
    bool s8 = ar_quant_is_s8(&q);
    ar_conv_t *c = ar_record(p, s8 ? ar_conv_s8 : eval, sizeof(*c));
    if (!c) {
        return AR_NO_MEMORY;
    }
    c->q = q;
    status = shape(p, c, in, &weights, out);
    if (status == AR_OK) {
        status = ar_quant(p, &c->q, in, &weights, out, ar_option_byte(p, CONV_2D_ACTIVATION, ACTIVATION_NONE), c->w.out_c);
        if (s8) {
            ar_conv_s8_scratch(p, c, ar_quant_is_int4(&q) ? NULL : (const int8_t *)weights.data);
        } else {
            ar_weights_scratch(p, &weights, c->w.out_c);
        }
        ar_window_by_rows(p, &c->w);
    }
    return status;
}
