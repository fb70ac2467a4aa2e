// A model while it is loaded.
//
// The arena is filled from both ends. From the low end: the pointers of the model's inputs and outputs, then a
// record an operator; they stay. From the high end, downwards: what the planner needs to know of each tensor and
// scratch block; it goes when the offsets are known, and its place is then free for the tensors themselves.
//
//     | io | record 0 | record 1 | ...      ->        <-      | ... | life 1 | life 0 |
//     | io | record 0 | ... | record n-1 | activations ......................... |

#ifndef ARENITE_ENGINE_LOADER_H
#define ARENITE_ENGINE_LOADER_H

#include "engine/graph.h"
#include "engine/plan.h"

typedef struct _ar_loader_t {
    ar_graph_t g;
    ar_error_t *err;
    uint8_t *base;
    uint32_t kept;              // bytes from base that the model keeps
    uint32_t lost;              // bytes of io and records that measuring has counted but not kept
    ar_plan_t plan;
    bool has_variables;
    bool measuring;             // records are made one over another, to learn their sizes
} ar_loader_t;

// Room for bytes more at the low end, zeroed; NULL where there is none.
void *ar_loader_take(ar_loader_t *l, size_t bytes);

// Let tensor index live at time, from 0 (the inputs) over k + 1 (operator k) to n_ops + 1 (the outputs).
void ar_loader_touch(ar_loader_t *l, uint32_t index, uint32_t time);

#endif // ARENITE_ENGINE_LOADER_H
