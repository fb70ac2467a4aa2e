// Channels of an activation that are not the zero point at every position.

#include <string.h>

#include "ops/live.h"

#if AR_LIVE

static inline uint32_t word_at(const int8_t *x) {
    uint32_t w;
    memcpy(&w, __builtin_assume_aligned(x, sizeof(w)), sizeof(w));
    return w;
}

// Four channels: their bytes are not 0 where some position differs from the zero point. Most do soon.
static inline uint32_t four(const int8_t *x, uint32_t positions, uint32_t step, uint32_t zeros) {
    uint32_t seen = 0;
    for (; positions >= 4; positions -= 4, x += 4 * step) {
        seen |= (word_at(x) ^ zeros) | (word_at(x + step) ^ zeros);
        seen |= (word_at(x + 2 * step) ^ zeros) | (word_at(x + 3 * step) ^ zeros);
        if (!((seen - 0x01010101u) & ~seen & 0x80808080u)) {
            return seen;
        }
    }
    for (; positions > 0; positions--, x += step) {
        seen |= word_at(x) ^ zeros;
    }
    return seen;
}

uint32_t ar_live(const int8_t *x, uint32_t positions, uint32_t channels, int8_t zero, uint16_t *list) {
    uint32_t n = 0, zeros = (uint8_t)zero * 0x01010101u;
    for (uint32_t c = 0; c < channels; c += 4, x += 4) {
        uint32_t seen = four(x, positions, channels, zeros);
        for (uint32_t i = 0; seen && i < 4; i++, seen >>= 8) {
            list[n] = (uint16_t)(c + i);
            n += (seen & 0xff) != 0;
        }
    }
    return n;
}

void ar_live_gather(const int8_t *x, const uint16_t *list, uint32_t n, int8_t *to) {
    for (const uint16_t *end = list + (n & ~3u); list < end; list += 4, to += 4) {
        int8_t a = x[list[0]], b = x[list[1]], c = x[list[2]], d = x[list[3]];
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
    }
    for (n &= 3; n > 0; n--) {
        *to++ = x[*list++];
    }
}

#endif // AR_LIVE
