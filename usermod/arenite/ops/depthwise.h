// DEPTHWISE_CONV_2D: what its record holds, for the ways to run it.

#ifndef ARENITE_OPS_DEPTHWISE_H
#define ARENITE_OPS_DEPTHWISE_H

#include "ops/spatial.h"
#include "ops/weights.h"

typedef struct {
    ar_window_t w;              // its rows know the scratch's bytes, int8 only
    ar_quant_t q;               // its own: the multiplier
} ar_depthwise_conv_t;

// int8 with a 3x3 kernel, where there is a kernel for it: whether it fits; ask for its scratch; run.
bool ar_depthwise3_fits(const ar_depthwise_conv_t *d);
void ar_depthwise3_ask(ar_prep_t *p, ar_depthwise_conv_t *d);
ar_status_t ar_depthwise3(const ar_run_t *run, const ar_rec_t *rec);

#endif // ARENITE_OPS_DEPTHWISE_H
