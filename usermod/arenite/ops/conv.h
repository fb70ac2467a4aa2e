// CONV_2D: what its record holds, for the two ways to run it.

#ifndef ARENITE_OPS_CONV_H
#define ARENITE_OPS_CONV_H

#include "kernels/product.h"
#include "ops/spatial.h"
#include "ops/weights.h"

typedef struct {
    ar_window_t w;              // its rows know the scratch's bytes, int8 only
    uint16_t group_in;          // input channels of a group
    uint16_t group_out;         // output channels of a group
    bool transposed;            // weights are [filter][channels], as a depthwise convolution of one channel has them
    bool direct;                // each position's patch is a stretch of the input; these int8 only
    bool narrow;                // rows are so short that no table of the channels is needed
    bool dead : 1;              // weights of some channel may be all zero
    bool idle : 1;              // many channels of the input may be the zero point everywhere
    uint32_t filter;            // weights of one output channel
    uint32_t int4_count;        // weights in all if they are int4, else 0
    const ar_mac_t *mac;
    ar_quant_t q;
} ar_conv_t;

// int8: patches by rows of weights. Ask for its scratch, and run. weights: NULL where they are not known, or not as rows.
void ar_conv_s8_scratch(ar_prep_t *p, ar_conv_t *c, const int8_t *weights);
ar_status_t ar_conv_s8(const ar_run_t *run, const ar_rec_t *rec);

#endif // ARENITE_OPS_CONV_H
