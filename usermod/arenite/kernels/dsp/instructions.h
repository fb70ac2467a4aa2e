// Single instructions of the DSP extension (Armv7E-M, Armv8-M): each function is one.

#ifndef ARENITE_KERNELS_DSP_INSTRUCTIONS_H
#define ARENITE_KERNELS_DSP_INSTRUCTIONS_H

#include <stdint.h>
#include <string.h>

// A word wherever it lies: these cores load unaligned words.
static inline uint32_t word_at(const void *p) {
    uint32_t w;
    memcpy(&w, p, sizeof(w));
    return w;
}

// Bytes 0 and 2 (1 and 3) as two int16, plus those of a.
static inline uint32_t sxtab16(uint32_t a, uint32_t bytes) {
    uint32_t r;
    __asm("sxtab16 %0, %1, %2" : "=r" (r) : "r" (a), "r" (bytes));
    return r;
}

static inline uint32_t sxtab16_odd(uint32_t a, uint32_t bytes) {
    uint32_t r;
    __asm("sxtab16 %0, %1, %2, ror #8" : "=r" (r) : "r" (a), "r" (bytes));
    return r;
}

static inline uint32_t sxtb16(uint32_t bytes) {
    uint32_t r;
    __asm("sxtb16 %0, %1" : "=r" (r) : "r" (bytes));
    return r;
}

static inline uint32_t sxtb16_odd(uint32_t bytes) {
    uint32_t r;
    __asm("sxtb16 %0, %1, ror #8" : "=r" (r) : "r" (bytes));
    return r;
}

// The low half of a below the low half of b; the high half of a below that of b.
static inline uint32_t pkhbt(uint32_t a, uint32_t b) {
    uint32_t r;
    __asm("pkhbt %0, %1, %2, lsl #16" : "=r" (r) : "r" (a), "r" (b));
    return r;
}

static inline uint32_t pkhtb(uint32_t b, uint32_t a) {
    uint32_t r;
    __asm("pkhtb %0, %1, %2, asr #16" : "=r" (r) : "r" (b), "r" (a));
    return r;
}

static inline uint32_t sadd16(uint32_t a, uint32_t b) {
    uint32_t r;
    __asm("sadd16 %0, %1, %2" : "=r" (r) : "r" (a), "r" (b));
    return r;
}

// acc + a.low * b.low + a.high * b.high
static inline int32_t smlad(uint32_t a, uint32_t b, int32_t acc) {
    int32_t r;
    __asm("smlad %0, %1, %2, %3" : "=r" (r) : "r" (a), "r" (b), "r" (acc));
    return r;
}

// (a * b + 2^31) >> 32
static inline int32_t smmulr(int32_t a, int32_t b) {
    int32_t r;
    __asm("smmulr %0, %1, %2" : "=r" (r) : "r" (a), "r" (b));
    return r;
}

// acc + (2^31 + a * b) >> 32
static inline int32_t smmlar(int32_t a, int32_t b, int32_t acc) {
    int32_t r;
    __asm("smmlar %0, %1, %2, %3" : "=r" (r) : "r" (a), "r" (b), "r" (acc));
    return r;
}

// acc + (2^31 - a * b) >> 32
static inline int32_t smmlsr(int32_t a, int32_t b, int32_t acc) {
    int32_t r;
    __asm("smmlsr %0, %1, %2, %3" : "=r" (r) : "r" (a), "r" (b), "r" (acc));
    return r;
}

static inline int32_t ssat8(int32_t a) {
    int32_t r;
    __asm("ssat %0, #8, %1" : "=r" (r) : "r" (a));
    return r;
}

// A rounding shift to the right as a factor of smmlsr: minus 2^(32 - bits). shift: of a requantization factor, -1 or less.
static inline int32_t power_of(int32_t shift) {
    return INT32_MIN >> (-shift - 1);
}

// The same int16 in both halves.
static inline uint32_t in_both(int32_t x) {
    return ((uint32_t)x & 0xffff) * 0x10001u;
}

// Twice the multiplier of a factor, less 2^32, since it is 2^31 or more.
static inline int32_t twice_of(int32_t mult) {
    return (int32_t)((uint32_t)mult << 1);
}

// As ar_requantize_clamp where a product is plain (kernels/product.h): the doubling high product, then half away
// from zero, which for what is negative is half up of one less.
static inline int32_t requantize_plain(int32_t sum, int32_t twice, int32_t power, int32_t out_zero) {
    int32_t t = smmlar(sum, twice, sum);
    return ssat8(smmlsr(t + (t >> 31), power, out_zero));
}

#endif // ARENITE_KERNELS_DSP_INSTRUCTIONS_H
