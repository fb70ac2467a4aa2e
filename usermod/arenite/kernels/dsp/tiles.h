// Inner loops in assembly, for cores with dual 16-bit multiply-adds: all registers are in use.

#ifndef ARENITE_KERNELS_DSP_TILES_H
#define ARENITE_KERNELS_DSP_TILES_H

#include <stdint.h>

// Pairs of widened patches by a pair of widened rows of weights: the fields in the order that the code loads them in.
typedef struct {
    int8_t *out[2];             // of each channel
    uint32_t step;              // from an output of a channel to its next
    int32_t zero;               // point of the outputs
    struct {
        int32_t mult;           // twice_of it
        int32_t power;          // power_of its shift
    } factor[2];
    const uint32_t *x;          // pairs of patches, one after the other
    const uint32_t *x_end;
    const uint32_t *w;
    int32_t start[2];           // of the sums of each channel
    uintptr_t entry;            // set by the code
} ar_tiles_t;

// Four outputs from each pair of patches, requantized in the short way.
void ar_tiles_plain(ar_tiles_t *t, const uint32_t *w_end, uint32_t groups_first);

// Rows of weights, widened as they are loaded, by a few widened patches, whose words lie in turn, group by group: the fields in the
// order that the code knows.
typedef struct {
    const void *channel;        // ar_channel_t of the next one
    const void *channels_end;
    const int8_t *weights;
    uint32_t n;                 // bytes of a row
    const int32_t *bias;
    const uint32_t *x;
    uintptr_t entry;            // set by the code
    void *out;                  // of the last patch and channel 0; or where its sums go
    int32_t step;               // from a patch's outputs to those of the patch before
    int32_t zero;
    uintptr_t finish;           // set by the code
    const uint32_t *x_end;
} ar_few_t;

// All channels, at least one, requantized in the short way. count: of patches, 1 to as many as the name tells; 0: no outputs,
// but the sums of a channel. groups_first: ar_groups_first, of five patches ar_groups_first_of_8. Of five each group has the even words of all, then the odd ones; of others, pair by pair.
void ar_few_two(ar_few_t *t, uint32_t count, uint32_t groups_first);
void ar_few_four(ar_few_t *t, uint32_t count, uint32_t groups_first);
void ar_few_five(ar_few_t *t, uint32_t count, uint32_t groups_first);
void ar_few_six(ar_few_t *t, uint32_t count, uint32_t groups_first);

// Four rows of weights by one patch; rows advance, sums grow.
typedef struct {
    const int8_t *w[4];
    int32_t sum[4];
    uint32_t offset;            // added to the activations, in both halves
} ar_rows_t;

// Groups of four elements, up to the end of x, at least one.
void ar_rows_bytes(ar_rows_t *r, const int8_t *x, const int8_t *end, uint32_t groups_first);

// All channels of a matrix with one factor, by fours: the fields in the order that the code loads them in.
typedef struct {
    const int8_t *w;            // the next four rows
    uint32_t n;                 // bytes of a row
    const int32_t *bias;        // of the next four; zeros that do not advance if there is none
    uint32_t bias_step;
    const void *x;              // bytes; or words: of each four elements the even ones, the odd ones, zeros behind the row's last
    uintptr_t entry;            // set by the code
    int8_t *out;
    int8_t *out_end;            // a multiple of four channels on
    int32_t mult;               // twice_of it
    int32_t power;
    int32_t zero;
    uint32_t offset;
} ar_fours_t;

void ar_fours_bytes(ar_fours_t *f, const int8_t *x_end, uint32_t groups_first);
void ar_fours_wide(ar_fours_t *f, const uint32_t *x_end, uint32_t groups_first);

// How many of so many groups of four elements come before the first whole round of an unrolled loop: 1 to 4.
static inline uint32_t ar_groups_first(uint32_t groups) {
    return ((groups - 1) & 3) + 1;
}

static inline uint32_t ar_groups_first_of_8(uint32_t groups) {
    return ((groups - 1) & 7) + 1;
}

// A row of a 3x3 depthwise convolution: four channels, in the order 0, 2, 1, 3.
typedef struct {
    const uint32_t *x;          // columns of AR_TAPS_COLUMN words
    const int32_t *factor;      // twice_of mult and power of each channel
    int32_t zero;
    const int32_t *start;       // of the four sums; behind them the weights, three columns
    int32_t back;               // bytes from the column behind an output's three to the first of the next
    const uint32_t *x_end;      // where x is after the last output
    int8_t *out;
    uint32_t step;
} ar_taps_t;

#define AR_TAPS_COLUMN (6)

static inline uint32_t ar_taps_order(uint32_t k) {
    return k == 1 ? 2 : k == 2 ? 1 : k;
}

void ar_taps_plain(ar_taps_t *t);

// ---- for the assembly ------------------------------------------------------------------------------------------------

// Where the loop at label 2, which ends at label 3, is entered for r2 rounds of SIZE bytes, into r2.
#define AR_ENTRY(SIZE) \
    "movs   r3, #" SIZE "\n" \
    "mul    r3, r3, r2\n" \
    "adr.w  r2, 3f\n" \
    "subs   r2, r2, r3\n" \
    "orr    r2, r2, #1\n"

// The output of a sum, requantized in the short way: r2 and r11 are twice_of and power_of its factor, lr is the zero point, r10 where it
// goes, r12 how far from there the next one goes. 24 bytes.
#define AR_OUTPUT(sum) \
    "smmlar " sum ", " sum ", r2, " sum "\n" \
    "add.w  " sum ", " sum ", " sum ", asr #31\n" \
    "smmlsr " sum ", " sum ", r11, lr\n" \
    "ssat   " sum ", #8, " sum "\n" \
    "strb.w " sum ", [r10]\n" \
    "add.w  r10, r10, r12\n"

#endif // ARENITE_KERNELS_DSP_TILES_H
