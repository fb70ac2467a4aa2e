// Which chains of operators run a row at a time.
//
// The operators that can are met in chains. A chain is cut into segments: one operator on whole tensors, or several, a row at a
// time, whose tensors in between are rings of the rows still needed. What a segment takes: what is alive around it, its rings,
// the largest of its scratch blocks, and its output; less what that may share with an input that nothing needs later, which it
// trails. Dynamic programming over the ends of segments finds the cut whose largest segment takes least; and then, of those
// within a limit, the one of fewest calls.
//
// With one reader a ring has the rows of the reader's window. Else a replay of the run counts them.

#include "engine/rows.h"
#include "engine/segments.h"

#define UNREACHED (0xffffffffu)

// In a record's length: the segment that ends here runs by rows; its output trails, which the file's plan says in the same bit.
#define BY_ROWS (0x8000u)
#define TRAILS (0x80u)

// In a record's role, while rows are planned: its rows lie in those that the only one to take them makes of them, element by
// element; and that one.
enum { NEITHER, LODGER, HOST };

typedef struct {
    ar_loader_t *l;
    ar_rec_t *end;              // of all records
    uint32_t limit;             // of bytes; 0: as few as can be
    bool given;                 // the cut is the file's
} search_t;

// A segment, from record a to b.
typedef struct {
    ar_rec_t *a, *b;
    ar_alive_t around;          // what is alive around it: no more than the largest of it is saved by a trail
    uint32_t inside;            // and its rings: what is added to it cannot take less
    uint32_t bytes;
    uint32_t calls;
    ar_life_t *source;          // an input that only this needs, the largest: its output may trail it; or NULL
    uint32_t source_h;          // its rows
    int32_t distance;           // of the output
    bool by_rows;
    bool branches;              // it is no mere chain, each record taking the rows of the one before only
} segment_t;

static ar_rec_t *at(const ar_rec_t *rec, uint32_t back) {
    return (ar_rec_t *)((uint8_t *)(uintptr_t)rec - back);
}

// Asked for all over: not inlined, this and others take fewer bytes.
static __attribute__((noinline)) ar_life_t *life_of(const ar_loader_t *l, const ar_rec_t *rec, unsigned i) {
    return ar_life_root(&l->plan, (uint32_t)(uintptr_t)rec->t[i]);
}

static ar_life_t *out_life(const ar_loader_t *l, const ar_rec_t *rec) {
    return life_of(l, rec, rec->n_in);
}

// Of the output itself, which may lie in another.
static __attribute__((noinline)) ar_life_t *own_life(const ar_loader_t *l, const ar_rec_t *rec) {
    return ar_life(&l->plan, (uint32_t)(uintptr_t)rec->t[rec->n_in]);
}

// The record behind that may be in a segment with this; NULL: none.
static ar_rec_t *following(const search_t *s, const ar_rec_t *rec) {
    ar_rec_t *next = ar_rows_next(rec);
    return next < s->end && (next->size & AR_BY_ROWS) && ar_rows(next)->back ? next : NULL;
}

// The first record of a chain from rec on; NULL: none.
static ar_rec_t *chain_from(const search_t *s, ar_rec_t *rec) {
    while (rec < s->end && !(rec->size & AR_BY_ROWS)) {
        rec = ar_next_record(rec);
    }
    return rec < s->end ? rec : NULL;
}

// The first record of all chains; NULL: none.
static ar_rec_t *first_of(const search_t *s) {
    return s->l->feeds ? s->l->model->feed : chain_from(s, s->l->model->main.records);
}

static __attribute__((noinline)) unsigned row_inputs(const ar_rec_t *rec) {
    return ar_rows(rec)->inputs;
}

// The record of the segment that makes input i of rec; NULL: it is made before.
static ar_rec_t *maker_in(const segment_t *g, const ar_rec_t *rec, unsigned i) {
    uint32_t back = ar_rows(rec)->from[i];
    return back && at(rec, back) >= g->a ? at(rec, back) : NULL;
}

