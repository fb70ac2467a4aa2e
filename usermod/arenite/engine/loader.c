// Loading: every tensor and operator checked, a record made for each operator, the arena planned.

#include "engine/bytes.h"
#include "engine/error.h"
#include "engine/loader.h"
#include "engine/rows.h"
#include "engine/segments.h"

// Scalars of the largest record; a guess too low would only make ar_work_size too small for ar_measure.
#define LARGEST_PARAMS (256)
// The largest record of an operator that runs by rows.
#define ROWS_RECORD ((uint32_t)(sizeof(ar_rec_t) + 6 * sizeof(void *) + 256))

// Where records must end.
static uint8_t *end_of_room(const ar_loader_t *l) {
    uint8_t *lives = (uint8_t *)(l->plan.top - l->plan.n);
    return lives < l->limit ? lives : l->limit;
}

bool ar_loader_extend(ar_loader_t *l, const uint8_t *end, size_t bytes) {
    if (bytes > (size_t)(end_of_room(l) - end)) {
        return false;
    }
    if (l->measuring) {
        l->lost += (uint32_t)bytes;
    } else {
        l->kept += (uint32_t)bytes;
    }
    return true;
}

void *ar_loader_take(ar_loader_t *l, size_t bytes) {
    uint8_t *start = l->base + l->kept;
    return ar_loader_extend(l, start, bytes) ? memset(start, 0, bytes) : NULL;
}

// Keep what was taken last also while measuring: of all records only those that the plan looks at.
static void keep_record(ar_loader_t *l, uint32_t bytes) {
    if (l->measuring) {
        l->kept += bytes;
        l->lost -= bytes;
    }
}

ar_life_t *ar_loader_new_life(ar_loader_t *l) {
    uint8_t *records = l->base + l->kept, *floor = records > l->floor ? records : l->floor;
    if ((uint8_t *)(l->plan.top - l->plan.n) - floor < (ptrdiff_t)sizeof(ar_life_t)) {
        return NULL;
    }
    ar_life_t *life = ar_life(&l->plan, l->plan.n++);
    memset(life, 0, sizeof(*life));
    return life;
}

ar_life_t *ar_loader_life(const ar_loader_t *l, uint32_t tensor) {
    return ar_life(&l->plan, l->sub->first_life + tensor);
}

// Where a tensor of the subgraph at hand lies.
static __attribute__((noinline)) ar_life_t *root_of(const ar_loader_t *l, int32_t tensor) {
    return ar_life_root(&l->plan, l->sub->first_life + (uint32_t)tensor);
}

ar_subgraph_t *ar_model_subgraph(ar_model_t *m, unsigned i) {
    return !AR_HAS_SUBGRAPHS || i == 0 ? &m->main : &m->others[i - 1];
}

void ar_loader_touch(ar_loader_t *l, int32_t tensor, uint16_t time) {
    if (tensor < 0) {
        return;
    }
    ar_life_t *life = root_of(l, tensor);
    if (life->first != AR_LIFE_CONSTANT && life->last < time) {
        life->last = time;
    }
}

// ---- tensors -------------------------------------------------------------------------------------------------------

ar_status_t ar_loader_tensors(ar_loader_t *l) {
    l->sub->n_ops = (uint16_t)l->g.operators.length;
    l->sub->n_inputs = (uint16_t)l->g.inputs.length;
    l->sub->n_outputs = (uint16_t)l->g.outputs.length;
    l->sub->state = AR_LOADING;
    l->sub->first_life = (uint16_t)l->plan.n;
    if (l->plan.n + l->g.tensors.length > 0xffff) {
        return ar_fail(l->err, AR_UNSUPPORTED, "model: %N65000 operators or tensors in all");
    }
    for (uint32_t i = 0; i < l->g.tensors.length; i++) {
        ar_tensor_t t;
        ar_status_t status = ar_graph_tensor(&l->g, i, &t, l->err);
        if (status != AR_OK) {
            return status;
        }
        ar_life_t *life = ar_loader_new_life(l);
        if (!life) {
            return AR_NO_MEMORY;
        }
        life->bytes = t.bytes;
        life->first = t.data ? AR_LIFE_CONSTANT : AR_LIFE_UNBORN;
        if (!AR_HAS_STATE && t.is_variable) {
            return ar_fail(l->err, AR_UNSUPPORTED, "tensor %u: a variable%C: build for this model", (unsigned)i);
        }
        if (t.is_variable && !t.data) {
            life->first = 0;
            life->last = AR_LIFE_LASTS;
            l->model->has_state = true;
        }
    }
    return AR_OK;
}

