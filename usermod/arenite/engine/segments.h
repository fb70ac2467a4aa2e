// Which chains of operators run a row at a time, in rings of rows, so that the model fits the arena.

#ifndef ARENITE_ENGINE_SEGMENTS_H
#define ARENITE_ENGINE_SEGMENTS_H

#include "engine/loader.h"

// Records of the longest segment: the search takes time with its square.
#define AR_SEGMENT (24)

// Plan the model: every tensor whole if that takes no more than `room` bytes, else as many rings of rows as that wants.
// Room of 0: the plan of the fewest bytes. The bytes of activations that it takes; more than room if there is no such plan, and
// then they are the fewest.
uint32_t ar_segments_plan(ar_loader_t *l, uint32_t room);

// When the plan is made: what a file may hold of it, at most a byte an operator and one. The bytes; 0: no rows. Nothing of a firmware
// refers to this.
uint32_t ar_segments_given(ar_loader_t *l, uint8_t *cuts);

// When the plan is made: tell the records how they run.
void ar_segments_finish(ar_loader_t *l);

#endif // ARENITE_ENGINE_SEGMENTS_H
