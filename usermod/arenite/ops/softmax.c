// SOFTMAX and LOG_SOFTMAX over the last dimension: int8 and int16 in fixed point as tensorflow/lite/kernels/internal/
// reference/softmax.h and log_softmax.h compute them, and float32.

#include <math.h>

#include "kernels/fixed_point.h"
#include "kernels/requantize.h"
#include "ops/float.h"
#include "ops/op.h"

// Integer bits of a difference to the largest, and of the sum of exponentials.
#define DIFF_BITS (5)
#define SUM_BITS (12)

struct _softmax_t;
typedef void (*row_t)(const struct _softmax_t *s, const void *in, void *out);

typedef struct _softmax_t {
    row_t row;
    uint32_t rows;
    uint32_t depth;
    ar_factor_t scale;          // a difference in quantized units to fixed point
    union {
        float beta;             // of integers it is in the scale
        int32_t diff_min;       // what is further below the largest counts as 0
    };
    uint8_t in_type;
    uint8_t out_type;
} softmax_t;

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const softmax_t *s = ar_params(rec);
    const uint8_t *in = ar_in(rec, 0);
    uint8_t *out = ar_out(rec, 0);
    for (uint32_t row = 0; row < s->rows; row++) {
        s->row(s, in, out);
        in += s->depth * ar_type_size(s->in_type);
        out += s->depth * ar_type_size(s->out_type);
    }
    return AR_OK;
}

// ---- int8 ------------------------------------------------------------------------------------------------

static int32_t scaled(const softmax_t *s, int32_t diff) {
    return ar_requantize(diff, s->scale);
}

static int32_t largest_of(const int8_t *x, uint32_t n) {
    int32_t largest = -128;
    for (uint32_t i = 0; i < n; i++) {
        largest = x[i] > largest ? x[i] : largest;
    }
    return largest;
}

static uint32_t sum_of_exps(const softmax_t *s, const int8_t *x, int32_t largest) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < s->depth; i++) {
        if (x[i] - largest >= s->diff_min) {
            uint32_t e = (uint32_t)ar_shift_right(ar_fixed_exp(scaled(s, x[i] - largest), DIFF_BITS), SUM_BITS);
            sum = e < UINT32_MAX - sum ? sum + e : UINT32_MAX;
        }
    }
    return sum;
}

static void row_s8(const softmax_t *s, const void *in, void *out) {
    const int8_t *x = in;
    bool wide = AR_HAS_INT16 && s->out_type == AR_INT16;
    int32_t low = wide ? -32768 : -128, largest = largest_of(x, s->depth), over_unit;
    int32_t scale = ar_fixed_reciprocal(sum_of_exps(s, x, largest), SUM_BITS, &over_unit);
    int32_t shift = over_unit + 31 - (wide ? 16 : 8);
    for (uint32_t i = 0; i < s->depth; i++) {
        int32_t v = 0;
        // A shift beyond 31: so many alike that each has less than half of a step.
        if (x[i] - largest >= s->diff_min && shift <= 31) {
            v = ar_shift_right(ar_mul_high(scale, ar_fixed_exp(scaled(s, x[i] - largest), DIFF_BITS)), shift);
        }
        v = ar_clamp(v + low, low, -low - 1);
        if (wide) {
            ((int16_t *)out)[i] = (int16_t)v;
        } else {
            ((int8_t *)out)[i] = (int8_t)v;
        }
    }
}

static void log_row_s8(const softmax_t *s, const void *in, void *out) {
    const int8_t *x = in;
    int32_t largest = largest_of(x, s->depth);
    int32_t log_sum = ar_fixed_log((int32_t)sum_of_exps(s, x, largest));
    for (uint32_t i = 0; i < s->depth; i++) {
        int32_t diff = x[i] - largest;
        // What is too far below the largest to fit 32 bits is below the lowest output by far.
        int64_t log = diff >= s->diff_min ? (int64_t)scaled(s, diff) - log_sum : INT32_MIN;
        int32_t v = log > INT32_MIN ? ar_shift_right((int32_t)log, 31 - DIFF_BITS - 4) : -255;
        ((int8_t *)out)[i] = (int8_t)ar_clamp(v + 127, -128, 127);
    }
}

// ---- int16 -----------------------------------------------------------------------------------------------

// round(x / 2), half away from zero.
static int32_t halved(int32_t x) {
    return (x + (x > 0) - (x < 0)) / 2;
}

