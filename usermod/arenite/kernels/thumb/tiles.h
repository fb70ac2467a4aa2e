// Inner loops in assembly, for cores without dual multiply-adds: all registers are in use.
//
// Two channels' weights are multiplied at once: packed is w0 + w1 * 2^16, and x * packed summed over two elements holds the
// sum of channel 0 in its lower 16 bits (128 * 128 * 2 does not fit: Armv7-M adds what makes both halves positive, and on
// Armv6-M the one case is excluded) and that of channel 1 in its upper. From pair to pair what grows is `packed`, the sum of
// all that modulo 2^32, and `second`, the sum of the upper halves; in the end the sum of channel 0 is
// packed - second * 2^16. That is five to six instructions for four multiply-adds.

#ifndef ARENITE_KERNELS_THUMB_TILES_H
#define ARENITE_KERNELS_THUMB_TILES_H

#include <stdint.h>

#include "kernels/tier.h"

// How to requantize a channel in the short way.
typedef struct {
#if AR_THUMB_FULL
    int32_t mult;
#else
    uint32_t mult_low;          // 16 bits
    uint32_t mult_high;
#endif
    int32_t round;              // half a unit of the result, and the zero point
    uint32_t shift;             // to the right
    uint32_t place;             // of its output, from `out`
} ar_thumb_factor_t;

// Widened patches by four channels of packed weights: the fields in the order that the code loads them in.
typedef struct {
    const uint32_t *w;          // of each two elements: of channels 0 and 1, of 2 and 3
    uint32_t packed[2];         // where the sums start
    uint32_t second[2];
    int8_t *out;
    ar_thumb_factor_t factor[4];
    uint32_t step;              // from the outputs of a patch to those of the next
    const void *x_end;
    const void *x;              // patches, one after the other: int32, or int8
    uintptr_t entry;            // set by the code
} ar_thumb_tiles_t;

// Added to both halves of the sum of two elements: the least is -2 * 127 * 128, the greatest 2 * 128 * 128.
#define AR_THUMB_BIAS (AR_THUMB_FULL ? 0x7f00u : 0u)

// Four outputs from each patch, requantized in the short way.
void ar_thumb_tiles(ar_thumb_tiles_t *t, const uint32_t *w_end, uint32_t pairs_first);
void ar_thumb_tiles_bytes(ar_thumb_tiles_t *t, const uint32_t *w_end, uint32_t pairs_first);

// Positions in a row by four channels of packed weights, where activations lie: the fields in the order that the code loads them in.
typedef struct {
    uint32_t packed[2];         // where the sums start
    uint32_t second[2];
    const int8_t *x;            // of a position
    const uint32_t *w;
    uint32_t rows;              // of taps
    uint32_t turn;              // rows that are left when x goes back by `ring`
    uint32_t row;               // bytes of the weights of a row of taps
    uint32_t x_on;              // from the end of a row of taps to the next one
    uint32_t w_on;
    uint32_t ring;
    uint32_t x_step;            // from a position to the next
    const int8_t *x_end;
    uint32_t *from;             // sums to go on with, four a position, or NULL
    uint32_t *to;               // where they are left, or NULL: outputs
    int8_t *out;
    uint32_t step;              // from the outputs of a position to those of the next
    uintptr_t entry;            // set by the code
    ar_thumb_factor_t factor[4];
} ar_thumb_packed_row_t;

void ar_thumb_packed_row(ar_thumb_packed_row_t *t, uint32_t pairs_first);

#if AR_THUMB_FULL
// Two patches by eight channels side by side, and by as many more as there are: four rows of weights at a time, which one stride
// reaches (0, 1, 2 and 4; then from the other end 7, 6, 5 and 3), by activations with the offset added. The fields in the order
// that the code loads them in.
typedef struct {
    const int8_t *w;
    int32_t row;                // weights of one
    const int32_t *bias;
    const void *x;              // the first patch; the second lies behind it
    int32_t four;               // 4; from the other end all that advances is negative
    uint32_t n;                 // row
    const void *channel;        // ar_channel_t
    int8_t *out;
    int32_t step;               // from an output of the first patch to that of the second
    int32_t zero;
    const void *end;            // of the channels
    uintptr_t entry;            // set by the code
    int32_t size;               // of an element of a patch: x advances by so many rows
} ar_thumb_eights_t;

// Activations as uint8, first: ar_thumb_bytes_first; as int16, first: ar_thumb_halves_first.
void ar_thumb_eights_bytes(ar_thumb_eights_t *t, uint32_t first);
void ar_thumb_eights_halves(ar_thumb_eights_t *t, uint32_t first);

// Rows of a patch, of at least one byte each, with 128 added, as uint8; beyond: from a row's end to the next.
void ar_thumb_put_bytes(const int8_t *x, uint32_t beyond, uint32_t rows, uint32_t row, uint8_t *to);

// One patch of int16; step and size are 0.
void ar_thumb_eights_one(ar_thumb_eights_t *t, uint32_t first);

