// QUANTIZE (to a quantized type, from float32 or from another quantization) and DEQUANTIZE; int8, uint8, int16, int32.

#include <math.h>

#include "kernels/requantize.h"
#include "ops/elements.h"
#include "ops/number.h"

typedef struct {
    uint32_t count;
    float scale;
    int32_t in_zero;
    int32_t out_zero;
    int32_t low;
    int32_t high;
    ar_factor_t factor;
    int32_t limit;              // of an input that bears the factor's shift
    uint8_t in_type;
    uint8_t out_type;
} quantize_t;

static ar_status_t eval_from_float(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const quantize_t *q = ar_params(rec);
    const float *x = ar_in(rec, 0);
    for (uint32_t i = 0; i < q->count; i++) {
        float v = roundf(x[i] / q->scale) + (float)q->out_zero;
        // A comparison that a NaN fails, so that it becomes the lowest value and not an undefined one.
        int32_t y = v >= (float)q->high ? q->high : v > (float)q->low ? (int32_t)v : q->low;
        ar_store_int(ar_out(rec, 0), i, q->out_type, y);
    }
    return AR_OK;
}

// To 32 bits: what does not fit is the nearest end.
static int32_t saturated(int64_t x) {
    return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : (int32_t)x;
}

// An input so large that its shift to the left does not fit 32 bits needs no rounding.
static int64_t scaled(const quantize_t *q, int32_t v) {
    bool fits = v <= q->limit && v >= -q->limit - 1;
    return fits ? ar_requantize(v, q->factor) : (int64_t)v * q->factor.mult >> (31 - q->factor.shift);
}

static ar_status_t eval_requantize(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const quantize_t *q = ar_params(rec);
    for (uint32_t i = 0; i < q->count; i++) {
        int32_t v = saturated((int64_t)ar_load_int(ar_in(rec, 0), i, q->in_type) - q->in_zero);
        int32_t y = saturated(scaled(q, v) + q->out_zero);
        ar_store_int(ar_out(rec, 0), i, q->out_type, ar_clamp(y, q->low, q->high));
    }
    return AR_OK;
}

static ar_status_t eval_dequantize(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const quantize_t *q = ar_params(rec);
    float *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < q->count; i++) {
        out[i] = q->scale * (float)((int64_t)ar_load_int(ar_in(rec, 0), i, q->in_type) - q->in_zero);
    }
    return AR_OK;
}

// As ar_is_quantized, and int32 with any zero point.
static bool is_quantized(const ar_tensor_t *t) {
    return t->type == AR_INT32 ? t->n_scales == 1 && ar_is_normal(t->scale) : ar_is_quantized(t);
}

static ar_status_t keep(ar_prep_t *p, ar_eval_t eval, const quantize_t *q) {
    ar_status_t status = ar_keep(p, eval, q, sizeof(*q));
    return status == AR_OK ? ar_elementwise(p, &((quantize_t *)ar_params(p->rec))->count, 1) : status;
}

ar_status_t ar_prepare_quantize(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    quantize_t q = { .count = in->count, .scale = out->scale, .out_zero = out->zero_point, .in_type = in->type, .out_type = out->type };
    bool from_float = in->type == AR_FLOAT32;
    int32_t unused;
    ar_status_t status = ar_expect_size(p);
    if (status != AR_OK) {
        return status;
    }
    if ((!from_float && !ar_type_range(in->type, &unused, &unused)) || !ar_type_range(out->type, &q.low, &q.high)) {
        return ar_bad_types(p);
    }
    if (!is_quantized(out) || (!from_float && !is_quantized(in))) {
        return ar_not_quantized(p, "a quantized tensor needs");
    }
    if (!from_float) {
        q.in_zero = in->zero_point;
        q.factor = ar_factor(in->scale, 1.0f, out->scale);
        q.limit = q.factor.shift > 0 ? INT32_MAX >> q.factor.shift : INT32_MAX;
    }
    return keep(p, from_float ? eval_from_float : eval_requantize, &q);
}

ar_status_t ar_prepare_dequantize(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in;
    int32_t unused;
    ar_status_t status = ar_expect_size(p);
    if (status != AR_OK) {
        return status;
    }
    if (p->out.type != AR_FLOAT32 || !ar_type_range(in->type, &unused, &unused)) {
        return ar_bad_types(p);
    }
    if (!is_quantized(in)) {
        return ar_not_quantized(p, "the input needs");
    }
    return keep(p, eval_dequantize, &(quantize_t) {
        .count = in->count, .scale = in->scale, .in_zero = in->zero_point, .in_type = in->type,
    });
}
