// What a plan is made of, for whoever draws it: each tensor and scratch block, where it lies and for how long.

#ifndef ARENITE_ENGINE_LIVES_H
#define ARENITE_ENGINE_LIVES_H

#include "engine/arenite.h"

// What a place is for: nothing (a constant, or what nobody writes), a tensor, scratch of an operator, state: what lasts from one
// invoke to the next.
enum { AR_PLACE_NONE, AR_PLACE_TENSOR, AR_PLACE_SCRATCH, AR_PLACE_STATE };

#define AR_NO_PLACE (0xffffffffu)

typedef struct {
    uint32_t offset;            // from the start of the arena
    uint32_t bytes;
    uint32_t index;             // of the tensor in its subgraph, or AR_NO_PLACE
    uint32_t op;                // of scratch: the operator in its subgraph; else AR_NO_PLACE
    uint32_t root;              // the place that it lies in: itself, or another's
    uint32_t source;            // the place that it may lie over, as it is written only where that has been read; or AR_NO_PLACE
    int32_t distance;           // and how many bytes or more above its own start that must begin
    uint16_t subgraph;
    uint16_t kind;
    uint16_t first;             // times, both included
    uint16_t last;
    uint16_t held;              // rows in memory of how many, where it is a ring; else 0
    uint16_t rows;
} ar_lives_place_t;

// An operator of the main graph: its time (operators of subgraphs that it calls have those up to the next one's), and the first
// operator of those that it takes turns with; itself where it takes none.
typedef struct {
    uint16_t time;
    uint16_t segment;
} ar_lives_step_t;

typedef struct {
    ar_lives_place_t *places;         // room for these, by the caller
    uint32_t n_places;
    ar_lives_step_t *steps;
    uint32_t n_steps;
    uint32_t records;           // bytes of the arena: of records; behind them, of what lasts; of the rest
    uint32_t state;
    uint32_t activations;
    uint32_t used;              // all that loading takes
    uint8_t *cuts;              // room by the caller for a byte a step and one: what a file may hold of the plan
    uint32_t n_cuts;
} ar_lives_t;

// Plan a model as ar_load does in such an arena, and tell how. n_places and n_steps: how many there is room for, then how many
// there are. AR_NO_MEMORY: the arena or that room is too small.
ar_status_t ar_lives(const void *data, size_t size, bool stream, void *arena, size_t arena_size, ar_lives_t *lives, ar_error_t *err);

#endif // ARENITE_ENGINE_LIVES_H
