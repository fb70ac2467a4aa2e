// ADD_N: the sum of any number of tensors of one shape.

#include "kernels/requantize.h"
#include "ops/number.h"

typedef struct {
    uint32_t count;
    int32_t in_zero;
    int32_t out_zero;
    ar_factor_t out;
    uint8_t spare;              // bits behind the point while int8 are added
    uint8_t type;
} add_n_t;

static ar_status_t eval_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const add_n_t *a = ar_params(rec);
    float *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < a->count; i++) {
        float sum = 0;
        for (unsigned k = 0; k < rec->n_in; k++) {
            sum += ((const float *)ar_in(rec, k))[i];
        }
        out[i] = sum;
    }
    return AR_OK;
}

static ar_status_t eval_s32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const add_n_t *a = ar_params(rec);
    uint32_t *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < a->count; i++) {
        uint32_t sum = 0;
        for (unsigned k = 0; k < rec->n_in; k++) {
            sum += ((const uint32_t *)ar_in(rec, k))[i];
        }
        out[i] = sum;
    }
    return AR_OK;
}

// tensorflow/lite/kernels/internal/reference/add_n.h. Its sum starts from minus the zero point instead of 0, and so
// does this: with a zero point of 0 it is the sum.
static ar_status_t eval_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const add_n_t *a = ar_params(rec);
    int8_t *out = ar_out(rec, 0);
    int32_t half = 1 << (a->spare - 1); // inputs are halved against overflow: the factor's other half
    for (uint32_t i = 0; i < a->count; i++) {
        int32_t sum = -a->in_zero * half;
        for (unsigned k = 0; k < rec->n_in; k++) {
            sum += (((const int8_t *)ar_in(rec, k))[i] - a->in_zero) * half;
        }
        out[i] = (int8_t)ar_requantize_clamp(sum, a->out, a->out_zero, -128, 127);
    }
    return AR_OK;
}

// The 20 bits of tflite-micro, or as many as many inputs leave room for.
static void quantize(add_n_t *a, const ar_tensor_t *in, const ar_tensor_t *out, unsigned n_in) {
    a->spare = 20;
    while (n_in + 1 > 16u << (20 - a->spare)) {
        a->spare--;
    }
    a->in_zero = in->zero_point;
    a->out_zero = out->zero_point;
    a->out = ar_factor(2 * in->scale, 1.0f, out->scale);
    a->out.shift -= a->spare;
    if (a->out.shift < -31) {
        a->out = (ar_factor_t) { 0, 0 };
    }
}

static ar_status_t check(ar_prep_t *p, const ar_tensor_t *first, const ar_tensor_t *t) {
    if (t->type != first->type) {
        return ar_types_differ(p, first->type, t->type);
    }
    if (!ar_same_shape(t, first)) {
        return ar_refuse(p, "%Is%A%O%X%H");
    }
    if (t->type == AR_INT8 && (!ar_is_quantized(t) || t->scale > 1e37f)) {
        return ar_inputs_not_quantized(p);
    }
    return AR_OK;
}

ar_status_t ar_prepare_add_n(ar_prep_t *p) {
    ar_tensor_t t;
    ar_status_t status = ar_expect_io(p, p->n_in, p->n_in, 1); // none left out
    for (unsigned i = 1; i < p->n_in && status == AR_OK; i++) {
        ar_get_input(p, i, &t);
        status = check(p, &p->in, &t);
        if (status == AR_OK && t.type == AR_INT8 && (t.scale != p->in.scale || t.zero_point != p->in.zero_point)) {
            return ar_refuse(p, "%Is need %Tsame scale%A%P");
        }
    }
    status = status == AR_OK ? check(p, &p->out, &p->in) : status;
    status = status == AR_OK ? check(p, &p->in, &p->out) : status;
    if (status != AR_OK) {
        return status;
    }
    unsigned type = p->out.type;
    if (type != AR_INT8 && type != AR_FLOAT32 && type != AR_INT32) {
        return ar_bad_type(p, type);
    }
    add_n_t *a = ar_record(p, type == AR_INT8 ? eval_s8 : type == AR_INT32 ? eval_s32 : eval_f32, sizeof(*a));
    if (!a) {
        return AR_NO_MEMORY;
    }
    a->count = p->out.count;
    if (type == AR_INT8) {
        quantize(a, &p->in, &p->out, p->n_in);
    }
    return AR_OK;
}
