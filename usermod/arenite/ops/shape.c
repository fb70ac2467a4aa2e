// Shapes as data (SHAPE, BROADCAST_ARGS), and tensors made from little: FILL, ZEROS_LIKE, RANGE, BROADCAST_TO, TILE.

#include <math.h>

#include "ops/binary.h"
#include "ops/move.h"

static void put_index(void *out, unsigned type, uint32_t i, int64_t v) {
    if (type == AR_INT32) {
        ((int32_t *)out)[i] = (int32_t)v;
    } else {
        memcpy((uint8_t *)out + 8 * i, &v, sizeof(v));
    }
}

static bool is_index(const ar_tensor_t *t) {
    return t->type == AR_INT32 || t->type == AR_INT64;
}

// ---- SHAPE -----------------------------------------------------------------------------------------------------------

typedef struct {
    uint8_t type;
    uint8_t rank;
    int32_t dim[];
} shape_t;

static ar_status_t eval_shape(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const shape_t *s = ar_params(rec);
    for (uint32_t i = 0; i < s->rank; i++) {
        put_index(ar_out(rec, 0), s->type, i, s->dim[i]);
    }
    return AR_OK;
}

ar_status_t ar_prepare_shape(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    if (!is_index(out) || out->count != in->rank) {
        return ar_refuse(p, "%T%O%Mint32 or int64, one for each %D");
    }
    shape_t *s = ar_record(p, eval_shape, sizeof(*s) + in->rank * sizeof(in->dim[0]));
    if (!s) {
        return AR_NO_MEMORY;
    }
    s->type = out->type;
    s->rank = in->rank;
    memcpy(s->dim, in->dim, in->rank * sizeof(in->dim[0]));
    return AR_OK;
}

// ---- BROADCAST_ARGS: the shape that two shapes broadcast to ----------------------------------------------------------

typedef struct {
    uint8_t type;
    uint8_t n[2];
    uint8_t out;
} args_t;

// Dimension i from the end, 1 where there is none.
static int64_t arg(const args_t *a, const ar_rec_t *rec, unsigned k, unsigned i) {
    return i < a->n[k] ? ar_index_at(ar_in(rec, k), a->type, a->n[k] - 1u - i) : 1;
}

static ar_status_t eval_args(const ar_run_t *run, const ar_rec_t *rec) {
    const args_t *a = ar_params(rec);
    for (unsigned i = 0; i < a->out; i++) {
        int64_t x = arg(a, rec, 0, i), y = arg(a, rec, 1, i);
        if (x != y && x != 1 && y != 1) {
            return ar_run_fail(run, "%Hs do not broadcast: %d%A%d", (int)x, (int)y);
        }
        put_index(ar_out(rec, 0), a->type, a->out - 1u - i, x == 1 ? y : x);
    }
    return AR_OK;
}

ar_status_t ar_prepare_broadcast_args(ar_prep_t *p) {
    ar_tensor_t b;
    ar_status_t status = ar_binary_open(p, &b);
    if (status != AR_OK) {
        return status;
    }
    uint32_t longer = p->in.count > b.count ? p->in.count : b.count;
    if (!is_index(&p->in) || p->out.type != p->in.type || p->out.count != longer || longer > 255) {
        return ar_refuse(p, "%Hs%Mint32 or int64,%A%T%O as long as %Tlonger");
    }
    const args_t a = { p->in.type, { (uint8_t)p->in.count, (uint8_t)b.count }, (uint8_t)longer };
    return ar_keep(p, eval_args, &a, sizeof(a));
}

// ---- FILL, ZEROS_LIKE, BROADCAST_TO ----------------------------------------------------------------------------------

// Where an input that asks for the output's shape is constant, it must be that. Where it is computed the output's own counts,
// as it does for RESHAPE: a file with fixed shapes says it twice.
static ar_status_t check_shape(ar_prep_t *p, const ar_tensor_t *t) {
    bool fits = is_index(t) && t->count == p->out.rank;
    for (unsigned k = 0; fits && t->data && k < p->out.rank; k++) {
        fits = ar_index_at(t->data, t->type, k) == p->out.dim[k];
    }
    return fits ? AR_OK : ar_refuse(p, "%T%O's %H is not %Tone asked for, as int32 or int64");
}

ar_status_t ar_prepare_fill(ar_prep_t *p) {
    ar_tensor_t value;
    ar_get_input(p, 1, &value);
    ar_status_t status = ar_move_open(p, &value);
    if (status == AR_OK) {
        status = check_shape(p, &p->in);
    }
    if (status != AR_OK) {
        return status;
    }
    if (value.count != 1) {
        return ar_refuse(p, "takes one value, not %u", (unsigned)value.count);
    }
    ar_space_t s = { 1, { { p->out.count, { 0, 1 } } } };
    return ar_move_record(p, &s, 1, 0);
}

static ar_status_t eval_zeros(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const uint32_t *bytes = ar_params(rec);
    memset(ar_out(rec, 0), 0, *bytes);
    return AR_OK;
}

ar_status_t ar_prepare_zeros_like(ar_prep_t *p) {
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = ar_expect_shape(p);
    }
    return status == AR_OK ? ar_keep(p, eval_zeros, &p->out.bytes, sizeof(p->out.bytes)) : status;
}

ar_status_t ar_prepare_broadcast_to(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_space_t s;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        ar_tensor_t wanted;
        ar_get_input(p, 1, &wanted);
        status = check_shape(p, &wanted);
    }
    if (status == AR_OK) {
        status = ar_broadcast(p, in, out, out, true, &s); // the second stride walks the output itself
    }
    return status == AR_OK ? ar_move_record(p, &s, 0, 0) : status;
}

// ---- TILE ------------------------------------------------------------------------------------------------------------

