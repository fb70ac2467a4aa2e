// Resource variables: memory that lasts from one invoke to the next. VAR_HANDLE names one; its output, the handle, lies
// where the variable lies.

#include <string.h>

#include "ops/op.h"

typedef struct {
    uint32_t bytes;
} variable_t;

// READ_VARIABLE has an output, ASSIGN_VARIABLE a second input. Either may be the only one that knows a variable's size, so both
// put it back.
static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    uint32_t bytes = ((const variable_t *)ar_params(rec))->bytes;
    if (run->y0 == AR_RESET) {
        memset(ar_in(rec, 0), 0, bytes);
    } else if (rec->n_out) {
        memcpy(ar_out(rec, 0), ar_in(rec, 0), bytes);
    } else {
        memcpy(ar_in(rec, 0), ar_in(rec, 1), bytes);
    }
    return AR_OK;
}

ar_status_t ar_prepare_var_handle(ar_prep_t *p) {
    if (p->out.type != AR_RESOURCE) {
        return ar_bad_type(p, p->out.type);
    }
    ar_status_t status = ar_variable(p);
    return status == AR_OK && !ar_record(p, ar_nothing, 0) ? AR_NO_MEMORY : status;
}

static ar_status_t prepare(ar_prep_t *p, uint32_t bytes) {
    const variable_t v = { bytes };
    ar_status_t status = ar_variable_bytes(p, bytes);
    status = status == AR_OK ? ar_keep(p, eval, &v, sizeof(v)) : status;
    if (status == AR_OK) {
        ar_keeps(p);
    }
    return status;
}

ar_status_t ar_prepare_read_variable(ar_prep_t *p) {
    return prepare(p, p->out.bytes);
}

ar_status_t ar_prepare_assign_variable(ar_prep_t *p) {
    ar_tensor_t value;
    ar_get_input(p, 1, &value);
    return prepare(p, value.bytes);
}