static ar_status_t birth_inputs(ar_loader_t *l) {
    for (uint32_t i = 0; i < l->g.inputs.length; i++) {
        int32_t index = ar_graph_int(&l->g, &l->g.inputs, i);
        ar_life_t *life = ar_loader_life(l, (uint32_t)index);
        if (life->first == AR_LIFE_ALIAS) {
            continue; // a resource that the caller hands over
        }
        if (life->first != AR_LIFE_UNBORN) {
            return ar_damaged(l->err, "%I %u is a constant, a variable or named twice", (unsigned)i);
        }
        life->first = life->last = l->time;
    }
    return AR_OK;
}

ar_status_t ar_loader_hold_outputs(ar_loader_t *l, uint16_t until) {
    for (uint32_t i = 0; i < l->g.outputs.length; i++) {
        int32_t index = ar_graph_int(&l->g, &l->g.outputs, i);
        if (ar_loader_life(l, (uint32_t)index)->first == AR_LIFE_UNBORN) {
            return ar_damaged(l->err, "%O %u is written by nothing", (unsigned)i);
        }
        ar_loader_touch(l, index, until);
        ar_life_t *life = root_of(l, index);
        if (l->may_wait && life->first <= AR_LIFE_LATEST) {
            life->first = 0;
            life->last = until == AR_LIFE_LATEST ? AR_LIFE_LASTS : life->last;
        }
    }
    return AR_OK;
}

// ---- operators -----------------------------------------------------------------------------------------------------

static ar_status_t check_op_inputs(ar_loader_t *l, const ar_node_t *n, uint32_t k) {
    for (uint32_t i = 0; i < n->inputs.length; i++) {
        int32_t index = ar_graph_int(&l->g, &n->inputs, i);
        if (index == -1) {
            continue;
        }
        ar_life_t *life = ar_loader_life(l, (uint32_t)index);
        if (life->first == AR_LIFE_UNBORN && life->bytes != 0) {
            return ar_damaged(l->err, "op %u reads tensor %u before anything has written it", (unsigned)k,
                (unsigned)index);
        }
        if (life->first == AR_LIFE_UNBORN) {
            life->first = l->time; // an empty constant: nothing may write it after this, or be a view of what is a view of it
        }
        ar_loader_touch(l, index, l->time);
    }
    return AR_OK;
}

// A variable may be written, by what does not read it.
static bool may_write(ar_loader_t *l, const ar_node_t *n, int32_t index) {
    ar_tensor_t t;
    ar_graph_tensor(&l->g, (uint32_t)index, &t, l->err);
    for (uint32_t i = 0; i < n->inputs.length; i++) {
        if (ar_graph_int(&l->g, &n->inputs, i) == index) {
            return false;
        }
    }
    return t.is_variable && !t.data && t.type != AR_RESOURCE;
}

static ar_status_t birth_op_outputs(ar_loader_t *l, const ar_node_t *n, uint32_t k) {
    for (uint32_t i = 0; i < n->outputs.length; i++) {
        int32_t index = ar_graph_int(&l->g, &n->outputs, i);
        ar_life_t *life = ar_loader_life(l, (uint32_t)index);
        if (AR_HAS_STATE && life->first == 0 && may_write(l, n, index)) {
            continue;
        }
        if (life->first != AR_LIFE_UNBORN) {
            return ar_damaged(l->err, "op %u writes tensor %u, which is an %I, a constant or written before",
                (unsigned)k, (unsigned)index);
        }
        life->first = life->last = l->time;
    }
    return AR_OK;
}

