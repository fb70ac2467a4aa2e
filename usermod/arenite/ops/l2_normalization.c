// L2_NORMALIZATION: each row of the last dimension divided by the root of the sum of its squares.

#include <math.h>

#include "kernels/fixed_point.h"
#include "kernels/requantize.h"
#include "ops/activation.h"
#include "ops/unary.h"

typedef struct {
    uint32_t rows;
    uint32_t depth;
    int32_t zero;
} norm_t;

static ar_status_t eval_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const norm_t *n = ar_params(rec);
    const float *x = ar_in(rec, 0);
    float *out = ar_out(rec, 0);
    for (uint32_t row = 0; row < n->rows; row++, x += n->depth, out += n->depth) {
        float sum = 0;
        for (uint32_t i = 0; i < n->depth; i++) {
            sum += x[i] * x[i];
        }
        float norm = sqrtf(sum);
        norm = norm < 1e-6f ? 1e-6f : norm; // what tflite-micro divides by at least (l2norm.cc)
        for (uint32_t i = 0; i < n->depth; i++) {
            out[i] = x[i] / norm;
        }
    }
    return AR_OK;
}

// The output has seven bits behind the point (tensorflow/lite/kernels/internal/reference/integer_ops/l2normalization.h).
#define OUT_BITS (7)

static ar_status_t eval_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const norm_t *n = ar_params(rec);
    const int8_t *x = ar_in(rec, 0);
    int8_t *out = ar_out(rec, 0);
    for (uint32_t row = 0; row < n->rows; row++, x += n->depth, out += n->depth) {
        int32_t sum = 0;
        for (uint32_t i = 0; i < n->depth; i++) {
            sum += (x[i] - n->zero) * (x[i] - n->zero);
        }
        ar_factor_t f;
        f.mult = ar_fixed_rsqrt(sum, &f.shift);
        f.shift += OUT_BITS;
        for (uint32_t i = 0; i < n->depth; i++) {
            out[i] = (int8_t)ar_clamp(ar_requantize(x[i] - n->zero, f), -128, 127);
        }
    }
    return AR_OK;
}

ar_status_t ar_prepare_l2_normalization(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in;
    ar_status_t status = ar_unary_open(p);
    if (status == AR_OK && in->type != AR_FLOAT32) {
        status = in->type == AR_INT8 ? ar_unary_quantized(p) : ar_bad_type(p, in->type);
    }
    if (status != AR_OK) {
        return status;
    }
    int32_t activation = ar_option_byte(p, L2_NORMALIZATION_ACTIVATION, ACTIVATION_NONE);
    if (activation != ACTIVATION_NONE) {
        return ar_bad_activation(p, activation);
    }
    if (in->type == AR_INT8) {
        status = ar_expect_output(p, 1.0f / 128, 0);
    }
    if (status != AR_OK) {
        return status;
    }
    uint32_t depth = in->rank ? (uint32_t)in->dim[in->rank - 1] : 1;
    if (in->type == AR_INT8 && depth > 33000) {
        return ar_unsupported(p, "%N33000 numbers of int8 are not supported"); // whose squares fit 31 bits
    }
    const norm_t n = { .rows = in->count ? in->count / depth : 0, .depth = depth, .zero = in->zero_point };
    return ar_keep(p, in->type == AR_INT8 ? eval_s8 : eval_f32, &n, sizeof(n));
}
