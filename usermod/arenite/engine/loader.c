// Loading: every tensor and operator checked, a record made for each operator, the arena planned.

#include "engine/bytes.h"
#include "engine/error.h"
#include "engine/loader.h"

// Scalars of the largest record; a guess too low would only make ar_work_size too small for ar_measure.
#define LARGEST_PARAMS (256)

static uint32_t round_up(uint32_t n, uint32_t to) {
    return (n + to - 1) & ~(to - 1);
}

void *ar_loader_take(ar_loader_t *l, size_t bytes) {
    uint8_t *start = l->base + l->kept;
    uint8_t *end = (uint8_t *)(l->plan.top - l->plan.n);
    if (bytes > (size_t)(end - start)) {
        return NULL;
    }
    memset(start, 0, bytes);
    if (l->measuring) {
        l->lost += (uint32_t)bytes;
    } else {
        l->kept += (uint32_t)bytes;
    }
    return start;
}

// A new life at the high end; NULL where there is no room.
static ar_life_t *new_life(ar_loader_t *l) {
    if ((uint8_t *)(l->plan.top - l->plan.n) - (l->base + l->kept) < (ptrdiff_t)sizeof(ar_life_t)) {
        return NULL;
    }
    ar_life_t *life = ar_life(&l->plan, l->plan.n++);
    memset(life, 0, sizeof(*life));
    return life;
}

void ar_loader_touch(ar_loader_t *l, uint32_t index, uint32_t time) {
    ar_life_t *life = ar_life_root(&l->plan, index);
    if (life->first != AR_LIFE_CONSTANT && life->last < time) {
        life->last = (uint16_t)time;
    }
}

static ar_status_t check_tensors(ar_loader_t *l) {
    for (uint32_t i = 0; i < l->g.tensors.length; i++) {
        ar_tensor_t t;
        ar_status_t status = ar_graph_tensor(&l->g, i, &t, l->err);
        if (status != AR_OK) {
            return status;
        }
        ar_life_t *life = new_life(l);
        if (!life) {
            return AR_NO_MEMORY;
        }
        life->bytes = round_up(t.bytes, AR_ALIGN);
        life->first = t.data ? AR_LIFE_CONSTANT : AR_LIFE_UNBORN;
        if (t.is_variable && !t.data) {
            life->first = 0;
            life->last = l->plan.end;
            l->has_variables = true;
        }
    }
    return AR_OK;
}

static ar_status_t check_index(ar_loader_t *l, int32_t index, const char *what, unsigned k) {
    if (index < 0 || (uint32_t)index >= l->g.tensors.length) {
        return ar_fail(l->err, AR_VALUE, "model: %s %u is no tensor", what, k);
    }
    return AR_OK;
}

static ar_status_t birth_inputs(ar_loader_t *l) {
    for (uint32_t i = 0; i < l->g.inputs.length; i++) {
        int32_t index = ar_graph_int(&l->g, &l->g.inputs, i);
        ar_status_t status = check_index(l, index, "input", i);
        if (status != AR_OK) {
            return status;
        }
        ar_life_t *life = ar_life(&l->plan, (uint32_t)index);
        if (life->first != AR_LIFE_UNBORN) {
            return ar_fail(l->err, AR_VALUE, "model: input %u is a constant, a variable or named twice", (unsigned)i);
        }
        life->first = 0;
    }
    return AR_OK;
}

static ar_status_t check_op_inputs(ar_loader_t *l, const ar_node_t *n, uint32_t k) {
    for (uint32_t i = 0; i < n->inputs.length; i++) {
        int32_t index = ar_graph_int(&l->g, &n->inputs, i);
        if (index == -1) {
            continue;
        }
        if (index < 0 || (uint32_t)index >= l->g.tensors.length) {
            return ar_fail(l->err, AR_VALUE, "model: op %u input %u is no tensor", (unsigned)k, (unsigned)i);
        }
        if (ar_life(&l->plan, (uint32_t)index)->first == AR_LIFE_UNBORN) {
            return ar_fail(l->err, AR_VALUE, "model: op %u reads tensor %u before anything has written it", (unsigned)k,
                (unsigned)index);
        }
        ar_loader_touch(l, (uint32_t)index, k + 1);
    }
    return AR_OK;
}

static ar_status_t birth_op_outputs(ar_loader_t *l, const ar_node_t *n, uint32_t k) {
    for (uint32_t i = 0; i < n->outputs.length; i++) {
        int32_t index = ar_graph_int(&l->g, &n->outputs, i);
        if (index < 0 || (uint32_t)index >= l->g.tensors.length) {
            return ar_fail(l->err, AR_VALUE, "model: op %u output %u is no tensor", (unsigned)k, (unsigned)i);
        }
        ar_life_t *life = ar_life(&l->plan, (uint32_t)index);
        if (life->first != AR_LIFE_UNBORN) {
            return ar_fail(l->err, AR_VALUE, "model: op %u writes tensor %u, which is an input, a constant or written before",
                (unsigned)k, (unsigned)index);
        }
        life->first = (uint16_t)(k + 1);
        life->last = (uint16_t)(k + 1);
    }
    return AR_OK;
}