// ---- rings -----------------------------------------------------------------------------------------------------------

// Whether a record may write over the rows that it takes: element by element, where these are not smaller, and nothing is
// written there before.
static bool overwrites(const segment_t *g, const ar_rec_t *rec) {
    return rec == g->b && ar_rows(rec)->in_place && ar_rows(rec)->role != HOST;
}

// The record among whose rows those of another lie; most often itself.
static ar_rec_t *host_of(const ar_rec_t *rec) {
    return ar_rows(rec)->role == LODGER ? ar_rows_taker(rec) : at(rec, 0);
}

// The first row of a tensor that its readers in the segment still need. The tensor: the output of a record, or a life that
// was made before; this without what may write over it.
static uint32_t first_needed(const ar_loader_t *l, const segment_t *g, const ar_rec_t *maker, const ar_life_t *life, uint32_t h) {
    const ar_rec_t *last = maker ? ar_rows_taker(maker) : g->b;
    for (const ar_rec_t *rec = maker ? ar_rows_next(maker) : g->a; rec <= last; rec = ar_rows_next(rec)) {
        for (unsigned i = 0; i < row_inputs(rec); i++) {
            bool reads = maker ? maker_in(g, rec, i) == maker : life_of(l, rec, i) == life && !overwrites(g, rec);
            uint32_t seen = reads ? ar_rows_seen(ar_rows(rec)) : h;
            h = seen < h ? seen : h;
        }
    }
    return h;
}

// Bytes of an output as it is held, of a life of all rows. One that is whole may be a piece of the life, or is made at once, of sums.
static uint32_t out_bytes(const ar_life_t *life, const ar_rows_t *r) {
    return r->out_held == r->out_h ? life->bytes : life->bytes / r->out_h * r->out_held;
}

typedef struct {
    const ar_loader_t *l;
    segment_t *g;
    const ar_rec_t *before;     // whose row was made last
} replay_t;

// How far the output must lie below the source for its rows up to an end, where others need the source from a row on: that end not
// above this. Where b itself takes the source, it may write a row over that which it is made of, and at most as many bytes.
static void measure_distance(const ar_loader_t *l, segment_t *g, uint32_t end) {
    const ar_rows_t *r = ar_rows(g->b);
    uint32_t bytes = out_life(l, g->b)->bytes, row = bytes / r->out_h, seen = first_needed(l, g, NULL, g->source, g->source_h);
    uint32_t written = r->gathers ? (end == r->out_h ? bytes : 0) : end * row;
    int32_t distance = (int32_t)written - (int32_t)(seen * (g->source->bytes / g->source_h));
    g->distance = seen < g->source_h && distance > g->distance ? distance : g->distance;
}

// Rows of a ring that are in memory when those before `next` are made.
static void measure_ring(const replay_t *p, const ar_rec_t *rec, uint32_t next) {
    ar_rows_t *r = ar_rows(rec);
    uint32_t oldest = first_needed(p->l, p->g, rec, NULL, r->out_h), held = next > oldest ? next - oldest : 1;
    r->out_held = (uint16_t)(held > r->out_held ? held : r->out_held);
}

static ar_status_t replay_row(void *context, const ar_rec_t *at_work) {
    replay_t *p = context;
    ar_rec_t *rec = at(at_work, 0), *host = host_of(rec);
    ar_rows_t *r = ar_rows(rec);
    if (p->before && at(rec, ar_rows(p->before)->to) != p->before) {
        ar_rows(p->before)->passes = false;
    }
    p->before = rec;
    if (host == p->g->b && p->g->source) {
        measure_distance(p->l, p->g, r->next + 1u);
    }
    r->next++;
    measure_ring(p, host, r->next);
    return AR_OK;
}

static bool is_ring(const ar_loader_t *l, const segment_t *g, const ar_rec_t *rec) {
    const ar_life_t *life = out_life(l, rec);
    return ar_rows(rec)->to && life->first == ar_rows(rec)->time && life->last <= ar_rows(g->b)->time;
}

