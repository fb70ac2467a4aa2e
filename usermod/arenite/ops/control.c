// Control flow: IF, WHILE and CALL_ONCE run other subgraphs of the model. What goes in and comes out is copied.

#include <string.h>

#include "ops/op.h"

typedef struct {
    uint16_t subgraph[2];       // IF: then, else; WHILE: condition, body; CALL_ONCE: what to run
    uint32_t bytes[];           // IF: of each input after the condition, then of each output; WHILE: of each variable
} control_t;

// Handles of resources stand for the same variable inside and outside: there is nothing to copy.
static uint32_t bytes_of(const ar_tensor_t *t) {
    return t->type == AR_RESOURCE ? 0 : t->bytes;
}

static bool alike(const ar_tensor_t *a, const ar_tensor_t *b) {
    return a->type == b->type && a->bytes == b->bytes;
}

static ar_status_t differ(ar_prep_t *p, int32_t subgraph, const char *what) {
    return ar_refuse(p, "%T%s of subgraph %d are not those of %Toperator", what, (int)subgraph);
}

// A subgraph's inputs against the operator's from `from` on.
static ar_status_t check_inputs(ar_prep_t *p, int32_t subgraph, unsigned from) {
    if (ar_subgraph_count(p, subgraph, false) != p->n_in - from) {
        return differ(p, subgraph, "inputs");
    }
    for (unsigned i = from; i < p->n_in; i++) {
        ar_tensor_t outer, inner;
        ar_subgraph_tensor(p, subgraph, false, i - from, &inner);
        if (!ar_has_input(p, i)) {
            return differ(p, subgraph, "inputs");
        }
        ar_get_input(p, i, &outer);
        if (!alike(&outer, &inner)) {
            return differ(p, subgraph, "inputs");
        }
    }
    return AR_OK;
}

static ar_status_t check_outputs(ar_prep_t *p, int32_t subgraph) {
    if (ar_subgraph_count(p, subgraph, true) != p->n_out) {
        return differ(p, subgraph, "outputs");
    }
    for (unsigned i = 0; i < p->n_out; i++) {
        ar_tensor_t outer, inner;
        ar_subgraph_tensor(p, subgraph, true, i, &inner);
        ar_get_output(p, i, &outer);
        if (!alike(&outer, &inner)) {
            return differ(p, subgraph, "outputs");
        }
    }
    return AR_OK;
}

static void copy(void *to, const void *from, uint32_t bytes) {
    if (bytes && to != from) {
        memcpy(to, from, bytes);
    }
}

// ---- IF ------------------------------------------------------------------------------------------------------------

static ar_status_t eval_if(const ar_run_t *run, const ar_rec_t *rec) {
    const control_t *c = ar_params(rec);
    unsigned subgraph = c->subgraph[*(const uint8_t *)ar_in(rec, 0) ? 0 : 1];
    unsigned n = rec->n_in - 1u;
    for (unsigned i = 0; i < n; i++) {
        copy(ar_subgraph_input_data(run, subgraph, i), ar_in(rec, i + 1), c->bytes[i]);
    }
    ar_status_t status = ar_run_subgraph(run, subgraph);
    for (unsigned i = 0; status == AR_OK && i < rec->n_out; i++) {
        copy(ar_out(rec, i), ar_subgraph_output_data(run, subgraph, i), c->bytes[n + i]);
    }
    return status;
}

ar_status_t ar_prepare_if(ar_prep_t *p) {
    ar_tensor_t t;
    int32_t subgraph[2] = { ar_option_int(p, IF_THEN, 0), ar_option_int(p, IF_ELSE, 0) };
    ar_status_t status = AR_OK;
    for (unsigned i = 0; status == AR_OK && i < 2; i++) {
        status = ar_calls(p, subgraph[i], 1);
        status = status == AR_OK ? check_inputs(p, subgraph[i], 1) : status;
        status = status == AR_OK ? check_outputs(p, subgraph[i]) : status;
    }
    if (status != AR_OK) {
        return status;
    }
    if (p->in.type != AR_BOOL || p->in.count != 1) {
        return ar_refuse(p, "%Tcondition%Mone bool");
    }
    control_t *c = ar_record(p, eval_if, sizeof(*c) + (p->n_in - 1u + p->n_out) * sizeof(uint32_t));
    if (!c) {
        return AR_NO_MEMORY;
    }
    c->subgraph[0] = (uint16_t)subgraph[0];
    c->subgraph[1] = (uint16_t)subgraph[1];
    for (unsigned i = 1; i < p->n_in; i++) {
        ar_get_input(p, i, &t);
        c->bytes[i - 1] = bytes_of(&t);
    }
    for (unsigned i = 0; i < p->n_out; i++) {
        ar_get_output(p, i, &t);
        c->bytes[p->n_in - 1u + i] = bytes_of(&t);
    }
    return AR_OK;
}

