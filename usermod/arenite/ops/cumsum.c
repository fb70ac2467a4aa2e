// CUMSUM: int8 and float32. The axis splits the input into blocks of runs: each element of a run is the sum of those
// before it, of the same place in their blocks.

#include "engine/bytes.h"
#include "kernels/requantize.h"
#include "ops/move.h"

// Bits to spare while int8 is summed (tensorflow/lite/micro/kernels/cumsum.cc).
#define SHIFT (20)

typedef struct {
    uint32_t outer;
    uint32_t n;                 // along the axis
    uint32_t inner;
    bool exclusive;             // without the element itself
    bool reverse;               // from the end
    int32_t in_zero;
    int32_t out_zero;
    ar_factor_t factor;
} cumsum_t;

typedef void (*run_t)(const cumsum_t *c, const void *in, void *out, int32_t at, int32_t step);

static void run_f32(const cumsum_t *c, const void *in, void *out, int32_t at, int32_t step) {
    float sum = 0;
    for (uint32_t i = 0; i < c->n; i++, at += step) {
        float before = sum;
        sum += ((const float *)in)[at];
        ((float *)out)[at] = c->exclusive ? before : sum;
    }
}

// Each element counts times 2^19, and the sum starts with one that is 0 in the input's bits: so does the reference,
// which rescales both by one half of 2^20. Sums wrap.
static void run_s8(const cumsum_t *c, const void *in, void *out, int32_t at, int32_t step) {
    uint32_t sum = (uint32_t)-c->in_zero << (SHIFT - 1);
    for (uint32_t i = 0; i < c->n; i++, at += step) {
        uint32_t before = sum;
        int32_t v = ((const int8_t *)in)[at] - c->in_zero;
        sum += (uint32_t)v << (SHIFT - 1);
        int32_t shown = (int32_t)(c->exclusive ? before : sum);
        ((int8_t *)out)[at] = (int8_t)ar_requantize_clamp(shown, c->factor, c->out_zero, -128, 127);
    }
}

static void each_run(const ar_rec_t *rec, run_t run) {
    const cumsum_t *c = ar_params(rec);
    int32_t step = (int32_t)(c->reverse ? -c->inner : c->inner);
    for (uint32_t o = 0; o < c->outer; o++) {
        uint32_t first = o * c->n * c->inner + (c->reverse ? (c->n - 1) * c->inner : 0);
        for (uint32_t i = 0; i < c->inner; i++) {
            run(c, ar_in(rec, 0), ar_out(rec, 0), (int32_t)(first + i), step);
        }
    }
}

static ar_status_t eval_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    each_run(rec, run_f32);
    return AR_OK;
}

static ar_status_t eval_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    each_run(rec, run_s8);
    return AR_OK;
}

ar_status_t ar_prepare_cumsum(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    int32_t given;
    unsigned axis;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK && in->type != AR_INT8 && in->type != AR_FLOAT32) {
        status = ar_bad_type(p, in->type);
    }
    if (status == AR_OK) {
        status = ar_const_ints(p, 1, "the axis", 1, &given);
    }
    if (status == AR_OK) {
        status = ar_axis(p, given, in->rank, &axis);
    }
    if (status != AR_OK) {
        return status;
    }
    if (!ar_same_shape(in, out)) {
        return ar_refuse(p, "%T%O's %H is not %T%I's");
    }
    cumsum_t c = {
        .outer = ar_product(in, 0, axis), .n = (uint32_t)in->dim[axis], .inner = ar_product(in, axis + 1, in->rank),
        .exclusive = ar_option_bool(p, CUMSUM_EXCLUSIVE, false), .reverse = ar_option_bool(p, CUMSUM_REVERSE, false),
        .in_zero = in->zero_point, .out_zero = out->zero_point,
    };
    if (in->type == AR_INT8) {
        status = ar_expect_quantized(p, in);
        if (status != AR_OK) {
            return status;
        }
        c.factor = ar_factor(in->scale, 1.0f / (1 << (SHIFT - 1)), out->scale);
    }
    return ar_keep(p, in->type == AR_INT8 ? eval_s8 : eval_f32, &c, sizeof(c));
}
