// Subgraphs and variables, for the prepare functions of the operators that use them.

#include <string.h>

#include "engine/bytes.h"
#include "engine/error.h"
#include "engine/loader.h"

// ---- subgraphs -----------------------------------------------------------------------------------------------------

ar_status_t ar_calls(ar_prep_t *p, int32_t subgraph, unsigned from) {
    if (subgraph < 1 || subgraph >= p->loader->g.n_subgraphs) {
        return ar_refuse(p, "there is no subgraph %d to call", (int)subgraph);
    }
    p->call_from = (uint8_t)from;
    p->calls[p->n_calls++] = (uint16_t)subgraph;
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
