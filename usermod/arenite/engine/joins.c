// Pieces that an operator joins: written into the whole at once. Only such operators name this, so that it is no part of firmware
// without them.

#include "engine/bytes.h"
#include "engine/loader.h"

// So many operators are looked at for each piece, that a file of many cannot hold up loading.
#define MOST_STEPS (64)

// Whether a piece may lie in the whole from its birth on: if at no time does that take more than both take when they are joined.
static bool may_join(const ar_plan_t *plan, const ar_life_t *piece, const ar_life_t *whole, uint16_t joined) {
    uint32_t room = ar_plan_alive(plan, joined + 1u, joined).bytes + ar_life_height(piece) - ar_life_height(whole);
    if (piece->first + MOST_STEPS < whole->first) {
        return false;
    }
    for (uint16_t time = piece->first; time < whole->first; time++) {
        if (ar_plan_alive(plan, time + 1u, time).bytes > room) {
            return false;
        }
    }
    return true;
}

// Let the pieces that an operator joins, and nothing needs later, be written into their places at once.
static void join_at(const ar_loader_t *l, const ar_life_t *note) {
    const uint8_t *inputs = l->g.file.data + note->bytes;
    uint32_t first_life = note->offset >> 16, out = first_life + (note->offset & 0xffff);
    ar_life_t *whole = ar_life(&l->plan, out);
    uint32_t within = whole->bytes;
    uint16_t joined = whole->first;
    for (uint32_t i = ar_u32(inputs - 4); i-- > 0;) {
        uint32_t in = first_life + ar_u32(inputs + 4 * i), bytes = ar_life(&l->plan, in)->bytes;
        ar_life_t *piece = ar_life_root(&l->plan, in);
        uint16_t first = piece->first;
        within -= bytes;
        if (first < joined && piece->last == joined && piece->bytes == bytes && (uint16_t)(within / AR_ALIGN) * AR_ALIGN == within
            && may_join(&l->plan, piece, whole, joined)) {
            ar_life_lie_in(piece, out);
            piece->last = (uint16_t)(within / AR_ALIGN);
            whole->first = first < whole->first ? first : whole->first;
        }
    }
}

static void join_pieces(const ar_loader_t *l) {
    for (uint32_t i = 0; i < l->plan.n; i++) {
        if (ar_life(&l->plan, i)->first == AR_LIFE_JOINS) {
            join_at(l, ar_life(&l->plan, i));
        }
    }
}

void ar_joins(ar_prep_t *p) {
    ar_loader_t *l = p->loader;
    ar_life_t *note = ar_loader_new_life(l);
    if (note) {
        note->first = AR_LIFE_JOINS;
        note->bytes = p->inputs;
        note->offset = (uint32_t)l->sub->first_life << 16 | (uint32_t)ar_i32(l->g.file.data + p->outputs);
        l->join = join_pieces;
    }
}
