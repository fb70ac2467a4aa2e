// Functions of one number: ABS, NEG, CEIL, FLOOR, ROUND, EXP, LOG, SIN, COS, SQRT, RSQRT, SQUARE, ELU, LOGICAL_NOT.
//
// Float32 as libm computes them. Int8 and int16 through the real number that an integer stands for, except ABS and
// RSQRT, which tflite-micro has in integers.

#include <math.h>

#include "kernels/fixed_point.h"
#include "kernels/requantize.h"
#include "ops/float.h"
#include "ops/unary.h"

typedef struct {
    ar_unary_t u;
    float (*f)(float x);
    float scale;
    float per_step;             // 1 / the output's scale
    int32_t in_zero;
    int32_t out_zero;
    int32_t low, high;
} real_t;

// PopulateLookupTable in tensorflow/lite/micro/kernels/elu.cc.
static int32_t step_real(const ar_unary_t *u, int32_t x) {
    const real_t *r = (const real_t *)u;
    float y = roundf(r->f(r->scale * (float)(x - r->in_zero)) * r->per_step) + (float)r->out_zero;
    // A comparison that a NaN fails, so that it becomes the lowest value and not an undefined one.
    return y >= (float)r->high ? r->high : y > (float)r->low ? (int32_t)y : r->low;
}

static ar_status_t real(ar_prep_t *p, float (*f)(float x)) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_unary_quantized(p);
    if (status != AR_OK) {
        return status;
    }
    real_t r = {
        .f = f, .scale = in->scale, .per_step = 1.0f / out->scale, .in_zero = in->zero_point, .out_zero = out->zero_point,
        .high = in->type == AR_INT8 ? 127 : 32767,
    };
    r.low = -r.high - 1;
    return ar_unary_int(p, step_real, &r.u, sizeof(r));
}

static ar_status_t function(ar_prep_t *p, float (*f)(float x)) {
    ar_status_t status = ar_unary_open(p);
    if (status != AR_OK) {
        return status;
    }
    return p->in.type == AR_FLOAT32 ? ar_unary_f32(p, f) : real(p, f);
}

// ---- float32 ---------------------------------------------------------------------------------------------

// Not fabsf itself: MicroPython's libm has no function of that name, the compiler knows the instruction.
static float magnitude(float x) {
    return fabsf(x);
}

static float neg(float x) {
    return -x;
}

static float square(float x) {
    return x * x;
}

static float exp_f32(float x) {
    return ar_expf(x);
}

static float rsqrt(float x) {
    return 1.0f / sqrtf(x);
}

static float elu(float x) {
    return x < 0 ? expm1f(x) : x;
}

// What tflite-micro fills the table of int8 ELU with.
static float elu_of_table(float x) {
    return x < 0 ? expf(x) - 1 : x;
}

// Halves to the even integer.
static float round_even(float x) {
    float down = floorf(x), rest = x - down;
    return rest < 0.5f || (rest == 0.5f && fmodf(down, 2) == 0) ? down : down + 1;
}

ar_status_t ar_prepare_ceil(ar_prep_t *p) {
    return function(p, ceilf);
}

ar_status_t ar_prepare_cos(ar_prep_t *p) {
    return function(p, cosf);
}

ar_status_t ar_prepare_exp(ar_prep_t *p) {
    return function(p, exp_f32);
}

ar_status_t ar_prepare_floor(ar_prep_t *p) {
    return function(p, floorf);
}

ar_status_t ar_prepare_log(ar_prep_t *p) {
    return function(p, logf);
}

ar_status_t ar_prepare_round(ar_prep_t *p) {
    return function(p, round_even);
}

ar_status_t ar_prepare_sin(ar_prep_t *p) {
    return function(p, sinf);
}

ar_status_t ar_prepare_sqrt(ar_prep_t *p) {
    return function(p, sqrtf);
}

ar_status_t ar_prepare_square(ar_prep_t *p) {
    return function(p, square);
}

ar_status_t ar_prepare_elu(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in;
    ar_status_t status = ar_unary_open(p);
    return status != AR_OK ? status : function(p, in->type == AR_FLOAT32 ? elu : elu_of_table);
}

// ---- integers --------------------------------------------------------------------------------------------

typedef struct {
    ar_unary_t u;
    ar_factor_t factor;
    int32_t in_zero;
    int32_t out_zero;
    int32_t low, high;
} integer_t;

static int32_t step_not(const ar_unary_t *u, int32_t x) {
    (void)u;
    return !x;
}

// The least int16 and int32 are their own opposites.
static int32_t step_neg(const ar_unary_t *u, int32_t x) {
    (void)u;
    return (int32_t)(0u - (uint32_t)x);
}

static int32_t step_abs(const ar_unary_t *u, int32_t x) {
    return x < 0 ? step_neg(u, x) : x;
}

