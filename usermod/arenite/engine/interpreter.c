// Running a loaded model, and what can be asked of it.

#include <string.h>

#include "engine/error.h"
#include "engine/loader.h"
#include "engine/rows.h"

// ---- running -------------------------------------------------------------------------------------------------------

// "op 7 GATHER: " before what is wrong with the data. What goes wrong in a subgraph has the name of what calls it.
static ar_status_t name_op(const ar_run_t *run, unsigned k) {
    const ar_error_t cause = *run->err;
    return ar_fail(run->err, cause.status, "op %u %s: %s", k, ar_op_name(run->model, k), cause.text);
}

// What a run of operator k, or of the segment that begins with it, ends with.
static ar_status_t after(const ar_run_t *run, ar_status_t status, bool inside, unsigned k) {
    if (status == AR_STOPPED) {
        return ar_fail(run->err, AR_STOPPED, "stopped");
    }
    return inside || status != AR_VALUE ? status : name_op(run, k);
}

static ar_status_t run_one(const ar_run_t *run, const ar_rec_t *rec, unsigned k) {
    ar_status_t status = rec->eval(run, rec);
    return status != AR_OK || !run->hook || run->hook(run->context, k) ? status : AR_STOPPED;
}

static ar_status_t run_all(const ar_run_t *run, const ar_subgraph_t *sub) {
    const ar_rec_t *rec = sub->records, *feed = run->model->feed;
    bool inside = AR_HAS_SUBGRAPHS && sub != &run->model->main;
    for (unsigned k = 0; k < sub->n_ops;) {
        ar_status_t status = AR_OK;
        bool fed = AR_HAS_ROWS && feed && rec == ar_next_record(feed);
        if (fed || ar_rows_begin(rec)) {
            const ar_rec_t *first = fed ? feed : rec, *end = (const ar_rec_t *)((const uint8_t *)first + ar_rows(first)->span);
            status = run->model->by_rows->run(run, first);
            for (; rec != end; rec = ar_next_record(rec)) {
                k++;
            }
        } else {
            if (!AR_HAS_ROWS || !run->model->waits) { // where it goes on, what comes before the rows has run
                status = run_one(run, rec, inside ? AR_INSIDE : k);
            }
            rec = ar_next_record(rec);
            k++;
        }
        if (status != AR_OK) {
            return after(run, status, inside, k - 1);
        }
    }
    return AR_OK;
}

uint32_t ar_feed_wants(const ar_model_t *m, uint32_t *bytes) {
    const ar_rows_t *r = ar_rows(m->feed);
    uint32_t next = m->waits ? r->next : 0;
    *bytes = r->row;
    return next < r->out_h ? r->out_h - next : 0;
}

ar_status_t ar_feed(ar_model_t *m, ar_feed_t *feed, ar_hook_t hook, void *context, ar_error_t *err) {
    const ar_run_t run = { .y0 = 0, .y1 = AR_ALL_ROWS, .model = m, .hook = hook, .context = context, .err = err };
    m->fed = feed;
    ar_status_t status = run_all(&run, &m->main);
    return status == AR_WAITING && !m->waits ? AR_OK : status;
}

ar_status_t ar_invoke(ar_model_t *m, ar_hook_t hook, void *context, ar_error_t *err) {
    return ar_feed(m, NULL, hook, context, err);
}

ar_status_t ar_run_subgraph(const ar_run_t *run, unsigned subgraph) {
    return run_all(run, ar_model_subgraph(run->model, subgraph));
}

uint8_t *ar_subgraph_ran(const ar_run_t *run, unsigned subgraph) {
    return &ar_model_subgraph(run->model, subgraph)->ran;
}

void *ar_subgraph_input_data(const ar_run_t *run, unsigned subgraph, unsigned i) {
    return ar_model_subgraph(run->model, subgraph)->io[i];
}

void *ar_subgraph_output_data(const ar_run_t *run, unsigned subgraph, unsigned i) {
    const ar_subgraph_t *sub = ar_model_subgraph(run->model, subgraph);
    return sub->io[sub->n_inputs + i];
}

// ---- the file, asked again -----------------------------------------------------------------------------------------

static __attribute__((noinline)) bool open_subgraph(const ar_model_t *m, unsigned i, ar_graph_t *g) {
    ar_error_t err;
    return ar_graph_open(g, m->data, m->size, i, &err) == AR_OK;
}

