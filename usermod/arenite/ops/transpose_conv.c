// TRANSPOSE_CONV: float32 (weights float32 or int8), int8 and int16 with int8 weights; weights as CONV_2D has them.
//
// The window is that of the convolution which goes the other way: it slides over the output, and the input is what it yields.
// Each output position gathers the inputs that reach it, so that no sums wait in memory.

#include <string.h>

#include "engine/bytes.h"
#include "ops/spatial.h"
#include "ops/weights.h"

enum { SHAPE_WANTED = 0, WEIGHTS = 1, INPUT = 2, BIAS = 3 };

typedef struct {
    ar_window_t w;              // its in: the output; its out: the input
    uint32_t filter;            // weights of one output channel
    const ar_mac_t *mac;
    ar_quant_t q;
} deconv_t;

// Input positions [*first, *end) of one axis that reach output position o.
static void reach(int32_t o, int32_t stride, int32_t pad, int32_t kernel, int32_t in, int32_t *first, int32_t *end) {
    int32_t last_tap = o + pad - kernel + 1;
    *first = last_tap > 0 ? (last_tap + stride - 1) / stride : 0;
    *end = (o + pad) / stride + 1;
    *end = *end > in ? in : *end;
}

static void accumulate(const deconv_t *d, const uint8_t *x, int32_t oy, int32_t ox, const uint8_t *weights, uint32_t rows,
    ar_sums_t *sums) {
    const ar_window_t *w = &d->w;
    const ar_mac_t *mac = d->mac;
    int32_t offset = mac->size == 1 ? ar_quant_offset(&d->q) : 0;
    int32_t y0, y1, x0, x1;
    reach(oy, w->rows.stride, w->rows.before, ar_kernel_h(w), w->rows.out_h, &y0, &y1);
    reach(ox, w->stride_w, w->pad_left, w->kernel_w, w->out_w, &x0, &x1);
    for (int32_t iy = y0; iy < y1; iy++) {
        int32_t tap_row = (oy + w->rows.before - iy * w->rows.stride) * w->kernel_w;
        for (int32_t ix = x0; ix < x1; ix++) {
            uint32_t tap = (uint32_t)(tap_row + ox + w->pad_left - ix * w->stride_w) * w->out_c;
            uint32_t at = (uint32_t)(iy * w->out_w + ix) * w->out_c;
            mac->dot(sums, rows, x + at * mac->size, offset, weights + tap * mac->weight_size, d->filter, w->out_c);
        }
    }
}

static void position(const deconv_t *d, const ar_rec_t *rec, const uint8_t *x, uint32_t oy, uint32_t ox, uint8_t *out) {
    const ar_factor_t *factors = ar_scratch_of(rec);
    const uint8_t *weights = ar_in(rec, WEIGHTS);
    for (uint32_t oc = 0, n; oc < d->w.in_c; oc += n) {
        n = d->w.in_c - oc < AR_DOT_ROWS ? d->w.in_c - oc : AR_DOT_ROWS;
        ar_sums_t sums;
        memset(&sums, 0, n * d->mac->sum_size);
        accumulate(d, x, (int32_t)oy, (int32_t)ox, weights + oc * d->filter * d->mac->weight_size, n, &sums);
        d->mac->finish(&d->q, &sums, rec->n_in > BIAS ? ar_in(rec, BIAS) : NULL, factors ? factors + oc : NULL, oc, n, out);
    }
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    const deconv_t *d = ar_params(rec);
    const ar_window_t *w = &d->w;
    uint32_t size = d->mac->size, y1 = run->y1 < w->rows.in_h ? run->y1 : w->rows.in_h;
    ar_weights_ready(rec, &d->q, d->mac, w->in_c, 0);
    for (uint32_t batch = 0; batch < ar_batches(w); batch++) {
        const uint8_t *x = ar_out_plane(w, ar_in(rec, INPUT), batch, size).base;
        ar_plane_t out = ar_in_plane(w, ar_out(rec, 0), batch, size);
        for (uint32_t oy = run->y0; oy < y1; oy++) {
            uint8_t *to = ar_row(&out, oy);
            for (uint32_t ox = 0; ox < w->in_w; ox++, to += w->in_c * size) {
                position(d, rec, x, oy, ox, to);
            }
        }
    }
    return AR_OK;
}

// ---- preparing -----------------------------------------------------------------------------------------------------

// The shape that the model asks for, where it is a constant. Where it is computed, the output's own holds, as in tflite-micro.
static ar_status_t wanted(ar_prep_t *p, const ar_tensor_t *out) {
    ar_tensor_t t;
    ar_get_input(p, SHAPE_WANTED, &t);
    bool same = !t.data || (t.type == AR_INT32 && t.count == 4);
    for (unsigned i = 0; same && t.data && i < 4; i++) {
        same = ar_i32(t.data + 4 * i) == out->dim[i];
    }
    return same ? AR_OK : ar_refuse(p, "%I 0 asks for another %H than %T%O has");
}

static ar_status_t shape(ar_prep_t *p, deconv_t *d, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out) {
    ar_status_t status = ar_expect_images(p, in, weights);
    if (status != AR_OK) {
        return status;
    }
    if (weights->dim[3] != in->dim[3] || weights->dim[0] != out->dim[3]) {
        return ar_weights_misfit(p, weights->dim[0], weights->dim[3], in, out);
    }
    status = wanted(p, out);
    if (status != AR_OK) {
        return status;
    }
    d->filter = (uint32_t)(weights->dim[1] * weights->dim[2] * weights->dim[3]);
    const int32_t kernel[2] = { weights->dim[1], weights->dim[2] };
    const int32_t stride[2] = { ar_option_int(p, TRANSPOSE_CONV_STRIDE_H, 0), ar_option_int(p, TRANSPOSE_CONV_STRIDE_W, 0) };
    static const int32_t dilation[2] = { 1, 1 };
    return ar_window(p, &d->w, out, in, ar_option_byte(p, TRANSPOSE_CONV_PADDING, PADDING_SAME), kernel, stride, dilation);
}

ar_status_t ar_prepare_transpose_conv(ar_prep_t *p) {
    ar_tensor_t weights, in;
    ar_quant_t q = { .mac = 0 };
    ar_get_input(p, WEIGHTS, &weights);
    ar_get_input(p, INPUT, &in);
    ar_status_t status = weights.type == AR_INT4 ? ar_bad_type(p, AR_INT4) : ar_quant_mac(p, &in, &weights, &p->out, &q);
    if (status != AR_OK) {
        return status;
    }
    deconv_t *d = ar_record(p, eval, sizeof(*d));
    if (!d) {
        return AR_NO_MEMORY;
    }
    d->mac = ar_mac_of(&q);
    status = shape(p, d, &in, &weights, &p->out);
    if (status == AR_OK) {
        ar_weights_scratch(p, &weights, d->w.in_c);
        status = ar_quant_bias(p, &d->q, &in, &weights, BIAS, &p->out, ar_option_byte(p, TRANSPOSE_CONV_ACTIVATION, ACTIVATION_NONE), d->w.in_c);
    }
    return status;
}
