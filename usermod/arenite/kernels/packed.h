// The product of positions side by side in a row, in little scratch: weights are packed, four channels at a time, and meet the
// activations where they lie. For cores without dual multiply-adds.

#ifndef ARENITE_KERNELS_PACKED_H
#define ARENITE_KERNELS_PACKED_H

#include "kernels/product.h"

#if AR_TIER_THUMB

#include "kernels/thumb/tiles.h"

#define AR_PACKED_CHANNELS (4)
#define AR_PACKED_TAPS (8)          // columns of a kernel, at most
#define AR_PACKED_DEPTH (AR_THUMB_PACKED) // elements of a tap, at most

// Four channels, of which some may be the same, and what is known of them.
typedef struct {
    uint32_t *w;                    // ar_packed_bytes of the rows of the kernel
    const ar_channel_t *channels[AR_PACKED_CHANNELS];
    uint32_t depth;                 // elements of a tap, an even number
    uint32_t taps;                  // of a row of the kernel
    uint32_t rows;                  // that are packed
    struct {                        // by columns of the kernel, all rows: sums of the weights of two channels
        uint32_t packed, second;
    } sums[AR_PACKED_CHANNELS / 2][AR_PACKED_TAPS];
    bool bad;                       // products would not stay apart: outputs are of no use
    ar_thumb_packed_row_t row;      // for the kernel
} ar_packed_t;

static inline uint32_t ar_packed_bytes(uint32_t depth, uint32_t taps, uint32_t rows) {
    return depth * taps * rows * AR_PACKED_CHANNELS / 2 * (uint32_t)sizeof(uint32_t);
}

// Bytes of the sums of a position, where they go on from some rows of the kernel to others.
#define AR_PACKED_SUMS (AR_PACKED_CHANNELS * sizeof(uint32_t))

// Positions that have the same taps inside the input.
typedef struct {
    const int8_t *x;                // the first of these taps, of the first position
    uint32_t x_step;                // from a position to the next
    uint32_t count;
    uint32_t row_step;              // from a row of taps to the next
    uint32_t turn;                  // rows of taps that are left when the ring begins anew; 0: it does not
    uint32_t ring;                  // bytes that these lie lower by
    uint32_t first, taps;           // columns of the kernel, at least one
    uint32_t *sums;                 // NULL where all rows of the kernel are packed
    bool begins, ends;              // the sums with these rows
} ar_packed_positions_t;

// Pack rows of the kernel from first on, at least one.
void ar_packed_weights(ar_packed_t *k, const ar_product_s8_t *p, uint32_t first);

// The outputs of these positions, or but sums. p is plain.
void ar_packed_product(ar_packed_t *k, const ar_product_s8_t *p, const ar_packed_positions_t *at, int8_t *out);

#endif

#endif // ARENITE_KERNELS_PACKED_H
