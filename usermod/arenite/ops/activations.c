// Activations that stand alone: LOGISTIC, RELU, RELU6; int8 and float32.

#include <math.h>

#include "kernels/fixed_point.h"
#include "kernels/requantize.h"
#include "ops/activation.h"

typedef struct {
    uint32_t count;
    int32_t in_zero;
    int32_t out_zero;
    ar_factor_t factor;
    int32_t low;
    int32_t high;
} unary_s8_t;

typedef struct {
    uint32_t count;
    float low;
    float high;
} unary_f32_t;

static ar_status_t eval_relu_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const unary_s8_t *u = ar_params(rec);
    const int8_t *x = ar_in(rec, 0);
    int8_t *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < u->count; i++) {
        out[i] = (int8_t)ar_requantize_clamp(x[i] - u->in_zero, u->factor, u->out_zero, u->low, u->high);
    }
    return AR_OK;
}

static ar_status_t eval_clamp_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const unary_s8_t *u = ar_params(rec);
    const int8_t *x = ar_in(rec, 0);
    int8_t *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < u->count; i++) {
        out[i] = (int8_t)ar_clamp(x[i], u->low, u->high);
    }
    return AR_OK;
}

static ar_status_t eval_clamp_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const unary_f32_t *u = ar_params(rec);
    const float *x = ar_in(rec, 0);
    float *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < u->count; i++) {
        out[i] = x[i] < u->low ? u->low : x[i] > u->high ? u->high : x[i];
    }
    return AR_OK;
}

// Four integer bits hold the range in which the function is not yet 0 or 1 in eight bits
// (tensorflow/lite/kernels/internal/reference/integer_ops/logistic.h).
#define LOGISTIC_BITS (4)

static ar_status_t eval_logistic_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const unary_s8_t *u = ar_params(rec);
    const int8_t *x = ar_in(rec, 0);
    int8_t *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < u->count; i++) {
        int32_t v = x[i] - u->in_zero;
        if (v <= u->low) {
            out[i] = -128;
        } else if (v >= u->high) {
            out[i] = 127;
        } else {
            int32_t y = ar_fixed_logistic(ar_requantize(v, u->factor), LOGISTIC_BITS);
            out[i] = (int8_t)ar_clamp(ar_shift_right(y, 31 - 8) - 128, -128, 127);
        }
    }
    return AR_OK;
}

static ar_status_t eval_logistic_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const unary_f32_t *u = ar_params(rec);
    const float *x = ar_in(rec, 0);
    float *out = ar_out(rec, 0);
    // Where exp(x) is all that counts, no more is computed, and what is 1 in float32 is 1 (reference/logistic.h).
    for (uint32_t i = 0; i < u->count; i++) {
        out[i] = x[i] > 16.619047f ? 1.0f : x[i] < -9.0f ? expf(x[i]) : 1.0f / (1.0f + expf(-x[i]));
    }
    return AR_OK;
}

static ar_status_t check(ar_prep_t *p, ar_tensor_t *in, ar_tensor_t *out) {
    ar_status_t status = ar_expect_io(p, 1, 1, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 0, in);
    ar_get_output(p, 0, out);
    if (in->type != out->type || (in->type != AR_INT8 && in->type != AR_FLOAT32)) {
        return ar_unsupported(p, "input %s, output %s is not supported", ar_type_name(in->type), ar_type_name(out->type));
    }
    if (!ar_same_shape(in, out)) {
        return ar_refuse(p, "input and output differ in shape");
    }
    if (in->type == AR_INT8 && (!ar_is_quantized(in) || !ar_is_quantized(out))) {
        return ar_refuse(p, "input and output need one scale above 0 and a zero point in range");
    }
    return AR_OK;
}

static ar_status_t record_f32(ar_prep_t *p, ar_eval_t eval, uint32_t count, float low, float high) {
    unary_f32_t *u = ar_record(p, eval, sizeof(*u));
    if (!u) {
        return AR_NO_MEMORY;
    }
    *u = (unary_f32_t) { count, low, high };
    return AR_OK;
}

static ar_status_t record_s8(ar_prep_t *p, ar_eval_t eval, const unary_s8_t *params) {
    unary_s8_t *u = ar_record(p, eval, sizeof(*u));
    if (!u) {
        return AR_NO_MEMORY;
    }
    *u = *params;
    return AR_OK;
}

ar_status_t ar_prepare_relu(ar_prep_t *p) {
    ar_tensor_t in, out;
    ar_status_t status = check(p, &in, &out);
    if (status != AR_OK || in.type == AR_FLOAT32) {
        return status == AR_OK ? record_f32(p, eval_clamp_f32, in.count, 0, INFINITY) : status;
    }
    // The ratio is a float in tensorflow/lite/micro/kernels/activations_common.cc.
    float ratio = in.scale / out.scale;
    if (!(ratio >= 1.17549435e-38f && ratio <= 3.4028235e38f)) {
        return ar_refuse(p, "the scales of input and output are too far apart");
    }
    unary_s8_t u = {
        .count = in.count, .in_zero = in.zero_point, .out_zero = out.zero_point, .factor = ar_factor(ratio, 1.0f, 1.0f),
        .low = out.zero_point, .high = 127,
    };
    return record_s8(p, eval_relu_s8, &u);
}

ar_status_t ar_prepare_relu6(ar_prep_t *p) {
    ar_tensor_t in, out;
    ar_status_t status = check(p, &in, &out);
    if (status != AR_OK || in.type == AR_FLOAT32) {
        return status == AR_OK ? record_f32(p, eval_clamp_f32, in.count, 0, 6) : status;
    }
    // Nothing is rescaled: the output is taken to have the input's scale.
    unary_s8_t u = { .count = in.count };
    ar_activation_int(ACTIVATION_RELU6, &in, &u.low, &u.high);
    return record_s8(p, eval_clamp_s8, &u);
}

ar_status_t ar_prepare_logistic(ar_prep_t *p) {
    ar_tensor_t in, out;
    ar_status_t status = check(p, &in, &out);
    if (status != AR_OK || in.type == AR_FLOAT32) {
        return status == AR_OK ? record_f32(p, eval_logistic_f32, in.count, 0, 0) : status;
    }
    if (out.zero_point != -128 || fabsf(out.scale - 1.0f / 256) > 0.001f / 256) {
        return ar_refuse(p, "the output must have scale 1/256 and zero point -128");
    }
    if (in.scale > 1e6f) {
        return ar_refuse(p, "the input's scale is too large");
    }
    unary_s8_t u = { .count = in.count, .in_zero = in.zero_point };
    u.factor = ar_factor(in.scale, 1.0f, 1.0f / (1 << (31 - LOGISTIC_BITS)));
    // CalculateInputRadius: how far from zero an input still makes a difference.
    int32_t furthest = 15 << (31 - LOGISTIC_BITS);
    u.high = u.factor.shift > 0 ? furthest >> u.factor.shift : furthest;
    u.low = -u.high;
    return record_s8(p, eval_logistic_s8, &u);
}
