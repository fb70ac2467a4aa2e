// Places named by data: GATHER, EMBEDDING_LOOKUP and GATHER_ND read there, SCATTER_ND adds there, WHERE finds them.
// Indices are known only as they come, so their range is checked as the operator runs, before anything is written.

#include "ops/move.h"

// ---- GATHER, EMBEDDING_LOOKUP ----------------------------------------------------------------------------------------

typedef struct {
    uint32_t batches;           // of indices and values alike
    uint32_t outer;             // steps through the values between these and the axis
    uint32_t n;                 // indices of a batch
    int32_t limit;              // values along the axis
    uint32_t run;               // elements to a value
    float scale;                // EMBEDDING_LOOKUP from int8 to float32
    uint8_t size;
    uint8_t type;               // of the indices
    uint8_t values;             // input: the values
    uint8_t indices;            // input: the indices
} gather_t;

typedef void (*take_t)(const gather_t *g, const uint8_t *in, uint32_t from, uint8_t *out, uint32_t to);

static void take_bits(const gather_t *g, const uint8_t *in, uint32_t from, uint8_t *out, uint32_t to) {
    memcpy(out + to * g->size, in + from * g->size, g->run * g->size);
}

static void take_scaled(const gather_t *g, const uint8_t *in, uint32_t from, uint8_t *out, uint32_t to) {
    for (uint32_t i = 0; i < g->run; i++) {
        ((float *)out)[to + i] = (float)((const int8_t *)in)[from + i] * g->scale;
    }
}

static bool in_range(const uint8_t *indices, unsigned type, uint32_t n, int32_t limit) {
    for (uint32_t i = 0; i < n; i++) {
        int32_t index = ar_index_at(indices, type, i);
        if (index < 0 || index >= limit) {
            return false;
        }
    }
    return true;
}

static ar_status_t gather(const ar_run_t *run, const ar_rec_t *rec, take_t take) {
    const gather_t *g = ar_params(rec);
    const uint8_t *indices = ar_in(rec, g->indices);
    uint32_t to = 0, row = 0, index_size = g->type == AR_INT32 ? 4 : 8;
    if (!in_range(indices, g->type, g->batches * g->n, g->limit)) {
        return ar_run_fail(run, "an index is not in 0 to %d", (int)g->limit - 1);
    }
    for (uint32_t b = 0; b < g->batches; b++, indices += g->n * index_size) {
        for (uint32_t o = 0; o < g->outer; o++, row += (uint32_t)g->limit) {
            for (uint32_t i = 0; i < g->n; i++, to += g->run) {
                uint32_t from = row + (uint32_t)ar_index_at(indices, g->type, i);
                take(g, ar_in(rec, g->values), from * g->run, ar_out(rec, 0), to);
            }
        }
    }
    return AR_OK;
}

static ar_status_t eval_gather(const ar_run_t *run, const ar_rec_t *rec) {
    return gather(run, rec, take_bits);
}

static ar_status_t eval_gather_scaled(const ar_run_t *run, const ar_rec_t *rec) {
    return gather(run, rec, take_scaled);
}

static bool same_dims(const int32_t *a, const int32_t *b, unsigned n) {
    return memcmp(a, b, n * sizeof(*a)) == 0;
}

// The output's shape: the values' up to the axis, the indices' behind their batches, the values' behind the axis.
static bool gather_shape_fits(const ar_tensor_t *in, const ar_tensor_t *at, const ar_tensor_t *out, unsigned axis, unsigned batch) {
    unsigned after = axis + at->rank - batch;
    return out->rank == in->rank - 1u + at->rank - batch && same_dims(in->dim, at->dim, batch) && same_dims(out->dim, in->dim, axis)
           && same_dims(out->dim + axis, at->dim + batch, at->rank - batch)
           && same_dims(out->dim + after, in->dim + axis + 1, in->rank - axis - 1);
}

static ar_status_t record_gather(ar_prep_t *p, ar_eval_t eval, const ar_tensor_t *in, const ar_tensor_t *at,
    unsigned axis, unsigned batch, gather_t *g) {
    if (at->type != AR_INT32 && at->type != AR_INT64) {
        return ar_unsupported(p, "indices of type %t are not supported", at->type);
    }
    if (!gather_shape_fits(in, at, &p->out, axis, batch)) {
        return ar_refuse(p, "%T%O's %H is not that of %Tindices%A%Tvalues");
    }
    g->batches = p->out.count ? ar_product(in, 0, batch) : 0;
    g->outer = ar_product(in, batch, axis);
    g->n = ar_product(at, batch, at->rank);
    g->limit = in->dim[axis];
    g->run = ar_product(in, axis + 1, in->rank);
    g->size = (uint8_t)ar_type_size(in->type);
    g->type = at->type;
    if (at->data && !in_range(at->data, at->type, g->batches * g->n, g->limit)) {
        return ar_refuse(p, "an index is not in 0 to %d", (int)g->limit - 1);
    }
    return ar_keep(p, eval, g, sizeof(gather_t));
}

