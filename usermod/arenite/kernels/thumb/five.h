// Five patches that are held at once, for Armv7-M: two by two in the halves of a word, and the fifth with a one beside it.

#ifndef ARENITE_KERNELS_THUMB_FIVE_H
#define ARENITE_KERNELS_THUMB_FIVE_H

#include "kernels/product.h"

#define AR_FIVE (5)

// Bytes of an element of all five patches.
#define AR_FIVE_BYTES (12)

// Whether patches, of so many that are to come, are held by fives: rows of so many elements, n a patch. Six may have to be held at
// once, where their outputs lie over the activations.
static inline bool ar_five_fits(uint32_t row, uint32_t n, uint32_t bytes, uint32_t count) {
    return AR_THUMB_FULL && (row & 1) == 0 && bytes >= AR_FIVE_BYTES * n && count >= AR_FIVE && count != AR_FIVE + 1;
}

// As ar_product_put, and ar_product_held of five patches.
void ar_five_put(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step);
void ar_five_held(const ar_product_s8_t *p, int8_t *out);

#endif // ARENITE_KERNELS_THUMB_FIVE_H
