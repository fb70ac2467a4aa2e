// The rows of a 3x3 depthwise convolution in assembly, for cores with Helium.

#ifndef ARENITE_KERNELS_MVE_DEPTHWISE_H
#define ARENITE_KERNELS_MVE_DEPTHWISE_H

#include <stdint.h>

// What a channel takes, in the order that the code loads it in.
typedef struct {
    int8_t weights[4][16];      // as they are; a row lower; a column further; both
    uint32_t at[4];             // its words in scratch: two columns before each of the first four
    int32_t start;              // of its sums
    int32_t mult;
    int32_t shift;              // in the lowest byte; above, its place among the outputs
} ar_depthwise_channel_t;

// The fields at the offsets that the code has.
typedef struct {
    uint16_t places[8];         // 0: of the outputs of a whole step
    uint32_t places_end[4];     // 16: of those of a half one
    uint32_t steps;             // 32: whole ones
    uint32_t left;              // 36: outputs that remain, of all rows
    int8_t *out;                // 40
    uint32_t advance;           // 44: of the outputs from a whole step to the next
    int32_t zero;               // 48
    const ar_depthwise_channel_t *end;  // 52
} ar_depthwise_strip_t;

// Steps of four columns in two rows; what remains takes half a step if it is two columns or less.
void ar_depthwise_two_rows(ar_depthwise_strip_t *s, const ar_depthwise_channel_t *channels);

// Steps of four columns in one row, at strides of 1 or 2. places_end: those of a whole step.
void ar_depthwise_row_1(ar_depthwise_strip_t *s, const ar_depthwise_channel_t *channels);
void ar_depthwise_row_2(ar_depthwise_strip_t *s, const ar_depthwise_channel_t *channels);

#endif // ARENITE_KERNELS_MVE_DEPTHWISE_H
