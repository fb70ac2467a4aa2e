// The kernels behind depthwise convolution: one tap of a block of channels, for all types; and rows of a 3x3 kernel on int8.

#ifndef ARENITE_KERNELS_DEPTHWISE_H
#define ARENITE_KERNELS_DEPTHWISE_H

#include "kernels/product.h"

// acc[i] += (x[i * step] + offset) * w[i] for i < n; step is 1, or 0 where one activation meets all the weights.
// Accumulators and offset as in kernels/dot.h.
typedef void (*ar_depthwise_t)(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);

void ar_depthwise_s8(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);
void ar_depthwise_s16(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);
void ar_depthwise_f32(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);
void ar_depthwise_f32_s8(void *acc, const void *x, uint32_t step, int32_t offset, const void *w, uint32_t n);

// A 3x3 kernel without dilation, one output channel an input channel, at least AR_DEPTHWISE_BLOCK of them.
#define AR_DEPTHWISE_BLOCK (4)

typedef struct {
    const int8_t *weights;      // [3][3][n_channels]
    const int32_t *bias;        // NULL: none
    uint32_t n_channels;
    uint32_t in_w, out_w;
    uint32_t stride;            // along a row
    uint32_t pad_left;          // 0 or 1
    int32_t offset, out_zero, low, high;
    bool plain;                 // as in a product
    void *scratch;
    uint32_t bytes;             // of scratch
} ar_depthwise3_t;

// Bytes of scratch for that many columns of input; and how many are of use.
static inline uint32_t ar_depthwise3_scratch(uint32_t columns) {
    return AR_TIER_DSP ? columns * 24 : 0;
}

static inline uint32_t ar_depthwise3_most(uint32_t columns) {
    return columns * (AR_TIER_THUMB ? 48 : 24);
}

// What a block of channels takes from one row of output to the next.
typedef struct {
    int32_t start[AR_DEPTHWISE_BLOCK];          // the next in the kernel's own way
    int32_t factor[AR_DEPTHWISE_BLOCK][2];
    uint32_t weights[AR_TIER_THUMB ? 60 : 18];
    bool ready;                 // they are filled in
    const ar_channel_t *channels;
} ar_depthwise3_block_t;

// One row of output for the block's channels, from three rows of input, NULL for those outside.
void ar_depthwise3_s8(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const int8_t *const rows[3], int8_t *out);

// The way without scratch, of portable and of thumb.
void ar_depthwise3_taps(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, const int8_t *const rows[3], int8_t *out);

#endif // ARENITE_KERNELS_DEPTHWISE_H