// Set how many rows of its output are held: of a ring, what was found; else all. Whether it is a ring.
static bool settle(const ar_loader_t *l, const segment_t *g, ar_rec_t *rec) {
    ar_rec_t *host = host_of(rec);
    bool ring = is_ring(l, g, host);
    ar_rows(rec)->out_held = ring ? ar_rows(host)->out_held : ar_rows(rec)->out_h;
    return ring;
}

// Whether a record's row is taken as soon as it is made, before any other is, and then no longer needed. All such rows may lie in
// one place, but for that which is made of another a part at a time. What is known so far: where one has a single taker, for row by row.
static bool passes(const segment_t *g, const ar_rec_t *rec) {
    const ar_rows_t *r = ar_rows(rec);
    bool of_another = false;
    for (unsigned i = 0; i < r->inputs; i++) {
        const ar_rec_t *maker = maker_in(g, rec, i);
        of_another |= maker && ar_rows(maker)->passes && !r->reads_first;
    }
    return r->passes && r->out_held == 1 && !of_another;
}

static void replay(const search_t *s, segment_t *g) {
    replay_t p = { s->l, g, NULL };
    g->distance = 0;
    for (ar_rec_t *rec = g->a; rec <= g->b; rec = ar_rows_next(rec)) {
        ar_rows(rec)->next = 0;
    }
    ar_rows_drive(g->a, g->b, g->b, replay_row, &p);
    for (ar_rec_t *rec = g->a; rec < g->b; rec = ar_rows_next(rec)) {
        if (!is_ring(s->l, g, rec)) {
            ar_rows_drive(g->a, rec, rec, replay_row, &p);
        }
    }
}

// Fill in out_held and to of its records, as the windows alone tell it; and whether they do not, since it is not a mere chain.
static void hold_windows(segment_t *g) {
    const ar_rec_t *before = NULL;
    g->branches = false;
    for (ar_rec_t *rec = g->a; rec <= g->b; before = rec, rec = ar_rows_next(rec)) {
        ar_rows_t *r = ar_rows(rec);
        unsigned inside = 0;
        r->out_held = r->to = 0;
        r->role = NEITHER;
        r->passes = true;
        for (unsigned i = 0; i < row_inputs(rec); i++) {
            ar_rec_t *maker = maker_in(g, rec, i);
            if (maker) {
                ar_rows_t *m = ar_rows(maker);
                g->branches |= maker != before || m->to;
                m->passes &= !m->to && r->window == 1 && r->stride == 1;
                m->to = (uint16_t)((uint8_t *)rec - (uint8_t *)maker);
                uint32_t rows = r->window < r->in_h ? r->window : r->in_h;
                m->out_held = (uint16_t)(rows > m->out_held ? rows : m->out_held);
                inside++;
            }
        }
        g->branches |= inside != (before != NULL);
    }
}

// Let the rows of a ring that has one taker lie in those that are made of them, element by element. Of two such rings the one of
// what was made before, which is the longer: rows of the other may pass.
static void lodge(const ar_loader_t *l, const segment_t *g) {
    for (ar_rec_t *rec = g->a; rec <= g->b; rec = ar_rows_next(rec)) {
        const ar_rows_t *r = ar_rows(rec);
        ar_rec_t *lodger = NULL;
        for (unsigned i = 0; r->in_place && i < row_inputs(rec); i++) {
            const ar_life_t *life = own_life(l, rec);
            ar_rec_t *maker = maker_in(g, rec, i);
            if (maker && ar_rows(maker)->passes && ar_rows(maker)->role == NEITHER && is_ring(l, g, maker)
                && life->first == r->time && life->bytes == out_life(l, maker)->bytes
                && (!lodger || at(maker, ar_rows(maker)->from[0]) < at(lodger, ar_rows(lodger)->from[0]))) {
                lodger = maker;
            }
        }
        if (lodger) {
            ar_rows(lodger)->role = LODGER;
            ar_rows(rec)->role = HOST;
        }
    }
}

// ---- what a segment takes --------------------------------------------------------------------------------------------

