// The product of a convolution of three taps a row without patches: the columns of a row of the input that four positions see are
// widened once for all of them. For cores with dual 16-bit multiply-adds.

#ifndef ARENITE_KERNELS_COLUMNS_H
#define ARENITE_KERNELS_COLUMNS_H

#include "kernels/product.h"

#if AR_TIER_DSP

#define AR_COLUMNS_TAPS (3)
#define AR_COLUMNS_POSITIONS (4)

typedef struct {
    uint32_t *x;                // ar_columns_bytes of each row of the kernel
    int32_t *sums;              // NULL, or AR_COLUMNS_POSITIONS of each channel listed, that go on from call to call
    const int8_t *x_begin;      // no activation is read from before
    uint32_t depth;             // channels of the input, whole words
    uint32_t stride;            // 1 or 2
    uint32_t first, rows;       // of the kernel: at least one
    bool begins, ends;          // with these rows
} ar_columns_t;

static inline uint32_t ar_columns_seen(uint32_t stride) {
    return (AR_COLUMNS_POSITIONS - 1) * stride + AR_COLUMNS_TAPS;
}

static inline uint32_t ar_columns_bytes(uint32_t stride, uint32_t depth) {
    return ar_columns_seen(stride) * depth * (uint32_t)sizeof(int16_t);
}

// A row of the input to c->x, row `row` there: x is where the columns begin, of which [inside, beyond) are in the input.
void ar_columns_put(const ar_product_s8_t *p, const ar_columns_t *c, uint32_t row, const int8_t *x, uint32_t inside, uint32_t beyond);

// The outputs of the first count positions, at least one, in all channels listed; or but sums.
void ar_columns_product(const ar_product_s8_t *p, const ar_columns_t *c, uint32_t count, int8_t *out);

#endif

#endif // ARENITE_KERNELS_COLUMNS_H
