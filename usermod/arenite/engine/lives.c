// What a plan is made of. Nothing of a firmware refers to this, so that it costs none anything.

#include "engine/error.h"
#include "engine/lives.h"
#include "engine/loader.h"
#include "engine/segments.h"
#include "engine/rows.h"

static bool open_subgraph(ar_loader_t *l, unsigned subgraph) {
    l->sub = ar_model_subgraph(l->model, subgraph);
    return l->sub->records && ar_graph_open(&l->g, l->g.file.data, l->g.file.size, subgraph, l->err) == AR_OK;
}

// ---- when operators run ----------------------------------------------------------------------------------------------

// Whether a life has pieces that are written before it is whole.
static bool has_pieces(const ar_loader_t *l, const ar_life_t *life) {
    for (uint32_t i = 0; i < l->plan.n; i++) {
        if (ar_life_root(&l->plan, i) == life && ar_life(&l->plan, i)->bytes < life->bytes) {
            return true;
        }
    }
    return false;
}

// The time at which the first of its outputs begins to live; `otherwise` where none tells, being a view, a variable, a piece, or
// made of pieces.
static uint16_t time_of(const ar_loader_t *l, const ar_rec_t *rec, uint32_t k, uint16_t otherwise) {
    ar_node_t n;
    if (rec->size & AR_BY_ROWS) {
        return ar_rows(rec)->time;
    }
    ar_graph_node(&l->g, k, &n, l->err);
    for (uint32_t i = 0; i < n.outputs.length; i++) {
        const ar_life_t *life = ar_loader_life(l, (uint32_t)ar_graph_int(&l->g, &n.outputs, i));
        if (ar_life_is_placed(life) && life->first && !has_pieces(l, life)) {
            return life->first;
        }
    }
    return otherwise;
}

// Before the plan is made, which lets lives begin with their segment.
static void tell_times(const ar_loader_t *l, ar_lives_step_t *steps) {
    uint16_t after = (uint16_t)(l->time + 1);
    const ar_rec_t *rec = l->sub->records;
    for (uint32_t k = 0; k < l->sub->n_ops; k++, rec = ar_next_record(rec)) {
        steps[k].time = time_of(l, rec, k, 0);
    }
    for (uint32_t k = l->sub->n_ops; k-- > 0;) {
        after = steps[k].time = steps[k].time ? steps[k].time : (uint16_t)(after - 1);
    }
}

// When records know how they run.
static void tell_segments(const ar_loader_t *l, ar_lives_step_t *steps) {
    const ar_rec_t *rec = l->model->main.records, *end = rec;
    uint16_t segment = 0;
    for (uint16_t k = 0; k < l->model->main.n_ops; k++, rec = ar_next_record(rec)) {
        const ar_rec_t *feed = l->model->feed, *first = feed && rec == ar_next_record(feed) ? feed : rec;
        bool begins = ar_rows_begin(first);
        if (begins) {
            end = (const ar_rec_t *)((const uint8_t *)first + ar_rows(first)->span);
        }
        if (begins || rec >= end) {
            segment = k;
        }
        steps[k].segment = segment;
    }
}

// ---- what lies where -------------------------------------------------------------------------------------------------

static void tell_tensors(const ar_loader_t *l, unsigned subgraph, ar_lives_place_t *places) {
    for (uint32_t i = 0; i < l->g.tensors.length; i++) {
        const ar_life_t *life = ar_life_root(&l->plan, l->sub->first_life + i);
        ar_lives_place_t *place = &places[l->sub->first_life + i];
        place->index = i;
        place->subgraph = (uint16_t)subgraph;
        place->kind = ar_life_lasts(life) ? AR_PLACE_STATE : ar_life_is_placed(life) ? AR_PLACE_TENSOR : AR_PLACE_NONE;
    }
}

static void tell_ring(const ar_loader_t *l, const ar_rec_t *rec, uint32_t life, ar_lives_place_t *places) {
    if ((rec->size & AR_BY_ROWS) && ar_rows(rec)->role == AR_RING) {
        ar_lives_place_t *ring = &places[ar_life_index(&l->plan, ar_life_root(&l->plan, life))];
        ring->held = ar_rows(rec)->out_held;
        ring->rows = ar_rows(rec)->out_h;
    }
}

