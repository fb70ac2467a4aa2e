// Arithmetic on two tensors: ADD, SUB, MUL, SQUARED_DIFFERENCE, DIV, FLOOR_DIV, FLOOR_MOD, POW. Float32 and int32 as they
// stand, int8 and int16 quantized.

#include <math.h>

#include "kernels/elementwise.h"
#include "kernels/fixed_point.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/number.h"

// ---- float32 and int32 -----------------------------------------------------------------------------------

typedef float (*float_fn_t)(float a, float b);
typedef int32_t (*int_fn_t)(int32_t a, int32_t b);

typedef struct {
    float_fn_t f;
    float low, high;
    bool divides;               // a second operand of 0 is an error
} float_op_t;

typedef struct {
    int_fn_t f;
    int32_t low, high;          // of the result
    int32_t least;              // of the second operand
    bool divides;
} int_op_t;

static const char *run_f32(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    const float_op_t *op = params;
    const float *x = a, *y = b;
    float *to = out;
    for (uint32_t i = 0; i < run->n; i++, x += run->stride[0], y += run->stride[1]) {
        if (op->divides && *y == 0) {
            return "division by 0";
        }
        float v = op->f(*x, *y);
        *to++ = v < op->low ? op->low : v > op->high ? op->high : v;
    }
    return NULL;
}

static const char *run_s32(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    const int_op_t *op = params;
    const int32_t *x = a, *y = b;
    int32_t *to = out;
    for (uint32_t i = 0; i < run->n; i++, x += run->stride[0], y += run->stride[1]) {
        if (op->divides && *y == 0) {
            return "division by 0";
        }
        if (*y < op->least) {
            return "an exponent below 0";
        }
        *to++ = ar_clamp(op->f(*x, *y), op->low, op->high);
    }
    return NULL;
}

static float add_f32(float a, float b) {
    return a + b;
}

static float sub_f32(float a, float b) {
    return a - b;
}

static float mul_f32(float a, float b) {
    return a * b;
}

static float squared_difference_f32(float a, float b) {
    return (a - b) * (a - b);
}

static float div_f32(float a, float b) {
    return a / b;
}

