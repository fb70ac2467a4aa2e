// Requantization: an int32 sum times a real factor, to the bits of TensorFlow Lite's reference kernels
// (tensorflow/lite/kernels/internal/common.h and quantization_util.cc: double rounding, as tflite-micro builds it).
//
// The factor is mult / 2^31 * 2^shift with mult in [2^30, 2^31).

#ifndef ARENITE_KERNELS_REQUANTIZE_H
#define ARENITE_KERNELS_REQUANTIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/tier.h"

typedef struct {
    int32_t mult;
    int32_t shift;              // left if positive
} ar_factor_t;

// a * b / c, computed as TensorFlow Lite computes it in double precision and then rounds to 31 bits, in integer
// arithmetic. All three positive and normal; anything else gives a factor that is meaningless but safe.
ar_factor_t ar_factor(float a, float b, float c);

// And so a / (b * c).
ar_factor_t ar_factor_over(float a, float b, float c);

// The same as ar_factor, sooner, for many b with one a and c.
typedef struct {
    uint64_t quotient;          // a / c, to 63 bits
    int32_t exponent;           // of the factor of a b in [2^-127, 2^-126), if the product's first bit is 1
    float a;
    float c;
} ar_ratio_t;

ar_ratio_t ar_ratio(float a, float c);

// Whether a shift leaves the shorter ways to requantize open: the factor is below 1/2, but not tiny.
#define AR_SHIFT_IS_PLAIN(shift) ((uint32_t)(-1 - (shift)) <= 21)

ar_factor_t ar_ratio_factor(const ar_ratio_t *r, float b);

// All 64 bits of a product. On cores without long multiplication, the one that the compiler calls is of 64 bits by 64.
static inline uint64_t ar_multiply(uint32_t a, uint32_t b) {
#if AR_TIER_THUMB && !AR_THUMB_FULL
    uint32_t al = a & 0xffff, ah = a >> 16, bl = b & 0xffff, bh = b >> 16;
    uint32_t low = al * bl, middle = ah * bl + (low >> 16), other = al * bh + (middle & 0xffff);
    return (uint64_t)(ah * bh + (middle >> 16) + (other >> 16)) << 32 | (other << 16 | (low & 0xffff));
#else
    return (uint64_t)a * b;
#endif
}

// The same in a few instructions, since where there is little scratch all channels ask for it once a row, for b as bits. Not so
// where *near, mult is negative, or shift beyond what an int32 can be shifted by.
static inline ar_factor_t ar_ratio_quick(const ar_ratio_t *r, uint32_t bits, bool *near) {
    uint32_t mb = bits << 8 | 0x80000000u;
    // Both from 2^31 and 2^63 on: the product's upper 64 bits, short by less than 2.
    uint64_t p = ar_multiply((uint32_t)(r->quotient >> 32), mb) + (ar_multiply((uint32_t)r->quotient, mb) >> 32);
    int32_t shift = r->exponent + (int32_t)(bits >> 23 & 0xff);
    if (!(p >> 63)) {
        p <<= 1;
        shift--;
    }
    // Near one half, what a double would have rounded before decides.
    uint32_t high = (uint32_t)(p >> 32), low = (uint32_t)p;
    *near = __builtin_expect(low + 0x4000 < 0x8000, 0) && (high & 1) != low >> 31;
    return (ar_factor_t) { (int32_t)((high >> 1) + (high & 1)), shift };
}

// The same for a list of channels, in assembly for cores that have the instructions: the fields in the order that the code loads
// them in.
#define AR_LISTS (AR_TIER_DSP || AR_THUMB_FULL)

typedef struct {
    const uint8_t *scales;      // wherever they lie
    const uint8_t *end;
    void *to;                   // words: the multiplier; shift and channel
    uint32_t channel;           // in the upper half, and anything in the lower
    uint32_t high;              // of the ratio's quotient
    uint32_t low;
    int32_t exponent;
    uint32_t worst;             // bits of -1 - shift
    int32_t sign;               // of the multipliers
} ar_list_t;

// Up to the end, where there is at least one; false: up to one that is near, whose factor is as good as none.
bool ar_ratio_list(ar_list_t *l);

// Saturating rounding doubling high multiply of the papers: (a * b * 2) >> 32, rounded half up.
static inline int32_t ar_mul_high(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

// x / 2^n, rounded half away from zero; 0 <= n <= 31.
static inline int32_t ar_shift_right(int32_t x, int32_t n) {
    int32_t mask = (int32_t)(((uint32_t)1 << n) - 1);
    return (x >> n) + ((x & mask) > (mask >> 1) + (x < 0));
}

static inline int32_t ar_requantize(int32_t x, ar_factor_t f) {
    int32_t left = f.shift > 0 ? f.shift : 0;
    return ar_shift_right(ar_mul_high((int32_t)((uint32_t)x << left), f.mult), left - f.shift);
}

static inline int32_t ar_clamp(int32_t x, int32_t low, int32_t high) {
    return x < low ? low : x > high ? high : x;
}

// A sum to an output with that zero point and range. The addition wraps: scales of a damaged file may be absurd.
static inline int32_t ar_requantize_clamp(int32_t x, ar_factor_t f, int32_t zero_point, int32_t low, int32_t high) {
    return ar_clamp((int32_t)((uint32_t)ar_requantize(x, f) + (uint32_t)zero_point), low, high);
}

#endif // ARENITE_KERNELS_REQUANTIZE_H
