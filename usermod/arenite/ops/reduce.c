// Reductions over any axes: MEAN and SUM of int8, int16 and float32; REDUCE_MAX and REDUCE_MIN of int8 and float32;
// REDUCE_ALL of bool.
//
// Dimensions are kept or reduced; those of one kind that lie side by side join. For each output the reduced ones are
// walked, so that no memory for partial results is needed, and sums run in the order of the input.

#include <string.h>

#include "engine/bytes.h"
#include "kernels/requantize.h"
#include "ops/move.h"
#include "ops/rows.h"

struct _reduce_t;

// One output of the inputs from x on.
typedef void (*one_t)(const struct _reduce_t *r, const uint8_t *x, uint8_t *out);

typedef struct _reduce_t {
    one_t one;
    uint32_t outputs;
    uint32_t n;                 // inputs to one output
    uint32_t zero_sum;          // n times the input's zero point
    int32_t out_zero;
    ar_factor_t factor;
    uint8_t size;               // of an element
    bool divide;                // by n
    bool smallest;              // not the largest
    uint8_t kept;               // dimensions that stay, then those that are reduced
    uint8_t reduced;
    ar_dim_t dim[];
} reduce_t;

static bool next(ar_walk_t *w, const reduce_t *r) {
    return ar_walk_next(w, r->dim + r->kept, r->reduced);
}

// Sums wrap, as tflite-micro's do: int16 may leave 32 bits.
static int32_t rescale(const reduce_t *r, uint32_t sum, int32_t low, int32_t high) {
    return ar_requantize_clamp((int32_t)(sum - r->zero_sum), r->factor, r->out_zero, low, high);
}

static void sum_s8(const reduce_t *r, const uint8_t *x, uint8_t *out) {
    uint32_t sum = 0;
    ar_walk_t w = { { 0 }, { 0, 0 } };
    do {
        int32_t v = ((const int8_t *)x)[w.offset[0]];
        sum += (uint32_t)v;
    } while (next(&w, r));
    *(int8_t *)out = (int8_t)rescale(r, sum, -128, 127);
}

static void sum_s16(const reduce_t *r, const uint8_t *x, uint8_t *out) {
    uint32_t sum = 0;
    ar_walk_t w = { { 0 }, { 0, 0 } };
    do {
        int32_t v = ((const int16_t *)(const void *)x)[w.offset[0]];
        sum += (uint32_t)v;
    } while (next(&w, r));
    *(int16_t *)(void *)out = (int16_t)rescale(r, sum, -32768, 32767);
}

static void sum_f32(const reduce_t *r, const uint8_t *x, uint8_t *out) {
    float sum = 0;
    ar_walk_t w = { { 0 }, { 0, 0 } };
    do {
        sum += ((const float *)(const void *)x)[w.offset[0]];
    } while (next(&w, r));
    *(float *)(void *)out = r->divide ? sum / (float)r->n : sum;
}

// The largest is the smallest of all numbers turned round, of int8 by all their bits.
static void extreme_s8(const reduce_t *r, const uint8_t *x, uint8_t *out) {
    int32_t turn = r->smallest ? -1 : 0, best = -128;
    ar_walk_t w = { { 0 }, { 0, 0 } };
    do {
        int32_t v = ((const int8_t *)x)[w.offset[0]] ^ turn;
        best = v > best ? v : best;
    } while (next(&w, r));
    *(int8_t *)out = (int8_t)(best ^ turn);
}

// From the largest finite number on, as tflite-micro: infinities and NaN are passed over.
#define LARGEST (3.4028235e38f)

static void extreme_f32(const reduce_t *r, const uint8_t *x, uint8_t *out) {
    float sign = r->smallest ? -1.0f : 1.0f, best = -LARGEST;
    ar_walk_t w = { { 0 }, { 0, 0 } };
    do {
        float v = ((const float *)(const void *)x)[w.offset[0]] * sign;
        best = v > best ? v : best;
    } while (next(&w, r));
    *(float *)(void *)out = best * sign;
}

static void all(const reduce_t *r, const uint8_t *x, uint8_t *out) {
    *out = true;
    ar_walk_t w = { { 0 }, { 0, 0 } };
    do {
        *out &= x[w.offset[0]] != 0;
    } while (next(&w, r));
}

