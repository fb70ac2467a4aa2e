// Element-wise operators of two tensors, with broadcasting as TensorFlow broadcasts: shapes are aligned at their last
// dimension, and a dimension of 1, or none, is repeated. One loop serves all; an operator is what happens along a run.

#include <string.h>

#include "kernels/elementwise.h"
#include "ops/activation.h"
#include "ops/walk.h"

typedef void (*run_t)(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run);

typedef struct {
    run_t run;
    uint32_t size;              // bytes of an element
    uint32_t params;            // bytes of the operator's own scalars, which follow
    uint32_t rank;
} binary_t;

// In the record: binary_t, the operator's scalars, the dimensions.
static void *params_of(const binary_t *b) {
    return (void *)(b + 1);
}

static ar_dim_t *dims_of(const binary_t *b) {
    return (ar_dim_t *)((uint8_t *)(b + 1) + b->params);
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const binary_t *b = ar_params(rec);
    const ar_dim_t *dim = dims_of(b);
    const uint8_t *x = ar_in(rec, 0), *y = ar_in(rec, 1);
    uint8_t *out = ar_out(rec, 0);
    uint32_t outer = b->rank - 1, bytes = dim[outer].n * b->size;
    ar_walk_t w = { { 0 }, { 0, 0 } };
    do {
        b->run(params_of(b), x + w.offset[0] * (int32_t)b->size, y + w.offset[1] * (int32_t)b->size, out, &dim[outer]);
        out += bytes;
    } while (ar_walk_next(&w, dim, outer));
    return AR_OK;
}

static ar_status_t eval_nothing(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    (void)rec;
    return AR_OK;
}

// Size of dimension i, counted from the last, and the stride along it: 0 where it is repeated.
static int32_t dim_from_end(const ar_tensor_t *t, unsigned i) {
    return i < t->rank ? t->dim[t->rank - 1 - i] : 1;
}

static ar_status_t broadcast(ar_prep_t *p, const ar_tensor_t *a, const ar_tensor_t *b, const ar_tensor_t *out, ar_space_t *s) {
    int32_t stride_a[AR_MAX_RANK + 1], stride_b[AR_MAX_RANK + 1];
    ar_strides(a->dim, a->rank, stride_a);
    ar_strides(b->dim, b->rank, stride_b);
    s->rank = 0;
    if (a->rank > out->rank || b->rank > out->rank) {
        return ar_refuse(p, "the output has fewer dimensions than an input");
    }
    for (unsigned i = out->rank; i-- > 0;) {
        int32_t na = dim_from_end(a, i), nb = dim_from_end(b, i), n = dim_from_end(out, i);
        if ((na != nb && na != 1 && nb != 1) || n != (na == 1 ? nb : na)) {
            return ar_refuse(p, "shapes do not broadcast: %d and %d give %d at dimension %d from the end", (int)na, (int)nb,
                (int)n, (int)i + 1);
        }
        ar_space_add(s, (uint32_t)n, na == 1 ? 0 : stride_a[a->rank - 1 - i], nb == 1 ? 0 : stride_b[b->rank - 1 - i]);
    }
    if (s->rank == 0) {
        s->dim[s->rank++] = (ar_dim_t) { 1, { 0, 0 } };
    }
    return AR_OK;
}

// Check shapes and make the record; the operator's scalars are copied into it.
static ar_status_t prepare(ar_prep_t *p, run_t run, const void *params, size_t bytes) {
    ar_tensor_t a, b, out;
    ar_space_t s;
    ar_get_input(p, 0, &a);
    ar_get_input(p, 1, &b);
    ar_get_output(p, 0, &out);
    ar_status_t status = broadcast(p, &a, &b, &out, &s);
    if (status != AR_OK) {
        return status;
    }
    binary_t *rec = ar_record(p, out.count ? eval : eval_nothing, sizeof(binary_t) + bytes + ar_space_bytes(&s));
    if (!rec) {
        return AR_NO_MEMORY;
    }
    rec->run = run;
    rec->size = ar_type_size(out.type);
    rec->params = (uint32_t)bytes;
    rec->rank = s.rank;
    memcpy(params_of(rec), params, bytes);
    memcpy(dims_of(rec), s.dim, ar_space_bytes(&s));
    return AR_OK;
}

static void add_s8(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    ar_add_s8(params, a, run->stride[0], b, run->stride[1], out, run->n);
}

static void add_f32(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    const float *limit = params, *x = a, *y = b;
    float *to = out;
    for (uint32_t i = 0; i < run->n; i++, x += run->stride[0], y += run->stride[1]) {
        float sum = *x + *y;
        *to++ = sum < limit[0] ? limit[0] : sum > limit[1] ? limit[1] : sum;
    }
}

// Both inputs are brought to twice the larger scale with 20 bits to spare, added, and brought to the output's scale
// (tensorflow/lite/micro/kernels/add_common.cc).
static ar_status_t quantize_add(ar_prep_t *p, const ar_tensor_t *a, const ar_tensor_t *b, const ar_tensor_t *out,
    int32_t activation, ar_add_t *q) {
    if (!ar_is_quantized(a) || !ar_is_quantized(b) || !ar_is_quantized(out)) {
        return ar_refuse(p, "inputs and output need one scale above 0 and a zero point in range");
    }
    float larger = a->scale > b->scale ? a->scale : b->scale;
    if (larger > 1e37f) {
        return ar_refuse(p, "a scale is too large");
    }
    q->offset_a = -a->zero_point;
    q->offset_b = -b->zero_point;
    q->offset_out = out->zero_point;
    q->a = ar_factor(a->scale, 1.0f, 2 * larger);
    q->b = ar_factor(b->scale, 1.0f, 2 * larger);
    q->out = ar_factor(2 * larger, 1.0f, out->scale);
    q->out.shift -= AR_ADD_SHIFT;
    if (q->out.shift < -31) {
        q->out = (ar_factor_t) { 0, 0 };
    }
    if (!ar_activation_int(activation, out, &q->low, &q->high)) {
        return ar_unsupported(p, "fused activation %d is not supported", (int)activation);
    }
    return AR_OK;
}

ar_status_t ar_prepare_add(ar_prep_t *p) {
    ar_tensor_t a, b, out;
    ar_status_t status = ar_expect_io(p, 2, 2, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 0, &a);
    ar_get_input(p, 1, &b);
    ar_get_output(p, 0, &out);
    int32_t activation = ar_option_byte(p, ADD_ACTIVATION, ACTIVATION_NONE);
    if (a.type != b.type || a.type != out.type) {
        return ar_refuse(p, "types differ: %s, %s, %s", ar_type_name(a.type), ar_type_name(b.type), ar_type_name(out.type));
    }
    if (a.type == AR_FLOAT32) {
        float limit[2];
        if (!ar_activation_float(activation, &limit[0], &limit[1])) {
            return ar_unsupported(p, "fused activation %d is not supported", (int)activation);
        }
        return prepare(p, add_f32, limit, sizeof(limit));
    }
    if (a.type == AR_INT8) {
        ar_add_t q;
        status = quantize_add(p, &a, &b, &out, activation, &q);
        return status == AR_OK ? prepare(p, add_s8, &q, sizeof(q)) : status;
    }
    return ar_bad_type(p, a.type);
}
