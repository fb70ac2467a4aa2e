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

// A 3x3 kernel without dilation, one output channel an input channel, a block of them at a time.
#define AR_DEPTHWISE_BLOCK (AR_TIER_MVE ? 16 : 4)

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

#if AR_TIER_MVE

// A row of output is computed in strips, which see that many columns of input at most.
#define AR_DEPTHWISE_COLUMNS (36)

static inline bool ar_depthwise3_can(uint32_t channels, uint32_t stride) {
    return stride <= 10 && channels < 16384;
}

// Bytes of scratch: what the channels of a block take, and columns.
#define AR_DEPTHWISE_CHANNELS_BYTES (92 * AR_DEPTHWISE_BLOCK)

static inline uint32_t ar_depthwise3_scratch(uint32_t out_w, uint32_t stride) {
    uint32_t whole = (out_w + 3) & ~3u, columns = AR_DEPTHWISE_COLUMNS;
    if (whole < AR_DEPTHWISE_COLUMNS && (whole - 1) * stride + 4 < AR_DEPTHWISE_COLUMNS) {
        columns = (whole - 1) * stride + 4;
    }
    return AR_DEPTHWISE_CHANNELS_BYTES + columns * 4 * AR_DEPTHWISE_BLOCK;
}

// So many channels take no scratch where rows come one by one.
#define AR_DEPTHWISE_EIGHT (8)

static inline uint32_t ar_depthwise3_least(uint32_t out_w, uint32_t stride, uint32_t channels) {
    return channels >= AR_DEPTHWISE_EIGHT ? 0 : ar_depthwise3_scratch(out_w, stride);
}

// Up to as many channels as a block has, for all rows.
typedef struct {
    uint32_t n;
    uint32_t first;
    const uint8_t *list;        // NULL: they are side by side from the first on
} ar_depthwise3_block_t;

// list: NULL, or the numbers of the channels once more, and others up to the end of a block.
void ar_depthwise3_begin(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const ar_channel_t *channels, uint32_t n, const uint8_t *list);

// A row of output from the first three rows of input, those outside being NULL; and if there is a second, which takes strides
// of 1, that from the last three.
void ar_depthwise3_rows(const ar_depthwise3_t *d, const ar_depthwise3_block_t *b, const int8_t *const rows[4], int8_t *out, int8_t *second);

// A row of output of at least eight channels side by side, from three rows of input, NULL for those outside, but not all. The last
// eight may begin in those before, and some be computed once more.
void ar_depthwise3_row(const ar_depthwise3_t *d, const ar_channel_t *channels, uint32_t n, const int8_t *const rows[3], int8_t *out);

#else

// At least a block of them.
static inline bool ar_depthwise3_can(uint32_t channels, uint32_t stride) {
    (void)stride;
    return channels >= AR_DEPTHWISE_BLOCK;
}

// Bytes of a column of input in scratch.
#define AR_DEPTHWISE_COLUMN (AR_TIER_THUMB ? 48 : AR_TIER_DSP ? 24 : 0)

// Bytes of scratch for a row of outputs; how many outputs fit so many; and bytes that do, for a part of the row at a time.
static inline uint32_t ar_depthwise3_scratch(uint32_t out_w, uint32_t stride) {
    return ((out_w - 1) * stride + 3) * AR_DEPTHWISE_COLUMN;
}

static inline uint32_t ar_depthwise3_outputs(uint32_t bytes, uint32_t stride) {
    return AR_DEPTHWISE_COLUMN ? (bytes / (AR_DEPTHWISE_COLUMN + !AR_DEPTHWISE_COLUMN) - 3) / stride + 1 : UINT32_MAX;
}

static inline uint32_t ar_depthwise3_least(uint32_t out_w, uint32_t stride, uint32_t channels) {
    (void)channels;
    uint32_t all = ar_depthwise3_scratch(out_w, stride), few = (AR_TIER_THUMB ? 27 : 17) * AR_DEPTHWISE_COLUMN;
    few = stride <= 14 ? few : 3 * AR_DEPTHWISE_COLUMN;
    return all < few ? all : few;
}

// What a block of channels takes from one row of output to the next.
typedef struct {
    int32_t factor[AR_DEPTHWISE_BLOCK][2];      // the next in the kernel's own way
    int32_t start[AR_DEPTHWISE_BLOCK];
    uint32_t weights[AR_TIER_THUMB ? 60 : 18];
    bool ready;                 // they are filled in
    const ar_channel_t *channels;
} ar_depthwise3_block_t;

// What is the same for all blocks. To be called first.
#if AR_TIER_PORTABLE
static inline void ar_depthwise3_begin(const ar_depthwise3_t *d) {
    (void)d;
}
#else
void ar_depthwise3_begin(const ar_depthwise3_t *d);
#endif

// One row of output for the block's channels, from three rows of input, NULL for those outside.
void ar_depthwise3_s8(const ar_depthwise3_t *d, ar_depthwise3_block_t *b, const int8_t *const rows[3], int8_t *out);

#endif

#endif // ARENITE_KERNELS_DEPTHWISE_H