// A node's options must be of the type that the operator takes; none at all stands for the defaults.
static ar_status_t find_op(ar_loader_t *l, const ar_node_t *n, uint32_t k, const ar_op_t **op) {
    *op = ar_graph_op(n);
    if (!*op && n->code == CUSTOM) {
        return ar_fail(l->err, AR_UNSUPPORTED, "op %u %q: this custom operator%C", (unsigned)k,
            (unsigned)n->custom_code_len, n->custom_code);
    }
    if (!*op && !AR_HAS_NAMES) {
        return ar_fail(l->err, AR_UNSUPPORTED, "op %u: operator %d%C: build for this model", (unsigned)k, (int)n->code);
    }
    if (!*op) {
        const char *name = ar_builtin_name(n->code);
        return ar_fail(l->err, AR_UNSUPPORTED, *name ? "op %u: operator %s%C" : "op %u: operator %s%d%C", (unsigned)k, name, (int)n->code);
    }
    if (n->options.pos && n->options_type != (*op)->options && (*op)->options != NoOptions) {
        return ar_damaged(l->err, "op %u %s has another operator's options", (unsigned)k, ar_op_title(*op));
    }
    return AR_OK;
}

ar_status_t ar_loader_tick(ar_loader_t *l) {
    if (++l->time >= AR_LIFE_LATEST) {
        return ar_fail(l->err, AR_UNSUPPORTED, "model: %N65000 operators or tensors in all");
    }
    return AR_OK;
}

// In blocks of AR_ALIGN, what a record may say.
static uint16_t blocks(uint32_t bytes) {
    return (uint16_t)(bytes < 0xffff * AR_ALIGN ? ar_aligned(bytes) / AR_ALIGN : 0xffff);
}

// The operator's scratch or state, if it asked for any. Its life's index waits in the record for the address, the bytes
// that it would like in the scalars for those that it gets.
static ar_status_t take_scratch(ar_loader_t *l, const ar_prep_t *p) {
    if (p->scratch == 0) {
        return AR_OK;
    }
    ar_life_t *life = ar_loader_new_life(l);
    if (!life) {
        return AR_NO_MEMORY;
    }
    life->bytes = p->scratch;
    life->first = p->scratch_lasts ? 0 : l->time;
    life->last = p->scratch_lasts ? AR_LIFE_LASTS : l->time;
    l->model->has_state |= p->scratch_lasts;
    p->rec->t[p->n_in + p->n_out] = (void *)(uintptr_t)(l->plan.n + (p->scratch_most ? AR_GROWS : 0));
    if (p->scratch_most) {
        *(uint16_t *)ar_params(p->rec) = blocks(p->scratch_most);
    }
    return AR_OK;
}

// Whether an operator's inputs but those that it takes by rows are constants, or left out.
static bool only_rows_change(const ar_loader_t *l, const fb_vector_t *inputs, uint32_t by_rows) {
    for (uint32_t i = by_rows; i < inputs->length; i++) {
        int32_t index = ar_graph_int(&l->g, inputs, i);
        if (index >= 0 && root_of(l, index)->first != AR_LIFE_CONSTANT) {
            return false;
        }
    }
    return true;
}

static ar_life_t *life_of_rows(const ar_loader_t *l, const void *index) {
    return ar_life_root(&l->plan, (uint32_t)(uintptr_t)index);
}

// Whether all operators so far made views of a tensor, one each; but not many, as the sum of their records has 16 bits.
static bool only_views(const ar_loader_t *l, const ar_life_t *life) {
    uint32_t views = 0;
    for (uint32_t i = 0; i < l->plan.n; i++) {
        views += ar_life(&l->plan, i) != life && ar_life_root(&l->plan, i) == life;
    }
    return views == l->time - 1u && views < 16;
}

// Where the input is fed by rows, a record of its own makes it, of the height that the first to take rows of it says. False: what
// is taken is another view of it.
static bool link_feed(const ar_loader_t *l, const ar_rec_t *rec, unsigned inputs) {
    ar_rec_t *feed = l->model->feed;
    for (unsigned i = 0; feed && i < inputs; i++) {
        ar_life_t *life = life_of_rows(l, feed->t[0]);
        ar_rows_t *r = ar_rows(feed);
        if (life_of_rows(l, rec->t[i]) != life) {
            continue;
        }
        if (l->by_rows == feed && ar_rows(rec)->in_h && only_views(l, life)) {
            feed->t[0] = rec->t[i];
            feed->size = (uint16_t)((const uint8_t *)rec - (const uint8_t *)feed) | AR_BY_ROWS;
            r->time = life->first = (uint16_t)(l->time - 1);
            r->out_h = ar_rows(rec)->in_h;
            r->row = life->bytes / r->out_h;
        }
        if (rec->t[i] != feed->t[0] || !r->out_h) {
            return false;
        }
    }
    return true;
}

