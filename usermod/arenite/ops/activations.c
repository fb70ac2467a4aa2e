// Activations that stand alone: LOGISTIC, TANH, RELU and its like, LEAKY_RELU, PRELU, HARD_SWISH; ELU is in functions.c.

#include <math.h>

#include "kernels/fixed_point.h"
#include "kernels/requantize.h"
#include "kernels/sigmoid.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/elements.h"
#include "ops/number.h"
#include "ops/unary.h"

// ---- RELU and its like -----------------------------------------------------------------------------------

typedef struct {
    uint32_t count;
    float low;
    float high;
} clamp_f32_t;

typedef struct {
    ar_unary_t u;
    ar_factor_t factor[2];      // for inputs from zero up, and below
    int32_t in_zero;
    int32_t out_zero;
    int32_t low;
    int32_t high;
} scale_t;

static ar_status_t eval_clamp_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const clamp_f32_t *c = ar_params(rec);
    const float *x = ar_in(rec, 0);
    float *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < c->count; i++) {
        out[i] = x[i] < c->low ? c->low : x[i] > c->high ? c->high : x[i];
    }
    return AR_OK;
}

static int32_t step_clamp(const ar_unary_t *u, int32_t x) {
    const scale_t *s = (const scale_t *)u;
    return ar_clamp(x, s->low, s->high);
}

static int32_t step_scale(const ar_unary_t *u, int32_t x) {
    const scale_t *s = (const scale_t *)u;
    int32_t v = x - s->in_zero;
    return ar_requantize_clamp(v, s->factor[v < 0], s->out_zero, s->low, s->high);
}

static ar_status_t clamp_f32(ar_prep_t *p, uint32_t count, float low, float high) {
    clamp_f32_t *c = ar_record(p, eval_clamp_f32, sizeof(*c));
    if (!c) {
        return AR_NO_MEMORY;
    }
    *c = (clamp_f32_t) { count, low, high };
    return ar_elementwise(p, &c->count, 1);
}

ar_status_t ar_prepare_relu(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_unary_open(p);
    if (status == AR_OK && in->type == AR_FLOAT32) {
        return clamp_f32(p, in->count, 0, INFINITY);
    }
    status = status == AR_OK ? ar_unary_quantized(p) : status;
    if (status != AR_OK) {
        return status;
    }
    scale_t s = { .in_zero = in->zero_point, .out_zero = out->zero_point, .low = out->zero_point };
    s.high = in->type == AR_INT8 ? 127 : 32767;
    s.factor[0] = s.factor[1] = ar_factor(in->scale, 1.0f, out->scale);
    return ar_unary_int(p, step_scale, &s.u, sizeof(s));
}

// Nothing is rescaled: the output is taken to have the input's scale.
static ar_status_t clamped(ar_prep_t *p, int32_t activation) {
    const ar_tensor_t *in = &p->in;
    float low, high;
    ar_status_t status = ar_unary_open(p);
    if (status == AR_OK && in->type == AR_FLOAT32) {
        ar_activation_float(p, activation, &low, &high);
        return clamp_f32(p, in->count, low, high);
    }
    status = status == AR_OK ? ar_unary_quantized(p) : status;
    if (status != AR_OK) {
        return status;
    }
    scale_t s = { .in_zero = 0 };
    ar_activation_int(p, activation, in, &s.low, &s.high);
    return ar_unary_int(p, step_clamp, &s.u, sizeof(s));
}

ar_status_t ar_prepare_relu6(ar_prep_t *p) {
    return clamped(p, ACTIVATION_RELU6);
}

ar_status_t ar_prepare_relu_n1_to_1(ar_prep_t *p) {
    return clamped(p, ACTIVATION_RELU_N1_TO_1);
}

// ---- LEAKY_RELU, PRELU -----------------------------------------------------------------------------------

typedef struct {
    uint32_t count;
    float alpha;
} leaky_f32_t;

static ar_status_t eval_leaky_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const leaky_f32_t *l = ar_params(rec);
    const float *x = ar_in(rec, 0);
    float *out = ar_out(rec, 0);
    for (uint32_t i = 0; i < l->count; i++) {
        out[i] = x[i] > 0 ? x[i] : x[i] * l->alpha;
    }
    return AR_OK;
}