ar_status_t ar_prepare_gather(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in;
    ar_tensor_t at;
    unsigned axis = 0;
    gather_t g = { .values = 0, .indices = 1 };
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = ar_axis(p, ar_option_int(p, GATHER_AXIS, 0), in->rank, &axis);
    }
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 1, &at);
    int32_t batch = ar_option_int(p, GATHER_BATCH_DIMS, 0);
    batch += batch < 0 ? at.rank : 0;
    if (batch < 0 || batch > at.rank || batch > (int32_t)axis) {
        return ar_refuse(p, "%d batch %Ds, %Taxis is %u", (int)batch, axis);
    }
    return record_gather(p, eval_gather, in, &at, axis, (unsigned)batch, &g);
}

ar_status_t ar_prepare_embedding_lookup(ar_prep_t *p) {
    ar_tensor_t in;
    ar_get_input(p, 1, &in);
    gather_t g = { .values = 1, .indices = 0, .scale = in.scale };
    if (p->in.rank != 1 || in.rank < 2) {
        return ar_refuse(p, "needs a vector of indices,%Avalues of at least 2 %Ds");
    }
    if (in.type != AR_INT8 || p->out.type != AR_FLOAT32) {
        ar_status_t status = ar_move_open(p, &in);
        return status == AR_OK ? record_gather(p, eval_gather, &in, &p->in, 0, 0, &g) : status;
    }
    if (!ar_is_quantized(&in) || in.zero_point != 0) {
        return ar_unsupported(p, "int8 values need %Z,%A%P 0");
    }
    return record_gather(p, eval_gather_scaled, &in, &p->in, 0, 0, &g);
}

// ---- GATHER_ND, SCATTER_ND -------------------------------------------------------------------------------------------

// Each coordinate names a run of elements in a tensor by its first dimensions.
typedef struct {
    uint32_t n;                 // coordinates
    uint32_t run;               // elements
    uint32_t bytes;             // of the output
    uint8_t size;
    uint8_t type;               // of the indices
    uint8_t element;            // type of the elements
    uint8_t depth;              // indices of a coordinate
    ar_dim_t dim[];             // how many, and the stride
} coordinates_t;

// Where coordinate i starts, in elements; -1 where it leaves the tensor.
static int32_t locate(const coordinates_t *c, const uint8_t *indices, uint32_t i) {
    int32_t at = 0;
    for (unsigned k = 0; k < c->depth; k++) {
        int32_t index = ar_index_at(indices, c->type, i * c->depth + k);
        if (index < 0 || (uint32_t)index >= c->dim[k].n) {
            return -1;
        }
        at += index * c->dim[k].stride[0];
    }
    return at;
}

static bool all_inside(const coordinates_t *c, const uint8_t *indices) {
    for (uint32_t i = 0; i < c->n; i++) {
        if (locate(c, indices, i) < 0) {
            return false;
        }
    }
    return true;
}

static ar_status_t outside(const ar_run_t *run) {
    return ar_run_fail(run, "an index lies outside %Ttensor");
}

static ar_status_t eval_gather_nd(const ar_run_t *run, const ar_rec_t *rec) {
    const coordinates_t *c = ar_params(rec);
    uint32_t bytes = c->run * c->size;
    if (!all_inside(c, ar_in(rec, 1))) {
        return outside(run);
    }
    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t from = (uint32_t)locate(c, ar_in(rec, 1), i) * c->size;
        memcpy((uint8_t *)ar_out(rec, 0) + i * bytes, (const uint8_t *)ar_in(rec, 0) + from, bytes);
    }
    return AR_OK;
}

// Add n elements; sums wrap, and of truth values they are true.
static __attribute__((noinline)) void add(unsigned type, uint32_t n, const uint8_t *x, uint8_t *sum) {
    unsigned size = ar_type_size(type);
    for (uint32_t i = 0; i < n; i++, x += size, sum += size) {
        if (type == AR_FLOAT32) {
            float v = ar_f32(sum) + ar_f32(x);
            memcpy(sum, &v, sizeof(v));
        } else if (type == AR_BOOL) {
            *sum |= *x;
        } else {
            uint64_t a = 0, b = 0;
            memcpy(&a, sum, size);
            memcpy(&b, x, size);
            a += b; // the low bytes come first, and are right
            memcpy(sum, &a, size);
        }
    }
}

static ar_status_t eval_scatter_nd(const ar_run_t *run, const ar_rec_t *rec) {
    const coordinates_t *c = ar_params(rec);
    uint32_t bytes = c->run * c->size;
    uint8_t *out = ar_out(rec, 0);
    if (!all_inside(c, ar_in(rec, 0))) {
        return outside(run);
    }
    memset(out, 0, c->bytes);
    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t to = (uint32_t)locate(c, ar_in(rec, 0), i) * c->size;
        add(c->element, c->run, (const uint8_t *)ar_in(rec, 1) + i * bytes, out + to);
    }
    return AR_OK;
}