static int32_t step_abs_quantized(const ar_unary_t *u, int32_t x) {
    const integer_t *q = (const integer_t *)u;
    return ar_requantize_clamp(step_abs(u, x - q->in_zero), q->factor, q->out_zero, q->low, q->high);
}

// Bits to spare between the inverse root and the output's scale.
#define RSQRT_BITS (20)

// RsqrtEvalQuantized in tensorflow/lite/micro/kernels/elementwise.cc.
static int32_t step_rsqrt(const ar_unary_t *u, int32_t x) {
    const integer_t *q = (const integer_t *)u;
    int32_t v = x - q->in_zero;
    if (v <= 0) {
        return v < 0 ? AR_STEP_WRONG : q->high;
    }
    ar_factor_t root;
    root.mult = ar_fixed_rsqrt(v, &root.shift);
    root.shift += RSQRT_BITS;
    return ar_requantize_clamp(ar_requantize(1, root), q->factor, q->out_zero, q->low, q->high);
}

static ar_status_t integer(ar_prep_t *p, ar_step_t step, ar_factor_t factor) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    integer_t q = { .factor = factor, .in_zero = in->zero_point, .out_zero = out->zero_point };
    q.u.wrong = step == step_rsqrt ? "a number below 0 has no root" : NULL;
    q.high = in->type == AR_INT8 ? 127 : 32767;
    q.low = -q.high - 1;
    return ar_unary_int(p, step, &q.u, sizeof(q));
}

static ar_status_t plain(ar_prep_t *p, ar_step_t step) {
    ar_unary_t u = { .wrong = NULL };
    return ar_unary_int(p, step, &u, sizeof(u));
}

// 1 / (sqrt(in) * out), to 31 bits. A float comes near it; what e = 1 - near^2 * in * out^2 is short of 0, 1 + e / 2
// mends. Integers hold what single precision does not.
static ar_factor_t rsqrt_factor(float in, float out) {
    int e_in, e_out, e_near;
    in = frexpf(in, &e_in);
    out = frexpf(out, &e_out);
    if (e_in & 1) {
        in *= 0.5f;
        e_in++;
    }
    uint32_t near = (uint32_t)ldexpf(frexpf(1.0f / (sqrtf(in) * out), &e_near), 24);
    uint64_t p = (uint64_t)near * (uint32_t)ldexpf(out, 24), high = p >> 24, low = p & 0xffffff;
    uint64_t square = (high * high << 15) + (high * low >> 8) + (low * low >> 33); // p^2 / 2^33
    uint64_t bits = (uint64_t)ldexpf(in, 25);
    uint64_t product = (square >> 32) * bits + ((square & 0xffffffff) * bits >> 32); // 2^(56 - 2 * e_near), nearly
    int64_t short_of = ((int64_t)1 << (56 - 2 * e_near)) - (int64_t)product;
    uint64_t root = ((uint64_t)near << 32) + (uint64_t)((int64_t)near * short_of >> (25 - 2 * e_near));
    int32_t shift = e_near - e_in / 2 - e_out;
    if (root < (uint64_t)1 << 55) {
        root *= 2;
        shift--;
    }
    uint64_t mult = (root + (1 << 24)) >> 25;
    return mult >> 31 ? (ar_factor_t) { 1 << 30, shift + 1 } : (ar_factor_t) { (int32_t)mult, shift };
}

ar_status_t ar_prepare_abs(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_unary_open(p);
    if (status != AR_OK) {
        return status;
    }
    if (in->type == AR_FLOAT32) {
        return ar_unary_f32(p, magnitude);
    }
    if (in->type == AR_INT32 || (in->type == AR_INT16 && !in->n_scales)) {
        return plain(p, step_abs);
    }
    status = ar_unary_quantized(p);
    return status != AR_OK ? status : integer(p, step_abs_quantized, ar_factor(in->scale, 1.0f, out->scale));
}

ar_status_t ar_prepare_neg(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in;
    ar_status_t status = ar_unary_open(p);
    if (status != AR_OK) {
        return status;
    }
    return in->type == AR_INT32 ? plain(p, step_neg) : function(p, neg);
}

ar_status_t ar_prepare_rsqrt(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_unary_open(p);
    if (status != AR_OK) {
        return status;
    }
    if (in->type == AR_FLOAT32) {
        return ar_unary_f32(p, rsqrt);
    }
    status = ar_unary_quantized(p);
    if (status != AR_OK) {
        return status;
    }
    ar_factor_t factor = rsqrt_factor(in->scale, out->scale);
    factor.shift -= RSQRT_BITS;
    if (factor.shift < -31 || factor.shift > 10) {
        return ar_too_far_apart(p);
    }
    return integer(p, step_rsqrt, factor);
}

ar_status_t ar_prepare_logical_not(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in;
    ar_status_t status = ar_unary_open(p);
    if (status != AR_OK) {
        return status;
    }
    return in->type == AR_BOOL ? plain(p, step_not) : ar_bad_type(p, in->type);
}
