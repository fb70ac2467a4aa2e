// Reductions over any axes: MEAN, int8 and float32.
//
// Dimensions are kept or reduced; those of one kind that lie side by side join. For each output the reduced ones are
// walked, so that no memory for partial results is needed, and sums run in the order of the input.

#include <string.h>

#include "engine/bytes.h"
#include "kernels/requantize.h"
#include "ops/walk.h"

typedef struct {
    uint32_t outputs;
    uint32_t n;                 // inputs to one output
    int32_t zero_sum;           // n times the input's zero point
    int32_t out_zero;
    ar_factor_t factor;
    uint8_t kept;               // dimensions that stay, then those that are reduced
    uint8_t reduced;
    ar_dim_t dim[];
} reduce_t;

static int32_t sum_s8(const reduce_t *r, const int8_t *x) {
    const ar_dim_t *dim = r->dim + r->kept;
    int32_t sum = 0; // |sum| < 2^7 * 2^23: ar_prepare_mean sees to it
    ar_walk_t w = { { 0 }, { 0, 0 } };
    do {
        sum += x[w.offset[0]];
    } while (ar_walk_next(&w, dim, r->reduced));
    return sum;
}

static ar_status_t eval_mean_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const reduce_t *r = ar_params(rec);
    const int8_t *x = ar_in(rec, 0);
    int8_t *out = ar_out(rec, 0);
    ar_walk_t w = { { 0 }, { 0, 0 } };
    for (uint32_t i = 0; i < r->outputs; i++) {
        int32_t sum = sum_s8(r, x + w.offset[0]);
        int32_t shifted = (int32_t)((uint32_t)sum - (uint32_t)r->zero_sum);
        out[i] = (int8_t)ar_requantize_clamp(shifted, r->factor, r->out_zero, -128, 127);
        ar_walk_next(&w, r->dim, r->kept);
    }
    return AR_OK;
}

static ar_status_t eval_mean_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const reduce_t *r = ar_params(rec);
    const float *x = ar_in(rec, 0);
    float *out = ar_out(rec, 0);
    ar_walk_t w = { { 0 }, { 0, 0 } };
    for (uint32_t i = 0; i < r->outputs; i++) {
        float sum = 0;
        ar_walk_t v = { { 0 }, { 0, 0 } };
        do {
            sum += x[w.offset[0] + v.offset[0]];
        } while (ar_walk_next(&v, r->dim + r->kept, r->reduced));
        out[i] = sum / (float)r->n;
        ar_walk_next(&w, r->dim, r->kept);
    }
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
        int32_t axis = ar_i32(axes.data + 4 * i);
        if (axis < -in->rank || axis >= in->rank) {
            return ar_refuse(p, "axis %d of a tensor with %d dimensions", (int)axis, (int)in->rank);
        }
        *mask |= 1u << (axis < 0 ? axis + in->rank : axis);
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
            return ar_refuse(p, "the output's shape is not that of the input without the axes");
        }
        at++;
    }
    return at == out->rank ? AR_OK : ar_refuse(p, "the output has too many dimensions");
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
static ar_status_t quantize(ar_prep_t *p, reduce_t *r, const ar_tensor_t *in, const ar_tensor_t *out) {
    if (!ar_is_quantized(in) || !ar_is_quantized(out)) {
        return ar_refuse(p, "input and output need one scale above 0 and a zero point in range");
    }
    r->zero_sum = (int32_t)((uint32_t)in->zero_point * r->n);
    r->out_zero = out->zero_point;
    r->factor = ar_factor(in->scale, 1.0f, out->scale);
    int32_t shift = 31 - __builtin_clz(r->n);
    shift = shift < 31 + r->factor.shift ? shift : 31 + r->factor.shift;
    r->factor.mult = (int32_t)(((int64_t)r->factor.mult << shift) / r->n);
    r->factor.shift -= shift;
    return AR_OK;
}

ar_status_t ar_prepare_mean(ar_prep_t *p) {
    ar_tensor_t in, out;
    ar_space_t kept, reduced;
    uint32_t mask;
    ar_status_t status = ar_expect_io(p, 2, 2, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 0, &in);
    ar_get_output(p, 0, &out);
    if (in.type != out.type || (in.type != AR_INT8 && in.type != AR_FLOAT32)) {
        return ar_unsupported(p, "input %s, output %s is not supported", ar_type_name(in.type), ar_type_name(out.type));
    }
    status = read_axes(p, &in, &mask);
    if (status == AR_OK) {
        status = check_output(p, &in, &out, mask);
    }
    if (status != AR_OK) {
        return status;
    }
    if (in.count == 0 || in.count >= 1 << 24) {
        return ar_refuse(p, "the input is empty or has more than 16 million elements");
    }
    split(&in, mask, &kept, &reduced);
    reduce_t *r = ar_record(p, in.type == AR_INT8 ? eval_mean_s8 : eval_mean_f32,
        sizeof(*r) + ar_space_bytes(&kept) + ar_space_bytes(&reduced));
    if (!r) {
        return AR_NO_MEMORY;
    }
    r->outputs = out.count;
    r->n = in.count / out.count;
    r->kept = (uint8_t)kept.rank;
    r->reduced = (uint8_t)reduced.rank;
    memcpy(r->dim, kept.dim, ar_space_bytes(&kept));
    memcpy(r->dim + kept.rank, reduced.dim, ar_space_bytes(&reduced));
    return in.type == AR_INT8 ? quantize(p, r, &in, &out) : AR_OK;
}