ar_status_t ar_prepare_leaky_relu(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    float alpha = ar_option_float(p, LEAKY_RELU_ALPHA, 0);
    ar_status_t status = ar_unary_open(p);
    if (status == AR_OK && in->type == AR_FLOAT32) {
        leaky_f32_t *l = ar_record(p, eval_leaky_f32, sizeof(*l));
        if (!l) {
            return AR_NO_MEMORY;
        }
        *l = (leaky_f32_t) { in->count, alpha };
        return ar_elementwise(p, &l->count, 1);
    }
    status = status == AR_OK ? ar_unary_quantized(p) : status;
    if (status != AR_OK) {
        return status;
    }
    scale_t s = { .in_zero = in->zero_point, .out_zero = out->zero_point };
    s.high = in->type == AR_INT8 ? 127 : 32767;
    s.low = -s.high - 1;
    float size = fabsf(alpha);
    if (!(size <= 3.4028235e38f)) {
        return ar_refuse(p, "alpha is no number");
    }
    s.factor[0] = ar_factor(in->scale, 1.0f, out->scale);
    if (size >= 1.17549435e-38f) {
        s.factor[1] = ar_factor(in->scale, size, out->scale);
        s.factor[1].mult = alpha < 0 ? -s.factor[1].mult : s.factor[1].mult;
    }
    return ar_unary_int(p, step_scale, &s.u, sizeof(s));
}

typedef struct {
    ar_factor_t identity, alpha;
    int32_t in_zero, alpha_zero, out_zero;
    int32_t low, high;
    uint8_t type, alpha_type;
} prelu_t;

static const char *run_prelu_f32(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    (void)params;
    const float *x = a, *alpha = b;
    float *to = out;
    for (uint32_t i = 0; i < run->n; i++, x += run->stride[0], alpha += run->stride[1]) {
        *to++ = *x >= 0 ? *x : *x * *alpha;
    }
    return NULL;
}

static const char *run_prelu_int(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    const prelu_t *q = params;
    uint32_t ia = 0, ib = 0;
    for (uint32_t i = 0; i < run->n; i++, ia += (uint32_t)run->stride[0], ib += (uint32_t)run->stride[1]) {
        int32_t x = ar_load_int(a, ia, q->type) - q->in_zero;
        ar_factor_t f = q->identity;
        if (x < 0) {
            x *= ar_load_int(b, ib, q->alpha_type) - q->alpha_zero;
            f = q->alpha;
        }
        ar_store_int(out, i, q->type, ar_requantize_clamp(x, f, q->out_zero, q->low, q->high));
    }
    return NULL;
}

ar_status_t ar_prepare_prelu(ar_prep_t *p) {
    ar_tensor_t b;
    ar_get_input(p, 1, &b);
    // The alpha of int16 activations is int8 (tensorflow/lite/micro/kernels/prelu_common.cc).
    unsigned alpha = p->in.type == AR_INT16 ? AR_INT8 : p->in.type;
    if (p->out.type != p->in.type || b.type != alpha) {
        return ar_unsupported(p, "%I %t, alpha %t, %O %t%S", p->in.type,
            b.type, p->out.type);
    }
    if (p->in.type == AR_FLOAT32) {
        return ar_binary_record(p, &b, run_prelu_f32, NULL, 0);
    }
    ar_status_t status = ar_unary_quantized(p);
    if (status != AR_OK) {
        return status;
    }
    if (!ar_is_quantized(&b)) {
        return ar_not_quantized(p, "alpha needs");
    }
    prelu_t q = {
        .identity = ar_factor(p->in.scale, 1.0f, p->out.scale), .alpha = ar_factor(p->in.scale, b.scale, p->out.scale),
        .in_zero = p->in.zero_point, .alpha_zero = b.zero_point, .out_zero = p->out.zero_point,
        .high = p->in.type == AR_INT8 ? 127 : 32767, .type = p->in.type, .alpha_type = b.type,
    };
    q.low = -q.high - 1;
    return ar_binary_record(p, &b, run_prelu_int, &q, sizeof(q));
}