static void find_source(const search_t *s, segment_t *g, const ar_rec_t *rec) {
    for (unsigned i = 0; i < row_inputs(rec); i++) {
        ar_life_t *life = life_of(s->l, rec, i);
        if (!maker_in(g, rec, i) && ar_life_is_placed(life) && life->first < ar_rows(g->a)->time
            && life->last <= ar_rows(g->b)->time && (!g->source || life->bytes > g->source->bytes)) {
            g->source = life;
            g->source_h = ar_rows(rec)->in_h;
        }
    }
}

// All but the trail.
static void weigh(const search_t *s, segment_t *g) {
    uint32_t scratch = 0, sums = 0, passing = 0;
    g->source = NULL;
    hold_windows(g);
    lodge(s->l, g);
    if (g->branches) {
        replay(s, g);
    }
    g->bytes = g->inside = g->around.bytes;
    g->calls = 0;
    g->by_rows = g->a != g->b;
    for (ar_rec_t *rec = g->a; rec <= g->b; rec = ar_rows_next(rec)) {
        const ar_life_t *life = out_life(s->l, rec);
        ar_rows_t *r = ar_rows(rec);
        bool ring = settle(s->l, g, rec);
        r->passes = ring && r->role == NEITHER && passes(g, rec);
        uint32_t bytes = life->first == r->time && r->role != LODGER ? ar_aligned(out_bytes(life, r)) : 0;
        passing = r->passes && bytes > passing ? bytes : passing;
        g->bytes += r->passes ? 0 : bytes;
        g->inside += ring && !r->passes ? bytes : 0;
        g->calls += g->by_rows ? r->out_h : 1;
        if (ar_has_scratch(rec)) {
            uint32_t height = ar_life_height(ar_life(&s->l->plan, ar_scratch_life(rec)));
            sums = r->gathers ? height : 0;
            scratch = height > scratch && !r->gathers ? height : scratch;
        }
        find_source(s, g, rec);
    }
    g->bytes += scratch + sums + passing;
    if (own_life(s->l, g->b)->first != ar_rows(g->b)->time) {
        g->source = NULL; // it lies in another
    }
}

// At most what a trail saves.
static uint32_t hope(const search_t *s, const segment_t *g) {
    if (!g->source) {
        return 0;
    }
    uint32_t in = ar_life_height(g->source), out = ar_life_height(out_life(s->l, g->b));
    return in < out ? in : out;
}

// Let the output trail the source.
static void trail(const search_t *s, segment_t *g) {
    ar_rows_t *r = ar_rows(g->b);
    if (g->a == g->b && r->in_place) {
        g->distance = 0;
    } else {
        uint32_t calls = 0;
        replay(s, g);
        for (ar_rec_t *rec = g->a; rec <= g->b; rec = ar_rows_next(rec)) {
            calls += ar_rows(rec)->out_h;
            settle(s->l, g, rec);
        }
        g->calls = calls;
        g->by_rows = true;
        g->distance = (int32_t)ar_aligned((uint32_t)g->distance);
    }
    uint32_t in = ar_life_height(g->source), out = ar_life_height(out_life(s->l, g->b)), both = in + (uint32_t)g->distance;
    both = both > out ? both : out;
    g->bytes -= in + out > both ? in + out - both : 0;
}

// ---- the search ------------------------------------------------------------------------------------------------------

// Is this segment, behind what has led up to it, better than what is known to lead up to its end?
static void try_segment(const search_t *s, segment_t *g, uint32_t before, uint32_t length) {
    ar_rows_t *r = ar_rows(g->b);
    if (s->l->feeds && g->a == s->l->model->feed && out_life(s->l, g->a)->last > r->time) {
        return; // what is fed is held in rows
    }
    if (!g->branches && g->inside >= (uint64_t)(s->limit ? s->limit + 1 : r->best) + g->around.most) {
        return; // longer, it takes more; but where a branch ends, rings become shorter
    }
    weigh(s, g);
    uint32_t wanted = s->limit ? s->limit : before;
    if (g->bytes > wanted && g->bytes - hope(s, g) < (s->limit ? s->limit + 1 : r->best)) {
        if (g->source) {
            trail(s, g);
        }
    }
    uint32_t value = g->bytes > before ? g->bytes : before;
    if (s->limit) {
        value = g->bytes <= s->limit ? before + g->calls : UNREACHED;
    }
    if (value < r->best) {
        r->best = value;
        r->length = (uint16_t)length;
    }
}