// A copy of the input for each tile: the dimensions of the tiles, then those of the input.
typedef struct {
    uint8_t size;
    uint8_t tiles;
    uint8_t rank;
    ar_dim_t dim[];
} tile_t;

static ar_status_t eval_tile(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const tile_t *t = ar_params(rec);
    uint8_t *out = ar_out(rec, 0);
    ar_walk_t w = { { 0 }, { 0, 0 } };
    do {
        ar_copy(t->dim + t->tiles, t->rank, ar_in(rec, 0), out + w.offset[1] * t->size, t->size);
    } while (ar_walk_next(&w, t->dim, t->tiles));
    return AR_OK;
}

ar_status_t ar_prepare_tile(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    int32_t times[AR_MAX_RANK], from[AR_MAX_RANK], to[AR_MAX_RANK];
    ar_space_t tiles = { 0 }, part = { 0 };
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = ar_const_ints(p, 1, "multiples", in->rank, times);
    }
    if (status != AR_OK) {
        return status;
    }
    ar_strides(in->dim, in->rank, from);
    ar_strides(out->dim, out->rank, to);
    for (unsigned i = 0; i < in->rank; i++) {
        if (in->rank != out->rank || times[i] < 0 || (int64_t)in->dim[i] * times[i] != out->dim[i]) {
            return ar_refuse(p, "%D %u: %d times %d is not %T%O's", i, (int)in->dim[i], (int)times[i]);
        }
        if (out->count) {
            ar_space_add(&tiles, (uint32_t)times[i], 0, in->dim[i] * to[i]);
            ar_space_add(&part, (uint32_t)in->dim[i], from[i], to[i]);
        }
    }
    tile_t *t = ar_record(p, out->count ? eval_tile : ar_nothing, sizeof(*t) + ar_space_bytes(&tiles) + ar_space_bytes(&part));
    if (!t) {
        return AR_NO_MEMORY;
    }
    *t = (tile_t) { (uint8_t)ar_type_size(in->type), (uint8_t)tiles.rank, (uint8_t)part.rank };
    memcpy(t->dim, tiles.dim, ar_space_bytes(&tiles));
    memcpy(t->dim + tiles.rank, part.dim, ar_space_bytes(&part));
    return AR_OK;
}

// ---- RANGE -----------------------------------------------------------------------------------------------------------

typedef struct {
    uint32_t n;
    uint8_t type;
} range_t;

static int64_t bound(const void *data, unsigned type) {
    return type == AR_INT32 ? ar_i32(data) : ar_i64(data);
}

// Steps from start to limit; false where they never get there. Differences are unsigned: they may pass the type.
static bool count_int(const range_t *r, const void *const *bounds, uint64_t *n) {
    int64_t start = bound(bounds[0], r->type), limit = bound(bounds[1], r->type), delta = bound(bounds[2], r->type);
    if (delta == 0 || (start != limit && (start < limit) != (delta > 0))) {
        return false;
    }
    uint64_t whole = delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    uint64_t step = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
    *n = whole ? (whole - 1) / step + 1 : 0;
    return true;
}

static bool count_float(const void *const *bounds, uint64_t *n) {
    float start = ar_f32(bounds[0]), limit = ar_f32(bounds[1]), delta = ar_f32(bounds[2]);
    float steps = ceilf(fabsf((limit - start) / delta));
    if (!(steps < 4e9f) || (start != limit && (start < limit) != (delta > 0))) {
        return false;
    }
    *n = (uint64_t)steps;
    return true;
}

static bool range_fits(const range_t *r, const void *const *bounds) {
    uint64_t n = 0;
    return (r->type == AR_FLOAT32 ? count_float(bounds, &n) : count_int(r, bounds, &n)) && n == r->n;
}

// Each element is the one before and the step, as in LiteRT, where a float's roundings add up.
static ar_status_t eval_range(const ar_run_t *run, const ar_rec_t *rec) {
    const range_t *r = ar_params(rec);
    const void *const bounds[] = { ar_in(rec, 0), ar_in(rec, 1), ar_in(rec, 2) };
    if (!range_fits(r, bounds)) {
        return ar_run_fail(run, "start, limit%Adelta do not give %u elements", (unsigned)r->n);
    }
    if (r->type == AR_FLOAT32) {
        float v = ar_f32(bounds[0]);
        for (uint32_t i = 0; i < r->n; i++, v += ar_f32(bounds[2])) {
            ((float *)ar_out(rec, 0))[i] = v;
        }
        return AR_OK;
    }
    uint64_t v = (uint64_t)bound(bounds[0], r->type), delta = (uint64_t)bound(bounds[2], r->type);
    for (uint32_t i = 0; i < r->n; i++, v += delta) {
        put_index(ar_out(rec, 0), r->type, i, (int64_t)v);
    }
    return AR_OK;
}

ar_status_t ar_prepare_range(ar_prep_t *p) {
    const ar_tensor_t *out = &p->out;
    const void *bounds[3];
    bool known = true;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status != AR_OK) {
        return status;
    }
    for (unsigned i = 0; i < 3; i++) {
        ar_tensor_t in;
        ar_get_input(p, i, &in);
        if (in.type != out->type || in.count != 1) {
            return ar_refuse(p, "start, limit%Adelta%Mone each, of %T%O's type");
        }
        bounds[i] = in.data;
        known &= in.data != NULL;
    }
    if (out->type != AR_FLOAT32 && !is_index(out)) {
        return ar_bad_type(p, out->type);
    }
    const range_t made = { out->count, out->type };
    if (known && !range_fits(&made, bounds)) {
        return ar_refuse(p, "start, limit%Adelta do not give %u elements", (unsigned)out->count);
    }
    return ar_keep(p, eval_range, &made, sizeof(range_t));
}