// A node's options must be of the type that the operator takes; none at all stands for the defaults.
static ar_status_t find_op(ar_loader_t *l, const ar_node_t *n, uint32_t k, const ar_op_t **op) {
    *op = ar_graph_op(n);
    if (!*op) {
        if (n->code == CUSTOM) {
            return ar_fail(l->err, AR_UNSUPPORTED, "op %u %q: this custom operator is not compiled in", (unsigned)k,
                (unsigned)n->custom_code_len, n->custom_code);
        }
        return ar_fail(l->err, AR_UNSUPPORTED, "op %u: operator %s is not compiled in", (unsigned)k,
            ar_builtin_name(n->code));
    }
    if (n->options.pos && n->options_type != (*op)->options && (*op)->options != NoOptions) {
        return ar_fail(l->err, AR_VALUE, "model: op %u %s has another operator's options", (unsigned)k, (*op)->name);
    }
    return AR_OK;
}

static ar_status_t prepare_op(ar_loader_t *l, uint32_t k) {
    ar_node_t n;
    const ar_op_t *op = NULL;
    ar_status_t status = ar_graph_node(&l->g, k, &n, l->err);
    if (status == AR_OK) {
        status = find_op(l, &n, k, &op);
    }
    if (status == AR_OK) {
        status = check_op_inputs(l, &n, k);
    }
    if (status == AR_OK) {
        status = birth_op_outputs(l, &n, k);
    }
    if (status != AR_OK) {
        return status;
    }
    ar_prep_t p = {
        .loader = l, .name = op->name, .index = (uint16_t)k, .inputs = n.inputs.pos, .outputs = n.outputs.pos,
        .n_in = (uint8_t)n.inputs.length, .n_out = (uint8_t)n.outputs.length,
        .options = op->options != NoOptions ? n.options.pos : 0, .custom = n.custom.pos, .err = l->err,
    };
    status = op->prepare(&p);
    if (status != AR_OK || p.scratch == 0) {
        return status;
    }
    ar_life_t *life = new_life(l);
    if (!life) {
        return AR_NO_MEMORY;
    }
    life->bytes = round_up(p.scratch, AR_ALIGN);
    life->first = life->last = (uint16_t)(k + 1);
    return AR_OK;
}

static ar_status_t hold_outputs(ar_loader_t *l) {
    for (uint32_t i = 0; i < l->g.outputs.length; i++) {
        int32_t index = ar_graph_int(&l->g, &l->g.outputs, i);
        ar_status_t status = check_index(l, index, "output", i);
        if (status != AR_OK) {
            return status;
        }
        if (ar_life(&l->plan, (uint32_t)index)->first == AR_LIFE_UNBORN) {
            return ar_fail(l->err, AR_VALUE, "model: output %u is written by nothing", (unsigned)i);
        }
        ar_loader_touch(l, (uint32_t)index, l->plan.end);
    }
    return AR_OK;
}

static ar_status_t check_all(ar_loader_t *l) {
    ar_status_t status = check_tensors(l);
    if (status == AR_OK) {
        status = birth_inputs(l);
    }
    for (uint32_t k = 0; status == AR_OK && k < l->g.operators.length; k++) {
        status = prepare_op(l, k);
    }
    return status == AR_OK ? hold_outputs(l) : status;
}

// Lay the loader over a block of memory and take the pointers of inputs and outputs.
static ar_status_t open(ar_loader_t *l, const void *data, size_t size, void *block, size_t block_size, ar_error_t *err) {
    memset(l, 0, sizeof(*l));
    l->err = err;
    err->status = AR_OK;
    err->text[0] = 0;
    ar_status_t status = ar_graph_open(&l->g, data, size, err);
    if (status != AR_OK) {
        return status;
    }
    uintptr_t start = ((uintptr_t)block + sizeof(void *) - 1) & ~(uintptr_t)(sizeof(void *) - 1);
    uintptr_t end = ((uintptr_t)block + block_size) & ~(uintptr_t)3;
    if (!block || end < start) {
        return AR_NO_MEMORY;
    }
    l->base = (uint8_t *)start;
    l->plan.top = (ar_life_t *)end;
    l->plan.end = (uint16_t)(l->g.operators.length + 1);
    return AR_OK;
}

static uint32_t io_bytes(const ar_graph_t *g) {
    return (uint32_t)((g->inputs.length + g->outputs.length) * sizeof(void *));
}

