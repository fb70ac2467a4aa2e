// Subgraphs and variables, for the prepare functions of the operators that use them.

#include <string.h>

#include "engine/bytes.h"
#include "engine/error.h"
#include "engine/loader.h"

// ---- subgraphs -----------------------------------------------------------------------------------------------------

// Resources among the inputs are the caller's variables under another name.
static void hand_over(ar_loader_t *l, const ar_subgraph_t *outer, const ar_made_t *caller) {
    for (uint32_t i = 0; i < l->g.inputs.length; i++) {
        int32_t index = ar_graph_int(&l->g, &l->g.inputs, i);
        ar_tensor_t t;
        ar_graph_tensor(&l->g, (uint32_t)index, &t, l->err);
        uint32_t k = caller->call_from + i;
        int32_t given = k < caller->node->inputs.length ? ar_graph_int(&l->g, &caller->node->inputs, k) : -1;
        if (t.type == AR_RESOURCE && given >= 0) {
            ar_life_lie_in(ar_loader_life(l, (uint32_t)index), outer->first_life + (uint32_t)given);
        }
    }
}

// Called again from elsewhere: its tensors live on until then, at the cost of memory but not of correctness.
static void live_on(ar_loader_t *l, const ar_subgraph_t *sub) {
    uint32_t n = l->plan.n;
    for (uint32_t i = sub->first_life; i < n; i++) {
        ar_life_t *life = ar_life(&l->plan, i);
        if (life->first <= AR_LIFE_LATEST && life->last < l->time) {
            life->last = l->time;
        }
    }
}

static ar_status_t load_subgraph(ar_loader_t *l, const ar_subgraph_t *outer, uint32_t index, const ar_made_t *caller) {
    ar_status_t status = ar_graph_open(&l->g, l->g.file.data, l->g.file.size, index, l->err);
    if (status == AR_OK) {
        status = ar_loader_tick(l);
    }
    if (status == AR_OK) {
        status = ar_loader_tensors(l);
    }
    if (status == AR_OK) {
        hand_over(l, outer, caller);
        status = ar_loader_operators(l);
    }
    if (status == AR_OK) {
        status = ar_loader_tick(l);
    }
    return status == AR_OK ? ar_loader_hold_outputs(l, l->time) : status;
}

static ar_status_t check_subgraph(ar_loader_t *l, uint32_t index, const ar_made_t *caller) {
    ar_subgraph_t *outer = l->sub, *sub = ar_model_subgraph(l->model, index);
    if (sub->state == AR_LOADED) {
        ar_status_t ticked = ar_loader_tick(l);
        live_on(l, sub);
        return ticked;
    }
    if (sub->state == AR_LOADING || l->depth == 4) {
        return ar_fail(l->err, AR_VALUE, "op %u %s: subgraph %u calls itself, or calls nest %N4 deep",
            (unsigned)caller->index, ar_op_title(ar_graph_op(caller->node)), (unsigned)index);
    }
    const ar_graph_t g = l->g;
    l->sub = sub;
    l->depth++;
    ar_status_t status = load_subgraph(l, outer, index, caller);
    sub->state = AR_LOADED;
    l->depth--;
    l->sub = outer;
    l->g = g;
    return status;
}

static void touch_all(ar_loader_t *l, const fb_vector_t *tensors) {
    for (uint32_t i = 0; i < tensors->length; i++) {
        ar_loader_touch(l, ar_graph_int(&l->g, tensors, i), l->time);
    }
}

// Load what an operator calls; its own tensors live until that has run. Only what calls subgraphs names this, so that it is no part
// of firmware without such operators.
static ar_status_t load_calls(ar_loader_t *l, const ar_made_t *made) {
    const ar_node_t *n = made->node;
    ar_status_t status = AR_OK;
    for (unsigned i = 0; status == AR_OK && i < made->n_calls; i++) {
        status = check_subgraph(l, made->calls[i], made);
    }
    if (status == AR_OK) {
        status = ar_loader_tick(l);
    }
    if (status != AR_OK) {
        return status;
    }
    touch_all(l, &n->inputs);
    touch_all(l, &n->outputs);
    size_t size = (size_t)(l->base + l->kept - (uint8_t *)made->rec);
    if (!l->measuring && size > 0xffff) {
        return ar_fail(l->err, AR_UNSUPPORTED, "op %u %s: %Tsubgraphs that it calls are too large", (unsigned)made->index,
            ar_op_title(ar_graph_op(n)));
    }
    if (!l->measuring) {
        made->rec->size = (uint16_t)(size | (made->rec->size & AR_KEEPS));
    }
    return AR_OK;
}

ar_status_t ar_calls(ar_prep_t *p, int32_t subgraph, unsigned from) {
    if (subgraph < 1 || subgraph >= p->loader->g.n_subgraphs) {
        return ar_refuse(p, "there is no subgraph %d to call", (int)subgraph);
    }
    ar_made_t *made = p->made;
    made->call_from = (uint8_t)from;
    made->calls[made->n_calls++] = (uint16_t)subgraph;
    made->load_calls = load_calls;
    return AR_OK;
}

