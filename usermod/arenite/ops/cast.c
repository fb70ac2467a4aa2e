// CAST: between float32, integers of all sizes and bool. Integers are cut to the bits that the output has; a float is cut
// towards zero, and kept in the output's range.

#include <string.h>

#include "ops/number.h"

typedef struct {
    uint32_t count;
    uint8_t from;
    uint8_t to;
} cast_t;

static int64_t load(const void *data, uint32_t i, unsigned type) {
    if (type == AR_INT64) {
        int64_t v;
        memcpy(&v, (const uint8_t *)data + 8 * i, sizeof(v));
        return v;
    }
    int32_t v = ar_load_int(data, i, type);
    return type == AR_UINT32 ? (int64_t)(uint32_t)v : v;
}

static void store(void *data, uint32_t i, unsigned type, int64_t v) {
    if (type == AR_INT64) {
        memcpy((uint8_t *)data + 8 * i, &v, sizeof(v));
    } else {
        ar_store_int(data, i, type, type == AR_BOOL ? v != 0 : (int32_t)(uint32_t)v);
    }
}

static ar_status_t eval_int(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const cast_t *c = ar_params(rec);
    for (uint32_t i = 0; i < c->count; i++) {
        store(ar_out(rec, 0), i, c->to, load(ar_in(rec, 0), i, c->from));
    }
    return AR_OK;
}

static ar_status_t eval_to_float(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const cast_t *c = ar_params(rec);
    float *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < c->count; i++) {
        out[i] = (float)load(ar_in(rec, 0), i, c->from);
    }
    return AR_OK;
}

static ar_status_t eval_from_float(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const cast_t *c = ar_params(rec);
    const float *x = ar_in(rec, 0);
    bool is_signed = c->to != AR_UINT8 && c->to != AR_UINT16 && c->to != AR_UINT32;
    int32_t bits = (int32_t)ar_type_size(c->to) * 8 - is_signed;
    float limit = (float)((uint64_t)1 << bits);
    int64_t high = (int64_t)(((uint64_t)1 << bits) - 1), low = is_signed ? -high - 1 : 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->to == AR_BOOL) {
            store(ar_out(rec, 0), i, AR_BOOL, x[i] != 0);
        } else {
            // A comparison that a NaN fails, so that it becomes 0.
            int64_t v = x[i] >= limit ? high : x[i] > (float)low ? (int64_t)x[i] : x[i] <= (float)low ? low : 0;
            store(ar_out(rec, 0), i, c->to, v);
        }
    }
    return AR_OK;
}

static ar_status_t eval_copy(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const cast_t *c = ar_params(rec);
    if (c->count) {
        memcpy(ar_out(rec, 0), ar_in(rec, 0), c->count * ar_type_size(c->to));
    }
    return AR_OK;
}

static bool known(unsigned type) {
    return ar_type_size(type) && type != AR_RESOURCE;
}

ar_status_t ar_prepare_cast(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    if (!known(in->type) || !known(out->type)) {
        return ar_unsupported(p, "%t to %t%S", in->type, out->type);
    }
    ar_status_t status = ar_expect_size(p);
    if (status != AR_OK) {
        return status;
    }
    ar_eval_t eval = in->type == out->type ? eval_copy : in->type == AR_FLOAT32 ? eval_from_float
        : out->type == AR_FLOAT32 ? eval_to_float : eval_int;
    const cast_t c = { in->count, in->type, out->type };
    return ar_keep(p, eval, &c, sizeof(c));
}
