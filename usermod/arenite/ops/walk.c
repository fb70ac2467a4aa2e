// Walks over tensors of any rank.

#include <string.h>

#include "ops/walk.h"

void ar_strides(const int32_t *dim, unsigned rank, int32_t *stride) {
    int32_t step = 1;
    for (unsigned i = rank; i-- > 0;) {
        stride[i] = step;
        step *= dim[i];
    }
}

void ar_space_add(ar_space_t *s, uint32_t n, int32_t stride0, int32_t stride1) {
    if (n == 1) {
        return;
    }
    ar_dim_t *last = s->rank ? &s->dim[s->rank - 1] : NULL;
    if (last && last->stride[0] == stride0 * (int32_t)n && last->stride[1] == stride1 * (int32_t)n) {
        *last = (ar_dim_t) { last->n * n, { stride0, stride1 } };
    } else {
        s->dim[s->rank++] = (ar_dim_t) { n, { stride0, stride1 } };
    }
}

bool ar_walk_next(ar_walk_t *w, const ar_dim_t *dim, uint32_t rank) {
    for (uint32_t i = rank; i-- > 0;) {
        w->offset[0] += dim[i].stride[0];
        w->offset[1] += dim[i].stride[1];
        if (++w->count[i] < dim[i].n) {
            return true;
        }
        w->count[i] = 0;
        w->offset[0] -= (int32_t)dim[i].n * dim[i].stride[0];
        w->offset[1] -= (int32_t)dim[i].n * dim[i].stride[1];
    }
    return false;
}

// Elements of a size that the compiler knows, and aligned as it knows: one load and one store each.
#define ALIGNED(p, size) __builtin_assume_aligned(p, (size) > 4 ? 4 : (size))
#define COPY_RUN(size) \
    for (uint32_t i = 0; i < run->n; i++, in += from, out += to) { \
        memcpy(ALIGNED(out, size), ALIGNED(in, size), size); \
    }

static void copy_run(const ar_dim_t *run, const uint8_t *in, uint8_t *out, uint32_t size) {
    if (run->stride[0] == 1 && run->stride[1] == 1) {
        memcpy(out, in, run->n * size);
        return;
    }
    int32_t from = run->stride[0] * (int32_t)size, to = run->stride[1] * (int32_t)size;
    switch (size) {
        case 1:
            COPY_RUN(1)
            break;
        case 2:
            COPY_RUN(2)
            break;
        case 4:
            COPY_RUN(4)
            break;
        default:
            COPY_RUN(8)
            break;
    }
}

void ar_copy(const ar_dim_t *dim, uint32_t rank, const void *in, void *out, uint32_t size) {
    static const ar_dim_t one = { 1, { 1, 1 } };
    const ar_dim_t *run = rank ? &dim[rank - 1] : &one;
    uint32_t outer = rank ? rank - 1 : 0;
    ar_walk_t w = { { 0 }, { 0, 0 } };
    for (uint32_t i = 0; i < rank; i++) {
        if (dim[i].n == 0) {
            return;
        }
    }
    do {
        copy_run(run, (const uint8_t *)in + w.offset[0] * (int32_t)size, (uint8_t *)out + w.offset[1] * (int32_t)size, size);
    } while (ar_walk_next(&w, dim, outer));
}
