// ARG_MAX and ARG_MIN: where along an axis the largest or smallest lies, the first if there are several.

#include "ops/move.h"

typedef struct {
    uint32_t outer;
    uint32_t n;                 // along the axis
    uint32_t inner;
    bool smallest;
    bool is_float;
} arg_t;

static bool before(const arg_t *a, const void *in, uint32_t i, uint32_t j) {
    if (a->is_float) {
        const float *x = in;
        return a->smallest ? x[i] < x[j] : x[i] > x[j];
    }
    const int8_t *x = in;
    return a->smallest ? x[i] < x[j] : x[i] > x[j];
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const arg_t *a = ar_params(rec);
    int32_t *out = ar_out(rec, 0);
    for (uint32_t o = 0; o < a->outer; o++) {
        for (uint32_t i = 0; i < a->inner; i++) {
            uint32_t start = o * a->n * a->inner + i, best = 0;
            for (uint32_t k = 1; k < a->n; k++) {
                if (before(a, ar_in(rec, 0), start + k * a->inner, start + best * a->inner)) {
                    best = k;
                }
            }
            *out++ = (int32_t)best;
        }
    }
    return AR_OK;
}

// The output is the input without the axis.
static bool shape_fits(const ar_tensor_t *in, const ar_tensor_t *out, unsigned axis) {
    bool fits = out->rank + 1u == in->rank;
    for (unsigned i = 0; fits && i < out->rank; i++) {
        fits = out->dim[i] == in->dim[i + (i >= axis)];
    }
    return fits;
}

static ar_status_t prepare(ar_prep_t *p, bool smallest) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    int32_t given;
    unsigned axis;
    ar_status_t status = ar_const_ints(p, 1, "the axis", 1, &given);
    if (status != AR_OK) {
        return status;
    }
    if ((in->type != AR_INT8 && in->type != AR_FLOAT32) || out->type != AR_INT32) {
        return ar_bad_types(p);
    }
    status = ar_axis(p, given, in->rank, &axis);
    if (status != AR_OK) {
        return status;
    }
    if (in->dim[axis] == 0 || !shape_fits(in, out, axis)) {
        return ar_refuse(p, "%T%O's %H is not that of %T%I without %Taxis, or %Taxis is empty");
    }
    const arg_t a = {
        .outer = ar_product(in, 0, axis), .n = (uint32_t)in->dim[axis], .inner = ar_product(in, axis + 1, in->rank),
        .smallest = smallest, .is_float = in->type == AR_FLOAT32,
    };
    return ar_keep(p, eval, &a, sizeof(a));
}

ar_status_t ar_prepare_arg_max(ar_prep_t *p) {
    return prepare(p, false);
}

ar_status_t ar_prepare_arg_min(ar_prep_t *p) {
    return prepare(p, true);
}
