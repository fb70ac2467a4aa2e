// The model file as a graph.

#include "engine/bytes.h"
#include "engine/error.h"
#include "engine/graph.h"

// Counts that later arithmetic relies on: indices fit 15 bits, lifetimes 16.
static bool counts_fit(const ar_graph_t *g, uint32_t subgraphs) {
    return g->tensors.length <= 0x7fff && g->operators.length <= 0x7fff && g->inputs.length <= 255 && g->outputs.length <= 255
           && subgraphs <= 255;
}

// Whether all that a vector names are tensors; -1 stands for none, where that may be.
static bool are_tensors(const ar_graph_t *g, const fb_vector_t *v, int32_t least) {
    for (uint32_t i = 0; i < v->length; i++) {
        int32_t index = ar_graph_int(g, v, i);
        if (index < least || index >= (int32_t)g->tensors.length) {
            return false;
        }
    }
    return true;
}

ar_status_t ar_graph_open(ar_graph_t *g, const void *data, size_t size, uint32_t subgraph, ar_error_t *err) {
    if (size < 8 || size > 0x7fffffff || memcmp((const uint8_t *)data + 4, "TFL3", 4) != 0) {
        return ar_damaged(err, "not a .tflite file");
    }
    g->file.data = data;
    g->file.size = (uint32_t)size;
    const fb_file_t *f = &g->file;
    fb_table_t model, table;
    fb_vector_t subgraphs;
    if (!fb_table(f, ar_u32(data), &model)
        || !fb_vector(&model, MODEL_OPERATOR_CODES, 4, &g->operator_codes)
        || !fb_vector(&model, MODEL_SUBGRAPHS, 4, &subgraphs)
        || !fb_vector(&model, MODEL_BUFFERS, 4, &g->buffers)) {
        return ar_damaged(err, "its tables run past %Tfile");
    }
    if (fb_int(&model, MODEL_VERSION, 0) != 3) {
        return ar_damaged(err, "schema version is not 3");
    }
    if (!fb_table_at(f, &subgraphs, subgraph, &table)
        || !fb_vector(&table, SUBGRAPH_TENSORS, 4, &g->tensors)
        || !fb_vector(&table, SUBGRAPH_INPUTS, 4, &g->inputs)
        || !fb_vector(&table, SUBGRAPH_OUTPUTS, 4, &g->outputs)
        || !fb_vector(&table, SUBGRAPH_OPERATORS, 4, &g->operators)) {
        return ar_damaged(err, "subgraph %u runs past %Tfile", (unsigned)subgraph);
    }
    if (!AR_HAS_SUBGRAPHS && subgraphs.length > 1) {
        return ar_fail(err, AR_UNSUPPORTED, "model: %None graph%C: build for this model");
    }
    if (!counts_fit(g, subgraphs.length)) {
        return ar_fail(err, AR_UNSUPPORTED, "model: %N32767 tensors or operators, or 255 %Is, %Os or subgraphs");
    }
    if (!are_tensors(g, &g->inputs, 0) || !are_tensors(g, &g->outputs, 0)) {
        return ar_damaged(err, "subgraph %u: an %I or %O is no tensor", (unsigned)subgraph);
    }
    g->subgraph = (uint16_t)subgraph;
    g->n_subgraphs = (uint16_t)subgraphs.length;
    return AR_OK;
}

unsigned ar_subgraphs(const void *data, size_t size) {
    ar_graph_t g;
    ar_error_t err;
    return ar_graph_open(&g, data, size, 0, &err) == AR_OK ? g.n_subgraphs : 0;
}

int32_t ar_graph_int(const ar_graph_t *g, const fb_vector_t *v, uint32_t i) {
    return ar_i32(g->file.data + v->pos + 4 * i);
}

static ar_status_t read_operator_code(const ar_graph_t *g, uint32_t opcode, ar_node_t *n) {
    fb_table_t t;
    fb_vector_t custom;
    if (!fb_table_at(&g->file, &g->operator_codes, opcode, &t)
        || !fb_vector(&t, OPERATOR_CODE_CUSTOM_CODE, 1, &custom)) {
        return AR_VALUE;
    }
    // The schema's own rule: codes above 127 stand in the newer field, older files have only the byte.
    int32_t old = (int8_t)fb_byte(&t, OPERATOR_CODE_DEPRECATED_BUILTIN_CODE, 0);
    int32_t code = fb_int(&t, OPERATOR_CODE_BUILTIN_CODE, 0);
    n->code = code > old ? code : old;
    n->custom_code = (const char *)g->file.data + custom.pos;
    n->custom_code_len = custom.length;
    return AR_OK;
}

ar_status_t ar_graph_node(const ar_graph_t *g, uint32_t index, ar_node_t *n, ar_error_t *err) {
    const fb_file_t *f = &g->file;
    fb_table_t t;
    if (!fb_table_at(f, &g->operators, index, &t)
        || !fb_vector(&t, OPERATOR_INPUTS, 4, &n->inputs)
        || !fb_vector(&t, OPERATOR_OUTPUTS, 4, &n->outputs)
        || !fb_subtable(&t, OPERATOR_BUILTIN_OPTIONS, &n->options)
        || !fb_vector(&t, OPERATOR_CUSTOM_OPTIONS, 1, &n->custom)) {
        return ar_damaged(err, "op %u runs past %Tfile", (unsigned)index);
    }
    n->options_type = fb_byte(&t, OPERATOR_BUILTIN_OPTIONS_TYPE, 0);
    if (read_operator_code(g, (uint32_t)fb_int(&t, OPERATOR_OPCODE_INDEX, 0), n) != AR_OK) {
        return ar_damaged(err, "op %u has no operator code", (unsigned)index);
    }
    if (n->inputs.length > 254 || n->outputs.length > 254) {
        return ar_fail(err, AR_UNSUPPORTED, "op %u: %N254 %Is or %Os", (unsigned)index);
    }
    if (!are_tensors(g, &n->inputs, -1) || !are_tensors(g, &n->outputs, 0)) {
        return ar_damaged(err, "op %u: an %I or %O is no tensor", (unsigned)index);
    }
    return AR_OK;
}

static bool is_named(const ar_node_t *n, const char *name) {
    return strlen(name) == n->custom_code_len && memcmp(name, n->custom_code, n->custom_code_len) == 0;
}

const ar_op_t *ar_graph_op(const ar_node_t *n) {
    for (unsigned i = 0; i < ar_n_ops; i++) {
        if (ar_ops[i].code == n->code && (n->code != CUSTOM || is_named(n, ar_op_title(&ar_ops[i])))) {
            return &ar_ops[i];
        }
    }
    return NULL;
}

bool ar_graph_plan(const ar_graph_t *g, fb_vector_t *plan) {
    const fb_file_t *f = &g->file;
    fb_table_t model, t;
    fb_vector_t metadata = { 0, 0 };
    bool found = fb_table(f, ar_u32(f->data), &model) && fb_vector(&model, MODEL_METADATA, 4, &metadata);
    for (uint32_t i = 0; found && fb_table_at(f, &metadata, i, &t) && fb_vector(&t, METADATA_NAME, 1, plan); i++) {
        if (plan->length == 12 && memcmp(f->data + plan->pos, "arenite_plan", 12) == 0) {
            return fb_table_at(f, &g->buffers, (uint32_t)fb_int(&t, METADATA_BUFFER, 0), &t) && fb_vector(&t, BUFFER_DATA, 1, plan)
                   && plan->length;
        }
    }
    return false;
}
