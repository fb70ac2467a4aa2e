// The matrix product behind convolution and fully connected: patches of activations by rows of weights, one row an output
// channel. A patch is what one output position sees: a few rows of bytes, each somewhere else, or all in one piece.

#ifndef ARENITE_KERNELS_PRODUCT_H
#define ARENITE_KERNELS_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/requantize.h"
#include "kernels/tier.h"

// A channel to compute, and its requantization factor.
typedef struct {
    int32_t mult;
    int16_t shift;              // left if positive
    uint16_t channel;           // its weights, its bias and its place among the outputs
} ar_channel_t;

typedef struct {
    const int8_t *weights;
    const int32_t *bias;        // NULL: none
    const ar_channel_t *channels; // in their order
    uint32_t n_channels;
    uint32_t rows;              // of a patch
    uint32_t row;               // elements of each
    uint32_t n;                 // of all: rows * row
    uint32_t out_step;          // from a patch's outputs to those of the next
    void *scratch;              // words
    uint32_t bytes;             // of scratch, at least ar_product_scratch of the patches that it is for
    uint32_t count;             // of patches to come at a time
    const int8_t *x_end;        // no activation is read from here on
    int32_t start;              // added to every sum
    int32_t offset;             // added to every activation
    int32_t out_zero;
    int32_t low;
    int32_t high;
    bool one_factor;            // all channels, in their order, have that of the first, the only one listed
    uint8_t few, size;          // for the kernels: set by ar_product_begin and ar_product_next
    bool gathered;              // ar_product_held: rows of weights lie in the order of the channels listed
    bool on;                    // ar_product_one: three bytes behind the last row of weights may be read
    bool same;                  // ar_product_s8: scratch holds the patches, of which it was called for all at once before
    bool bare;                  // on Helium: ar_product_begin was not called, and scratch holds patches alone
    bool plain;                 // a shorter way to requantize gives the same bits: twice all sums fits 32 bits, AR_SHIFT_IS_PLAIN
                                // of all channels, start is 0, all of int8 is in range
} ar_product_s8_t;

// Whether kernels ask for what is plain.
#define AR_ASKS_PLAIN (!AR_TIER_PORTABLE)

// List n channels from first on, whose scales these are; whether all shifts are plain. For cores with Helium.
bool ar_ratio_channels(const ar_ratio_t *r, const uint8_t *scales, uint32_t first, uint32_t n, ar_channel_t *to);

// The k-th channel to compute.
static inline ar_channel_t ar_product_channel(const ar_product_s8_t *p, uint32_t k) {
    return p->one_factor ? (ar_channel_t) { p->channels->mult, p->channels->shift, (uint16_t)k } : p->channels[k];
}

// What the sums of a channel begin with.
static inline int32_t ar_product_start(const ar_product_s8_t *p, uint32_t channel) {
    return (int32_t)((uint32_t)p->start + (p->bias ? (uint32_t)p->bias[channel] : 0));
}

// Its row of weights.
static inline const int8_t *ar_product_row(const ar_product_s8_t *p, const ar_channel_t *c) {
    return p->weights + (p->gathered ? (uint32_t)(c - p->channels) : c->channel) * p->n;
}

// Whether n weights are all zero.
bool ar_is_zero(const int8_t *x, uint32_t n);

// Bytes of scratch to hold that many patches, an even number, at once. direct: they come in one piece. offset: added to their
// activations.
uint32_t ar_product_scratch(uint32_t channels, uint32_t rows, uint32_t row, uint32_t patches, bool direct, int32_t offset);

// How many patches are worth holding where there are so many: an even number.
uint32_t ar_product_patches(uint32_t count);

// How many to hold of so many where memory is short: an even number.
#if !AR_TIER_PORTABLE
uint32_t ar_product_few(uint32_t rows, uint32_t row, uint32_t count);
#else
static inline uint32_t ar_product_few(uint32_t rows, uint32_t row, uint32_t count) {
    (void)rows, (void)row, (void)count;
    return 2;
}
#endif

// Bytes for a row of so many patches at once, where these take few: weights are packed for all of them. For cores without dual
// multiply-adds.
static inline uint32_t ar_product_shared(uint32_t row, uint32_t count) {
    uint32_t bytes = (8 + ((count + 1) & ~1u)) * ((row + 1) & ~1u);
    return count >= 10 && bytes <= 1024 ? bytes : 0;
}

// Patches that are held at once in words (kernels/thumb/five.h), and bytes of an element of them all. For cores without dual
// multiply-adds.
#define AR_FIVE (5)
#define AR_FIVE_BYTES (12)

// Whether so many patches in one piece, of n elements each, are all read before any output is written, where there are the bytes
// that ar_product_scratch says.
static inline bool ar_product_reads_first(uint32_t n, uint32_t patches, uint32_t bytes) {
    return AR_TIER_DSP || AR_THUMB_FULL || (AR_TIER_THUMB && patches == AR_FIVE && n % 2 == 0 && bytes >= AR_FIVE_BYTES * n);
}