static ar_status_t reduce(const reduce_t *r, const ar_rec_t *rec) {
    const uint8_t *x = ar_in(rec, 0);
    uint8_t *out = ar_out(rec, 0);
    ar_walk_t w = { { 0 }, { 0, 0 } };
    for (uint32_t i = 0; i < r->outputs; i++, out += r->size) {
        r->one(r, x + (uint32_t)w.offset[0] * r->size, out);
        ar_walk_next(&w, r->dim, r->kept);
    }
    return AR_OK;
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    return reduce(ar_params(rec), rec);
}

// ---- the sums of an image's channels, by rows --------------------------------------------------------------------

typedef struct {
    ar_rows_t rows;
    uint32_t width;
    reduce_t r;
} channels_t;

static ar_status_t eval_by_rows(const ar_run_t *run, const ar_rec_t *rec) {
    const channels_t *c = ar_params(rec);
    uint32_t n = c->r.outputs;
    if (c->rows.role == AR_ALONE) {
        return reduce(&c->r, rec);
    }
    const int32_t *sums = ar_rows_sum_s8(run, rec, &c->rows, c->width, n);
    int8_t *out = ar_out(rec, 0);
    for (uint32_t i = 0; sums && i < n; i++) {
        out[i] = (int8_t)rescale(&c->r, (uint32_t)sums[i], -128, 127);
    }
    return AR_OK;
}

// int8 over height and width: the sums take less than the image.
static ar_status_t by_rows(ar_prep_t *p, const ar_tensor_t *in, uint32_t mask, one_t one) {
    ar_rows_t rows = { .in_h = 0 };
    if (one != sum_s8 || mask != 6 || in->rank != 4 || in->dim[2] < 2 || !ar_rows_gather(p, &rows)) {
        return AR_OK;
    }
    channels_t *c = ar_record_wrap(p, eval_by_rows, offsetof(channels_t, r));
    if (!c) {
        return AR_NO_MEMORY;
    }
    c->rows = rows;
    c->width = (uint32_t)in->dim[2];
    ar_scratch(p, (uint32_t)in->dim[3] * (uint32_t)sizeof(int32_t));
    ar_by_rows(p, 1, 1);
    return AR_OK;
}

// Bit i of the mask: dimension i is reduced. Negative axes count from the end; one named twice counts once.
static ar_status_t read_axes(ar_prep_t *p, const ar_tensor_t *in, uint32_t *mask) {
    ar_tensor_t axes;
    ar_get_input(p, 1, &axes);
    *mask = 0;
    if (axes.type != AR_INT32) {
        return ar_bad_type(p, axes.type);
    }
    if (!axes.data && axes.count) {
        return ar_unsupported(p, "axes that are computed are not supported: make them constant");
    }
    for (uint32_t i = 0; i < axes.count; i++) {
        unsigned axis = 0;
        ar_status_t status = ar_axis(p, ar_i32(axes.data + 4 * i), in->rank, &axis);
        if (status != AR_OK) {
            return status;
        }
        *mask |= 1u << axis;
    }
    return AR_OK;
}

// The output must be the input without the reduced dimensions, or with 1 in their place.
static ar_status_t check_output(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out, uint32_t mask) {
    bool keep = ar_option_bool(p, REDUCER_KEEP_DIMS, false);
    unsigned at = 0;
    for (unsigned i = 0; i < in->rank; i++) {
        bool reduced = mask >> i & 1;
        if (reduced && !keep) {
            continue;
        }
        if (at >= out->rank || out->dim[at] != (reduced ? 1 : in->dim[i])) {
            return ar_refuse(p, "%T%O's %H is not that of %T%I without %Taxes");
        }
        at++;
    }
    return at == out->rank ? AR_OK : ar_refuse(p, "%T%O has too many %Ds");
}

static void split(const ar_tensor_t *in, uint32_t mask, ar_space_t *kept, ar_space_t *reduced) {
    int32_t stride[AR_MAX_RANK];
    ar_strides(in->dim, in->rank, stride);
    kept->rank = reduced->rank = 0;
    for (unsigned i = 0; i < in->rank; i++) {
        ar_space_add(mask >> i & 1 ? reduced : kept, (uint32_t)in->dim[i], stride[i], 0);
    }
}

