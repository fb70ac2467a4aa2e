// Requantization factors from float scales, without floating point.

#include <stdbool.h>
#include <string.h>

#include "kernels/requantize.h"

// A positive normal float is mantissa * 2^(exponent - 150), with 24 bits of mantissa.
static uint32_t split(float x, int32_t *exponent) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    *exponent = (int32_t)(bits >> 23 & 0xff);
    return (bits & 0x7fffff) | 0x800000;
}

// The quotient of p < 2^48 and d in [2^23, 2^24), times 2^32: eight bits at a time, so that each step is one 32-bit
// division. What remains says whether the quotient is exact.
static uint64_t divide(uint64_t p, uint32_t d, uint32_t *remainder) {
    uint32_t r = (uint32_t)(p >> 24);
    uint64_t q = r / d;
    r %= d;
    for (int32_t shift = 16; shift >= -32; shift -= 8) {
        r = r << 8 | (shift >= 0 ? (uint32_t)(p >> shift) & 0xff : 0);
        q = q << 8 | r / d;
        r %= d;
    }
    *remainder = r;
    return q;
}

// To 53 bits, ties to even, as a double holds the quotient; bits is how many there are.
static uint64_t round_to_double(uint64_t q, uint32_t bits, bool exact) {
    uint32_t drop = bits - 53;
    uint64_t low = q & (((uint64_t)1 << drop) - 1);
    uint64_t half = (uint64_t)1 << (drop - 1);
    uint64_t kept = q >> drop;
    return kept + (low > half || (low == half && (!exact || (kept & 1))));
}

// The quotient q of bits bits, times 2^shift, as a factor: frexp gives a fraction in [1/2, 1) and a power of two; then
// 31 bits of the fraction, half away from zero.
static ar_factor_t factor_of(uint64_t q, uint32_t bits, bool exact, int32_t shift) {
    q = round_to_double(q, bits, exact);
    shift += (int32_t)bits;
    uint32_t mult = (uint32_t)((q + ((uint32_t)1 << 21)) >> 22);
    if (mult >> 31) {
        mult = (uint32_t)1 << 30;
        shift++;
    }
    if (shift < -31) {
        return (ar_factor_t) { 0, 0 };
    }
    if (shift > 31) {
        return (ar_factor_t) { 0x7fffffff, 31 };
    }
    return (ar_factor_t) { (int32_t)mult, shift };
}

ar_factor_t ar_factor(float a, float b, float c) {
    int32_t ea, eb, ec;
    uint32_t ma = split(a, &ea), mb = split(b, &eb), mc = split(c, &ec);
    uint64_t p = (uint64_t)ma * mb;
    int32_t shift = ea + eb - ec - 150 - 32;
    if (p < (uint64_t)1 << 47) {
        p <<= 1;
        shift--;
    }
    uint32_t remainder;
    uint64_t q = divide(p, mc, &remainder);
    return factor_of(q, q >> 56 ? 57 : 56, remainder == 0, shift);
}

ar_factor_t ar_factor_over(float a, float b, float c) {
    int32_t ea, eb, ec;
    uint64_t r = split(a, &ea), d = (uint64_t)split(b, &eb) * split(c, &ec), q = 0;
    int32_t shift = ea - eb - ec + 150;
    r <<= 22; // below d, which is at least 2^46
    for (shift -= 22; !(q >> 55); shift--) {
        r <<= 1;
        q = q << 1 | (r >= d);
        r -= r >= d ? d : 0;
    }
    return factor_of(q, 56, r == 0, shift);
}

ar_ratio_t ar_ratio(float a, float c) {
    int32_t ea, ec;
    uint32_t r = split(a, &ea), d = split(c, &ec);
    uint64_t q = 0;
    int32_t exponent = ea - ec;
    if (r < d) {
        r <<= 1;
        exponent--;
    }
    // The first bit, which is 1, then seven bytes and seven bits.
    r -= d;
    q = 1;
    for (uint32_t i = 0; i < 7; i++) {
        r <<= 8;
        q = q << 8 | r / d;
        r %= d;
    }
    r <<= 7;
    return (ar_ratio_t) { q << 7 | r / d, exponent - 125, a, c };
}

ar_factor_t ar_ratio_factor(const ar_ratio_t *r, float b) {
    uint32_t bits;
    bool near;
    memcpy(&bits, &b, sizeof(bits));
    ar_factor_t f = ar_ratio_quick(r, bits, &near);
    return near || f.mult < 0 || (uint32_t)(f.shift + 31) > 61 ? ar_factor(r->a, b, r->c) : f;
}