// ---- LOGISTIC, TANH --------------------------------------------------------------------------------------

// Four integer bits hold the range in which the functions are not yet at their ends in eight bits
// (tensorflow/lite/kernels/internal/reference/integer_ops/logistic.h, tanh.h).
#define RANGE_BITS (4)

typedef struct {
    ar_unary_t u;
    ar_factor_t factor;
    int32_t in_zero;
    int32_t radius;             // from here on the function is at its end
    bool tanh;
} curve_t;

static int32_t step_curve(const ar_unary_t *u, int32_t x) {
    const curve_t *c = (const curve_t *)u;
    int32_t v = x - c->in_zero, scaled, y;
    if (v <= -c->radius || v >= c->radius) {
        return v > 0 ? 127 : -128;
    }
    scaled = ar_requantize(v, c->factor);
    if (c->tanh) {
        y = ar_shift_right(ar_fixed_tanh(scaled, RANGE_BITS), 31 - 7);
    } else {
        y = ar_shift_right(ar_fixed_logistic(scaled, RANGE_BITS), 31 - 8) - 128;
    }
    return ar_clamp(y, -128, 127);
}

static int32_t table_index(const curve_t *c, int32_t x) {
    int32_t round = c->factor.shift ? 1 << (c->factor.shift - 1) : 0;
    return (x * c->factor.mult + round) >> c->factor.shift;
}

static int32_t step_logistic_s16(const ar_unary_t *u, int32_t x) {
    return ar_logistic_s16(table_index((const curve_t *)u, x));
}

static int32_t step_tanh_s16(const ar_unary_t *u, int32_t x) {
    return ar_tanh_s16(table_index((const curve_t *)u, x));
}

static bool near(float x, float power) {
    // CheckedLog2: the logarithm is an integer but for a thousandth.
    return x > power * 0.99930709f && x < power * 1.00069339f;
}

// The scale times 3 * 4096 as a multiplier of 15 bits, cut off, and a shift to the right; powers of two that fit go
// without a shift (CalculateArithmeticOpData in micro/kernels/tanh.cc).
static bool index_factor(float scale, bool tanh, ar_factor_t *f) {
    if (near(scale, 1.0f / 4096) || (tanh && near(scale, 1.0f / 2048))) {
        *f = (ar_factor_t) { scale > 1.5f / 4096 ? 6 : 3, 0 };
        return true;
    }
    int exponent;
    uint32_t m = 3 * (uint32_t)ldexpf(frexpf(scale, &exponent), 24); // scale * 3 = m * 2^(exponent - 24)
    int32_t right = 24 - 12 - exponent;                              // scale * 3 * 4096 = m / 2^right
    if (right < 0 || right > 50 || (uint64_t)m >> right > 32767) {
        return false;
    }
    f->shift = 0;
    while (2 * (uint64_t)m <= (uint64_t)32767 << right) {
        f->shift++;
        right--;
    }
    f->mult = (int32_t)(m >> right);
    return f->shift <= 30;
}

static ar_status_t curve_s8(ar_prep_t *p, const ar_tensor_t *in, bool tanh) {
    ar_status_t status = ar_expect_output(p, tanh ? 1.0f / 128 : 1.0f / 256, tanh ? 0 : -128);
    if (status != AR_OK) {
        return status;
    }
    if (in->scale > 1e6f) {
        return ar_refuse(p, "%T%I's scale is too large");
    }
    curve_t c = { .tanh = tanh, .in_zero = in->zero_point, .factor = ar_factor(in->scale, 1.0f, 1.0f / (1 << (31 - RANGE_BITS))) };
    // CalculateInputRadius: how far from zero an input still makes a difference.
    int32_t furthest = 15 << (31 - RANGE_BITS);
    c.radius = c.factor.shift > 0 ? furthest >> c.factor.shift : furthest;
    return ar_unary_int(p, step_curve, &c.u, sizeof(c));
}

