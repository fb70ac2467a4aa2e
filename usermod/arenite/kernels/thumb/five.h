// Five patches that are held at once: two by two in the halves of a word, and the fifth with a one beside it.

#ifndef ARENITE_KERNELS_THUMB_FIVE_H
#define ARENITE_KERNELS_THUMB_FIVE_H

#include "kernels/product.h"

// Whether patches are held by fives: so many are to come, rows are of so many elements, n a patch. Six may have to be held at
// once, where their outputs lie over the activations.
static inline bool ar_five_counts(uint32_t count) {
    return count >= AR_FIVE && count != AR_FIVE + 1;
}

static inline bool ar_five_fits(uint32_t row, uint32_t n, uint32_t bytes, uint32_t count) {
    return (row & 1) == 0 && bytes >= AR_FIVE_BYTES * n && ar_five_counts(count);
}

// As ar_product_put, and ar_product_held of five patches.
void ar_five_put(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step);
void ar_five_held(const ar_product_s8_t *p, int8_t *out);

// ---- in assembly -----------------------------------------------------------------------------------------------------

// All channels: the fields in the order that the code loads them in.
typedef struct {
    const int8_t *w;
    uint32_t n;                 // of a row
    const void *x;
    const int32_t *bias;
    int8_t *out;
    uint32_t step;
    const ar_channel_t *channel;
    const ar_channel_t *end;
    uint32_t offset;            // TIMES what it is, as what follows
    uint32_t start;             // with which the sum of the weights comes out too large
    uint32_t halves;            // added to both halves' sums
    int32_t zero;
} ar_five_t;

// pairs_first: of elements, that come before the first whole round of eight.
void ar_five_channels(const ar_five_t *f, uint32_t pairs_first);

// An even number of elements, at least two, up to a_end: of two patches, and of the last.
void ar_five_put_two(const int8_t *a, const int8_t *b, int32_t *to, const int8_t *a_end);
void ar_five_put_last(const int8_t *a, const int8_t *b, int32_t *to, const int8_t *a_end);

#endif // ARENITE_KERNELS_THUMB_FIVE_H
