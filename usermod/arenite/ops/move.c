// What operators share that move elements and compute nothing.

#include "ops/move.h"

typedef struct {
    int32_t from;               // bytes
    uint8_t input;
    uint8_t size;               // of an element
    uint8_t rank;
    ar_dim_t dim[];
} move_t;

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const move_t *m = ar_params(rec);
    const uint8_t *in = ar_in(rec, m->input);
    ar_copy(m->dim, m->rank, in + m->from, ar_out(rec, 0), m->size);
    return AR_OK;
}

ar_status_t ar_move_record(ar_prep_t *p, const ar_space_t *s, unsigned i, int32_t from) {
    unsigned size = ar_type_size(p->out.type);
    move_t *m = ar_record(p, eval, sizeof(*m) + ar_space_bytes(s));
    if (!m) {
        return AR_NO_MEMORY;
    }
    *m = (move_t) { from * (int32_t)size, (uint8_t)i, (uint8_t)size, (uint8_t)s->rank };
    memcpy(m->dim, s->dim, ar_space_bytes(s));
    return AR_OK;
}

ar_status_t ar_move_open(ar_prep_t *p, const ar_tensor_t *in) {
    if (in->type != p->out.type) {
        return ar_refuse(p, "%I %t, %O %t", in->type, p->out.type);
    }
    return in->type == AR_RESOURCE || in->type == AR_INT4 ? ar_bad_type(p, in->type) : AR_OK;
}

int32_t ar_index_at(const uint8_t *data, unsigned type, uint32_t k) {
    if (type == AR_INT32) {
        return ar_i32(data + 4 * k);
    }
    int64_t v = ar_i64(data + 8 * k);
    return v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : (int32_t)v;
}

ar_status_t ar_const_ints(ar_prep_t *p, unsigned i, const char *what, uint32_t n, int32_t *values) {
    ar_tensor_t t;
    ar_get_input(p, i, &t);
    if ((t.type != AR_INT32 && t.type != AR_INT64) || t.count != n) {
        return ar_refuse(p, "%s%Mint32 or int64,%A%u", what, (unsigned)n);
    }
    if (!t.data && n) {
        return ar_unsupported(p, "%s must not be computed: make it a constant", what);
    }
    for (uint32_t k = 0; k < n; k++) {
        values[k] = ar_index_at(t.data, t.type, k);
    }
    return AR_OK;
}

ar_status_t ar_axis(ar_prep_t *p, int32_t given, unsigned rank, unsigned *axis) {
    int32_t n = (int32_t)rank;
    if (given < -n || given >= n) {
        return ar_refuse(p, "axis %d of a tensor with %d %Ds", (int)given, (int)n);
    }
    *axis = (unsigned)(given < 0 ? given + n : given);
    return AR_OK;
}

uint32_t ar_product(const ar_tensor_t *t, unsigned from, unsigned to) {
    uint32_t n = 1;
    for (unsigned i = from; i < to; i++) {
        n *= (uint32_t)t->dim[i];
    }
    return n;
}
