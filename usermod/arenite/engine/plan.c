// The planner.
//
// Placing intervals of different heights in the least memory is NP-hard (dynamic storage allocation), but the graphs
// of small models are nearly chains, and there first fit reaches the least possible when it meets the tensors in
// the right order. Which order that is differs; a handful is tried, and the search ends when one reaches the bound
// that no plan can beat: the most bytes alive at one time.

#include "engine/arenite.h"
#include "engine/plan.h"

#define UNPLACED (0xffffffff)

enum { ORDERS = 4 };

ar_life_t *ar_life_root(const ar_plan_t *plan, uint32_t i) {
    ar_life_t *life = ar_life(plan, i);
    while (life->first == AR_LIFE_ALIAS) {
        life = ar_life(plan, life->offset);
    }
    return life;
}

static bool needs_place(const ar_life_t *life) {
    return life->first <= AR_LIFE_LATEST;
}

// Bytes that a life takes: whatever lies behind it is aligned.
static uint32_t height(const ar_life_t *life) {
    return (life->bytes + AR_ALIGN - 1) & ~(uint32_t)(AR_ALIGN - 1);
}

static bool overlap_in_time(const ar_life_t *a, const ar_life_t *b) {
    return a->first <= b->last && b->first <= a->last;
}

// Does a come before b? Largest first, the earlier of equals first; as time goes; largest first, the later of equals first;
// backwards. What most often reaches the bound is tried first.
static bool comes_before(unsigned order, const ar_life_t *a, const ar_life_t *b) {
    switch (order) {
        case 0:
            return a->bytes != b->bytes ? a->bytes > b->bytes : a->first < b->first;
        case 1:
            return a->first != b->first ? a->first < b->first : a->bytes > b->bytes;
        case 2:
            return a->bytes != b->bytes ? a->bytes > b->bytes : a->first > b->first;
        default:
            return a->last != b->last ? a->last > b->last : a->bytes > b->bytes;
    }
}

static ar_life_t *next_to_place(const ar_plan_t *plan, unsigned order) {
    ar_life_t *next = NULL;
    for (uint32_t i = 0; i < plan->n; i++) {
        ar_life_t *life = ar_life(plan, i);
        if (needs_place(life) && life->offset == UNPLACED && (!next || comes_before(order, life, next))) {
            next = life;
        }
    }
    return next;
}

// The lowest offset at which life overlaps nothing that is placed and alive with it.
static uint32_t first_fit(const ar_plan_t *plan, const ar_life_t *life) {
    uint32_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < plan->n; i++) {
            const ar_life_t *other = ar_life(plan, i);
            if (needs_place(other) && other->offset != UNPLACED && overlap_in_time(life, other)
                && offset < other->offset + height(other) && other->offset < offset + height(life)) {
                offset = other->offset + height(other);
                moved = true;
            }
        }
    }
    return offset;
}

static uint32_t place_all(ar_plan_t *plan, unsigned order) {
    for (uint32_t i = 0; i < plan->n; i++) {
        ar_life_t *life = ar_life(plan, i);
        if (needs_place(life)) {
            life->offset = UNPLACED;
        }
    }
    uint32_t peak = 0;
    for (ar_life_t *life; (life = next_to_place(plan, order)) != NULL;) {
        uint32_t offset = first_fit(plan, life);
        life->offset = offset;
        if (offset + height(life) > peak) {
            peak = offset + height(life);
        }
    }
    return peak;
}

// The most bytes alive at one time. It can only rise where something is born.
static uint32_t liveness_bound(const ar_plan_t *plan) {
    uint32_t bound = 0;
    for (uint32_t i = 0; i < plan->n; i++) {
        const ar_life_t *born = ar_life(plan, i);
        uint32_t alive = 0;
        for (uint32_t j = 0; needs_place(born) && j < plan->n; j++) {
            const ar_life_t *other = ar_life(plan, j);
            if (needs_place(other) && other->first <= born->first && born->first <= other->last) {
                alive += height(other);
            }
        }
        if (alive > bound) {
            bound = alive;
        }
    }
    return bound;
}

uint32_t ar_plan_offsets(ar_plan_t *plan) {
    uint32_t bound = liveness_bound(plan);
    uint32_t best = UNPLACED;
    unsigned best_order = 0;
    for (unsigned order = 0; order < ORDERS; order++) {
        uint32_t peak = place_all(plan, order);
        if (peak == bound) {
            return peak;
        }
        if (peak < best) {
            best = peak;
            best_order = order;
        }
    }
    return place_all(plan, best_order);
}

// ---- what is left over ---------------------------------------------------------------------------------------------

// How much is free from `start` on at the time of life; 0 if start itself is not.
static uint32_t free_from(const ar_plan_t *plan, const ar_life_t *life, uint32_t start, uint32_t room) {
    uint32_t end = room & ~(uint32_t)(AR_ALIGN - 1);
    for (uint32_t i = 0; i < plan->n; i++) {
        const ar_life_t *other = ar_life(plan, i);
        if (other == life || !needs_place(other) || !overlap_in_time(life, other) || other->offset + height(other) <= start) {
            continue;
        }
        if (other->offset <= start) {
            return 0;
        }
        end = other->offset < end ? other->offset : end;
    }
    return end > start ? end - start : 0;
}

uint32_t ar_plan_grow(const ar_plan_t *plan, ar_life_t *life, uint32_t most, uint32_t room) {
    uint32_t best = free_from(plan, life, life->offset, room), offset = life->offset;
    for (uint32_t i = 0; i < plan->n && best < most; i++) {
        const ar_life_t *other = ar_life(plan, i);
        if (other == life || !needs_place(other) || !overlap_in_time(life, other)) {
            continue;
        }
        uint32_t start = other->offset + height(other), found = free_from(plan, life, start, room);
        if (found > best) {
            best = found;
            offset = start;
        }
    }
    life->offset = offset;
    life->bytes = best < most ? best : most;
    return life->bytes;
}

uint32_t ar_plan_end(const ar_plan_t *plan) {
    uint32_t end = 0;
    for (uint32_t i = 0; i < plan->n; i++) {
        const ar_life_t *life = ar_life(plan, i);
        if (needs_place(life) && life->offset + height(life) > end) {
            end = life->offset + height(life);
        }
    }
    return end;
}