// The division joins the factor, at the cost of its lowest bits (reduce.h, QuantizedMeanOrSum).
static void divide_factor(reduce_t *r) {
    int32_t shift = 31 - __builtin_clz(r->n);
    shift = shift < 31 + r->factor.shift ? shift : 31 + r->factor.shift;
    r->factor.mult = (int32_t)(((int64_t)r->factor.mult << shift) / r->n);
    r->factor.shift -= shift;
}

static ar_status_t quantize(ar_prep_t *p, reduce_t *r, const ar_tensor_t *in, const ar_tensor_t *out, bool rescales) {
    ar_status_t status = ar_expect_quantized(p, in);
    if (status != AR_OK) {
        return status;
    }
    // memcmp: two floats of equal bits
    if (!rescales && (in->zero_point != out->zero_point || memcmp(&in->scale, &out->scale, sizeof(float)) != 0)) {
        return ar_quantized_otherwise(p);
    }
    r->zero_sum = (uint32_t)in->zero_point * r->n;
    r->out_zero = out->zero_point;
    r->factor = ar_factor(in->scale, 1.0f, out->scale);
    if (r->divide) {
        divide_factor(r);
    }
    return AR_OK;
}

// What computes one output of each type; NULL: the operator does not have it.
typedef struct {
    one_t s8;
    one_t s16;
    one_t f32;
    one_t boolean;
    bool divide;
    bool smallest;
} kind_t;

static one_t of_type(const kind_t *t, unsigned type) {
    return type == AR_INT8 ? t->s8 : type == AR_INT16 ? t->s16 : type == AR_FLOAT32 ? t->f32 : type == AR_BOOL ? t->boolean : NULL;
}

static ar_status_t record(ar_prep_t *p, const kind_t *kind, uint32_t mask, one_t one) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_space_t kept, reduced;
    split(in, mask, &kept, &reduced);
    reduce_t *r = ar_record(p, eval, sizeof(*r) + ar_space_bytes(&kept) + ar_space_bytes(&reduced));
    if (!r) {
        return AR_NO_MEMORY;
    }
    *r = (reduce_t) {
        .one = one, .outputs = out->count, .n = in->count / out->count, .size = (uint8_t)ar_type_size(in->type),
        .divide = kind->divide, .smallest = kind->smallest, .kept = (uint8_t)kept.rank, .reduced = (uint8_t)reduced.rank,
    };
    memcpy(r->dim, kept.dim, ar_space_bytes(&kept));
    memcpy(r->dim + kept.rank, reduced.dim, ar_space_bytes(&reduced));
    bool quantized = in->type == AR_INT8 || in->type == AR_INT16;
    ar_status_t status = quantized ? quantize(p, r, in, out, one == sum_s8 || one == sum_s16) : AR_OK;
    return status == AR_OK ? by_rows(p, in, mask, one) : status;
}

static ar_status_t prepare(ar_prep_t *p, const kind_t *kind) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    uint32_t mask;
    one_t one = of_type(kind, in->type);
    if (in->type != out->type || !one) {
        return ar_bad_types(p);
    }
    ar_status_t status = read_axes(p, in, &mask);
    if (status == AR_OK) {
        status = check_output(p, in, out, mask);
    }
    if (status != AR_OK) {
        return status;
    }
    if (in->count == 0 || in->count >= 1 << 24) {
        return ar_refuse(p, "%T%I is empty or has %N16 million elements");
    }
    return record(p, kind, mask, one);
}

ar_status_t ar_prepare_mean(ar_prep_t *p) {
    static const kind_t mean = { .s8 = sum_s8, .s16 = sum_s16, .f32 = sum_f32, .divide = true };
    return prepare(p, &mean);
}

ar_status_t ar_prepare_sum(ar_prep_t *p) {
    static const kind_t sum = { .s8 = sum_s8, .s16 = sum_s16, .f32 = sum_f32 };
    return prepare(p, &sum);
}

ar_status_t ar_prepare_reduce_max(ar_prep_t *p) {
    static const kind_t largest = { .s8 = extreme_s8, .f32 = extreme_f32 };
    return prepare(p, &largest);
}

ar_status_t ar_prepare_reduce_min(ar_prep_t *p) {
    static const kind_t smallest = { .s8 = extreme_s8, .f32 = extreme_f32, .smallest = true };
    return prepare(p, &smallest);
}

ar_status_t ar_prepare_reduce_all(ar_prep_t *p) {
    static const kind_t every = { .boolean = all };
    return prepare(p, &every);
}