// The runs of tensor `whole` that the coordinates name must be those of `parts`, one behind the other.
static ar_status_t record_coordinates(ar_prep_t *p, ar_eval_t eval, const ar_tensor_t *whole, const ar_tensor_t *at,
    const ar_tensor_t *parts) {
    int32_t stride[AR_MAX_RANK];
    int32_t depth = at->rank ? at->dim[at->rank - 1] : 0;
    if (at->type != AR_INT32 && at->type != AR_INT64) {
        return ar_unsupported(p, "indices of type %t are not supported", at->type);
    }
    if (at->rank == 0 || depth > whole->rank) {
        return ar_refuse(p, "indices of %d %Ds in a tensor of %d", (int)depth, (int)whole->rank);
    }
    unsigned d = (unsigned)depth, before = at->rank - 1u;
    bool fits = parts->rank == before + whole->rank - d;
    for (unsigned i = 0; fits && i < parts->rank; i++) {
        fits = parts->dim[i] == (i < before ? at->dim[i] : whole->dim[i - before + d]);
    }
    if (!fits) {
        return ar_refuse(p, "%Hs of %Tindices%Aof what they name do not fit");
    }
    coordinates_t *c = ar_record(p, eval, sizeof(*c) + d * sizeof(ar_dim_t));
    if (!c) {
        return AR_NO_MEMORY;
    }
    *c = (coordinates_t) {
        .n = ar_product(at, 0, before), .run = ar_product(whole, d, whole->rank), .bytes = p->out.bytes,
        .size = (uint8_t)ar_type_size(whole->type), .type = at->type, .element = whole->type, .depth = (uint8_t)d,
    };
    ar_strides(whole->dim, whole->rank, stride);
    for (unsigned k = 0; k < d; k++) {
        c->dim[k] = (ar_dim_t) { (uint32_t)whole->dim[k], { stride[k], 0 } };
    }
    return !at->data || all_inside(c, at->data) ? AR_OK : ar_refuse(p, "an index lies outside %Ttensor");
}

ar_status_t ar_prepare_gather_nd(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_tensor_t at;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 1, &at);
    return record_coordinates(p, eval_gather_nd, in, &at, out);
}

ar_status_t ar_prepare_scatter_nd(ar_prep_t *p) {
    const ar_tensor_t *out = &p->out;
    ar_tensor_t in;
    int32_t dim[AR_MAX_RANK];
    ar_get_input(p, 1, &in);
    ar_status_t status = ar_move_open(p, &in);
    if (status == AR_OK) {
        status = ar_const_ints(p, 2, "the shape", out->rank, dim);
    }
    if (status != AR_OK) {
        return status;
    }
    if (memcmp(dim, out->dim, out->rank * sizeof(dim[0])) != 0) {
        return ar_refuse(p, "%T%O's %H is not %Tone asked for");
    }
    return record_coordinates(p, eval_scatter_nd, out, &p->in, &in);
}

// ---- WHERE: the coordinates of what is not zero ----------------------------------------------------------------------

typedef struct {
    uint32_t n;                 // elements
    uint32_t found;             // coordinates that the output has room for
    uint8_t type;
    uint8_t rank;
    int32_t dim[AR_MAX_RANK];
} where_t;

static bool is_true(const uint8_t *data, unsigned type, uint32_t i) {
    unsigned size = ar_type_size(type);
    uint64_t v = 0;
    memcpy(&v, data + i * size, size);
    return (type == AR_FLOAT32 ? v & 0x7fffffff : v) != 0; // -0 is no more than 0
}

// The output's shape must hold exactly as many as are found: shapes are fixed.
static bool count_fits(const where_t *w, const uint8_t *data) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        found += is_true(data, w->type, i);
    }
    return found == w->found;
}

static ar_status_t eval_where(const ar_run_t *run, const ar_rec_t *rec) {
    const where_t *w = ar_params(rec);
    uint8_t *out = ar_out(rec, 0);
    if (!count_fits(w, ar_in(rec, 0))) {
        return ar_run_fail(run, "not as many are true as %T%O has room for, %u", (unsigned)w->found);
    }
    for (uint32_t i = 0; i < w->n; i++) {
        if (!is_true(ar_in(rec, 0), w->type, i)) {
            continue;
        }
        int32_t rest = (int32_t)i;
        for (unsigned k = w->rank; k-- > 0; rest /= w->dim[k]) {
            int64_t index = rest % w->dim[k];
            memcpy(out + 8 * k, &index, sizeof(index));
        }
        out += 8 * w->rank;
    }
    return AR_OK;
}

ar_status_t ar_prepare_where(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    if (in->type == AR_RESOURCE || in->type == AR_INT4) {
        return ar_bad_type(p, in->type);
    }
    if (out->type != AR_INT64 || out->rank != 2 || out->dim[1] != in->rank) {
        return ar_refuse(p, "%T%O%Mint64,%Ahave a row of %u for each that is true", (unsigned)in->rank);
    }
    where_t *w = ar_record(p, eval_where, sizeof(*w));
    if (!w) {
        return AR_NO_MEMORY;
    }
    *w = (where_t) { .n = in->count, .found = (uint32_t)out->dim[0], .type = in->type, .rank = in->rank };
    memcpy(w->dim, in->dim, sizeof(w->dim));
    return !in->data || count_fits(w, in->data) ? AR_OK
           : ar_refuse(p, "not as many are true as %T%O has room for, %u", (unsigned)w->found);
}
