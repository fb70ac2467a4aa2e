// CONV_2D: what its record holds, for the two ways to run it.

#ifndef ARENITE_OPS_CONV_H
#define ARENITE_OPS_CONV_H

#include "kernels/product.h"
#include "ops/spatial.h"
#include "ops/weights.h"

typedef struct {
    ar_window_t w;              // its rows know the scratch's bytes, and the notes below, int8 only
    ar_quant_t q;               // its own: input channels of a group
} ar_conv_t;

// Notes of a convolution of int8.
#define AR_CONV_TRANSPOSED (1u) // weights are [filter][channels], as a depthwise convolution of one channel has them
#define AR_CONV_DIRECT (2u)     // each position's patch is a stretch of the input
#define AR_CONV_NARROW (4u)     // rows are so short that no table of the channels is needed
#define AR_CONV_DEAD (8u)       // weights of some channel may be all zero
#define AR_CONV_IDLE (16u)      // many channels of the input may be the zero point everywhere

static inline bool ar_conv_is(const ar_conv_t *c, unsigned note) {
    return c->w.rows.own & note;
}

// Channels of a group, in and out, and weights of one output channel.
static inline uint32_t ar_conv_group_in(const ar_conv_t *c) {
    return AR_HAS_GROUPS ? c->q.own : c->w.in_c;
}

static inline uint32_t ar_conv_group_out(const ar_conv_t *c) {
    return !AR_HAS_GROUPS || c->q.own == c->w.in_c ? c->w.out_c : c->w.out_c / (c->w.in_c / (uint32_t)c->q.own);
}

static inline uint32_t ar_conv_filter(const ar_conv_t *c) {
    return (uint32_t)ar_kernel_h(&c->w) * c->w.kernel_w * ar_conv_group_in(c);
}

// int8: patches by rows of weights. Ask for its scratch, the least of which can be asked again, and run. weights: NULL where they
// are not known, or not as rows.
void ar_conv_s8_scratch(ar_prep_t *p, ar_conv_t *c, const int8_t *weights);
uint32_t ar_conv_s8_least(const ar_conv_t *c);
ar_status_t ar_conv_s8(const ar_run_t *run, const ar_rec_t *rec);

// int8, one input channel and transposed weights: whether there is a way of few bytes; ask for its scratch, when that above has
// been asked for, and run, so or so.
#if AR_TURNS
bool ar_one_channel_fits(const ar_conv_t *c);
void ar_one_channel_ask(ar_prep_t *p, const ar_conv_t *c);
ar_status_t ar_one_channel(const ar_run_t *run, const ar_rec_t *rec);
#else
#define ar_one_channel_fits(c) ((void)(c), false)
#define ar_one_channel_ask(p, c) ((void)(p), (void)(c))
#define ar_one_channel ar_conv_s8
#endif

// int8, in little scratch, where the geometry is right for it: three taps a row with shared columns (ops/columns.c), on cores without
// dual multiply-adds a row of positions with packed weights (ops/packed.c). Whether it is, the bytes that it takes, and run.
#if AR_TIER_DSP || AR_TIER_THUMB
bool ar_little_fits(const ar_conv_t *c);
uint32_t ar_little_least(const ar_conv_t *c);
ar_status_t ar_little(const ar_run_t *run, const ar_rec_t *rec);
#else
#define ar_little_fits(c) ((void)(c), false)
#define ar_little_least(c) (0)
#define ar_little ar_conv_s8
#endif

static inline bool ar_conv_is_little(const ar_conv_t *c) {
    return (AR_TIER_DSP ? AR_HAS_COLUMNS : AR_HAS_FEW) && ar_little_fits(c);
}

#endif // ARENITE_OPS_CONV_H