void ar_loader_link_rows(ar_prep_t *p, unsigned by_rows) {
    ar_loader_t *l = p->loader;
    ar_rec_t *rec = p->rec, *maker = l->by_rows;
    const fb_vector_t inputs = { p->inputs, p->n_in }, outputs = { p->outputs, p->n_out };
    if (!only_rows_change(l, &inputs, by_rows)) {
        return;
    }
    ar_rows_t *r = ar_rows(rec);
    for (unsigned i = 0; i < by_rows; i++) {
        rec->t[i] = (void *)(uintptr_t)(l->sub->first_life + (uint32_t)ar_graph_int(&l->g, &inputs, i));
    }
    uint32_t framed = AR_HAS_FRAMES ? p->framed : 0;
    if (framed) {
        rec->t[0] = (void *)(uintptr_t)(framed - 1);
    }
    rec->t[rec->n_in] = (void *)(uintptr_t)(l->sub->first_life + (uint32_t)ar_graph_int(&l->g, &outputs, 0));
    r->time = l->time;
    if (!link_feed(l, rec, by_rows)) {
        return;
    }
    if (maker && ar_rows(maker)->time + 1 + (framed != 0) >= l->time && !ar_rows(maker)->gathers) {
        r->back = (uint16_t)((uint8_t *)rec - (uint8_t *)maker);
    }
    for (unsigned k = 1; r->back && k < AR_SEGMENT && maker; k++) {
        for (unsigned i = 0; i < by_rows; i++) {
            if (rec->t[i] == maker->t[maker->n_in]) {
                r->from[i] = (uint16_t)((uint8_t *)rec - (uint8_t *)maker);
                ar_rows(maker)->length = l->time;
            }
        }
        uint16_t back = ar_rows(maker)->back;
        maker = back ? (ar_rec_t *)((uint8_t *)maker - back) : NULL;
    }
    keep_record(l, rec->size);
    rec->size |= AR_BY_ROWS;
    l->by_rows = rec;
    l->model->by_rows = &ar_segments;
}

// What the operator before has left to this one.
static void take_frame(ar_loader_t *l, ar_prep_t *p) {
    p->frame = l->frame;
    p->framed = l->framed;
    l->framed = 0;
    for (unsigned i = 0; i < 2; i++) {
        p->in.dim[1 + i] -= p->frame.before[i] + p->frame.after[i];
    }
}

static __attribute__((noinline)) ar_status_t make_record(ar_loader_t *l, const ar_node_t *n, const ar_op_t *op, ar_made_t *made) {
    ar_prep_t p = {
        .loader = l, .op = op, .made = made, .index = made->index, .inputs = n->inputs.pos, .outputs = n->outputs.pos,
        .n_in = (uint8_t)n->inputs.length, .n_out = (uint8_t)n->outputs.length, .err = l->err,
        .options = op->options != NoOptions ? n->options.pos : 0, .custom = { l->g.file.data + n->custom.pos, n->custom.length },
    };
    if (ar_has_input(&p, 0)) {
        ar_get_input(&p, 0, &p.in);
    }
    if (AR_HAS_FRAMES && l->framed) {
        take_frame(l, &p);
    }
    if (p.n_out) {
        ar_get_output(&p, 0, &p.out);
    }
    ar_status_t status = ar_expect_io(&p, op->fewest, op->most, op->outputs);
    if (status == AR_OK) {
        status = op->prepare(&p);
    }
    l->may_wait |= p.may_wait;
    if (status == AR_OK) {
        status = take_scratch(l, &p);
    }
    made->rec = p.rec;
    return status;
}

static ar_status_t prepare_op(ar_loader_t *l, uint32_t k) {
    ar_node_t n;
    const ar_op_t *op = NULL;
    ar_made_t made = { .node = &n, .index = (uint16_t)k };
    ar_status_t status = ar_loader_tick(l);
    if (status == AR_OK) {
        status = ar_graph_node(&l->g, k, &n, l->err);
    }
    if (status == AR_OK) {
        status = find_op(l, &n, k, &op);
    }
    if (status == AR_OK) {
        status = check_op_inputs(l, &n, k);
    }
    if (status == AR_OK) {
        status = birth_op_outputs(l, &n, k);
    }
    if (status == AR_OK) {
        status = make_record(l, &n, op, &made);
    }
    return status == AR_OK && made.load_calls ? made.load_calls(l, &made) : status;
}

