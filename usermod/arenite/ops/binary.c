// The loop behind element-wise operators of two tensors.

#include <string.h>

#include "ops/binary.h"
#include "ops/elements.h"

// In the record: this, the operator's scalars, the dimensions.
typedef struct {
    ar_binary_run_t run;
    uint16_t params;            // bytes of the operator's scalars
    uint8_t rank;
    uint8_t size[3];            // bytes of an element of a, b, out
    bool empty;
} binary_t;

static ar_dim_t *dims_of(binary_t *b) {
    return (ar_dim_t *)((uint8_t *)(b + 1) + b->params);
}

const char *ar_binary_walk(ar_binary_run_t run, const void *params, const uint8_t *size, const ar_dim_t *dim, uint32_t rank,
    const void *a, const void *b, void *out) {
    const uint8_t *x = a, *y = b;
    uint8_t *to = out;
    const ar_dim_t *inner = &dim[rank - 1];
    uint32_t bytes = inner->n * size[2];
    ar_walk_t w = { { 0 }, { 0, 0 } };
    const char *wrong;
    do {
        wrong = run(params, x + w.offset[0] * (int32_t)size[0], y + w.offset[1] * (int32_t)size[1], to, inner);
        to += bytes;
    } while (!wrong && ar_walk_next(&w, dim, rank - 1));
    return wrong;
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    binary_t *b = ar_params(rec);
    if (b->empty) {
        return AR_OK;
    }
    const char *wrong = ar_binary_walk(b->run, b + 1, b->size, dims_of(b), b->rank, ar_in(rec, 0), ar_in(rec, 1),
        ar_out(rec, 0));
    return wrong ? ar_run_fail(run, "%s", wrong) : AR_OK;
}

ar_status_t ar_broadcast(ar_prep_t *p, const ar_tensor_t *a, const ar_tensor_t *b, const ar_tensor_t *out, bool alone, ar_space_t *s) {
    int32_t stride_a[AR_MAX_RANK + 1], stride_b[AR_MAX_RANK + 1];
    ar_strides(a->dim, a->rank, stride_a);
    ar_strides(b->dim, b->rank, stride_b);
    s->rank = 0;
    if (a->rank > out->rank || b->rank > out->rank) {
        return ar_refuse(p, "%T%O has fewer %Ds than an %I");
    }
    for (unsigned i = out->rank; i-- > 0;) {
        int32_t na = ar_dim_from_end(a, i), nb = ar_dim_from_end(b, i), n = ar_dim_from_end(out, i);
        if ((na != n && na != 1) || (nb != n && nb != 1) || (alone && na == 1 && nb == 1 && n != 1)) {
            return ar_refuse(p, "%Hs do not broadcast: %d%A%d give %d at %D %d from %Tend", (int)na, (int)nb,
                (int)n, (int)i + 1);
        }
        ar_space_add(s, (uint32_t)n, na == 1 ? 0 : stride_a[a->rank - 1 - i], nb == 1 ? 0 : stride_b[b->rank - 1 - i]);
    }
    if (s->rank == 0) {
        s->dim[s->rank++] = (ar_dim_t) { 1, { 0, 0 } };
    }
    return AR_OK;
}

ar_status_t ar_binary_open(ar_prep_t *p, ar_tensor_t *b) {
    ar_get_input(p, 1, b);
    return p->in.type == b->type ? AR_OK : ar_types_differ(p, p->in.type, b->type);
}

ar_status_t ar_binary_record(ar_prep_t *p, const ar_tensor_t *b, ar_binary_run_t run, const void *params, size_t bytes) {
    ar_space_t s;
    ar_status_t status = ar_broadcast(p, &p->in, b, &p->out, true, &s);
    if (status != AR_OK) {
        return status;
    }
    binary_t *rec = ar_record(p, eval, sizeof(binary_t) + bytes + ar_space_bytes(&s));
    if (!rec) {
        return AR_NO_MEMORY;
    }
    *rec = (binary_t) { .run = run, .params = (uint16_t)bytes, .rank = (uint8_t)s.rank, .empty = p->out.count == 0 };
    rec->size[0] = (uint8_t)ar_type_size(p->in.type);
    rec->size[1] = (uint8_t)ar_type_size(b->type);
    rec->size[2] = (uint8_t)ar_type_size(p->out.type);
    if (bytes) {
        memcpy(rec + 1, params, bytes);
    }
    ar_dim_t *dim = dims_of(rec);
    memcpy(dim, s.dim, ar_space_bytes(&s));
    // Rows of both, or of the first and always the same of the second.
    bool both = s.rank == 1 && dim->stride[0] == 1 && dim->stride[1] == 1;
    bool first = ar_same_shape(&p->in, &p->out) && dim->stride[1] == 0 && s.rank <= 2;
    return both || first ? ar_elementwise(p, &dim->n, both ? 2 : 1) : AR_OK;
}
