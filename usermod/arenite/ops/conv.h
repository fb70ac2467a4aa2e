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
    uint32_t filter;            // weights of one output channel
    uint32_t int4_count;        // weights in all if they are int4, else 0
    const ar_mac_t *mac;
    ar_quant_t q;
} ar_conv_t;

// int8: patches by rows of weights. Ask for its scratch, and run.
void ar_conv_s8_scratch(ar_prep_t *p, const ar_conv_t *c);
ar_status_t ar_conv_s8(const ar_run_t *run, const ar_rec_t *rec);

#endif // ARENITE_OPS_CONV_H