// The most bytes, or all calls, of the best cut of every chain; UNREACHED: none is within the limit.
static uint32_t search(const search_t *s) {
    uint32_t result = 0;
    for (ar_rec_t *rec = first_of(s); rec; rec = chain_from(s, ar_next_record(rec))) {
        ar_rows(rec)->best = UNREACHED;
        ar_rows(rec)->length = 1;
    }
    for (ar_rec_t *a = first_of(s); a; a = chain_from(s, ar_next_record(a))) {
        const ar_rows_t *r = ar_rows(a);
        uint32_t before = r->back ? ar_rows(at(a, r->back))->best : 0, length = 1;
        if (before != UNREACHED) {
            segment_t g = { .a = a, .around = ar_plan_alive(&s->l->plan, r->time, r->time) };
            for (g.b = a; g.b && length <= AR_SEGMENT; g.b = following(s, g.b)) {
                try_segment(s, &g, before, length++);
            }
        }
        if (!following(s, a)) {
            result = r->best > result ? r->best : result;
        }
    }
    return result;
}

// ---- the plan --------------------------------------------------------------------------------------------------------

typedef void (*each_t)(search_t *s, segment_t *g);

// Every segment of the cut, from the last one of each chain on.
static void each_segment(search_t *s, each_t what) {
    for (ar_rec_t *b = first_of(s); b; b = chain_from(s, ar_next_record(b))) {
        if (following(s, b)) {
            continue;
        }
        for (ar_rec_t *end = b; end;) {
            segment_t g = { .a = end, .b = end, .by_rows = (ar_rows(end)->length & BY_ROWS) != 0 };
            for (uint32_t n = ar_rows(end)->length & ~(BY_ROWS | TRAILS); n > 1; n--) {
                g.a = at(g.a, ar_rows(g.a)->back);
            }
            uint32_t back = ar_rows(g.a)->back;
            ar_rec_t *before = back ? at(g.a, back) : NULL;
            what(s, &g);
            end = before;
        }
    }
}

static ar_life_t *scratch_of(const ar_loader_t *l, const ar_rec_t *rec) {
    return ar_has_scratch(rec) ? ar_life(&l->plan, ar_scratch_life(rec)) : NULL;
}

// What a record shares with the others of its segment; NULL: nothing. Its scratch, but for sums, which are kept from row to row;
// its output, where its rows only pass.
static ar_life_t *shared_scratch(const ar_loader_t *l, const ar_rec_t *rec) {
    return ar_rows(rec)->gathers ? NULL : scratch_of(l, rec);
}

static ar_life_t *shared_rows(const ar_loader_t *l, const ar_rec_t *rec) {
    return ar_rows(rec)->passes ? out_life(l, rec) : NULL;
}

// One place for all of these, as large as the largest.
static void share(const search_t *s, const segment_t *g, ar_life_t *(*shared)(const ar_loader_t *l, const ar_rec_t *rec)) {
    ar_life_t *most = NULL;
    for (ar_rec_t *rec = g->a; rec <= g->b; rec = ar_rows_next(rec)) {
        ar_life_t *life = shared(s->l, rec);
        most = life && (!most || life->bytes > most->bytes) ? life : most;
    }
    for (ar_rec_t *rec = g->a; rec <= g->b; rec = ar_rows_next(rec)) {
        ar_life_t *life = shared(s->l, rec);
        if (life && life != most) {
            ar_life_lie_in(life, ar_life_index(&s->l->plan, most));
        }
    }
}

