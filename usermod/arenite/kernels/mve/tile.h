// Inner loops in assembly for cores with Helium.

#ifndef ARENITE_KERNELS_MVE_TILE_H
#define ARENITE_KERNELS_MVE_TILE_H

#include <stdint.h>

// Channels and patches that are summed together.
#define AR_TILE_CHANNELS (8)
#define AR_TILE_PATCHES (3)

// Two rows of weights, with the starts of their sums, in the order that the code loads them in.
typedef struct {
    int32_t start0;
    const int8_t *w0;
    int32_t start1;
    const int8_t *w1;
    int32_t again[4];           // start0, start1, start0, start1
} ar_tile_pair_t;

typedef struct {
    const int8_t *x[AR_TILE_PATCHES];
    uint32_t n;                 // of each
    int32_t sums[AR_TILE_PATCHES][AR_TILE_CHANNELS];
} ar_tile_t;

// The sums of the patches by four pairs.
void ar_tile_s8(ar_tile_t *t, const ar_tile_pair_t *pairs);

#endif // ARENITE_KERNELS_MVE_TILE_H
