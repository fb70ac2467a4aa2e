// The matrix product behind convolution and fully connected: patches of activations by rows of weights, one row an output
// channel. A patch is what one output position sees.

#ifndef ARENITE_KERNELS_PRODUCT_H
#define ARENITE_KERNELS_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/tier.h"

// A channel to compute, and its requantization factor.
typedef struct {
    int32_t mult;
    int16_t shift;              // left if positive
    uint16_t channel;           // its row of weights, its bias and its place among the outputs
} ar_channel_t;

typedef struct {
    const int8_t *weights;
    const int32_t *bias;        // NULL: none
    const ar_channel_t *channels;
    uint32_t n_channels;
    uint32_t n;                 // elements of a patch, and of a row of weights
    uint32_t x_step;            // from a patch to the next
    uint32_t out_step;          // from a patch's outputs to those of the next
    void *scratch;              // words for patches to be widened in; NULL: they come one by one
    int32_t start;              // added to every sum
    int32_t offset;             // added to every activation
    int32_t out_zero;
    int32_t low;
    int32_t high;
    bool plain;                 // ar_channel_is_plain of all channels, start is 0, all of int8 is in range
} ar_product_s8_t;

// Whether a shorter way to requantize gives the same bits: 2 * sum fits 32 bits, and the factor is less than 1 but not tiny.
// bound: of the sum without the bias.
static inline bool ar_channel_is_plain(int32_t bound, int32_t bias, int32_t shift) {
    int32_t size = bias < 0 ? -(bias + 1) : bias;
    return shift <= -1 && shift >= -22 && bound < (1 << 30) && size < (1 << 30) - bound;
}

// Bytes of scratch for that many patches, an even number of them.
static inline uint32_t ar_product_scratch(uint32_t n, uint32_t patches) {
    return AR_TIER_DSP ? ((n + 3) & ~3u) * 2 * patches : 0;
}

// count patches from x on; scratch has room for `held` of them.
void ar_product_s8(const ar_product_s8_t *p, const int8_t *x, uint32_t count, uint32_t held, int8_t *out);

#endif // ARENITE_KERNELS_PRODUCT_H
