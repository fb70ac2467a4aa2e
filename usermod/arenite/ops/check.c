// What many operators check of their tensors, and the eval of those that have nothing to do.

#include <math.h>
#include <string.h>

#include "ops/op.h"

bool ar_same_shape(const ar_tensor_t *a, const ar_tensor_t *b) {
    return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof(a->dim[0])) == 0;
}

bool ar_type_range(unsigned type, int32_t *low, int32_t *high) {
    *high = type == AR_UINT8 ? 255 : type == AR_INT8 ? 127 : type == AR_INT16 ? 32767 : INT32_MAX;
    *low = type == AR_UINT8 ? 0 : -*high - 1;
    return type == AR_UINT8 || type == AR_INT8 || type == AR_INT16 || type == AR_INT32;
}

bool ar_is_quantized(const ar_tensor_t *t) {
    int32_t low, high;
    bool known = ar_type_range(t->type, &low, &high) && t->type != AR_INT32;
    // Normal numbers only: anything smaller is a damaged file, and the factor of two of them would be no number.
    return known && t->n_scales == 1 && ar_is_normal(t->scale) && t->zero_point >= low && t->zero_point <= high;
}

ar_status_t ar_expect_quantized(ar_prep_t *p, const ar_tensor_t *in) {
    bool both = ar_is_quantized(in) && ar_is_quantized(&p->out);
    return both ? AR_OK : ar_not_quantized(p, "input and output need");
}

ar_status_t ar_not_quantized(ar_prep_t *p, const char *who_needs) {
    return ar_refuse(p, "%s %Z%Aa %P in range", who_needs);
}

ar_status_t ar_inputs_not_quantized(ar_prep_t *p) {
    return ar_not_quantized(p, "inputs and output need");
}

ar_status_t ar_expect_quantized_input(ar_prep_t *p, unsigned i, const ar_tensor_t *t) {
    return ar_is_quantized(t) ? AR_OK : ar_refuse(p, "%I %u needs %Z%Aa %P in range", i);
}

ar_status_t ar_expect_output(ar_prep_t *p, float scale, int32_t zero) {
    bool fits = p->out.zero_point == zero && fabsf(p->out.scale - scale) <= 0.001f * scale;
    return fits ? AR_OK : ar_refuse(p, "%T%O%Vscale 1/%d%A%P %d", (int)(1 / scale + 0.5f), (int)zero);
}

ar_status_t ar_expect_shape(ar_prep_t *p) {
    return ar_same_shape(&p->in, &p->out) ? AR_OK : ar_refuse(p, "%I%A%O%X%H");
}

ar_status_t ar_expect_size(ar_prep_t *p) {
    return p->in.count == p->out.count ? AR_OK : ar_refuse(p, "%I%A%O%Xsize");
}

ar_status_t ar_too_far_apart(ar_prep_t *p) {
    return ar_refuse(p, "%Tscales of %I%A%O are too far apart");
}

ar_status_t ar_quantized_otherwise(ar_prep_t *p) {
    return ar_refuse(p, "%I%A%O%V%Tsame scale%A%P");
}

ar_status_t ar_zero_points_wanted(ar_prep_t *p) {
    return ar_refuse(p, "int16 needs %Ps of 0");
}

ar_status_t ar_types_differ(ar_prep_t *p, unsigned a, unsigned b) {
    return ar_refuse(p, "types differ: %t, %t", a, b);
}

ar_status_t ar_left_out(ar_prep_t *p, const char *what) {
    return ar_unsupported(p, "%s%C: build for this model", what);
}

ar_status_t ar_bad_types(ar_prep_t *p) {
    unsigned type = ar_has_type(p->in.type) ? p->out.type : p->in.type;
    if (!ar_has_type(type)) {
        return ar_left_out(p, ar_type_name(type));
    }
    return ar_unsupported(p, "%I %t, %O %t%S", p->in.type, p->out.type);
}

ar_status_t ar_nothing(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    (void)rec;
    return AR_OK;
}
