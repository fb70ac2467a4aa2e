// The planner.
//
// Placing intervals of different heights in the least memory is NP-hard (dynamic storage allocation), but the graphs
// of small models are nearly chains, and there first fit reaches the least possible when it meets the tensors in
// the right order. Which order that is differs; a handful is tried, and the search ends when one reaches the bound
// that no plan can beat: the most bytes alive at one time. Each order is tried from below and from above: where tensors trail
// one another, it matters on which side the free bytes are.

#include "engine/arenite.h"
#include "engine/plan.h"
#include "kernels/has.h"

#define UNPLACED (0xffffffff)

enum { ORDERS = 4 };

ar_life_t *ar_life_within(const ar_plan_t *plan, uint32_t i, uint32_t *bytes) {
    ar_life_t *life = ar_life(plan, i);
    for (*bytes = 0; life->first == AR_LIFE_ALIAS; life = ar_life(plan, life->offset)) {
        *bytes += (uint32_t)life->last * AR_ALIGN;
    }
    return life;
}

ar_life_t *ar_life_root(const ar_plan_t *plan, uint32_t i) {
    uint32_t bytes;
    return ar_life_within(plan, i, &bytes);
}

static bool share(const ar_plan_t *plan, ar_life_t *life, uint32_t i) {
    ar_life_t *other = ar_life_root(plan, i);
    if (!ar_life_is_placed(other) || other->last != life->first || other == life) {
        return false;
    }
    other->last = life->last;
    ar_life_lie_in(life, ar_life_index(plan, other));
    return true;
}

void ar_plan_share(const ar_plan_t *plan) {
    for (uint32_t i = 0; i < plan->n; i++) {
        ar_life_t *life = ar_life(plan, i);
        for (uint32_t offers = ar_life_is_placed(life) ? life->offset : 0; offers; offers >>= 16) {
            if (share(plan, life, (offers & 0xffff) - 1)) {
                break;
            }
        }
    }
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
        if (life->offset == UNPLACED && ar_life_is_placed(life) && (!next || comes_before(order, life, next))) {
            next = life;
        }
    }
    return next;
}

// How two lives trail one another, the plan being upside down or not. Negative: above may be lower than below.
static const ar_trail_t *trail(const ar_plan_t *plan, const ar_life_t *life, const ar_life_t *other, bool mirrored, ar_trail_t *as) {
    uint32_t i = ar_life_index(plan, life), j = ar_life_index(plan, other);
    for (uint32_t k = 0; AR_HAS_ROWS && k < plan->n_trails; k++) {
        const ar_trail_t *t = &plan->trails[k];
        if ((t->above == i && t->below == j) || (t->above == j && t->below == i)) {
            int32_t above = (int32_t)ar_life_height(ar_life(plan, t->above)), below = (int32_t)ar_life_height(ar_life(plan, t->below));
            *as = mirrored ? (ar_trail_t) { t->below, t->above, t->distance + above - below } : *t;
            return as;
        }
    }
    return NULL;
}

// The lowest offset from one on at which life does not meet another that is placed and alive with it.
static uint32_t clear_of(const ar_plan_t *plan, const ar_life_t *life, const ar_life_t *other, uint32_t offset, bool mirrored) {
    uint32_t start = other->offset, end = start + ar_life_height(other);
    if (offset >= end || start >= offset + ar_life_height(life)) {
        return offset;
    }
    ar_trail_t as;
    const ar_trail_t *t = trail(plan, life, other, mirrored, &as);
    if (!t) {
        return end;
    }
    if (ar_life(plan, t->above) == life) {
        int32_t least = (int32_t)start + t->distance;
        return least <= (int32_t)offset ? offset : (uint32_t)least < end ? (uint32_t)least : end;
    }
    return (int32_t)offset + t->distance <= (int32_t)start ? offset : end;
}

// The lowest offset at which life overlaps nothing that is placed and alive with it.
static uint32_t first_fit(const ar_plan_t *plan, const ar_life_t *life, bool mirrored) {
    uint32_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < plan->n; i++) {
            const ar_life_t *other = ar_life(plan, i);
            if (overlap_in_time(other, life) && other->offset != UNPLACED && ar_life_is_placed(other)) {
                uint32_t least = clear_of(plan, life, other, offset, mirrored);
                moved |= least != offset;
                offset = least;
            }
        }
    }
    return offset;
}

static void turn_over(ar_plan_t *plan, uint32_t peak) {
    for (uint32_t i = 0; i < plan->n; i++) {
        ar_life_t *life = ar_life(plan, i);
        if (ar_life_is_placed(life)) {
            life->offset = peak - life->offset - ar_life_height(life);
        }
    }
}

