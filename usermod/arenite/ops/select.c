// SELECT_V2: from one tensor where a condition holds, from another where it does not; all three broadcast. Two walks
// of two tensors each: what the first leaves out the second fills in.

#include <string.h>

#include "ops/binary.h"

typedef struct {
    uint8_t size;               // bytes of an element
    uint8_t rank[2];
    ar_dim_t dim[];             // of both walks
} select_t;

typedef struct {
    uint32_t size;
    bool where;
} pick_t;

static const char *run_pick(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    const pick_t *pick = params;
    const uint8_t *condition = a, *x = b;
    uint8_t *to = out;
    for (uint32_t i = 0; i < run->n; i++, to += pick->size) {
        if ((*condition != 0) == pick->where) {
            memcpy(to, x, pick->size);
        }
        condition += run->stride[0];
        x += run->stride[1] * (int32_t)pick->size;
    }
    return NULL;
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const select_t *s = ar_params(rec);
    const ar_dim_t *dim = s->dim;
    const uint8_t size[3] = { 1, s->size, s->size };
    for (unsigned i = 0; i < 2; i++) {
        pick_t pick = { s->size, i == 0 };
        ar_binary_walk(run_pick, &pick, size, dim, s->rank[i], ar_in(rec, 0), ar_in(rec, 1 + i), ar_out(rec, 0));
        dim += s->rank[i];
    }
    return AR_OK;
}

static ar_status_t check(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out) {
    if (in[0].type != AR_BOOL || in[1].type != in[2].type || out->type != in[1].type || !ar_type_size(out->type)
        || out->type == AR_RESOURCE) {
        return ar_unsupported(p, "%t ? %t : %t to %t%S", in[0].type, in[1].type,
            in[2].type, out->type);
    }
    for (unsigned i = 0; i < out->rank; i++) {
        int32_t n = ar_dim_from_end(out, i);
        if (n != 1 && n != ar_dim_from_end(&in[0], i) && n != ar_dim_from_end(&in[1], i) && n != ar_dim_from_end(&in[2], i)) {
            return ar_refuse(p, "%Hs do not broadcast: %D %d from %Tend is %d in %T%O only", (int)i + 1, (int)n);
        }
    }
    return AR_OK;
}

ar_status_t ar_prepare_select_v2(ar_prep_t *p) {
    const ar_tensor_t *out = &p->out;
    ar_tensor_t in[3];
    ar_space_t space[2];
    for (unsigned i = 0; i < 3; i++) {
        ar_get_input(p, i, &in[i]);
    }
    ar_status_t status = check(p, in, out);
    for (unsigned i = 0; i < 2 && status == AR_OK; i++) {
        status = ar_broadcast(p, &in[0], &in[1 + i], out, false, &space[i]);
    }
    if (status != AR_OK) {
        return status;
    }
    size_t first = ar_space_bytes(&space[0]), second = ar_space_bytes(&space[1]);
    select_t *s = ar_record(p, out->count ? eval : ar_nothing, sizeof(*s) + first + second);
    if (!s) {
        return AR_NO_MEMORY;
    }
    s->size = (uint8_t)ar_type_size(out->type);
    s->rank[0] = (uint8_t)space[0].rank;
    s->rank[1] = (uint8_t)space[1].rank;
    memcpy(s->dim, space[0].dim, first);
    memcpy(s->dim + space[0].rank, space[1].dim, second);
    return AR_OK;
}
