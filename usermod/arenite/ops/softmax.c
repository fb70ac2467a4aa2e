// SOFTMAX over the last dimension: int8 in fixed point as tensorflow/lite/kernels/internal/reference/softmax.h computes
// it, and float32.

#include <math.h>
#include <string.h>

#include "kernels/fixed_point.h"
#include "kernels/requantize.h"
#include "ops/op.h"

// Integer bits of a difference to the largest, and of the sum of exponentials.
#define DIFF_BITS (5)
#define SUM_BITS (12)

typedef struct {
    uint32_t rows;
    uint32_t depth;
    float beta;
    ar_factor_t scale;          // a difference in quantized units to fixed point
    int32_t diff_min;           // what is further below the largest counts as 0
} softmax_t;

static int32_t exp_of(const softmax_t *s, int32_t diff) {
    return ar_fixed_exp(ar_requantize(diff, s->scale), DIFF_BITS);
}

static void row_s8(const softmax_t *s, const int8_t *x, int8_t *out) {
    int32_t largest = -128;
    for (uint32_t i = 0; i < s->depth; i++) {
        largest = x[i] > largest ? x[i] : largest;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < s->depth; i++) {
        if (x[i] - largest >= s->diff_min) {
            uint32_t e = (uint32_t)ar_shift_right(exp_of(s, x[i] - largest), SUM_BITS);
            sum = e < UINT32_MAX - sum ? sum + e : UINT32_MAX;
        }
    }
    int32_t over_unit;
    int32_t scale = ar_fixed_reciprocal(sum, SUM_BITS, &over_unit);
    int32_t shift = over_unit + 31 - 8;
    if (shift > 31) { // so many alike that each has less than half of a step
        memset(out, -128, s->depth);
        return;
    }
    for (uint32_t i = 0; i < s->depth; i++) {
        int32_t v = -128;
        if (x[i] - largest >= s->diff_min) {
            v = ar_clamp(ar_shift_right(ar_mul_high(scale, exp_of(s, x[i] - largest)), shift) - 128, -128, 127);
        }
        out[i] = (int8_t)v;
    }
}

static ar_status_t eval_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const softmax_t *s = ar_params(rec);
    const int8_t *x = ar_in(rec, 0);
    int8_t *out = ar_out(rec, 0);
    for (uint32_t row = 0; row < s->rows; row++, x += s->depth, out += s->depth) {
        row_s8(s, x, out);
    }
    return AR_OK;
}

static ar_status_t eval_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const softmax_t *s = ar_params(rec);
    const float *x = ar_in(rec, 0);
    float *out = ar_out(rec, 0);
    for (uint32_t row = 0; row < s->rows; row++, x += s->depth, out += s->depth) {
        float largest = x[0], sum = 0;
        for (uint32_t i = 1; i < s->depth; i++) {
            largest = x[i] > largest ? x[i] : largest;
        }
        for (uint32_t i = 0; i < s->depth; i++) {
            out[i] = expf((x[i] - largest) * s->beta);
            sum += out[i];
        }
        for (uint32_t i = 0; i < s->depth; i++) {
            out[i] /= sum;
        }
    }
    return AR_OK;
}

static ar_status_t quantize(ar_prep_t *p, softmax_t *s, const ar_tensor_t *in, const ar_tensor_t *out) {
    if (!ar_is_quantized(in) || !ar_is_quantized(out)) {
        return ar_refuse(p, "input and output need one scale above 0 and a zero point in range");
    }
    if (out->zero_point != -128 || fabsf(out->scale - 1.0f / 256) > 0.001f / 256) {
        return ar_refuse(p, "the output must have scale 1/256 and zero point -128");
    }
    if (!(s->beta >= 1.17549435e-38f && s->beta <= 1e6f) || in->scale > 1e6f) {
        return ar_refuse(p, "beta and the input's scale must lie between 0 and 1000000");
    }
    // PreprocessSoftmaxScaling and CalculateInputRadius of quantization_util.cc.
    s->scale = ar_factor(s->beta, in->scale, 1.0f / (1 << (31 - DIFF_BITS)));
    int32_t furthest = 31 << (31 - DIFF_BITS);
    s->diff_min = -(s->scale.shift > 0 ? furthest >> s->scale.shift : furthest);
    return AR_OK;
}

ar_status_t ar_prepare_softmax(ar_prep_t *p) {
    ar_tensor_t in, out;
    ar_status_t status = ar_expect_io(p, 1, 1, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 0, &in);
    ar_get_output(p, 0, &out);
    if (in.type != out.type || (in.type != AR_INT8 && in.type != AR_FLOAT32)) {
        return ar_unsupported(p, "input %s, output %s is not supported", ar_type_name(in.type), ar_type_name(out.type));
    }
    if (in.rank < 1 || !ar_same_shape(&in, &out) || in.count == 0) {
        return ar_refuse(p, "input and output must have the same shape, of at least one dimension and one element");
    }
    softmax_t *s = ar_record(p, in.type == AR_INT8 ? eval_s8 : eval_f32, sizeof(*s));
    if (!s) {
        return AR_NO_MEMORY;
    }
    s->depth = (uint32_t)in.dim[in.rank - 1];
    s->rows = in.count / s->depth;
    s->beta = ar_option_float(p, SOFTMAX_BETA, 0);
    return in.type == AR_INT8 ? quantize(p, s, &in, &out) : AR_OK;
}