static __attribute__((noinline)) bool read_tensor(const ar_graph_t *g, uint32_t index, ar_tensor_t *t) {
    ar_error_t err;
    return ar_graph_tensor(g, index, t, &err) == AR_OK;
}

// ---- state ---------------------------------------------------------------------------------------------------------

// The file is asked again which tensors are variables; where it was written to since the load, what it says must not lead
// out of what is the model's own.
static bool lasts(const ar_model_t *m, const void *p, uint32_t bytes) {
    uintptr_t offset = (uintptr_t)p - (uintptr_t)m->arena;
    return offset <= m->own && bytes <= m->own - offset;
}

// TensorFlow Lite Micro's rule (MicroAllocator, ResetVariableTensors): bytes of 0, for int8 the zero point.
static void reset_variable_tensors(const ar_model_t *m, const ar_graph_t *g, const ar_node_t *n, const ar_rec_t *rec) {
    ar_tensor_t t;
    for (uint32_t i = 0; i < rec->n_in && i < n->inputs.length; i++) {
        int32_t index = ar_graph_int(g, &n->inputs, i);
        if (index >= 0 && read_tensor(g, (uint32_t)index, &t) && t.is_variable && !t.data
            && t.type != AR_RESOURCE && lasts(m, rec->t[i], t.bytes)) {
            memset(rec->t[i], t.type == AR_INT8 ? (uint8_t)t.zero_point : 0, t.bytes);
        }
    }
}

static void reset_subgraph(ar_model_t *m, const ar_graph_t *g, const ar_subgraph_t *sub) {
    ar_error_t err;
    ar_node_t n;
    const ar_rec_t *rec = sub->records;
    const ar_run_t back = { .y0 = AR_RESET, .model = m };
    for (unsigned k = 0; k < sub->n_ops && ar_graph_node(g, k, &n, &err) == AR_OK; k++, rec = ar_next_record(rec)) {
        reset_variable_tensors(m, g, &n, rec);
        if (rec->size & AR_KEEPS) {
            rec->eval(&back, rec);
        }
    }
}

void ar_reset(ar_model_t *m) {
    ar_graph_t g;
    m->waits = false;
    for (unsigned i = 0; AR_HAS_STATE && m->has_state && i < ar_model_graphs(m); i++) {
        ar_subgraph_t *sub = ar_model_subgraph(m, i);
        if (sub->records && open_subgraph(m, i, &g)) {
            reset_subgraph(m, &g, sub);
        }
    }
}

// ---- questions -----------------------------------------------------------------------------------------------------

bool ar_tensor(const ar_model_t *m, uint32_t index, ar_tensor_t *t) {
    ar_graph_t g;
    return open_subgraph(m, 0, &g) && read_tensor(&g, index, t);
}

static bool io_tensor(const ar_model_t *m, bool output, unsigned i, ar_tensor_t *t) {
    ar_graph_t g;
    if (!open_subgraph(m, 0, &g)) {
        return false;
    }
    const fb_vector_t *v = output ? &g.outputs : &g.inputs;
    return i < v->length && read_tensor(&g, (uint32_t)ar_graph_int(&g, v, i), t);
}

bool ar_input(const ar_model_t *m, unsigned i, ar_tensor_t *t) {
    return io_tensor(m, false, i, t);
}

bool ar_output(const ar_model_t *m, unsigned i, ar_tensor_t *t) {
    return io_tensor(m, true, i, t);
}

static bool open_node(const ar_model_t *m, unsigned k, ar_graph_t *g, ar_node_t *n) {
    ar_error_t err;
    return k < m->main.n_ops && open_subgraph(m, 0, g) && ar_graph_node(g, k, n, &err) == AR_OK;
}

const char *ar_op_name(const ar_model_t *m, unsigned k) {
    ar_graph_t g;
    ar_node_t n;
    const ar_op_t *op = open_node(m, k, &g, &n) ? ar_graph_op(&n) : NULL;
    return op ? ar_op_title(op) : "?";
}

static const ar_rec_t *record(const ar_model_t *m, unsigned k) {
    const ar_rec_t *rec = m->main.records;
    while (k--) {
        rec = ar_next_record(rec);
    }
    return rec;
}