static void hold(const search_t *s, const segment_t *g, ar_rec_t *rec) {
    ar_rows_t *r = ar_rows(rec);
    uint16_t begin = ar_rows(g->a)->time, end = ar_rows(g->b)->time;
    ar_life_t *life = out_life(s->l, rec);
    if (life->first == r->time) {
        life->bytes = out_bytes(life, r);
        life->first = begin;
        life->last = life->last < end ? end : life->last;
    }
    for (unsigned i = 0; i < row_inputs(rec); i++) {
        ar_life_t *in = life_of(s->l, rec, i);
        if (ar_life_is_placed(in) && in->last < end) {
            in->last = end;
        }
    }
    ar_life_t *scratch = scratch_of(s->l, rec);
    if (scratch) {
        scratch->first = begin;
        scratch->last = end;
    }
    if (r->role == LODGER) {
        ar_life_lie_in(life, ar_life_index(&s->l->plan, out_life(s->l, host_of(rec))));
    }
}

// Let the lives be what a segment makes of them.
static void form(search_t *s, segment_t *g) {
    ar_plan_t *plan = &s->l->plan;
    g->around = ar_plan_alive(plan, ar_rows(g->a)->time, ar_rows(g->a)->time);
    weigh(s, g);
    bool trails = s->given ? (ar_rows(g->b)->length & TRAILS) != 0 : g->bytes > s->limit;
    if (trails && g->source && plan->n_trails < AR_TRAILS) {
        trail(s, g);
        ar_rows(g->b)->length |= TRAILS;
        plan->trails[plan->n_trails++] = (ar_trail_t) {
            (uint16_t)ar_life_index(plan, g->source), (uint16_t)ar_life_index(plan, out_life(s->l, g->b)), g->distance,
        };
    }
    if (!g->by_rows) {
        return;
    }
    for (ar_rec_t *rec = g->a; rec <= g->b; rec = ar_rows_next(rec)) {
        hold(s, g, rec);
    }
    share(s, g, shared_scratch);
    share(s, g, shared_rows);
    ar_rows(g->b)->length |= BY_ROWS;
}

// Back to whole tensors: the last time of a life that a segment has prolonged is that of the last of its readers.
static void unform(search_t *s, segment_t *g) {
    if (!g->by_rows) {
        return;
    }
    uint16_t end = ar_rows(g->b)->time;
    for (ar_rec_t *rec = g->a; rec <= g->b; rec = ar_rows_next(rec)) {
        ar_rows_t *r = ar_rows(rec);
        ar_life_t *life = out_life(s->l, rec), *scratch = scratch_of(s->l, rec);
        bool elsewhere = r->passes || r->role == LODGER;
        if (elsewhere) {
            life = own_life(s->l, rec);
        }
        if (elsewhere || (life->first == ar_rows(g->a)->time && (rec == g->a || life != out_life(s->l, g->a)))) {
            life->bytes = r->out_held == r->out_h ? life->bytes : life->bytes / r->out_held * r->out_h;
            life->first = r->time;
            life->last = life->last == end ? r->time : life->last;
        }
        r->out_held = r->out_h;
        for (unsigned i = 0; i < row_inputs(rec); i++) {
            ar_life_t *in = life_of(s->l, rec, i);
            if (ar_life_is_placed(in) && in->last <= end) {
                in->last = r->time;
            }
        }
        if (scratch) {
            scratch->first = scratch->last = r->time;
        }
    }
}

// The most bytes alive where no chain runs.
static uint32_t floor_of(const search_t *s) {
    const ar_plan_t *plan = &s->l->plan;
    uint32_t most = 0;
    for (uint32_t i = 0; i < plan->n; i++) {
        const ar_life_t *life = ar_life(plan, i);
        bool in_chain = !ar_life_is_placed(life);
        for (ar_rec_t *rec = first_of(s); rec && !in_chain; rec = chain_from(s, ar_next_record(rec))) {
            in_chain = ar_rows(rec)->time == life->first;
        }
        uint32_t alive = in_chain ? 0 : ar_plan_alive(plan, life->first + 1u, life->first).bytes;
        most = alive > most ? alive : most;
    }
    return most;
}