// The bytes that this order takes; as soon as these are known to be no fewer than the best so far, it ends.
static uint32_t place_all(ar_plan_t *plan, unsigned order, bool mirrored, uint32_t best) {
    for (uint32_t i = 0; i < plan->n; i++) {
        ar_life_t *life = ar_life(plan, i);
        if (ar_life_is_placed(life)) {
            life->offset = UNPLACED;
        }
    }
    uint32_t peak = 0;
    for (ar_life_t *life; peak < best && (life = next_to_place(plan, order)) != NULL;) {
        uint32_t offset = first_fit(plan, life, mirrored);
        life->offset = offset;
        if (offset + ar_life_height(life) > peak) {
            peak = offset + ar_life_height(life);
        }
    }
    if (AR_HAS_ROWS && mirrored) {
        turn_over(plan, peak);
    }
    return peak;
}

ar_alive_t ar_plan_alive(const ar_plan_t *plan, uint32_t before, uint16_t time) {
    ar_alive_t alive = { 0, 0 };
    for (uint32_t i = 0; i < plan->n; i++) {
        const ar_life_t *life = ar_life(plan, i);
        if (life->first < before && time <= life->last && ar_life_is_placed(life)) {
            uint32_t height = ar_life_height(life);
            alive.bytes += height;
            alive.most = height > alive.most ? height : alive.most;
        }
    }
    return alive;
}

// The most bytes alive at one time: no plan takes less, but for trails. It can only rise where something is born.
static uint32_t liveness_bound(const ar_plan_t *plan) {
    uint32_t bound = 0;
    for (uint32_t i = 0; i < plan->n; i++) {
        const ar_life_t *born = ar_life(plan, i);
        uint32_t alive = ar_life_is_placed(born) ? ar_plan_alive(plan, born->first + 1u, born->first).bytes : 0;
        bound = alive > bound ? alive : bound;
    }
    return bound;
}

uint32_t ar_plan_state(const ar_plan_t *plan) {
    uint32_t end = 0;
    for (uint32_t i = 0; i < plan->n; i++) {
        ar_life_t *life = ar_life(plan, i);
        if (ar_life_lasts(life)) {
            life->offset = end;
            end += ar_life_height(life);
        }
    }
    return end;
}

uint32_t ar_plan_offsets(ar_plan_t *plan, uint32_t enough, uint32_t limit) {
    uint32_t bound = 0, best = UNPLACED;
    bool trails = AR_HAS_ROWS && plan->n_trails;
    unsigned orders = trails ? 2 * ORDERS : ORDERS;
    if (!trails) {
        bound = plan->least = liveness_bound(plan);
    }
    if (bound > limit) {
        return UNPLACED;
    }
    enough = bound > enough ? bound : enough;
    for (unsigned i = 0; i < orders; i++) {
        unsigned order = (plan->first + i) % orders;
        uint32_t peak = place_all(plan, order % ORDERS, order >= ORDERS, best);
        if (peak < best) {
            best = peak;
            plan->taken = (uint8_t)order;
        }
        if (peak <= enough) {
            return peak;
        }
    }
    return place_all(plan, plan->taken % ORDERS, plan->taken >= ORDERS, UNPLACED);
}

// ---- what is left over ---------------------------------------------------------------------------------------------

// How much is free from `start` on at the time of life; 0 if start itself is not.
static uint32_t free_from(const ar_plan_t *plan, const ar_life_t *life, uint32_t start, uint32_t room) {
    uint32_t end = room & ~(uint32_t)(AR_ALIGN - 1);
    for (uint32_t i = 0; i < plan->n; i++) {
        const ar_life_t *other = ar_life(plan, i);
        if (other == life || !overlap_in_time(other, life) || !ar_life_is_placed(other) || other->offset + ar_life_height(other) <= start) {
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
    uint32_t best = free_from(plan, life, life->offset, room), below = free_from(plan, life, 0, room), offset = life->offset;
    if (below > best) {
        best = below;
        offset = 0;
    }
    for (uint32_t i = 0; i < plan->n && best < most; i++) {
        const ar_life_t *other = ar_life(plan, i);
        if (other == life || !overlap_in_time(other, life) || !ar_life_is_placed(other)) {
            continue;
        }
        uint32_t start = other->offset + ar_life_height(other), found = free_from(plan, life, start, room);
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
        if (ar_life_is_placed(life) && life->offset + ar_life_height(life) > end) {
            end = life->offset + ar_life_height(life);
        }
    }
    return end;
}