ar_status_t ar_work_size(const void *data, size_t size, size_t *bytes, ar_error_t *err) {
    ar_graph_t g;
    ar_status_t status = ar_graph_open(&g, data, size, err);
    if (status == AR_OK) {
        size_t record = sizeof(ar_rec_t) + 512 * sizeof(void *) + LARGEST_PARAMS;
        *bytes = (g.tensors.length + g.operators.length) * sizeof(ar_life_t) + record + io_bytes(&g) + 16;
    }
    return status;
}

ar_status_t ar_measure(const void *data, size_t size, void *work, size_t work_size, uint32_t *needed, ar_error_t *err) {
    ar_loader_t l;
    ar_status_t status = open(&l, data, size, work, work_size, err);
    if (status == AR_OK) {
        l.measuring = true;
        status = check_all(&l);
    }
    if (status != AR_OK) {
        return status;
    }
    uint32_t kept = io_bytes(&l.g) + l.lost;
    uint32_t lives = (uint32_t)(l.plan.n * sizeof(ar_life_t));
    uint32_t activations = ar_plan_offsets(&l.plan);
    uint32_t planned = round_up(kept, AR_ALIGN) + activations;
    *needed = planned > kept + lives ? planned : kept + lives;
    return AR_OK;
}

// Where tensor index lies: in the model, in the arena, or nowhere.
static void *address(const ar_loader_t *l, uint8_t *activations, int32_t index) {
    if (index < 0) {
        return NULL;
    }
    ar_life_t *life = ar_life_root(&l->plan, (uint32_t)index);
    if (life->first == AR_LIFE_CONSTANT) {
        ar_tensor_t t;
        ar_graph_tensor(&l->g, (uint32_t)index, &t, l->err);
        return (void *)t.data;
    }
    return activations + life->offset;
}

// Fill in the pointers, now that the offsets are known. Scratch blocks follow the tensors in the order of operators.
static void resolve(const ar_loader_t *l, ar_model_t *m, uint8_t *activations) {
    ar_rec_t *rec = m->records;
    uint32_t scratch = l->g.tensors.length;
    for (uint32_t k = 0; k < l->g.operators.length; k++) {
        ar_node_t n;
        ar_graph_node(&l->g, k, &n, l->err);
        for (uint32_t i = 0; i < rec->n_in; i++) {
            rec->t[i] = address(l, activations, ar_graph_int(&l->g, &n.inputs, i));
        }
        for (uint32_t i = 0; i < rec->n_out; i++) {
            rec->t[rec->n_in + i] = address(l, activations, ar_graph_int(&l->g, &n.outputs, i));
        }
        if (scratch < l->plan.n && ar_life(&l->plan, scratch)->first == k + 1) {
            rec->t[rec->n_in + rec->n_out] = activations + ar_life(&l->plan, scratch++)->offset;
        }
        rec = (ar_rec_t *)((uint8_t *)rec + rec->size);
    }
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        m->io[i] = address(l, activations, ar_graph_int(&l->g, &l->g.inputs, i));
    }
    for (uint32_t i = 0; i < m->n_outputs; i++) {
        m->io[m->n_inputs + i] = address(l, activations, ar_graph_int(&l->g, &l->g.outputs, i));
    }
}

static ar_status_t no_memory(ar_error_t *err) {
    return ar_fail(err, AR_NO_MEMORY, "arena: too small");
}

ar_status_t ar_load(ar_model_t *m, const void *data, size_t size, void *arena, size_t arena_size, ar_error_t *err) {
    ar_loader_t l;
    memset(m, 0, sizeof(*m));
    ar_status_t status = open(&l, data, size, arena, arena_size, err);
    if (status == AR_OK) {
        m->io = ar_loader_take(&l, io_bytes(&l.g));
        m->records = (ar_rec_t *)(l.base + l.kept);
        status = m->io ? check_all(&l) : AR_NO_MEMORY;
    }
    if (status != AR_OK) {
        return status == AR_NO_MEMORY ? no_memory(err) : status;
    }
    uint32_t used = round_up(l.kept, AR_ALIGN);
    uint32_t activations = ar_plan_offsets(&l.plan);
    uint32_t lives = (uint32_t)(l.plan.n * sizeof(ar_life_t));
    if (used + activations > arena_size - (size_t)(l.base - (uint8_t *)arena)) {
        return no_memory(err);
    }
    m->data = data;
    m->size = (uint32_t)size;
    m->arena = l.base;
    m->activations = activations;
    m->arena_used = used + activations > l.kept + lives ? used + activations : l.kept + lives;
    m->n_ops = (uint16_t)l.g.operators.length;
    m->n_inputs = (uint16_t)l.g.inputs.length;
    m->n_outputs = (uint16_t)l.g.outputs.length;
    m->has_variables = l.has_variables;
    resolve(&l, m, l.base + used);
    ar_reset(m);
    return AR_OK;
}