// ---- subgraphs -----------------------------------------------------------------------------------------------------

static uint32_t io_bytes(const ar_graph_t *g) {
    return (uint32_t)((g->inputs.length + g->outputs.length) * sizeof(void *));
}

// The record of an input that is fed by rows: before those of the operators, and none of theirs.
static ar_status_t take_feed(ar_loader_t *l) {
    uint32_t size = sizeof(ar_rec_t) + 2 * sizeof(void *) + sizeof(ar_rows_t);
    if (l->g.inputs.length != 1 || l->g.n_subgraphs != 1) {
        return ar_fail(l->err, AR_VALUE, "model: has subgraphs, or %None %I: load without stream");
    }
    ar_rec_t *rec = ar_loader_take(l, size);
    if (!rec) {
        return AR_NO_MEMORY;
    }
    keep_record(l, size);
    rec->eval = ar_rows_take;
    rec->size = (uint16_t)(size | AR_BY_ROWS);
    rec->n_out = 1;
    rec->t[0] = (void *)(uintptr_t)(l->sub->first_life + (uint32_t)ar_graph_int(&l->g, &l->g.inputs, 0));
    l->model->feed = l->by_rows = rec;
    return AR_OK;
}

ar_status_t ar_loader_operators(ar_loader_t *l) {
    ar_status_t status = birth_inputs(l);
    l->sub->io = ar_loader_take(l, io_bytes(&l->g));
    if (status == AR_OK && !l->sub->io) {
        status = AR_NO_MEMORY;
    }
    if (AR_HAS_ROWS && status == AR_OK && l->feeds) {
        status = take_feed(l);
    }
    l->sub->records = (ar_rec_t *)(l->base + l->kept);
    for (uint32_t k = 0; status == AR_OK && k < l->g.operators.length; k++) {
        status = prepare_op(l, k);
    }
    return status;
}

// Lay the loader over a block of memory.
static ar_status_t open(ar_loader_t *l, ar_model_t *m, const void *data, size_t size, bool stream, void *block, size_t block_size,
    ar_error_t *err) {
    memset(l, 0, sizeof(*l));
    memset(m, 0, sizeof(*m));
    l->err = err;
    l->feeds = AR_HAS_ROWS && stream;
    l->model = m;
    l->sub = &m->main;
    err->status = AR_OK;
    err->text[0] = 0;
    ar_status_t status = ar_graph_open(&l->g, data, size, 0, err);
    if (!AR_HAS_ROWS && stream && status == AR_OK) {
        return ar_fail(err, AR_UNSUPPORTED, "model: stream%C: build without --whole");
    }
    if (status != AR_OK) {
        return status;
    }
    uintptr_t start = ((uintptr_t)block + sizeof(void *) - 1) & ~(uintptr_t)(sizeof(void *) - 1);
    uintptr_t end = ((uintptr_t)block + block_size) & ~(uintptr_t)3;
    if (!block || end < start) {
        return AR_NO_MEMORY;
    }
    l->base = l->floor = (uint8_t *)start;
    l->limit = (uint8_t *)end;
    l->plan.top = (ar_life_t *)end;
    m->data = l->g.file.data;
    m->size = (uint32_t)l->g.file.size;
    m->n_subgraphs = l->g.n_subgraphs;
    m->others = AR_HAS_SUBGRAPHS ? ar_loader_take(l, (m->n_subgraphs - 1u) * sizeof(ar_subgraph_t)) : NULL;
    return !AR_HAS_SUBGRAPHS || m->others ? AR_OK : AR_NO_MEMORY;
}

// A handle lies where its variable lies, which is as large as what is assigned to it, not as the handle's shape says.
static ar_status_t refuse_handles(ar_loader_t *l) {
    for (uint32_t i = 0; i < l->g.outputs.length; i++) {
        ar_tensor_t t;
        ar_graph_tensor(&l->g, (uint32_t)ar_graph_int(&l->g, &l->g.outputs, i), &t, l->err);
        if (t.type == AR_RESOURCE) {
            return ar_fail(l->err, AR_UNSUPPORTED, "model: %O %u is a resource", (unsigned)i);
        }
    }
    return AR_OK;
}

