// The loops behind element-wise operators of one tensor.

#include <string.h>

#include "ops/elements.h"
#include "ops/number.h"
#include "ops/unary.h"

// From so many elements on a table of 256 saves time.
#define TABLE_FROM (512)

typedef struct {
    uint32_t count;
    float (*f)(float x);
} function_t;

static ar_status_t eval_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const function_t *u = ar_params(rec);
    const float *x = ar_in(rec, 0);
    float *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < u->count; i++) {
        out[i] = u->f(x[i]);
    }
    return AR_OK;
}

static ar_status_t eval_int(const ar_run_t *run, const ar_rec_t *rec) {
    const ar_unary_t *u = ar_params(rec);
    const void *in = ar_in(rec, 0);
    void *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < u->count; i++) {
        int32_t y = u->step(u, ar_load_int(in, i, u->type));
        if (u->wrong && y == AR_STEP_WRONG) {
            return ar_run_fail(run, "%s", u->wrong);
        }
        ar_store_int(out, i, u->type, y);
    }
    return AR_OK;
}

static ar_status_t eval_table(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const ar_unary_t *u = ar_params(rec);
    const uint8_t *x = ar_in(rec, 0);
    int8_t *out = ar_out(rec, 0), *table = ar_scratch_of(rec);
    for (int32_t v = -128; v < 128; v++) {
        table[(uint8_t)v] = (int8_t)u->step(u, v);
    }
    for (uint32_t i = 0; i < u->count; i++) {
        out[i] = table[x[i]];
    }
    return AR_OK;
}

ar_status_t ar_unary_open(ar_prep_t *p) {
    if (p->in.type != p->out.type) {
        return ar_bad_types(p);
    }
    return ar_expect_shape(p);
}

ar_status_t ar_unary_quantized(ar_prep_t *p) {
    if (p->in.type != AR_INT8 && p->in.type != AR_INT16) {
        return ar_bad_types(p);
    }
    ar_status_t status = ar_expect_quantized(p, &p->in);
    if (status == AR_OK && p->in.type == AR_INT16 && (p->in.zero_point || p->out.zero_point)) {
        return ar_refuse(p, "int16 %I%A%O need %Ps of 0");
    }
    return status;
}

ar_status_t ar_unary_f32(ar_prep_t *p, float (*f)(float x)) {
    function_t *u = ar_record(p, eval_f32, sizeof(*u));
    if (!u) {
        return AR_NO_MEMORY;
    }
    *u = (function_t) { p->in.count, f };
    return ar_elementwise(p, &u->count, 1);
}

ar_status_t ar_unary_int(ar_prep_t *p, ar_step_t step, ar_unary_t *u, size_t bytes) {
    uint32_t count = p->in.count;
    *u = (ar_unary_t) { u->wrong, count, step, p->in.type, p->in.type == AR_INT8 && count >= TABLE_FROM && !u->wrong };
    if (u->table) {
        ar_scratch(p, 256);
    }
    ar_unary_t *rec = ar_record(p, u->table ? eval_table : eval_int, bytes);
    if (!rec) {
        return AR_NO_MEMORY;
    }
    memcpy(rec, u, bytes);
    return ar_elementwise(p, &rec->count, 1);
}
