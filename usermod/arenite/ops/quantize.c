// QUANTIZE (to a quantized type, from float32 or from another quantization) and DEQUANTIZE.

#include <math.h>

#include "kernels/requantize.h"
#include "ops/number.h"

typedef struct {
    uint32_t count;
    float scale;
    int32_t in_zero;
    int32_t out_zero;
    int32_t low;
    int32_t high;
    ar_factor_t factor;
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

static ar_status_t eval_requantize(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const quantize_t *q = ar_params(rec);
    for (uint32_t i = 0; i < q->count; i++) {
        uint32_t v = (uint32_t)ar_load_int(ar_in(rec, 0), i, q->in_type) - (uint32_t)q->in_zero;
        int32_t y = ar_requantize_clamp((int32_t)v, q->factor, q->out_zero, q->low, q->high);
        ar_store_int(ar_out(rec, 0), i, q->out_type, y);
    }
    return AR_OK;
}

static ar_status_t eval_dequantize(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const quantize_t *q = ar_params(rec);
    float *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < q->count; i++) {
        out[i] = q->scale * (float)(ar_load_int(ar_in(rec, 0), i, q->in_type) - q->in_zero);
    }
    return AR_OK;
}

static bool type_range(uint8_t type, int32_t *low, int32_t *high) {
    *low = type == AR_UINT8 ? 0 : type == AR_INT8 ? -128 : -32768;
    *high = type == AR_UINT8 ? 255 : type == AR_INT8 ? 127 : 32767;
    return type == AR_UINT8 || type == AR_INT8 || type == AR_INT16;
}

static ar_status_t check(ar_prep_t *p, ar_tensor_t *in, ar_tensor_t *out) {
    ar_status_t status = ar_expect_io(p, 1, 1, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 0, in);
    ar_get_output(p, 0, out);
    return in->count == out->count ? AR_OK : ar_refuse(p, "input and output differ in size");
}

ar_status_t ar_prepare_quantize(ar_prep_t *p) {
    ar_tensor_t in, out;
    ar_status_t status = check(p, &in, &out);
    if (status != AR_OK) {
        return status;
    }
    quantize_t q = { .count = in.count, .scale = out.scale, .out_zero = out.zero_point, .in_type = in.type, .out_type = out.type };
    bool from_float = in.type == AR_FLOAT32;
    int32_t unused;
    if ((!from_float && !type_range(in.type, &unused, &unused)) || !type_range(out.type, &q.low, &q.high)) {
        return ar_unsupported(p, "input %s, output %s is not supported", ar_type_name(in.type), ar_type_name(out.type));
    }
    if (!ar_is_quantized(&out) || (!from_float && !ar_is_quantized(&in))) {
        return ar_refuse(p, "a quantized tensor needs one scale above 0 and a zero point in range");
    }
    if (!from_float) {
        q.in_zero = in.zero_point;
        q.factor = ar_factor(in.scale, 1.0f, out.scale);
    }
    quantize_t *rec = ar_record(p, from_float ? eval_from_float : eval_requantize, sizeof(q));
    if (!rec) {
        return AR_NO_MEMORY;
    }
    *rec = q;
    return AR_OK;
}

ar_status_t ar_prepare_dequantize(ar_prep_t *p) {
    ar_tensor_t in, out;
    ar_status_t status = check(p, &in, &out);
    if (status != AR_OK) {
        return status;
    }
    int32_t unused;
    if (out.type != AR_FLOAT32 || !type_range(in.type, &unused, &unused)) {
        return ar_unsupported(p, "input %s, output %s is not supported", ar_type_name(in.type), ar_type_name(out.type));
    }
    if (!ar_is_quantized(&in)) {
        return ar_refuse(p, "the input needs one scale above 0 and a zero point in range");
    }
    quantize_t *rec = ar_record(p, eval_dequantize, sizeof(*rec));
    if (!rec) {
        return AR_NO_MEMORY;
    }
    *rec = (quantize_t) { .count = in.count, .scale = in.scale, .in_zero = in.zero_point, .in_type = in.type };
    return AR_OK;
}