// Whether nothing takes the input otherwise than by rows, all in one chain.
static ar_status_t check_feed(const ar_loader_t *l) {
    const ar_rows_t *r = ar_rows(l->model->feed);
    uint16_t last = life_of_rows(l, l->model->feed->t[0])->last;
    unsigned k = last - 1u;
    return r->out_h && last == r->length ? AR_OK : ar_fail(l->err, AR_VALUE,
        "op %u %s: takes no rows of %T%I as they come: load without stream", k, ar_op_name(l->model, k));
}

static ar_status_t check_model(ar_loader_t *l) {
    ar_status_t status = ar_loader_tensors(l);
    if (status == AR_OK) {
        status = ar_loader_operators(l);
    }
    if (status == AR_OK) {
        status = ar_loader_hold_outputs(l, AR_LIFE_LATEST);
    }
    if (AR_HAS_ROWS && status == AR_OK && l->feeds) {
        status = check_feed(l);
    }
    if (status == AR_OK) {
        if (l->join) {
            l->join(l);
        }
        ar_plan_share(&l->plan);
        status = refuse_handles(l);
    }
    return status;
}

// Images only.
static bool may_run_by_rows(const ar_graph_t *g, const ar_node_t *n, ar_error_t *err) {
    ar_tensor_t t;
    int32_t index = n->outputs.length == 1 ? ar_graph_int(g, &n->outputs, 0) : -1;
    return index >= 0 && ar_graph_tensor(g, (uint32_t)index, &t, err) == AR_OK && t.rank == 4;
}

// What measuring a subgraph takes: a life a tensor, and two an operator (scratch, variable); the pointers of its io or
// of its largest record, which are made one over another.
static ar_status_t add_work(const ar_graph_t *g, uint32_t *lives, uint32_t *pointers, uint32_t *by_rows, ar_error_t *err) {
    *lives += g->tensors.length + 2 * g->operators.length;
    if (*pointers < g->inputs.length + g->outputs.length) {
        *pointers = g->inputs.length + g->outputs.length;
    }
    for (uint32_t k = 0; k < g->operators.length; k++) {
        ar_node_t n;
        if (ar_graph_node(g, k, &n, err) != AR_OK) {
            return err->status;
        }
        if (*pointers < n.inputs.length + n.outputs.length) {
            *pointers = n.inputs.length + n.outputs.length;
        }
        *by_rows += AR_HAS_ROWS && may_run_by_rows(g, &n, err) ? ROWS_RECORD : 0;
    }
    return AR_OK;
}

ar_status_t ar_work_size(const void *data, size_t size, size_t *bytes, ar_error_t *err) {
    ar_graph_t g;
    uint32_t lives = 0, pointers = 0, by_rows = 0, n = 1;
    for (uint32_t i = 0; i < n; i++) {
        ar_status_t status = ar_graph_open(&g, data, size, i, err);
        if (status == AR_OK) {
            status = add_work(&g, &lives, &pointers, &by_rows, err);
        }
        if (status != AR_OK) {
            return status;
        }
        n = AR_HAS_SUBGRAPHS ? g.n_subgraphs : 1;
    }
    // Scalars an input or output: at most as many bytes as four pointers have.
    size_t record = sizeof(ar_rec_t) + (5 * pointers + 1) * sizeof(void *) + LARGEST_PARAMS;
    *bytes = lives * sizeof(ar_life_t) + record + by_rows + ROWS_RECORD + n * sizeof(ar_subgraph_t) + 16;
    return AR_OK;
}

uint32_t ar_loader_plan(ar_loader_t *l, uint32_t room) {
    const ar_planner_t *planner = l->model->by_rows;
    return AR_HAS_ROWS && planner ? planner->plan(l, room) : ar_plan_offsets(&l->plan, room, UINT32_MAX);
}

uint32_t ar_loader_own(const ar_loader_t *l) {
    return ar_aligned(l->kept + l->lost) + ar_plan_state(&l->plan);
}

// What loading takes: the records and the lives.
static uint32_t load_bytes(const ar_loader_t *l) {
    return l->kept + l->lost + (uint32_t)(l->plan.n * sizeof(ar_life_t));
}

