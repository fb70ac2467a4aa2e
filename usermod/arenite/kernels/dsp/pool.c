// Sums for average pooling, four channels at a time.

#include "kernels/pool.h"
#include "kernels/tier.h"

#if AR_TIER_DSP

#include "kernels/dsp/instructions.h"

// So many bytes, and no more for sure, sum up to 16 bits.
#define MOST (256)

// Channels 0 and 2 are summed in the halves of one word, 1 and 3 in those of another.
static __attribute__((noinline)) void four(int32_t *sums, const int8_t *x, uint32_t step, uint32_t columns) {
    uint32_t even = 0, odd = 0;
    for (const int8_t *end = x + columns * step; x != end; x += step) {
        uint32_t w = word_at(x);
        even = sxtab16(even, w);
        odd = sxtab16_odd(odd, w);
    }
    sums[0] += (int16_t)even;
    sums[1] += (int16_t)odd;
    sums[2] += (int32_t)even >> 16;
    sums[3] += (int32_t)odd >> 16;
}

// As small as can be: the time goes into what it calls.
__attribute__((cold)) void ar_pool_sum_s8(int32_t *sums, const int8_t *x, uint32_t step, uint32_t columns, uint32_t n) {
    for (uint32_t now; columns > 0; columns -= now, x += now * step) {
        now = columns < MOST ? columns : MOST;
        uint32_t c = 0;
        for (; c + 4 <= n; c += 4) {
            four(sums + c, x + c, step, now);
        }
        for (; c < n; c++) {
            const int8_t *at = x + c;
            for (uint32_t i = 0; i < now; i++, at += step) {
                sums[c] += *at;
            }
        }
    }
}

#endif // AR_TIER_DSP