static void undo(search_t *s) {
    each_segment(s, unform);
    s->l->plan.n_trails = 0;
}

// Plan within a limit; the bytes that it takes, which may be more.
static uint32_t attempt(search_t *s, uint32_t limit) {
    s->limit = limit;
    if (search(s) == UNREACHED) {
        return UNREACHED;
    }
    each_segment(s, form);
    return ar_plan_offsets(&s->l->plan, limit, UNREACHED);
}

// Limits that are tried: the least bytes alive, and what a plan may take that does not reach them.
enum { ATTEMPTS = 4 };

static uint32_t limit_of(uint32_t least, uint32_t whole, unsigned k) {
    return least + ((whole > least ? whole : 2 * least) - least) / 32 * k; // fed by rows, the least may be more than all whole
}

// Better than what was found so far: to be undone again, or within the room.
typedef struct {
    uint32_t peak;
    uint32_t limit;
    bool enough;
} found_t;

static bool improve(search_t *s, uint32_t limit, uint32_t enough, found_t *found) {
    uint32_t peak = attempt(s, limit);
    bool better = peak < found->peak;
    if (better) {
        *found = (found_t) { peak, limit, peak <= enough };
    }
    if (!found->enough) {
        undo(s);
    }
    return better;
}

// The plan of fewest bytes, or the first within the room. It ends where one step less than what was found is not reached: so a
// model that is loaded into one step less than the fewest bytes is refused.
static uint32_t fewest(search_t *s, uint32_t least, uint32_t whole, uint32_t room) {
    found_t found = { .peak = UNREACHED };
    uint32_t enough = room > least ? room : least;
    for (unsigned k = 0; k < ATTEMPTS && !found.enough; k++) {
        improve(s, limit_of(least, whole, k), enough, &found);
    }
    while (!found.enough && improve(s, found.peak - AR_ALIGN, enough, &found)) {
    }
    return found.enough ? found.peak : attempt(s, found.limit);
}

// The plan of fewest bytes, or one within the room. What all take whole: UNREACHED where that is certainly more than the room, until
// somebody asks.
static __attribute__((noinline)) uint32_t plan_by_rows(search_t *s, uint32_t room, uint32_t *whole) {
    ar_plan_t *plan = &s->l->plan;
    uint32_t peak = room ? attempt(s, room) : UNREACHED;
    if (peak <= room) {
        return peak;
    }
    undo(s);
    *whole = *whole == UNREACHED ? ar_plan_offsets(plan, room, UNREACHED) : *whole;
    s->limit = 0;
    uint32_t least = search(s), floor = floor_of(s);
    least = least > floor ? least : floor;
    return least < *whole || s->l->feeds ? fewest(s, least, *whole, room) : UNREACHED;
}

// Cut the chains as the file says; false: it is the plan of another model.
static bool cut_as_given(const search_t *s, const uint8_t *cut, uint32_t n) {
    uint32_t left = 0;
    uint8_t length = 0;
    for (ar_rec_t *rec = first_of(s); rec; rec = chain_from(s, ar_next_record(rec))) {
        if (left == 0 && n != 0) {
            length = *cut++;
            left = length & ~TRAILS;
            n--;
        }
        if (left - 1 >= AR_SEGMENT || (left > 1 && !following(s, rec))) {
            return false;
        }
        ar_rows(rec)->length = length; // of the last of a segment, this counts
        left--;
    }
    return n == 0;
}

// The plan that the file holds; UNREACHED: none, or one that does not take less than the most bytes alive at one time. It does not
// depend on the room, so that a model takes what was measured.
static uint32_t given_plan(search_t *s, uint32_t room) {
    ar_plan_t *plan = &s->l->plan;
    uint32_t least = plan->least;
    fb_vector_t given;
    if (!AR_HAS_PLAN || s->l->feeds || !ar_graph_plan(&s->l->g, &given)) {
        return UNREACHED;
    }
    const uint8_t *cut = s->l->g.file.data + given.pos;
    if (!cut_as_given(s, cut + 1, given.length - 1)) {
        return UNREACHED;
    }
    s->given = true;
    plan->first = *cut;
    each_segment(s, form);
    uint32_t peak = ar_plan_offsets(plan, room, UNREACHED);
    if (peak >= least) {
        undo(s);
        s->given = false;
        plan->first = 0;
        peak = UNREACHED;
    }
    return peak;
}