ar_status_t ar_measure(const void *data, size_t size, bool stream, void *work, size_t work_size, ar_needs_t *needs, ar_error_t *err) {
    ar_loader_t l;
    ar_model_t m;
    ar_status_t status = open(&l, &m, data, size, stream, work, work_size, err);
    if (status == AR_OK) {
        l.measuring = true;
        status = check_model(&l);
    }
    if (status != AR_OK) {
        return status;
    }
    uint32_t loading = load_bytes(&l), planned;
    needs->own = ar_loader_own(&l);
    needs->activations = ar_loader_plan(&l, 0);
    uint32_t lives = loading - l.kept - l.lost;
    needs->shared = needs->activations > lives ? needs->activations : lives;
    planned = needs->own + needs->activations;
    needs->arena = planned > loading ? planned : loading;
    return AR_OK;
}

// ---- addresses -----------------------------------------------------------------------------------------------------

uint8_t *ar_loader_place(const ar_loader_t *l, const ar_life_t *life, uint8_t *activations) {
    return (ar_life_lasts(life) ? l->base + ar_aligned(l->kept) : activations) + life->offset;
}

// Where a tensor lies: in the model, in the arena, or nowhere.
static void *address(const ar_loader_t *l, uint8_t *activations, int32_t index) {
    if (index < 0) {
        return NULL;
    }
    uint32_t within;
    ar_life_t *life = ar_life_within(&l->plan, l->sub->first_life + (uint32_t)index, &within);
    if (life->first == AR_LIFE_CONSTANT) {
        ar_tensor_t t;
        ar_graph_tensor(&l->g, (uint32_t)index, &t, l->err);
        return (void *)t.data;
    }
    return ar_loader_place(l, life, activations) + within;
}

static void resolve_record(const ar_loader_t *l, ar_rec_t *rec, const ar_node_t *n, uint8_t *activations) {
    for (uint32_t i = 0; i < rec->n_in; i++) {
        rec->t[i] = address(l, activations, ar_graph_int(&l->g, &n->inputs, i));
    }
    for (uint32_t i = 0; i < rec->n_out; i++) {
        rec->t[rec->n_in + i] = address(l, activations, ar_graph_int(&l->g, &n->outputs, i));
    }
    if (ar_has_scratch(rec)) {
        const void **scratch = (const void **)&rec->t[rec->n_in + rec->n_out];
        const ar_life_t *life = ar_life_root(&l->plan, ar_scratch_life(rec));
        if ((uintptr_t)*scratch & AR_GROWS) {
            uint16_t *most = ar_params(rec), least = blocks(life->bytes);
            *most = *most < least ? *most : least;
        }
        *scratch = ar_loader_place(l, life, activations);
    }
}

// Let the scratch blocks of a subgraph have what is free while they are used, before any address is told.
static void grow(ar_loader_t *l, const ar_subgraph_t *sub, uint32_t room) {
    const ar_rec_t *rec = sub->records;
    for (uint32_t k = 0; rec && k < sub->n_ops; k++, rec = ar_next_record(rec)) {
        if (ar_has_scratch(rec) && ((uintptr_t)rec->t[rec->n_in + rec->n_out] & AR_GROWS)) {
            ar_life_t *life = ar_life_root(&l->plan, ar_scratch_life(rec));
            uint32_t most = *(uint16_t *)ar_params(rec) * (uint32_t)AR_ALIGN;
            if (most > life->bytes) {
                ar_plan_grow(&l->plan, life, most, room);
            }
        }
    }
}

// Fill in the pointers of a subgraph, now that the offsets are known.
static void resolve(ar_loader_t *l, uint32_t index, uint8_t *activations) {
    l->sub = ar_model_subgraph(l->model, index);
    if (l->sub->records == NULL || ar_graph_open(&l->g, l->g.file.data, l->g.file.size, index, l->err) != AR_OK) {
        return;
    }
    ar_rec_t *rec = l->sub->records;
    for (uint32_t k = 0; k < l->sub->n_ops; k++) {
        ar_node_t n;
        ar_graph_node(&l->g, k, &n, l->err);
        resolve_record(l, rec, &n, activations);
        rec = ar_next_record(rec);
    }
    if (AR_HAS_ROWS && index == 0 && l->feeds) {
        void **rows = &l->model->feed->t[0];
        *rows = ar_loader_place(l, ar_life_root(&l->plan, (uint32_t)(uintptr_t)*rows), activations);
    }
    for (uint32_t i = 0; i < l->sub->n_inputs; i++) {
        l->sub->io[i] = address(l, activations, ar_graph_int(&l->g, &l->g.inputs, i));
    }
    for (uint32_t i = 0; i < l->sub->n_outputs; i++) {
        l->sub->io[l->sub->n_inputs + i] = address(l, activations, ar_graph_int(&l->g, &l->g.outputs, i));
    }
}

