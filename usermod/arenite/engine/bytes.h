// Little-endian numbers at any address: model files promise no alignment in memory, and Armv6-M faults on an
// unaligned word. memcpy of a constant size becomes the one load that the core can do.

#ifndef ARENITE_ENGINE_BYTES_H
#define ARENITE_ENGINE_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t ar_u16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t ar_u32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline int32_t ar_i32(const uint8_t *p) {
    return (int32_t)ar_u32(p);
}

static inline int64_t ar_i64(const uint8_t *p) {
    int64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline float ar_f32(const uint8_t *p) {
    float v;
    memcpy(&v, p, sizeof(v));
    return v;
}

#endif // ARENITE_ENGINE_BYTES_H