// exp((i - 512) * 10 / 512) in 15 bits, less half of what a chord from it to the next lies above the curve: entry i
// of TensorFlow Lite's table (gen_lut in common.h), which all comes out of the fixed-point exponential.
static int32_t exp_entry(int32_t i) {
    const int32_t step = 10 * (1 << (31 - DIFF_BITS - 9));
    if (i == 512) {
        return 32767;
    }
    int32_t x = (i - 512) * step;
    int32_t y = ar_shift_right(ar_fixed_exp(x, DIFF_BITS), 16);
    int32_t middle = ar_shift_right(ar_fixed_exp(x + step / 2, DIFF_BITS), 16);
    int32_t chord = (int32_t)(((int64_t)ar_fixed_exp(x + step, DIFF_BITS) + ((int64_t)y << 16) + (1 << 16)) >> 17);
    return ar_clamp(y - halved(chord - middle), -32768, 32767);
}

// The same of 1 / (1 + i / 512). The divisions are exact enough in float32 that every machine has the same bits.
static int32_t reciprocal_entry(int32_t i) {
    if (i == 512) {
        return 16384;
    }
    float y = roundf(32768.0f / (1 + (float)i / 512));
    float middle = roundf(32768.0f * (1 / (1 + ((float)i / 512 + 1.0f / 1024))));
    float chord = roundf((32768.0f * (1 / (1 + (float)(i + 1) / 512)) + y) / 2);
    return ar_clamp((int32_t)(y - roundf((chord - middle) / 2)), -32768, 32767);
}

// Between two entries; x from -32768 to 32767.
static int32_t look_up(int32_t (*entry)(int32_t i), int32_t x) {
    int32_t i = 256 + (x >> 7), y = entry(i);
    return y + (((entry(i + 1) - y) * (x & 0x7f) + 64) >> 7);
}

static void row_s16(const softmax_t *s, const void *in, void *to) {
    const int16_t *x = in;
    int16_t *out = to;
    int32_t largest = -32768, least = s->scale.shift > 0 ? -(INT32_MAX >> s->scale.shift) : INT32_MIN;
    for (uint32_t i = 0; i < s->depth; i++) {
        largest = x[i] > largest ? x[i] : largest;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < s->depth; i++) {
        int32_t diff = x[i] - largest > least ? x[i] - largest : least;
        int32_t e = look_up(exp_entry, ar_clamp(scaled(s, diff) + 32767, -32768, 32767));
        out[i] = (int16_t)e;
        sum += (uint32_t)e;
    }
    // The sum as a number from 1 to 2, of 16 bits behind the point; 1 / it by the second table.
    int32_t zeros = __builtin_clz(sum);
    int32_t above_one = (int32_t)((((uint64_t)sum << (zeros - 1)) + (1 << 13)) >> 14) - (1 << 16);
    int32_t scale = look_up(reciprocal_entry, ar_clamp(above_one - (1 << 15), -32768, 32767));
    for (uint32_t i = 0; i < s->depth; i++) {
        out[i] = (int16_t)ar_clamp((out[i] * scale + (1 << (30 - zeros))) >> (31 - zeros), 0, 32767);
    }
}

// ---- float32 ---------------------------------------------------------------------------------------------

static float largest_f32(const float *x, uint32_t n) {
    float largest = x[0];
    for (uint32_t i = 1; i < n; i++) {
        largest = x[i] > largest ? x[i] : largest;
    }
    return largest;
}

static void row_f32(const softmax_t *s, const void *in, void *to) {
    const float *x = in;
    float *out = to, largest = largest_f32(x, s->depth), sum = 0;
    for (uint32_t i = 0; i < s->depth; i++) {
        out[i] = ar_expf((x[i] - largest) * s->beta);
        sum += out[i];
    }
    for (uint32_t i = 0; i < s->depth; i++) {
        out[i] /= sum;
    }
}

static void log_row_f32(const softmax_t *s, const void *in, void *out) {
    const float *x = in;
    float largest = largest_f32(x, s->depth), sum = 0;
    for (uint32_t i = 0; i < s->depth; i++) {
        sum += ar_expf(x[i] - largest);
    }
    float log_sum = logf(sum);
    for (uint32_t i = 0; i < s->depth; i++) {
        ((float *)out)[i] = x[i] - largest - log_sum;
    }
}

// ---- prepare ---------------------------------------------------------------------------------------------