static inline uint32_t ar_thumb_halves_first(uint32_t n) {
    return ((n - 1) & 1) + 1;
}
#endif

// How often the loop over pairs of elements is unrolled, and how many of so many come before its first whole round.
#define AR_THUMB_UNROLLED (AR_THUMB_FULL ? 8u : 4u)

static inline uint32_t ar_thumb_first(uint32_t pairs) {
    return ((pairs - 1) & (AR_THUMB_UNROLLED - 1)) + 1;
}

// Bytes that x of ar_thumb_packed_row lies before the first element of a row of taps.
#define AR_THUMB_BEFORE(pairs_first) (AR_THUMB_FULL ? 0 : 2 * (AR_THUMB_UNROLLED - (pairs_first)))

// What packing two channels' weights finds out about them.
typedef struct {
    uint32_t packed;            // sum of all words
    uint32_t second;            // of the second channel's weights
    uint32_t bad;               // on Armv6-M, AR_THUMB_BAD: products would not stay apart, and sums are of no use
} ar_thumb_packed_t;

#define AR_THUMB_BAD (0x80008000u)

// Weights whose sum fits 16 bits, and twice that with 255 added to each two of them.
#define AR_THUMB_PACKED (248)

// Packs weights of two channels up to a_end, an even number of them, at least two and at most AR_THUMB_PACKED.
void ar_thumb_pack(const int8_t *a, const int8_t *b, uint32_t *to, const int8_t *a_end, ar_thumb_packed_t *s);

// Four rows of weights by one patch; sums grow, rows are where they were or behind what was read.
typedef struct {
    const int8_t *w[4];
    uint32_t sum[4];
    int32_t offset;             // added to the activations
} ar_thumb_rows_t;

// n elements, at least one. first: ar_thumb_bytes_first.
void ar_thumb_rows_bytes(ar_thumb_rows_t *r, const int8_t *x, uint32_t n, uint32_t first);

static inline uint32_t ar_thumb_bytes_first(uint32_t n) {
    return ((n - 1) & (AR_THUMB_UNROLLED - 1)) + 1;
}

#if AR_THUMB_FULL
// All channels of a matrix with one factor, by fours, requantized in the short way: the fields in the order that the code loads
// them in.
typedef struct {
    const int8_t *w;            // the next four rows
    uint32_t n;                 // bytes of a row
    const int32_t *bias;        // of the next four; zeros that do not advance if there is none
    uint32_t bias_step;
    const int32_t *x;           // widened with the offset added; zeros behind the row's last
    uintptr_t entry;            // set by the code
    int8_t *out;
    int8_t *out_end;            // a multiple of four channels on
    int32_t mult;
    int32_t round;
    uint32_t shift;
} ar_thumb_fours_t;

// x in groups of four, up to its end, at least one.
void ar_thumb_fours(ar_thumb_fours_t *f, const int32_t *x_end, uint32_t groups_first);

static inline uint32_t ar_thumb_wide_first(uint32_t groups) {
    return ((groups - 1) & 3) + 1;
}
#endif

// A row of a 3x3 depthwise convolution, one channel, requantized in the short way.
typedef struct {
#if AR_THUMB_FULL
    int32_t w0[3];              // the kernel's columns; all twice what they are
    uint32_t start;
    int32_t w1[3];
    int32_t w2[3];
#else
    int32_t w0[3];
    int32_t w1[3];
    int32_t w2[3];
    uint32_t start;
#endif
    ar_thumb_factor_t factor;   // place: 0
} ar_thumb_taps_t;

// The words of four channels lie one plane after the other.
#define AR_THUMB_CHANNELS (4)

typedef struct {
    const int32_t *x;           // columns of three
    const ar_thumb_taps_t *taps;
    uint32_t on;                // bytes from an output's columns' end to the first of the next; modulo 2^32
    const int32_t *x_end;       // where x is after the last output
    int8_t *out;
    uint32_t step;
    uint32_t plane;             // bytes
    uint32_t gap;               // from a channel's x_end to the next's x
} ar_thumb_row_t;

void ar_thumb_row(const ar_thumb_row_t *r);

#if AR_THUMB_FULL
// Columns of three rows, widened.
typedef struct {
    const int8_t *row[3];
    uint32_t step[3];
    int32_t *plane[AR_THUMB_CHANNELS];
    int32_t *end;               // of the first plane
} ar_thumb_columns_t;

void ar_thumb_columns(const ar_thumb_columns_t *c);

// What the taps of a block's channels are made of: the fields in the order that the code loads them in.
typedef struct {
    const int8_t *w;            // of the first channel
    uint32_t step;              // from a tap to the next
    const int32_t *bias;
    int32_t offset;
    int32_t half;               // the zero point of the output, and half a unit of it; twice
    const void *channel;        // ar_channel_t
    ar_thumb_taps_t *to;
} ar_thumb_arrange_t;

void ar_thumb_arrange(const ar_thumb_arrange_t *a);
#endif

#endif // ARENITE_KERNELS_THUMB_TILES_H
