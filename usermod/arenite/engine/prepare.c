// What prepare functions call: inputs, outputs and options of the operator at hand, and its record.

#include "engine/bytes.h"
#include "engine/error.h"
#include "engine/loader.h"
#include "ops/rows.h"

static void refuse(ar_prep_t *p, ar_status_t status, const char *format, va_list args) {
    // "op 7 CUMSUM: " and then the text.
    ar_error_t prefix;
    ar_say(&prefix, status, "op %u %s: ", (unsigned)p->index, ar_op_title(p->op));
    ar_vfail(p->err, status, prefix.text, format, args);
}

void ar_refuse_so(ar_prep_t *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    refuse(p, AR_VALUE, format, args);
    va_end(args);
}

ar_status_t ar_unsupported(ar_prep_t *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    refuse(p, AR_UNSUPPORTED, format, args);
    va_end(args);
    return AR_UNSUPPORTED;
}

ar_status_t ar_bad_type(ar_prep_t *p, unsigned type) {
    return ar_unsupported(p, "%t%S", type);
}

ar_status_t ar_expect_io(ar_prep_t *p, unsigned fewest, unsigned most, unsigned outputs) {
    if (p->n_in < fewest || p->n_in > most) {
        return ar_refuse(p, "takes %u to %u %Is, %Tmodel gives %u", fewest, most, (unsigned)p->n_in);
    }
    if (p->n_out != outputs && outputs != AR_ANY) {
        return ar_refuse(p, "has %u %Os, %Tmodel takes %u", outputs, (unsigned)p->n_out);
    }
    ar_status_t status = AR_OK;
    for (unsigned i = 0; i < fewest && status == AR_OK; i++) {
        status = ar_need_input(p, i);
    }
    return status;
}

ar_status_t ar_need_input(ar_prep_t *p, unsigned i) {
    return ar_has_input(p, i) ? AR_OK : ar_refuse(p, "%I %u is missing", i);
}

static int32_t tensor_index(const ar_prep_t *p, uint32_t vector, unsigned i) {
    return ar_i32(p->loader->g.file.data + vector + 4 * i);
}

bool ar_has_input(const ar_prep_t *p, unsigned i) {
    return i < p->n_in && tensor_index(p, p->inputs, i) >= 0;
}

void ar_get_input(const ar_prep_t *p, unsigned i, ar_tensor_t *t) {
    // The loader has read every tensor once: it cannot fail.
    ar_graph_tensor(&p->loader->g, (uint32_t)tensor_index(p, p->inputs, i), t, p->err);
}

void ar_get_output(const ar_prep_t *p, unsigned i, ar_tensor_t *t) {
    ar_graph_tensor(&p->loader->g, (uint32_t)tensor_index(p, p->outputs, i), t, p->err);
}

bool ar_read_on(const ar_prep_t *p, const ar_tensor_t *t, uint32_t bytes) {
    const fb_file_t *f = &p->loader->g.file;
    return t->data && f->size - (uint32_t)((const uint8_t *)t->data - f->data) - t->bytes >= bytes;
}

static const uint8_t *option(const ar_prep_t *p, unsigned field, uint32_t size) {
    fb_table_t t;
    const fb_file_t *f = &p->loader->g.file;
    return p->options && fb_table(f, p->options, &t) ? fb_field(&t, field, size) : NULL;
}

int32_t ar_option_int(const ar_prep_t *p, unsigned field, int32_t otherwise) {
    const uint8_t *at = option(p, field, 4);
    return at ? ar_i32(at) : otherwise;
}

int8_t ar_option_byte(const ar_prep_t *p, unsigned field, int8_t otherwise) {
    const uint8_t *at = option(p, field, 1);
    return at ? (int8_t)*at : otherwise;
}

bool ar_option_bool(const ar_prep_t *p, unsigned field, bool otherwise) {
    return ar_option_byte(p, field, otherwise) != 0;
}

float ar_option_float(const ar_prep_t *p, unsigned field, float otherwise) {
    const uint8_t *at = option(p, field, 4);
    return at ? ar_f32(at) : otherwise;
}

uint32_t ar_option_ints(const ar_prep_t *p, unsigned field, const uint8_t **start) {
    fb_table_t t;
    fb_vector_t v;
    const fb_file_t *f = &p->loader->g.file;
    *start = NULL;
    if (!p->options || !fb_table(f, p->options, &t) || !fb_vector(&t, field, 4, &v) || !v.length) {
        return 0;
    }
    *start = f->data + v.pos;
    return v.length;
}