static ar_status_t check(ar_prep_t *p, float scale, int32_t zero) {
    ar_status_t status = ar_expect_quantized(p, &p->in);
    return status == AR_OK ? ar_expect_output(p, scale, zero) : status;
}

// PreprocessSoftmaxScaling and CalculateInputRadius of quantization_util.cc.
static void scale_s8(softmax_t *s, const ar_tensor_t *in) {
    s->scale = ar_factor(s->beta, in->scale, 1.0f / (1 << (31 - DIFF_BITS)));
    int32_t furthest = 31 << (31 - DIFF_BITS);
    s->diff_min = -(s->scale.shift > 0 ? furthest >> s->scale.shift : furthest);
}

// scale * beta / (10 / 65535), in integers: three factors of 24, 24 and 14 bits.
static void scale_s16(softmax_t *s, const ar_tensor_t *in) {
    int a, b;
    uint64_t product = (uint64_t)ldexpf(frexpf(in->scale, &a), 24) * (uint64_t)ldexpf(frexpf(s->beta, &b), 24) * 13107;
    int32_t shift = a + b - 48 - 1 + 64; // product / 2^64 * 2^shift
    for (; !(product >> 63); product <<= 1) {
        shift--;
    }
    uint32_t mult = (uint32_t)((product >> 33) + (product >> 32 & 1));
    if (mult >> 31) {
        mult >>= 1;
        shift++;
    }
    s->scale = shift < -31 ? (ar_factor_t) { 0, 0 } : (ar_factor_t) { (int32_t)mult, shift < 30 ? shift : 30 };
}

static ar_status_t prepare(ar_prep_t *p, row_t row, softmax_t *s) {
    s->row = row;
    s->depth = (uint32_t)p->in.dim[p->in.rank - 1];
    s->rows = p->in.count / s->depth;
    s->in_type = p->in.type;
    s->out_type = p->out.type;
    ar_overwrites(p, 1);
    return ar_keep(p, eval, s, sizeof(*s));
}

static ar_status_t open(ar_prep_t *p, bool log) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    bool same = in->type == out->type && (ar_is(in, AR_FLOAT32) || in->type == AR_INT8);
    if (!same && (log || !ar_is(out, AR_INT16) || (in->type != AR_INT16 && in->type != AR_INT8))) {
        return ar_bad_types(p);
    }
    if (in->rank < 1 || !ar_same_shape(in, out) || in->count == 0) {
        return ar_refuse(p, "%I%A%O%V%Tsame %H, of at least one %D%Aone element");
    }
    return AR_OK;
}

ar_status_t ar_prepare_softmax(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in;
    ar_status_t status = open(p, false);
    if (status != AR_OK) {
        return status;
    }
    softmax_t s = { .beta = ar_option_float(p, SOFTMAX_BETA, 0) };
    if (ar_is(in, AR_FLOAT32)) {
        return prepare(p, row_f32, &s);
    }
    bool wide = ar_is(&p->out, AR_INT16), both = ar_is(in, AR_INT16);
    status = check(p, both ? 1.0f / 32768 : wide ? 1.0f / 65536 : 1.0f / 256, both ? 0 : wide ? -32768 : -128);
    if (status != AR_OK) {
        return status;
    }
    if (!(s.beta >= 1.17549435e-38f && s.beta <= 1e6f) || in->scale > 1e6f) {
        return ar_refuse(p, "beta%A%T%I's scale must lie between 0%A1000000");
    }
    if (both && in->dim[in->rank - 1] > 65536) {
        return ar_unsupported(p, "%N65536 numbers of int16 are not supported");
    }
    (both ? scale_s16 : scale_s8)(&s, in);
    return prepare(p, both ? row_s16 : row_s8, &s);
}

ar_status_t ar_prepare_log_softmax(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in;
    ar_status_t status = open(p, true);
    softmax_t s = { .beta = 1 };
    if (status != AR_OK || ar_is(in, AR_FLOAT32)) {
        return status == AR_OK ? prepare(p, log_row_f32, &s) : status;
    }
    status = check(p, 1.0f / 16, 127);
    if (status != AR_OK) {
        return status;
    }
    if (in->scale > 1e6f) {
        return ar_refuse(p, "%T%I's scale is too large");
    }
    if (in->dim[in->rank - 1] > 4095) {
        return ar_unsupported(p, "%N4095 numbers of int8 are not supported");
    }
    scale_s8(&s, in);
    return prepare(p, log_row_s8, &s);
}