static bool open_subgraph(const ar_prep_t *p, int32_t subgraph, ar_graph_t *g) {
    const fb_file_t *f = &p->loader->g.file;
    return ar_graph_open(g, f->data, f->size, (uint32_t)subgraph, p->err) == AR_OK;
}

unsigned ar_subgraph_count(const ar_prep_t *p, int32_t subgraph, bool outputs) {
    ar_graph_t g;
    return open_subgraph(p, subgraph, &g) ? (outputs ? g.outputs : g.inputs).length : 0;
}

void ar_subgraph_tensor(const ar_prep_t *p, int32_t subgraph, bool output, unsigned i, ar_tensor_t *t) {
    ar_graph_t g;
    memset(t, 0, sizeof(*t));
    if (open_subgraph(p, subgraph, &g)) {
        int32_t index = ar_graph_int(&g, output ? &g.outputs : &g.inputs, i);
        ar_graph_tensor(&g, (uint32_t)index, t, p->err);
    }
}

// ---- variables -----------------------------------------------------------------------------------------------------

// The two names of a VAR_HANDLE.
typedef struct {
    fb_vector_t container;
    fb_vector_t name;
} names_t;

static bool read_names(const fb_table_t *options, names_t *names) {
    return fb_vector(options, VAR_HANDLE_CONTAINER, 1, &names->container)
           && fb_vector(options, VAR_HANDLE_SHARED_NAME, 1, &names->name);
}

static bool same_bytes(const fb_file_t *f, const fb_vector_t *a, const fb_vector_t *b) {
    return a->length == b->length && memcmp(f->data + a->pos, f->data + b->pos, a->length) == 0;
}

// The life of a variable that an operator of this subgraph has given these names before; NULL if none has.
static ar_life_t *find_in(const ar_loader_t *l, const ar_graph_t *g, const ar_subgraph_t *sub, const names_t *names, uint32_t *index) {
    for (uint32_t k = 0; k < g->operators.length; k++) {
        ar_node_t n;
        names_t other;
        if (ar_graph_node(g, k, &n, l->err) != AR_OK || n.code != VAR_HANDLE || n.outputs.length != 1
            || !read_names(&n.options, &other)) {
            continue;
        }
        int32_t tensor = ar_graph_int(g, &n.outputs, 0);
        if (tensor < 0 || (uint32_t)tensor >= g->tensors.length) {
            continue;
        }
        ar_life_t *handle = ar_life(&l->plan, sub->first_life + (uint32_t)tensor);
        if (handle->first == AR_LIFE_ALIAS && same_bytes(&g->file, &other.container, &names->container)
            && same_bytes(&g->file, &other.name, &names->name)) {
            *index = handle->offset;
            return handle;
        }
    }
    return NULL;
}

static bool find_variable(const ar_loader_t *l, const names_t *names, uint32_t *index) {
    for (uint32_t s = 0; s < l->g.n_subgraphs; s++) {
        ar_graph_t g;
        const ar_subgraph_t *sub = ar_model_subgraph(l->model, s);
        if (sub->state != AR_UNLOADED && ar_graph_open(&g, l->g.file.data, l->g.file.size, s, l->err) == AR_OK
            && find_in(l, &g, sub, names, index)) {
            return true;
        }
    }
    return false;
}

ar_status_t ar_variable(ar_prep_t *p) {
    ar_loader_t *l = p->loader;
    names_t names = { { 0, 0 }, { 0, 0 } };
    fb_table_t options;
    uint32_t index;
    if (p->options && (!fb_table(&l->g.file, p->options, &options) || !read_names(&options, &names))) {
        return ar_refuse(p, "its name runs past %Tfile");
    }
    if (!find_variable(l, &names, &index)) {
        ar_life_t *variable = ar_loader_new_life(l);
        if (!variable) {
            return AR_NO_MEMORY;
        }
        variable->last = AR_LIFE_LASTS;
        index = l->plan.n - 1;
    }
    ar_life_t *handle = ar_loader_life(l, (uint32_t)ar_i32(l->g.file.data + p->outputs));
    ar_life_lie_in(handle, index);
    l->model->has_state = true;
    return AR_OK;
}

ar_status_t ar_variable_bytes(ar_prep_t *p, uint32_t bytes) {
    ar_loader_t *l = p->loader;
    int32_t handle = ar_i32(l->g.file.data + p->inputs);
    ar_life_t *variable = ar_life_root(&l->plan, l->sub->first_life + (uint32_t)handle);
    if (p->in.type != AR_RESOURCE || variable->last != AR_LIFE_LASTS || ar_loader_life(l, (uint32_t)handle)->first != AR_LIFE_ALIAS) {
        return ar_refuse(p, "%I 0 is no variable's handle");
    }
    if (variable->bytes == 0) {
        variable->bytes = bytes;
    }
    if (variable->bytes != bytes) {
        return ar_refuse(p, "%Tvariable has %u bytes, not %u", (unsigned)variable->bytes, (unsigned)bytes);
    }
    return AR_OK;
}
