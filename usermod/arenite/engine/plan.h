// The planner: when each tensor is needed, and where in the arena it lies.

#ifndef ARENITE_ENGINE_PLAN_H
#define ARENITE_ENGINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One tensor or scratch block: alive from first to last, both included.
typedef struct {
    uint32_t bytes;
    uint32_t offset;            // result; of an alias: the index of the life it shares
    uint16_t first;
    uint16_t last;
} ar_life_t;

// Values of first that are no time.
enum {
    AR_LIFE_UNBORN = 0xffff,    // not written by anything so far
    AR_LIFE_CONSTANT = 0xfffe,  // lies in the model
    AR_LIFE_ALIAS = 0xfffd,     // lies where another lies
    AR_LIFE_LATEST = 0xfff0,
};

typedef struct {
    ar_life_t *top;             // life i is top[-1 - i]
    uint32_t n;
} ar_plan_t;

static inline ar_life_t *ar_life(const ar_plan_t *plan, uint32_t i) {
    return plan->top - 1 - i;
}

// The life that holds the memory of i, through aliases.
ar_life_t *ar_life_root(const ar_plan_t *plan, uint32_t i);

// Set every offset; the bytes that the whole takes.
uint32_t ar_plan_offsets(ar_plan_t *plan);

// Let a scratch block, alive at one time only, have up to `most` bytes of the largest stretch that is free at its time in
// `room` bytes; its bytes.
uint32_t ar_plan_grow(const ar_plan_t *plan, ar_life_t *life, uint32_t most, uint32_t room);

// Where the last of all lives ends.
uint32_t ar_plan_end(const ar_plan_t *plan);

#endif // ARENITE_ENGINE_PLAN_H