static ar_status_t no_memory(ar_error_t *err) {
    return ar_fail(err, AR_NO_MEMORY, "arena: too small");
}

ar_status_t ar_loader_check(ar_loader_t *l, ar_model_t *m, const void *data, size_t size, bool stream, void *block, size_t block_size,
    ar_error_t *err) {
    ar_status_t status = open(l, m, data, size, stream, block, block_size, err);
    return status == AR_OK ? check_model(l) : status;
}

void ar_loader_settle(ar_loader_t *l, uint32_t room) {
    if (AR_HAS_ROWS && l->model->by_rows) {
        l->model->by_rows->finish(l);
    }
    for (uint32_t i = 0; i < ar_model_graphs(l->model); i++) {
        grow(l, ar_model_subgraph(l->model, i), room);
    }
}

// What is left to do when all has its place. The activations end at `end`; where that is NULL, they begin behind what is the
// model's own.
static void finish(ar_loader_t *l, uint8_t *end) {
    ar_model_t *m = l->model;
    m->arena = l->base;
    m->own = ar_loader_own(l);
    m->activations = ar_plan_end(&l->plan);
    uint8_t *state = l->base + ar_aligned(l->kept), *own_end = l->base + m->own;
    uint8_t *activations = end ? end - m->activations : own_end;
    for (uint32_t i = 0; i < ar_model_graphs(m); i++) {
        resolve(l, i, activations);
    }
    // State starts as zeros. Not before: the lives, which are asked above, lie where tensors will.
    memset(state, 0, (size_t)(own_end - state));
    memset(activations, 0, m->activations);
    ar_reset(m);
}

ar_status_t ar_load(ar_model_t *m, const void *data, size_t size, bool stream, void *arena, size_t arena_size, ar_error_t *err) {
    ar_loader_t l;
    ar_status_t status = ar_loader_check(&l, m, data, size, stream, arena, arena_size, err);
    if (status != AR_OK) {
        return status == AR_NO_MEMORY ? no_memory(err) : status;
    }
    uint32_t own = ar_loader_own(&l), loading = load_bytes(&l);
    size_t size_from_base = arena_size - (size_t)(l.base - (uint8_t *)arena);
    uint32_t room = size_from_base > own ? (uint32_t)(size_from_base - own) : 0;
    if (ar_loader_plan(&l, room) > room) {
        return no_memory(err);
    }
    ar_loader_settle(&l, room);
    finish(&l, NULL);
    m->arena_used = own + m->activations > loading ? own + m->activations : loading;
    return AR_OK;
}

ar_status_t ar_load_shared(ar_model_t *m, const void *data, size_t size, bool stream, const ar_shared_t *space, ar_error_t *err) {
    ar_loader_t l;
    ar_status_t status = open(&l, m, data, size, stream, space->own, space->own_size, err);
    uintptr_t top = (uintptr_t)space->shared + space->shared_size;
    uint8_t *end = (uint8_t *)(top & ~(uintptr_t)(AR_ALIGN - 1));
    if (status == AR_OK) {
        l.floor = space->shared;
        l.plan.top = (ar_life_t *)(top & ~(uintptr_t)3);
        status = check_model(&l);
    }
    if (status != AR_OK) {
        return status == AR_NO_MEMORY ? no_memory(err) : status;
    }
    uint8_t *own_end = l.base + ar_loader_own(&l), *start = own_end > l.floor ? own_end : l.floor;
    uint32_t room = ar_loader_plan(&l, space->taken);
    room = room > space->taken ? room : space->taken;
    if (own_end > l.limit || start > end || room > (size_t)(end - start)) {
        return no_memory(err);
    }
    ar_loader_settle(&l, room);
    finish(&l, end);
    m->arena_used = m->own + m->activations;
    return AR_OK;
}