// ---- WHILE ---------------------------------------------------------------------------------------------------------

// The loop's variables live in the outputs between one subgraph and the next.
static ar_status_t eval_while(const ar_run_t *run, const ar_rec_t *rec) {
    const control_t *c = ar_params(rec);
    unsigned condition = c->subgraph[0], body = c->subgraph[1];
    for (unsigned i = 0; i < rec->n_out; i++) {
        copy(ar_out(rec, i), ar_in(rec, i), c->bytes[i]);
    }
    for (;;) {
        for (unsigned i = 0; i < rec->n_out; i++) {
            copy(ar_subgraph_input_data(run, condition, i), ar_out(rec, i), c->bytes[i]);
        }
        ar_status_t status = ar_run_subgraph(run, condition);
        if (status != AR_OK || !*(const uint8_t *)ar_subgraph_output_data(run, condition, 0)) {
            return status;
        }
        for (unsigned i = 0; i < rec->n_out; i++) {
            copy(ar_subgraph_input_data(run, body, i), ar_out(rec, i), c->bytes[i]);
        }
        status = ar_run_subgraph(run, body);
        if (status != AR_OK) {
            return status;
        }
        for (unsigned i = 0; i < rec->n_out; i++) {
            copy(ar_out(rec, i), ar_subgraph_output_data(run, body, i), c->bytes[i]);
        }
        // Operators call the hook; a loop of empty subgraphs must not be the one that cannot be stopped.
        if (run->hook && !run->hook(run->context, AR_INSIDE)) {
            return AR_STOPPED;
        }
    }
}

ar_status_t ar_prepare_while(ar_prep_t *p) {
    ar_tensor_t t;
    int32_t condition = ar_option_int(p, WHILE_CONDITION, 0), body = ar_option_int(p, WHILE_BODY, 0);
    if (p->n_in != p->n_out) {
        return ar_refuse(p, "takes as many %Is as it has %Os");
    }
    ar_status_t status = ar_calls(p, condition, 0);
    status = status == AR_OK ? ar_calls(p, body, 0) : status;
    status = status == AR_OK ? check_inputs(p, condition, 0) : status;
    status = status == AR_OK ? check_inputs(p, body, 0) : status;
    status = status == AR_OK ? check_outputs(p, body) : status;
    if (status != AR_OK) {
        return status;
    }
    if (ar_subgraph_count(p, condition, true) == 1) {
        ar_subgraph_tensor(p, condition, true, 0, &t);
    }
    if (ar_subgraph_count(p, condition, true) != 1 || t.type != AR_BOOL || t.count != 1) {
        return ar_refuse(p, "%Tcondition%Vone bool as its %O");
    }
    control_t *c = ar_record(p, eval_while, sizeof(*c) + p->n_out * sizeof(uint32_t));
    if (!c) {
        return AR_NO_MEMORY;
    }
    c->subgraph[0] = (uint16_t)condition;
    c->subgraph[1] = (uint16_t)body;
    for (unsigned i = 0; i < p->n_out; i++) {
        ar_get_output(p, i, &t);
        c->bytes[i] = bytes_of(&t);
    }
    return AR_OK;
}

// ---- CALL_ONCE -----------------------------------------------------------------------------------------------------

static ar_status_t eval_call_once(const ar_run_t *run, const ar_rec_t *rec) {
    const control_t *c = ar_params(rec);
    uint8_t *ran = ar_subgraph_ran(run, c->subgraph[0]);
    bool runs = !*ran && run->y0 != AR_RESET;
    ar_status_t status = runs ? ar_run_subgraph(run, c->subgraph[0]) : AR_OK;
    *ran = run->y0 != AR_RESET && status == AR_OK;
    return status;
}

ar_status_t ar_prepare_call_once(ar_prep_t *p) {
    int32_t subgraph = ar_option_int(p, CALL_ONCE_INIT, 0);
    ar_status_t status = ar_calls(p, subgraph, 0);
    if (status != AR_OK) {
        return status;
    }
    if (ar_subgraph_count(p, subgraph, false) != 0 || ar_subgraph_count(p, subgraph, true) != 0) {
        return ar_refuse(p, "its subgraph%Vno %Is%Ano %Os");
    }
    const control_t c = { .subgraph = { (uint16_t)subgraph } };
    status = ar_keep(p, eval_call_once, &c, sizeof(c));
    if (status == AR_OK) {
        ar_keeps(p);
    }
    return status;
}