void *ar_record(ar_prep_t *p, ar_eval_t eval, size_t bytes) {
    size_t pointers = (size_t)p->n_in + p->n_out + 1;
    size_t whole = sizeof(ar_rec_t) + pointers * sizeof(void *) + bytes;
    whole = (whole + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
    ar_rec_t *rec = ar_loader_take(p->loader, whole);
    if (!rec) {
        return NULL;
    }
    rec->eval = eval;
    rec->size = (uint16_t)whole;
    rec->n_in = p->n_in;
    rec->n_out = p->n_out;
    p->rec = rec;
    return ar_params(rec);
}

ar_status_t ar_keep(ar_prep_t *p, ar_eval_t eval, const void *scalars, size_t bytes) {
    void *params = ar_record(p, eval, bytes);
    if (!params) {
        return AR_NO_MEMORY;
    }
    memcpy(params, scalars, bytes);
    return AR_OK;
}

void *ar_record_wrap(ar_prep_t *p, ar_eval_t eval, size_t bytes) {
    ar_rec_t *rec = p->rec;
    uint8_t *params = ar_params(rec);
    bytes = (bytes + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
    if (!ar_loader_extend(p->loader, (uint8_t *)rec + rec->size, bytes)) {
        return NULL;
    }
    memmove(params + bytes, params, (size_t)((uint8_t *)rec + rec->size - params));
    memset(params, 0, bytes);
    rec->eval = eval;
    rec->size = (uint16_t)(rec->size + bytes);
    return params;
}

bool ar_rows_idle(const ar_prep_t *p) {
    const ar_loader_t *l = p->loader;
    const ar_rec_t *maker = l->by_rows; // whose pointers are still the indices of lives
    uintptr_t life = l->sub->first_life + (uint32_t)tensor_index(p, p->inputs, 0);
    return maker && (uintptr_t)maker->t[maker->n_in] == life && ar_rows(maker)->idle;
}

void ar_by_rows(ar_prep_t *p, unsigned inputs, uint32_t batches) {
    ar_rows_t *r = ar_rows(p->rec);
    r->held[0] = r->held[1] = r->in_h;
    r->inputs = inputs & 3;
    r->out_held = r->out_h;
    if (AR_HAS_ROWS && batches == 1 && p->loader->g.n_subgraphs == 1) {
        ar_loader_link_rows(p, inputs);
    }
}

void ar_scratch(ar_prep_t *p, uint32_t bytes) {
    p->scratch = bytes;
}

void ar_scratch_between(ar_prep_t *p, uint32_t least, uint32_t most) {
    p->scratch = least > AR_ALIGN ? least : AR_ALIGN;
    p->scratch_most = most;
}

void ar_state(ar_prep_t *p, uint32_t bytes) {
    p->scratch = bytes;
    p->scratch_lasts = true;
}

void ar_keeps(ar_prep_t *p) {
    p->rec->size |= AR_KEEPS;
    p->loader->model->has_state = true;
}

ar_status_t ar_run_fail(const ar_run_t *run, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ar_vfail(run->err, AR_VALUE, "", format, args);
    va_end(args);
    return AR_VALUE;
}

bool ar_alias(ar_prep_t *p, unsigned i) {
    ar_loader_t *l = p->loader;
    uint32_t in = (uint32_t)tensor_index(p, p->inputs, i);
    uint32_t out = (uint32_t)tensor_index(p, p->outputs, 0);
    ar_life_t *source = ar_loader_life(l, in);
    ar_life_t *target = ar_loader_life(l, out);
    ar_tensor_t t, to;
    ar_graph_tensor(&l->g, in, &t, p->err);
    ar_graph_tensor(&l->g, out, &to, p->err);
    if (source->first == AR_LIFE_CONSTANT || t.is_variable || to.is_variable || source->bytes != target->bytes) {
        return false;
    }
    ar_life_lie_in(target, l->sub->first_life + in);
    return true;
}

const ar_op_t *ar_behind(const ar_prep_t *p, ar_prep_t *next) {
    const ar_graph_t *g = &p->loader->g;
    int32_t out = tensor_index(p, p->outputs, 0);
    unsigned takers = 0;
    ar_node_t n;
    n.code = -1;
    n.inputs = g->outputs;
    for (uint32_t k = g->operators.length;;) { // from the model's outputs back to the operator behind
        for (uint32_t i = 0; i < n.inputs.length; i++) {
            takers += ar_graph_int(g, &n.inputs, i) == out;
        }
        if (--k == p->index) {
            break;
        }
        if (ar_graph_node(g, k, &n, p->err) != AR_OK) {
            return NULL;
        }
    }
    *next = *p;
    next->inputs = n.inputs.pos;
    next->n_in = (uint8_t)n.inputs.length;
    next->options = n.options.pos;
    return takers == 1 && ar_has_input(next, 1) && tensor_index(next, next->inputs, 0) == out ? ar_graph_op(&n) : NULL;
}

void ar_leave(ar_prep_t *p, ar_frame_t frame) {
    ar_loader_t *l = p->loader;
    uint32_t in = (uint32_t)tensor_index(p, p->inputs, 0);
    ar_life_t *target = ar_loader_life(l, (uint32_t)tensor_index(p, p->outputs, 0));
    target->bytes = ar_loader_life(l, in)->bytes;
    ar_life_lie_in(target, l->sub->first_life + in);
    p->n_in = p->n_out = 0; // it has no output
    l->frame = frame;
    l->framed = l->sub->first_life + in + 1;
}

void ar_overwrites(ar_prep_t *p, unsigned inputs) {
    ar_loader_t *l = p->loader;
    ar_life_t *target = ar_loader_life(l, (uint32_t)tensor_index(p, p->outputs, 0));
    for (unsigned i = inputs; i-- > 0 && target->first == l->time;) {
        uint32_t in = (uint32_t)tensor_index(p, p->inputs, i);
        if (ar_loader_life(l, in)->bytes == target->bytes) {
            ar_plan_offer(target, l->sub->first_life + in);
        }
    }
}