// The remainder has the divisor's sign.
static float floor_mod_f32(float a, float b) {
    float m = fmodf(a, b);
    return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

// The floor of the exact quotient, which a rounded one may miss by one: what divides without a remainder is rounded to
// the nearest integer instead. TensorFlow Lite takes double precision for this (reference/floor_div.h).
static float floor_div_f32(float a, float b) {
    float m = fmodf(a, b);
    if (isnan(m) || isinf(b)) {
        return floorf(a / b);
    }
    float q = roundf((a - m) / b);
    return m != 0 && (m < 0) != (b < 0) ? q - 1 : q;
}

static int32_t add_s32(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static int32_t sub_s32(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static int32_t mul_s32(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

static int32_t squared_difference_s32(int32_t a, int32_t b) {
    return mul_s32(sub_s32(a, b), sub_s32(a, b));
}

static int32_t div_s32(int32_t a, int32_t b) {
    return b == -1 ? sub_s32(0, a) : a / b;
}

static int32_t floor_mod_s32(int32_t a, int32_t b) {
    int32_t m = b == -1 ? 0 : a % b;
    return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

static int32_t floor_div_s32(int32_t a, int32_t b) {
    return sub_s32(div_s32(a, b), floor_mod_s32(a, b) != 0 && (a < 0) != (b < 0));
}

static int32_t pow_s32(int32_t a, int32_t b) {
    int32_t v = 1;
    for (; b; b >>= 1, a = mul_s32(a, a)) {
        v = b & 1 ? mul_s32(v, a) : v;
    }
    return v;
}

// ---- int8 and int16 --------------------------------------------------------------------------------------

// Both operands less their zero points, brought to one scale with some bits to spare (not for a product), then the
// operation, then the output's scale.
typedef struct {
    ar_add_t q;
    int_fn_t f;
    int32_t limit;              // of what f gives: more saturates anyway, and would not bear the shift
    uint8_t type;
    uint8_t shift;              // bits to spare
    bool rescale;
} quantized_t;

static int32_t to_output(const ar_add_t *q, int32_t v) {
    return ar_clamp(v, q->low - q->offset_out, q->high - q->offset_out) + q->offset_out;
}

static int32_t operand(const quantized_t *op, int32_t v, ar_factor_t f) {
    return op->rescale ? ar_requantize((int32_t)((uint32_t)v << op->shift), f) : v;
}

static const char *run_quantized(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    const quantized_t *op = params;
    const ar_add_t *q = &op->q;
    uint32_t ia = 0, ib = 0;
    for (uint32_t i = 0; i < run->n; i++, ia += (uint32_t)run->stride[0], ib += (uint32_t)run->stride[1]) {
        int32_t x = operand(op, ar_load_int(a, ia, op->type) + q->offset_a, q->a);
        int32_t y = operand(op, ar_load_int(b, ib, op->type) + q->offset_b, q->b);
        int32_t v = ar_clamp(op->f(x, y), -op->limit, op->limit);
        ar_store_int(out, i, op->type, to_output(q, ar_requantize(v, q->out)));
    }
    return NULL;
}

static const char *run_add_s8(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    ar_add_s8(params, a, run->stride[0], b, run->stride[1], out, run->n);
    return NULL;
}

// |x| / y with as many bits as fit, times the factor (tensorflow/lite/kernels/internal/reference/div.h).
static int32_t quotient(int32_t x, int32_t y, ar_factor_t f) {
    int32_t over_unit;
    int32_t inverse = ar_fixed_reciprocal((uint32_t)y, 31, &over_unit);
    int32_t headroom = x > 0 ? __builtin_clz((unsigned)x) - 1 : x < -1 ? __builtin_clz(2u * (unsigned)-x - 1) : 31;
    int32_t q = ar_mul_high(ar_mul_high((int32_t)((uint32_t)x << headroom), inverse), f.mult);
    int32_t right = over_unit + headroom - f.shift;
    if (right < 0) {
        return q > 0 ? INT32_MAX : q < 0 ? INT32_MIN : 0;
    }
    return right > 31 ? 0 : ar_shift_right(q, right);
}

static const char *run_div_s8(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    const ar_add_t *q = params;
    const int8_t *x = a, *y = b;
    int8_t *to = out;
    for (uint32_t i = 0; i < run->n; i++, x += run->stride[0], y += run->stride[1]) {
        int32_t v = *x + q->offset_a, w = *y + q->offset_b;
        if (w == 0) {
            return "division by 0";
        }
        *to++ = (int8_t)to_output(q, w < 0 ? quotient(-v, -w, q->out) : quotient(v, w, q->out));
    }
    return NULL;
}

static ar_factor_t shifted(ar_factor_t f, int32_t bits) {
    f.shift -= bits;
    return f.shift < -31 ? (ar_factor_t) { 0, 0 } : f;
}

// Micro kernels' add_common.cc, sub_common.cc, mul_common.cc and squared_difference.cc.
static void factors(quantized_t *op, const ar_prep_t *p, const ar_tensor_t *b) {
    ar_add_t *q = &op->q;
    float twice = 2 * (p->in.scale > b->scale ? p->in.scale : b->scale);
    bool wide = p->in.type == AR_INT16;
    if (op->f == mul_s32) {
        q->out = ar_factor(p->in.scale, b->scale, p->out.scale);
        return;
    }
    op->rescale = true;
    op->shift = wide ? 15 : AR_ADD_SHIFT;
    q->a = ar_factor(p->in.scale, 1.0f, twice);
    q->b = ar_factor(b->scale, 1.0f, twice);
    if (op->f != squared_difference_s32) {
        q->out = shifted(ar_factor(twice, 1.0f, p->out.scale), op->shift);
    } else {
        op->shift = wide ? 0 : 7;
        q->out = shifted(ar_factor(twice, twice, p->out.scale), 2 * op->shift);
    }
}

// ---- prepare ---------------------------------------------------------------------------------------------

// Check the quantization of all three and set zero points and limits.
static ar_status_t quantize(ar_prep_t *p, const ar_tensor_t *b, int32_t activation, bool symmetric, ar_add_t *q) {
    if (!ar_is_quantized(&p->in) || !ar_is_quantized(b) || !ar_is_quantized(&p->out)) {
        return ar_inputs_not_quantized(p);
    }
    if (p->in.scale > 1e37f || b->scale > 1e37f) {
        return ar_refuse(p, "a scale is too large");
    }
    if (symmetric && (p->in.zero_point || b->zero_point || p->out.zero_point)) {
        return ar_refuse(p, "int16 %Is%A%O need %Ps of 0");
    }
    q->offset_a = -p->in.zero_point;
    q->offset_b = -b->zero_point;
    q->offset_out = p->out.zero_point;
    return ar_activation_int(p, activation, &p->out, &q->low, &q->high);
}

static ar_status_t prepare_quantized(ar_prep_t *p, const ar_tensor_t *b, int32_t activation, int_fn_t f) {
    quantized_t op = { .f = f, .type = p->in.type };
    bool squares = f == mul_s32 || f == squared_difference_s32;
    ar_status_t status = quantize(p, b, activation, squares && p->in.type == AR_INT16, &op.q);
    if (status != AR_OK) {
        return status;
    }
    factors(&op, p, b);
    op.q.out.shift = op.q.out.shift < 30 ? op.q.out.shift : 30;
    op.limit = op.q.out.shift > 0 ? INT32_MAX >> op.q.out.shift : INT32_MAX;
    if (f == add_s32 && p->in.type == AR_INT8 && op.q.out.shift <= 0) {
        return ar_binary_record(p, b, run_add_s8, &op.q, sizeof(op.q));
    }
    return ar_binary_record(p, b, run_quantized, &op, sizeof(op));
}

static ar_status_t prepare_f32(ar_prep_t *p, const ar_tensor_t *b, int32_t activation, float_fn_t f) {
    float_op_t op = { .f = f, .divides = f == floor_div_f32 };
    ar_status_t status = ar_activation_float(p, activation, &op.low, &op.high);
    return status == AR_OK ? ar_binary_record(p, b, run_f32, &op, sizeof(op)) : status;
}

// tflite-micro's int32 ADD ignores its activation; TensorFlow Lite, and this, do not.
static ar_status_t prepare_s32(ar_prep_t *p, const ar_tensor_t *b, int32_t activation, int_fn_t f) {
    float low, high;
    ar_status_t status = ar_activation_float(p, activation, &low, &high);
    if (status != AR_OK) {
        return status;
    }
    if (p->in.n_scales || b->n_scales || p->out.n_scales) {
        return ar_unsupported(p, "quantized int32%S");
    }
    int_op_t op = {
        .f = f, .low = low < -1 ? INT32_MIN : (int32_t)low, .high = high > 6 ? INT32_MAX : (int32_t)high,
        .least = f == pow_s32 ? 0 : INT32_MIN, .divides = f == div_s32 || f == floor_div_s32 || f == floor_mod_s32,
    };
    return ar_binary_record(p, b, run_s32, &op, sizeof(op));
}

// Any of these operators: what it does to floats and to integers.
static ar_status_t prepare(ar_prep_t *p, float_fn_t f32, int_fn_t s32, bool fused, bool quantizes) {
    ar_tensor_t b;
    ar_status_t status = ar_binary_open(p, &b);
    if (status != AR_OK) {
        return status;
    }
    if (p->out.type != p->in.type) {
        return ar_refuse(p, "types differ: %T%Is are %t, %T%O is %t", p->in.type, p->out.type);
    }
    int32_t activation = fused ? ar_option_byte(p, ARITHMETIC_ACTIVATION, ACTIVATION_NONE) : ACTIVATION_NONE;
    if (p->in.type == AR_FLOAT32) {
        return prepare_f32(p, &b, activation, f32);
    }
    if (p->in.type == AR_INT32) {
        return prepare_s32(p, &b, activation, s32);
    }
    if (quantizes && (p->in.type == AR_INT8 || p->in.type == AR_INT16)) {
        return prepare_quantized(p, &b, activation, s32);
    }
    if (s32 == div_s32 && p->in.type == AR_INT8) {
        ar_add_t q = { .out = ar_factor_over(p->in.scale, b.scale, p->out.scale) };
        status = quantize(p, &b, activation, false, &q);
        return status == AR_OK ? ar_binary_record(p, &b, run_div_s8, &q, sizeof(q)) : status;
    }
    return ar_bad_type(p, p->in.type);
}

ar_status_t ar_prepare_add(ar_prep_t *p) {
    return prepare(p, add_f32, add_s32, true, true);
}

ar_status_t ar_prepare_sub(ar_prep_t *p) {
    return prepare(p, sub_f32, sub_s32, true, true);
}

ar_status_t ar_prepare_mul(ar_prep_t *p) {
    return prepare(p, mul_f32, mul_s32, true, true);
}

ar_status_t ar_prepare_squared_difference(ar_prep_t *p) {
    return prepare(p, squared_difference_f32, squared_difference_s32, false, true);
}

ar_status_t ar_prepare_div(ar_prep_t *p) {
    return prepare(p, div_f32, div_s32, true, false);
}

ar_status_t ar_prepare_floor_div(ar_prep_t *p) {
    return prepare(p, floor_div_f32, floor_div_s32, false, false);
}

ar_status_t ar_prepare_floor_mod(ar_prep_t *p) {
    return prepare(p, floor_mod_f32, floor_mod_s32, false, false);
}

ar_status_t ar_prepare_pow(ar_prep_t *p) {
    return prepare(p, powf, pow_s32, false, false);
}
