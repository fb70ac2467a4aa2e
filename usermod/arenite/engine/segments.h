// Which chains of operators run a row at a time, in rings of rows, so that the model fits the arena.

#ifndef ARENITE_ENGINE_SEGMENTS_H
#define ARENITE_ENGINE_SEGMENTS_H

#include "engine/loader.h"

// Records of the longest segment: the search takes time with its square.
#define AR_SEGMENT (24)

// Named by none but operators that can run by rows, so that firmware without them has no planner.
extern const ar_planner_t ar_segments;

// When the plan is made: what a file may hold of it, at most a byte an operator and one. The bytes; 0: no rows. Nothing of a firmware
// refers to this.
uint32_t ar_segments_given(ar_loader_t *l, uint8_t *cuts);

#endif // ARENITE_ENGINE_SEGMENTS_H
