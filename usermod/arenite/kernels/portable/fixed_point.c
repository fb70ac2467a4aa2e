// Exponential, reciprocal, logistic function, tanh, inverse square root and logarithm in fixed point. Source of the series and constants: gemmlowp,
// fixedpoint/fixedpoint.h; inverse square root and logarithm:
// tensorflow/lite/kernels/internal/quantization_util.cc and common.h.

#include "kernels/fixed_point.h"
#include "kernels/requantize.h"

#define ONE (0x7fffffff)

// x * 2^n, saturating.
static int32_t shift_left_saturated(int32_t x, int32_t n) {
    int32_t limit = ONE >> n;
    return x > limit ? ONE : x < -limit - 1 ? -ONE - 1 : (int32_t)((uint32_t)x << n);
}

// exp(a) for a in [-1/4, 0): the Taylor series about -1/8.
static int32_t exp_near_zero(int32_t a) {
    const int32_t exp_of_minus_eighth = 1895147668, third = 715827883;
    int32_t x = a + (1 << 28);
    int32_t x2 = ar_mul_high(x, x);
    int32_t x3 = ar_mul_high(x2, x);
    int32_t x4_over_4 = ar_shift_right(ar_mul_high(x2, x2), 2);
    int32_t rest = ar_shift_right(ar_mul_high(x4_over_4 + x3, third) + x2, 1);
    return exp_of_minus_eighth + ar_mul_high(exp_of_minus_eighth, x + rest);
}

int32_t ar_fixed_exp(int32_t a, int32_t integer_bits) {
    // exp(-2^k) for k = -2 .. 4, without integer bits.
    static const int32_t power[] = { 1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242 };
    if (a == 0) {
        return ONE;
    }
    int32_t fraction_bits = 31 - integer_bits;
    int32_t quarter = 1 << (fraction_bits - 2);
    int32_t near = (a & (quarter - 1)) - quarter;
    int32_t result = exp_near_zero(shift_left_saturated(near, integer_bits));
    uint32_t rest = (uint32_t)near - (uint32_t)a;
    for (int32_t k = -2; k < 5 && k < integer_bits; k++) {
        if (rest & ((uint32_t)1 << (fraction_bits + k))) {
            result = ar_mul_high(result, power[k + 2]);
        }
    }
    return result;
}

// 2 / (1 + a) with two integer bits: Newton-Raphson on the halved denominator, from 48/17 - 32/17 d.
static int32_t two_over_one_plus(int32_t a) {
    int64_t sum = (int64_t)a + ONE;
    int32_t half = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
    int32_t x = 1515870810 + ar_mul_high(half, -1010580540);
    for (int i = 0; i < 3; i++) {
        int32_t error = (1 << 29) - ar_mul_high(half, x);
        x += shift_left_saturated(ar_mul_high(x, error), 2);
    }
    return x;
}

int32_t ar_fixed_one_over_one_plus(int32_t a) {
    return shift_left_saturated(two_over_one_plus(a), 1);
}

static int32_t leading_zeros(uint32_t x) {
    return x ? __builtin_clz(x) : 32;
}

int32_t ar_fixed_reciprocal(uint32_t x, int32_t integer_bits, int32_t *over_unit) {
    int32_t headroom = leading_zeros(x);
    *over_unit = integer_bits - headroom;
    uint32_t normal = headroom < 32 ? x << headroom : 0;
    return ar_fixed_one_over_one_plus((int32_t)(normal - 0x80000000u));
}

int32_t ar_fixed_logistic(int32_t a, int32_t integer_bits) {
    if (a == 0) {
        return 1 << 30;
    }
    int32_t positive = ar_fixed_one_over_one_plus(ar_fixed_exp(a > 0 ? -a : a, integer_bits));
    return a > 0 ? positive : ONE - positive;
}

int32_t ar_fixed_tanh(int32_t a, int32_t integer_bits) {
    // (1 - e) / (1 + e) with e = exp(-2 |a|): the same number with one integer bit more is its double.
    if (a == 0) {
        return 0;
    }
    int32_t e = ar_fixed_exp(a > 0 ? -a : a, integer_bits + 1);
    int32_t t = shift_left_saturated(two_over_one_plus(e) - (1 << 29), 2);
    return a > 0 ? t : -t;
}

int32_t ar_fixed_rsqrt(int32_t x, int32_t *shift) {
    *shift = 0;
    if (x <= 1) {
        return ONE;
    }
    // To a quarter of 2^29 .. 2^29, by powers of four; then five steps from 1.
    int32_t right = 11;
    for (; x >= 1 << 29; x /= 4) {
        right++;
    }
    int32_t pairs = (leading_zeros((uint32_t)x) - 1) / 2 - 1;
    right -= pairs;
    x <<= 2 * pairs;
    int32_t input = x >> 1, half = ar_shift_right(input, 1), y = 1 << 28;
    for (int i = 0; i < 5; i++) {
        int32_t y3 = shift_left_saturated(ar_mul_high(ar_mul_high(y, y), y), 6);
        y = shift_left_saturated(ar_mul_high((1 << 28) + (1 << 27), y) - ar_mul_high(half, y3), 3);
    }
    y = ar_mul_high(y, 1518500250); // half the root of 2
    if (right < 0) {
        y = (int32_t)((uint32_t)y << -right);
        right = 0;
    }
    *shift = -right;
    return y;
}

int32_t ar_fixed_log(int32_t x) {
    // x is 2^k * r with r about the fourth root of 1/2, for which there is a quotient of polynomials.
    const int32_t root_half = 1518500250, fourth_root_half = 1805811301, log_2 = 1488522236;
    int32_t zeros = leading_zeros((uint32_t)x), zeros_b = leading_zeros((uint32_t)ar_mul_high(x, root_half)) - 1;
    int32_t r = shift_left_saturated(ar_mul_high(shift_left_saturated(x, zeros - 1), root_half), 1);
    int32_t r_b = shift_left_saturated(x, zeros_b);
    int32_t k = (12 - zeros) * (1 << 25) + (1 << 23), k_b = (12 - zeros_b) * (1 << 25) - (1 << 23);
    r = r < r_b ? r : r_b;
    k = k > k_b ? k : k_b;
    int64_t sum = (int64_t)r + fourth_root_half;
    int32_t p = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2), q = (r - fourth_root_half) * 2, q2 = ar_mul_high(q, q);
    int32_t above = ar_mul_high(q, r) + ar_mul_high(ar_mul_high(q, q2), 117049297);
    int32_t below = ar_mul_high(p, 1057819769 + q + ar_mul_high(127690142, q2)) + ar_mul_high(638450708, q);
    int32_t log_r = ar_mul_high(ar_shift_right(above, 6), ar_fixed_one_over_one_plus(below));
    return shift_left_saturated(ar_mul_high(k, log_2) + log_r, 1);
}