// Scratch and rings: what the records know.
static void tell_records(const ar_loader_t *l, unsigned subgraph, ar_lives_place_t *places) {
    const ar_rec_t *rec = l->sub->records;
    for (uint32_t k = 0; k < l->sub->n_ops; k++, rec = ar_next_record(rec)) {
        if (ar_has_scratch(rec)) {
            ar_lives_place_t *scratch = &places[ar_scratch_life(rec)];
            scratch->op = k;
            scratch->subgraph = (uint16_t)subgraph;
            scratch->kind = scratch->kind == AR_PLACE_STATE ? AR_PLACE_STATE : AR_PLACE_SCRATCH;
        }
        tell_ring(l, rec, (uint32_t)(uintptr_t)rec->t[rec->n_in], places);
    }
    if (subgraph == 0 && l->feeds) {
        tell_ring(l, l->model->feed, (uint32_t)(uintptr_t)l->model->feed->t[0], places);
    }
}

// What is neither tensor nor scratch is a variable that handles stand for.
static void tell_lives(const ar_loader_t *l, ar_lives_place_t *places) {
    uint8_t *activations = l->base + ar_loader_own(l);
    for (uint32_t i = 0; i < l->plan.n; i++) {
        uint32_t within;
        const ar_life_t *life = ar_life_within(&l->plan, i, &within);
        bool lies = ar_life_lasts(life) || ar_life_is_placed(life);
        uint32_t bytes = ar_life(&l->plan, i)->bytes; // fewer than the root's: a piece of what was joined
        places[i] = (ar_lives_place_t) {
            .offset = lies ? (uint32_t)(ar_loader_place(l, life, activations) - l->base) + within : 0,
            .bytes = bytes < life->bytes ? bytes : life->bytes,
            .index = AR_NO_PLACE, .op = AR_NO_PLACE, .root = ar_life_index(&l->plan, life), .source = AR_NO_PLACE,
            .kind = ar_life_lasts(life) ? AR_PLACE_STATE : AR_PLACE_NONE, .first = life->first, .last = life->last,
        };
    }
    for (uint32_t i = 0; i < l->plan.n_trails; i++) {
        ar_lives_place_t *place = &places[l->plan.trails[i].below];
        place->source = l->plan.trails[i].above;
        place->distance = l->plan.trails[i].distance;
    }
}

ar_status_t ar_lives(const void *data, size_t size, bool stream, void *arena, size_t arena_size, ar_lives_t *lives, ar_error_t *err) {
    ar_loader_t l;
    ar_model_t m;
    ar_trail_t trails[AR_TRAILS];
    ar_status_t status = ar_loader_check(&l, &m, data, size, stream, arena, arena_size, err);
    if (status == AR_OK && (l.plan.n > lives->n_places || m.main.n_ops > lives->n_steps)) {
        status = AR_NO_MEMORY;
    }
    uint32_t own = status == AR_OK ? ar_loader_own(&l) : 0;
    uint32_t room = arena_size > own ? (uint32_t)(arena_size - own) : 0;
    if (status == AR_OK) {
        tell_times(&l, lives->steps);
        l.plan.trails = trails;
        status = ar_loader_plan(&l, room) > room ? AR_NO_MEMORY : AR_OK;
    }
    if (status != AR_OK) {
        return status == AR_NO_MEMORY ? ar_fail(err, AR_NO_MEMORY, "arena: too small") : status;
    }
    lives->n_cuts = ar_segments_given(&l, lives->cuts);
    ar_loader_settle(&l, room);
    lives->n_places = l.plan.n;
    lives->n_steps = m.main.n_ops;
    lives->records = l.kept;
    lives->state = ar_plan_state(&l.plan);
    lives->activations = ar_plan_end(&l.plan);
    uint32_t loading = l.kept + (uint32_t)(l.plan.n * sizeof(ar_life_t));
    lives->used = own + lives->activations > loading ? own + lives->activations : loading;
    tell_lives(&l, lives->places);
    tell_segments(&l, lives->steps);
    for (unsigned i = 0; i < m.n_subgraphs; i++) {
        if (open_subgraph(&l, i)) {
            tell_tensors(&l, i, lives->places);
            tell_records(&l, i, lives->places);
        }
    }
    return AR_OK;
}