// How many fit so many bytes, of so many that are to come: an even number.
#if AR_TIER_PORTABLE
#define ar_product_fit(channels, rows, row, bytes, offset, count) (2u)
#else
uint32_t ar_product_fit(uint32_t channels, uint32_t rows, uint32_t row, uint32_t bytes, int32_t offset, uint32_t count);
#endif

// To be called when all but the activations is known, before the functions that follow.
#if AR_TIER_MVE || AR_TIER_DSP || AR_TIER_THUMB
void ar_product_begin(ar_product_s8_t *p);
#else
static inline void ar_product_begin(ar_product_s8_t *p) {
    (void)p;
}
#endif

// Before n patches, which fit, are put into scratch.
static inline void ar_product_next(ar_product_s8_t *p, uint32_t n) {
    p->few = (uint8_t)(p->few ? n : 0);
}

// `rows` rows, at least one, from r on, of patches i and i + 1 into scratch; i is even. From a row to the next it is step bytes.
void ar_product_put(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step);

#if AR_TIER_MVE
// A patch as it lies in a plane: rows of taps, some of them perhaps outside, above and below, and elements of each, perhaps
// outside, before and behind.
typedef struct {
    const int8_t *x;            // of the first row and element, inside or not
    uint32_t step;              // from a row to the next
    uint32_t y0, y1;            // rows inside
    uint32_t turn;              // of these so many lie before the end of a ring
    uint32_t ring;              // bytes that the others lie lower by
    uint32_t x0, x1;            // elements inside
} ar_patch_t;

// Patches from i on into scratch, i growing: what is behind the last may be written to. From a patch to the next the
// plane advances so many bytes.
void ar_product_gather(const ar_product_s8_t *p, uint32_t i, const ar_patch_t *from, uint32_t count, uint32_t advance);

// Rows of weights, one a channel, from what lies channel by channel for each tap. Not more taps than AR_TURNED_TAPS.
#define AR_TURNED_TAPS (8191)

void ar_product_turn(const int8_t *from, uint32_t taps, uint32_t channels, int8_t *to);

// A bit for each of 16 channels: those that are not zero at every position.
uint32_t ar_seen(const int8_t *x, uint32_t positions, uint32_t step, int8_t zero);

// Make a product of the p->n channels of the patches' step that are listed, whose rows of weights go to `rows`; all patches
// into scratch.
void ar_product_listed(ar_product_s8_t *p, const int8_t *x, uint32_t step, uint32_t count, const uint8_t *list, int8_t *rows);
#endif

// The outputs of the first count patches in scratch.
void ar_product_held(const ar_product_s8_t *p, uint32_t count, int8_t *out);

// The outputs of count patches in one piece (rows is 1), x_step apart. scratch is for `held` of them.
void ar_product_s8(const ar_product_s8_t *p, const int8_t *x, uint32_t x_step, uint32_t count, uint32_t held, int8_t *out);

// Whether there is a product of one input channel.
#define AR_TURNS (AR_TIER_DSP || AR_THUMB_FULL)

#if AR_TURNS
// Of one input channel and rows of 8 taps, weights lying channel by channel (out_step of them): put those of two channels, listed
// one behind the other, into scratch (4 bytes an element); then the outputs of count positions in these, x_step apart.
#define AR_TURNED_ROW (8)

typedef struct {
    const int8_t *x[2];         // rows that are inside: those up to the end of a ring, and those behind, if there are some
    uint32_t n[2];
    uint32_t step;              // from a row to the next
    uint32_t first;             // row of the weights
    uint32_t sums;              // of their weights
} ar_turned_rows_t;

void ar_product_turn(const ar_product_s8_t *p, const ar_channel_t *c);

#if AR_TIER_THUMB
uint32_t ar_product_turned_sums(const ar_product_s8_t *p, const ar_turned_rows_t *r);
#else
#define ar_product_turned_sums(p, r) (0)
#endif

void ar_product_turned(const ar_product_s8_t *p, const ar_channel_t *c, const ar_turned_rows_t *r, uint32_t x_step, uint32_t count,
    int8_t *out);
#endif

// The same for one patch at a time, without ar_product_begin. scratch: NULL, or ar_product_one_scratch, which makes it quicker.
void ar_product_one(const ar_product_s8_t *p, const int8_t *x, int8_t *out);

static inline uint32_t ar_product_one_scratch(uint32_t n) {
    return AR_TIER_DSP ? 2 * ((n + 3) & ~3u) : AR_THUMB_FULL ? 4 * ((n + 3) & ~3u) : 0;
}

#endif // ARENITE_KERNELS_PRODUCT_H
