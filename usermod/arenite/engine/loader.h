// A model while it is loaded.
//
// The arena is filled from both ends. From the low end: the pointers of inputs and outputs, then a record an operator;
// they stay. From the high end, downwards: what the planner needs to know of each tensor and scratch block; it goes
// when the offsets are known, and its place is then free for the tensors themselves.
//
//     | io | record 0 | record 1 | ...      ->        <-      | ... | life 1 | life 0 |
//     | io | record 0 | ... | record n-1 | state | activations ................. |
//
// Where models share their activations, these lie elsewhere, and so do the planner's notes.
//
// Time runs through the operators in the order of execution. A subgraph is loaded when the first operator that calls it
// is, and its operators' times lie between those of the caller and of what follows; its records lie behind the caller's
// own, inside its size.

#ifndef ARENITE_ENGINE_LOADER_H
#define ARENITE_ENGINE_LOADER_H

#include "engine/graph.h"
#include "engine/plan.h"
#include "ops/op.h"

struct _ar_loader_t;

// How rows are planned, and how the records are told: engine/segments.h. And how they run: engine/rows.h.
typedef struct _ar_planner_t {
    uint32_t (*plan)(struct _ar_loader_t *l, uint32_t room);
    void (*finish)(struct _ar_loader_t *l);
    ar_status_t (*run)(const ar_run_t *run, const ar_rec_t *first);
} ar_planner_t;

typedef struct _ar_loader_t {
    bool feeds;                 // rows of the input come from outside: the model's record for it leads the first chain
    bool streams;               // chains of them run a row at a time
    bool may_wait;              // an operator may end a run early: outputs keep what the run before gave
    bool measuring;             // records are made one over another, to learn their sizes
    uint8_t depth;              // of calls
    uint16_t time;
    ar_subgraph_t *sub;
    ar_model_t *model;
    ar_error_t *err;
    uint8_t *base;
    uint8_t *limit;             // where what the model keeps must end
    uint8_t *floor;             // where the lives must
    uint32_t kept;              // bytes from base that the model keeps
    uint32_t lost;              // bytes of records that measuring has counted but not kept
    void (*join)(const struct _ar_loader_t *l); // what lets pieces lie in the whole; NULL: no operator joins any
    ar_rec_t *by_rows;          // the last record of an operator that can run by rows
    ar_plan_t plan;
    ar_graph_t g;               // the subgraph at hand
    ar_frame_t frame;           // what the last operator has left to the next one, as that is told
    uint32_t framed;
} ar_loader_t;

// What is known of an operator when its record is made. No more of it is on the stack while the subgraphs that it calls are loaded.
typedef struct _ar_made_t {
    const ar_node_t *node;
    ar_rec_t *rec;
    uint16_t index;
    uint16_t calls[2];
    uint8_t n_calls;
    uint8_t call_from;          // its first input that is one of theirs
    ar_status_t (*load_calls)(ar_loader_t *l, const struct _ar_made_t *made); // NULL: it calls none
} ar_made_t;

// States of a subgraph.
enum { AR_UNLOADED, AR_LOADING, AR_LOADED };

// Room for bytes more at the low end, zeroed; NULL where there is none.
void *ar_loader_take(ar_loader_t *l, size_t bytes);

// Room for bytes more behind what was taken last, which ends there; false where there is none.
bool ar_loader_extend(ar_loader_t *l, const uint8_t *end, size_t bytes);

// The life of a tensor of the subgraph at hand.
ar_life_t *ar_loader_life(const ar_loader_t *l, uint32_t tensor);

// A new life at the high end; NULL where there is no room.
ar_life_t *ar_loader_new_life(ar_loader_t *l);

// Check all tensors of the subgraph at hand; and make a record of each of its operators.
ar_status_t ar_loader_tensors(ar_loader_t *l);
ar_status_t ar_loader_operators(ar_loader_t *l);

// The time of the next operator.
ar_status_t ar_loader_tick(ar_loader_t *l);

// Let a tensor live at a time. -1 stands for none.
void ar_loader_touch(ar_loader_t *l, int32_t tensor, uint16_t time);

// The outputs live until whoever runs the subgraph has read them.
ar_status_t ar_loader_hold_outputs(ar_loader_t *l, uint16_t until);

// Link the record of an operator that takes rows of so many inputs to those before it. Until the addresses are known, the indices
// of the lives of its rows stand in their place.
void ar_loader_link_rows(ar_prep_t *p, unsigned by_rows);

// Added to the index of a life that may grow, where it waits in the record for the address of the scratch.
#define AR_GROWS (0x10000u)

// The index of the life of a record's scratch, and whether there is one.
static inline uint32_t ar_scratch_life(const ar_rec_t *rec) {
    return ((uint32_t)(uintptr_t)rec->t[rec->n_in + rec->n_out] & ~AR_GROWS) - 1;
}

static inline bool ar_has_scratch(const ar_rec_t *rec) {
    return rec->t[rec->n_in + rec->n_out] != NULL;
}

// Open a model in a block of memory and check it all: its records and lives are there, and nothing has its place.
ar_status_t ar_loader_check(ar_loader_t *l, ar_model_t *m, const void *data, size_t size, bool stream, void *block, size_t block_size,
    ar_error_t *err);

// What is the model's own: its records, and behind them, aligned, what lasts.
uint32_t ar_loader_own(const ar_loader_t *l);

// Plan the model: every tensor whole if that takes no more than `room` bytes, else as many rings of rows as that wants.
// Room of 0: the plan of the fewest bytes. The bytes of activations that it takes; more than room if there is no such plan, and
// then they are the fewest.
uint32_t ar_loader_plan(ar_loader_t *l, uint32_t room);

// The plan is made, and takes no more than `room`: tell the records how they run, and give scratch more where there is room for it.
void ar_loader_settle(ar_loader_t *l, uint32_t room);

// Where a life begins, the activations beginning there.
uint8_t *ar_loader_place(const ar_loader_t *l, const ar_life_t *life, uint8_t *activations);

ar_subgraph_t *ar_model_subgraph(ar_model_t *m, unsigned i);

static inline unsigned ar_model_graphs(const ar_model_t *m) {
    return AR_HAS_SUBGRAPHS ? m->n_subgraphs : 1;
}

#endif // ARENITE_ENGINE_LOADER_H