uint32_t ar_kept(const ar_model_t *m) {
    return (uint32_t)((const uint8_t *)record(m, m->main.n_ops) - (const uint8_t *)m->main.io);
}

static uint32_t add_words(uint32_t sum, const void *from, uint32_t bytes) {
    const uint8_t *p = from;
    uint32_t word;
    for (uint32_t i = 0; i + sizeof(word) <= bytes; i += (uint32_t)sizeof(word)) {
        memcpy(&word, p + i, sizeof(word));
        sum = 31 * sum + word;
    }
    return sum;
}

// A record without the rows that it has made. Somebody may have written to it: it has at most *size bytes, whatever it says.
static uint32_t add_record(uint32_t sum, const uint8_t *at, uint32_t *size) {
    const ar_rec_t *rec = (const ar_rec_t *)(const void *)at;
    if (*size < sizeof(*rec) || ar_record_bytes(rec) < sizeof(*rec) || ar_record_bytes(rec) > *size) {
        return add_words(sum, at, *size);
    }
    *size = ar_record_bytes(rec);
    uint32_t head = (uint32_t)((const uint8_t *)ar_params(rec) - at);
    ar_rows_t rows;
    if (!(rec->size & AR_BY_ROWS) || head + sizeof(rows) > *size) {
        return add_words(sum, at, *size);
    }
    memcpy(&rows, at + head, sizeof(rows));
    rows.next = 0;
    sum = add_words(add_words(sum, at, head), &rows, sizeof(rows));
    return add_words(sum, at + head + sizeof(rows), *size - head - (uint32_t)sizeof(rows));
}

uint32_t ar_mark(const ar_model_t *m, uint32_t kept) {
    uint32_t sum = 0;
    for (unsigned i = 1; i < ar_model_graphs(m); i++) {
        ar_subgraph_t other;
        memcpy(&other, &m->others[i - 1], sizeof(other));
        other.ran = 0; // the one thing that changes
        sum = add_words(sum, &other, sizeof(other));
    }
    const uint8_t *at = (const uint8_t *)m->main.io, *end = at + kept;
    const uint8_t *first = (const uint8_t *)(m->feed ? m->feed : m->main.records);
    sum = add_words(sum, at, (uint32_t)(first - at));
    at = first;
    for (uint32_t size; at < end; at += size) {
        size = (uint32_t)(end - at);
        sum = add_record(sum, at, &size);
    }
    return sum;
}

unsigned ar_op_n_outputs(const ar_model_t *m, unsigned k) {
    return k < m->main.n_ops ? record(m, k)->n_out : 0;
}

bool ar_op_done(const ar_model_t *m, unsigned k) {
    const ar_rec_t *rec = record(m, k);
    return !(rec->size & AR_BY_ROWS) || ar_rows(rec)->role == AR_ALONE || ar_rows(rec)->next == ar_rows(rec)->out_h;
}

const void *ar_op_rows(const ar_model_t *m, unsigned k, ar_op_rows_t *rows) {
    const ar_rec_t *rec = record(m, k);
    const ar_rows_t *r = ar_rows(rec);
    if (!(rec->size & AR_BY_ROWS) || r->role == AR_ALONE || r->gathers) {
        return NULL;
    }
    *rows = (ar_op_rows_t) { r->out_h, r->out_held, r->next - 1u };
    return ar_out(rec, 0);
}

bool ar_op_output(const ar_model_t *m, unsigned k, unsigned i, ar_tensor_t *t, void **data) {
    ar_graph_t g;
    ar_node_t n;
    if (!open_node(m, k, &g, &n) || i >= n.outputs.length || i >= record(m, k)->n_out) {
        return false;
    }
    const ar_rec_t *rec = record(m, k);
    bool view = AR_HAS_ROWS && m->feed && rec < ar_next_record(m->feed), ring = (rec->size & AR_BY_ROWS) && ar_rows(rec)->role == AR_RING;
    *data = ring || view ? NULL : ar_out(rec, i);
    return read_tensor(&g, (uint32_t)ar_graph_int(&g, &n.outputs, i), t);
}

const char *ar_op_compiled(unsigned i) {
    return i < ar_n_ops ? ar_op_title(&ar_ops[i]) : NULL;
}
