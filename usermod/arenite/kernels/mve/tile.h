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

// The fields at the offsets that the code has.
typedef struct {
    const int8_t *x[AR_TILE_PATCHES];
    uint32_t n;                 // of each
    int32_t sums[AR_TILE_PATCHES][AR_TILE_CHANNELS];    // 16
    int8_t *out[AR_TILE_PATCHES];   // 112
    int32_t zero;               // 124: point of the outputs
    const void *channels;       // 128: ar_channel_t, eight of each tile
    const ar_tile_pair_t *end;  // 132: of the pairs
    uint32_t x_on;              // 136: from a row of three patches to the next
    uint32_t out_on;            // 140: of its outputs
    const ar_tile_pair_t *pairs;    // 144: the first
    const void *first;          // 148: of the channels
    uint32_t rows;              // 152
    int32_t offset;             // 156: added to the activations
    const int8_t *weights;      // 160: of channel 0
    const int32_t *bias;        // 164: of channel 0, or NULL
    const int8_t *first_x[2];   // 168: patches that come before the rows
    uint32_t first_n;           // 176: as n
    int8_t *first_out[2];       // 180
} ar_tile_t;

// Set up the four pairs of the first eight channels, with what the offset adds to them.
void ar_tile_begin(ar_tile_t *t, ar_tile_pair_t *pairs);

// The same, and the outputs of the two patches before the rows, requantized in the short way, out being where channel 0 goes.
void ar_tile_begin_two(ar_tile_t *t, ar_tile_pair_t *pairs);

// The sums of the patches by four pairs.
void ar_tile_s8(ar_tile_t *t, const ar_tile_pair_t *pairs);

// Rows of tiles up to the end of the pairs, at least one, requantized in the short way, out being where channel 0 goes.
void ar_tiles_plain(ar_tile_t *t, const ar_tile_pair_t *pairs);

// Rows of a tile whose channels are side by side, out being where the first one goes.
void ar_tile_rows(ar_tile_t *t, const ar_tile_pair_t *pairs);

// One row of the first two patches, out being where channel 0 goes.
void ar_tiles_two(ar_tile_t *t, const ar_tile_pair_t *pairs);

#endif // ARENITE_KERNELS_MVE_TILE_H
