// The model file as a graph: the vectors of a subgraph, tensors and operators by index.

#ifndef ARENITE_ENGINE_GRAPH_H
#define ARENITE_ENGINE_GRAPH_H

#include "engine/arenite.h"
#include "engine/flatbuffer.h"
#include "ops/op.h"

typedef struct {
    fb_file_t file;
    uint16_t subgraph;
    uint16_t n_subgraphs;
    fb_vector_t operator_codes;
    fb_vector_t buffers;
    fb_vector_t tensors;
    fb_vector_t operators;
    fb_vector_t inputs;
    fb_vector_t outputs;
} ar_graph_t;

// An operator as the file has it.
typedef struct {
    fb_vector_t inputs;
    fb_vector_t outputs;
    fb_table_t options;         // pos 0: none
    fb_vector_t custom;         // custom options
    uint8_t options_type;
    int32_t code;               // BuiltinOperator
    const char *custom_code;    // not terminated
    uint32_t custom_code_len;
} ar_node_t;

ar_status_t ar_graph_open(ar_graph_t *g, const void *data, size_t size, uint32_t subgraph, ar_error_t *err);
ar_status_t ar_graph_tensor(const ar_graph_t *g, uint32_t index, ar_tensor_t *t, ar_error_t *err);
ar_status_t ar_graph_node(const ar_graph_t *g, uint32_t index, ar_node_t *n, ar_error_t *err);

// The plan that the file holds ("arenite plan --save"), bytes; false: none.
bool ar_graph_plan(const ar_graph_t *g, fb_vector_t *plan);

// Element i of a vector of int32.
int32_t ar_graph_int(const ar_graph_t *g, const fb_vector_t *v, uint32_t i);

// The compiled-in operator for a node, NULL if there is none.
const ar_op_t *ar_graph_op(const ar_node_t *n);

#endif // ARENITE_ENGINE_GRAPH_H