static uint32_t plan(search_t *s, uint32_t room) {
    ar_loader_t *l = s->l;
    uint32_t whole = ar_plan_offsets(&l->plan, room, room);
    if (room && whole <= room && !l->feeds) {
        return whole;
    }
    uint32_t peak = given_plan(s, room);
    if (peak == UNREACHED) {
        peak = plan_by_rows(s, room, &whole);
    }
    l->streams = peak < whole || l->feeds;
    if (l->streams) {
        return peak;
    }
    undo(s);
    return ar_plan_offsets(&l->plan, room, UNREACHED);
}

static uint32_t segments_plan(ar_loader_t *l, uint32_t room) {
    ar_trail_t trails[AR_TRAILS];
    search_t s = { .l = l, .end = (ar_rec_t *)(l->base + l->kept) };
    bool keep = l->plan.trails != NULL;
    l->plan.trails = keep ? l->plan.trails : trails;
    uint32_t bytes = plan(&s, room);
    if (!keep) {
        l->plan.trails = NULL;
        l->plan.n_trails = 0;
    }
    return bytes;
}

static void run_so(search_t *s, segment_t *g) {
    for (ar_rec_t *rec = g->a; rec <= g->b; rec = ar_rows_next(rec)) {
        ar_rows_t *r = ar_rows(rec);
        for (unsigned i = 0; i < row_inputs(rec); i++) {
            const ar_rec_t *maker = maker_in(g, rec, i);
            r->held[i] = maker ? ar_rows(maker)->out_held : r->in_h;
            r->from[i] = maker ? r->from[i] : 0;
        }
        r->span = 0;
        bool ring = r->to && out_life(s->l, rec)->last <= ar_rows(g->b)->time;
        r->role = !g->by_rows ? AR_ALONE : ring ? AR_RING : AR_HELD;
    }
    if (g->by_rows) {
        ar_rows(g->a)->span = (uint16_t)((uint8_t *)ar_next_record(g->b) - (uint8_t *)g->a);
    }
}

static void segments_finish(ar_loader_t *l) {
    search_t s = { .l = l, .end = (ar_rec_t *)(l->base + l->kept) };
    if (l->streams) {
        each_segment(&s, run_so);
        return;
    }
    for (ar_rec_t *rec = chain_from(&s, l->model->main.records); rec; rec = chain_from(&s, ar_next_record(rec))) {
        ar_rows_t *r = ar_rows(rec);
        r->span = 0;
        r->role = AR_ALONE;
        r->out_held = r->out_h;
        r->held[0] = r->held[1] = r->in_h;
    }
}

const ar_planner_t ar_segments = { segments_plan, segments_finish, ar_rows_run };

static void mark_inner(search_t *s, segment_t *g) {
    (void)s;
    for (ar_rec_t *rec = g->a; rec < g->b; rec = ar_rows_next(rec)) {
        ar_rows(rec)->length = 0;
    }
}

uint32_t ar_segments_given(ar_loader_t *l, uint8_t *cuts) {
    search_t s = { .l = l, .end = (ar_rec_t *)(l->base + l->kept) };
    uint32_t n = 0;
    if (l->streams) {
        each_segment(&s, mark_inner);
        cuts[n++] = l->plan.taken;
    }
    for (ar_rec_t *rec = l->streams ? first_of(&s) : NULL; rec; rec = chain_from(&s, ar_next_record(rec))) {
        uint32_t length = ar_rows(rec)->length & ~(BY_ROWS | TRAILS);
        if (length) {
            cuts[n++] = (uint8_t)ar_rows(rec)->length;
        }
    }
    return n;
}
