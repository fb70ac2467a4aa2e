// The planner: when each tensor is needed, and where in the arena it lies.

#ifndef ARENITE_ENGINE_PLAN_H
#define ARENITE_ENGINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/arenite.h"

// One tensor or scratch block: alive from first to last, both included.
typedef struct {
    uint32_t bytes;
    uint32_t offset;            // result; of an alias: the index of the life it shares
    uint16_t first;
    uint16_t last;              // of an alias: how far behind the start of that life it lies, in units of AR_ALIGN
} ar_life_t;

// Values of first that are no time.
enum {
    AR_LIFE_UNBORN = 0xffff,    // not written by anything so far
    AR_LIFE_CONSTANT = 0xfffe,  // lies in the model
    AR_LIFE_ALIAS = 0xfffd,     // lies where another lies
    AR_LIFE_JOINS = 0xfffc,     // no life: a note that an operator joins its inputs, while the model is checked
    AR_LIFE_LATEST = 0xfff0,
};

// Value of last: from one invoke to the next. It has no place among the others, but one that it keeps to itself.
#define AR_LIFE_LASTS (0xfff1)

// Two lives that may share memory though both are alive at a time: that of one may begin so many bytes, or more, above where
// the other begins, for the other is written only where the one has been read.
typedef struct {
    uint16_t above;
    uint16_t below;
    int32_t distance;
} ar_trail_t;

enum { AR_TRAILS = 32 };

typedef struct {
    ar_life_t *top;             // life i is top[-1 - i]
    uint32_t n;
    ar_trail_t *trails;         // NULL: while the plan is made only
    uint32_t n_trails;
    uint32_t least;             // the most bytes alive at one time: no plan without trails takes less
    uint8_t first;              // the order of placing that is tried first
    uint8_t taken;              // and that which was best
} ar_plan_t;

static inline ar_life_t *ar_life(const ar_plan_t *plan, uint32_t i) {
    return plan->top - 1 - i;
}

static inline uint32_t ar_life_index(const ar_plan_t *plan, const ar_life_t *life) {
    return (uint32_t)(plan->top - 1 - life);
}

// Let a life lie where life i lies.
static inline void ar_life_lie_in(ar_life_t *life, uint32_t i) {
    life->first = AR_LIFE_ALIAS;
    life->last = 0;
    life->offset = i;
}

// The life that holds the memory of i, through aliases.
ar_life_t *ar_life_root(const ar_plan_t *plan, uint32_t i);

// The same, and how many bytes behind its start that of i is.
ar_life_t *ar_life_within(const ar_plan_t *plan, uint32_t i, uint32_t *bytes);

// Whether a life lasts, whether it is one that the planner places among others, and how many bytes it takes; a place in memory is
// aligned, and so is whatever follows it.
static inline bool ar_life_lasts(const ar_life_t *life) {
    return life->first <= AR_LIFE_LATEST && life->last == AR_LIFE_LASTS;
}

static inline bool ar_life_is_placed(const ar_life_t *life) {
    return life->first <= AR_LIFE_LATEST && life->last != AR_LIFE_LASTS;
}

static inline uint32_t ar_life_height(const ar_life_t *life) {
    return ar_aligned(life->bytes);
}

// Before the plan is made: a life may begin where life i ends, in the same memory; of several the one offered last comes first.
static inline void ar_plan_offer(ar_life_t *life, uint32_t i) {
    life->offset = life->offset << 16 | (i + 1);
}

// Let lives lie where they may.
void ar_plan_share(const ar_plan_t *plan);

// Bytes alive at a time, of what was born before one; and those of the largest life among these.
typedef struct {
    uint32_t bytes;
    uint32_t most;
} ar_alive_t;

ar_alive_t ar_plan_alive(const ar_plan_t *plan, uint32_t before, uint16_t time);

// Set the offsets of what lasts, one behind another; the bytes that it takes.
uint32_t ar_plan_state(const ar_plan_t *plan);

// Set every other offset; the bytes that the whole takes. The search ends at `enough`, or at the most bytes alive at one time;
// where these are more than `limit`, it does not begin, and UINT32_MAX is the answer.
uint32_t ar_plan_offsets(ar_plan_t *plan, uint32_t enough, uint32_t limit);

// Let a scratch block, alive at one time only, have up to `most` bytes of the largest stretch that is free at its time in
// `room` bytes; its bytes.
uint32_t ar_plan_grow(const ar_plan_t *plan, ar_life_t *life, uint32_t most, uint32_t room);

// Where the last of all lives ends, but for those that last.
uint32_t ar_plan_end(const ar_plan_t *plan);

#endif // ARENITE_ENGINE_PLAN_H