static ar_status_t curve_s16(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out, bool tanh) {
    curve_t c = { .in_zero = 0 };
    if (!near(out->scale, 1.0f / 32768)) {
        return ar_refuse(p, "%T%O%Vscale 1/32768");
    }
    if (!index_factor(in->scale, tanh, &c.factor)) {
        return ar_refuse(p, "%T%I's scale must lie between 2^-30%A2.6");
    }
    return ar_unary_int(p, tanh ? step_tanh_s16 : step_logistic_s16, &c.u, sizeof(c));
}

static ar_status_t curve(ar_prep_t *p, bool tanh) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_unary_open(p);
    if (status == AR_OK && in->type == AR_FLOAT32) {
        return ar_unary_f32(p, tanh ? tanhf : ar_logistic_f32);
    }
    status = status == AR_OK ? ar_unary_quantized(p) : status;
    if (status != AR_OK) {
        return status;
    }
    return in->type == AR_INT8 ? curve_s8(p, in, tanh) : curve_s16(p, in, out, tanh);
}

ar_status_t ar_prepare_logistic(ar_prep_t *p) {
    return curve(p, false);
}

ar_status_t ar_prepare_tanh(ar_prep_t *p) {
    return curve(p, true);
}

// ---- HARD_SWISH ------------------------------------------------------------------------------------------

// x * relu6(x + 3) / 6 in 16 bits (tensorflow/lite/kernels/internal/reference/hard_swish.h).
typedef struct {
    ar_unary_t u;
    int32_t in_zero;
    int32_t out_zero;
    ar_factor_t relu;           // to the part of 3 that x is, of 15 bits
    ar_factor_t out;
} hard_swish_t;

static int32_t clamp_16(int32_t x) {
    return ar_clamp(x, -32768, 32767);
}

static int32_t mul_high_16(int32_t a, int32_t b) {
    return (a * b + (1 << 14)) >> 15;
}

static int32_t step_hard_swish(const ar_unary_t *u, int32_t x) {
    const hard_swish_t *h = (const hard_swish_t *)u;
    int32_t v = (x - h->in_zero) * 128, part = v, shift = h->relu.shift;
    if (shift > 0) {
        part = clamp_16(shift > 16 ? (v > 0 ? 32767 : v < 0 ? -32768 : 0) : (int32_t)((uint32_t)v << (shift - 1)));
    }
    part = mul_high_16(part, h->relu.mult);
    part = shift > 0 ? clamp_16(part * 2) : ar_shift_right(part, -shift);
    part = (part + (1 << 15)) >> 1;
    int32_t y = part * mul_high_16(v, h->out.mult) / (1 << 15);
    return ar_clamp(ar_shift_right(y, -h->out.shift) + h->out_zero, -128, 127);
}

static float hard_swish_f32(float x) {
    float part = x + 3 < 0 ? 0 : x + 3 > 6 ? 6 : x + 3;
    return x * part / 6;
}

// A factor whose multiplier has 15 bits instead of 31.
static ar_factor_t factor_16(ar_factor_t f) {
    f.mult = f.mult >= INT32_MAX - (1 << 15) ? 32767 : (f.mult + (1 << 15)) >> 16;
    return f;
}

ar_status_t ar_prepare_hard_swish(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_unary_open(p);
    if (status == AR_OK && in->type == AR_FLOAT32) {
        return ar_unary_f32(p, hard_swish_f32);
    }
    status = status == AR_OK ? ar_unary_quantized(p) : status;
    if (status != AR_OK || in->type != AR_INT8) {
        return status == AR_OK ? ar_bad_type(p, in->type) : status;
    }
    hard_swish_t h = { .in_zero = in->zero_point, .out_zero = out->zero_point };
    float fine = in->scale / 128;
    h.out = ar_factor(fine, 1.0f, out->scale);
    h.relu = ar_factor(fine, 1.0f, 3.0f / 32768);
    if (h.out.shift > 0) {
        return ar_too_far_apart(p);
    }
    h.out = factor_16(h.out);
    h.relu = factor_16(h.relu);
    return ar_unary_int(p, step_hard_swish, &h.u, sizeof(h));
}
