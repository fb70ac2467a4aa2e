// Channels of an activation that are not the zero point at every position: the others add nothing to any sum. Weights of zero
// make such channels for good, ReLU for many an input.

#ifndef ARENITE_OPS_LIVE_H
#define ARENITE_OPS_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/tier.h"
#include "kernels/has.h"

// Whether convolutions look for them at all, and for outputs without weights; and by these functions. On Helium kernels do it,
// 16 channels at a time.
#define AR_LOOKS (AR_QUICK && AR_HAS_DEAD)
#define AR_LIVE (AR_LOOKS && !AR_TIER_MVE)

// What only calls loops: as small as can be, among code that is worth its size.
#define AR_SMALL __attribute__((cold, noinline))

// List those of [positions][channels], a multiple of four channels; how many.
uint32_t ar_live(const int8_t *x, uint32_t positions, uint32_t channels, int8_t zero, uint16_t *list);

// The n that are listed, side by side.
void ar_live_gather(const int8_t *x, const uint16_t *list, uint32_t n, int8_t *to);

#endif // ARENITE_OPS_LIVE_H
