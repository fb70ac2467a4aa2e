// Resource variables: memory that lasts from one invoke to the next. VAR_HANDLE names one; its output, the handle, lies
// where the variable lies.

#include <string.h>

#include "ops/op.h"

typedef struct {
    uint32_t bytes;
} variable_t;

static ar_status_t eval_handle(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    (void)rec;
    return AR_OK;
}

static ar_status_t eval_read(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    memcpy(ar_out(rec, 0), ar_in(rec, 0), ((const variable_t *)ar_params(rec))->bytes);
    return AR_OK;
}

static ar_status_t eval_assign(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    memcpy(ar_in(rec, 0), ar_in(rec, 1), ((const variable_t *)ar_params(rec))->bytes);
    return AR_OK;
}

void ar_reset_variable(ar_model_t *m, const ar_rec_t *rec) {
    (void)m;
    if (rec->eval != eval_read && rec->eval != eval_assign) {
        return; // the model was written to since it was loaded
    }
    memset(ar_in(rec, 0), 0, ((const variable_t *)ar_params(rec))->bytes);
}

ar_status_t ar_prepare_var_handle(ar_prep_t *p) {
    ar_tensor_t handle;
    ar_status_t status = ar_expect_io(p, 0, 0, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_output(p, 0, &handle);
    if (handle.type != AR_RESOURCE) {
        return ar_bad_type(p, handle.type);
    }
    status = ar_variable(p);
    return status == AR_OK && !ar_record(p, eval_handle, 0) ? AR_NO_MEMORY : status;
}

static ar_status_t prepare(ar_prep_t *p, ar_eval_t eval, const ar_tensor_t *value) {
    ar_tensor_t handle;
    ar_get_input(p, 0, &handle);
    if (handle.type != AR_RESOURCE) {
        return ar_refuse(p, "input 0 is no variable's handle");
    }
    ar_status_t status = ar_variable_bytes(p, value->bytes);
    if (status != AR_OK) {
        return status;
    }
    variable_t *v = ar_record(p, eval, sizeof(*v));
    if (!v) {
        return AR_NO_MEMORY;
    }
    v->bytes = value->bytes;
    return AR_OK;
}

ar_status_t ar_prepare_read_variable(ar_prep_t *p) {
    ar_tensor_t value;
    ar_status_t status = ar_expect_io(p, 1, 1, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_output(p, 0, &value);
    return prepare(p, eval_read, &value);
}

ar_status_t ar_prepare_assign_variable(ar_prep_t *p) {
    ar_tensor_t value;
    ar_status_t status = ar_expect_io(p, 2, 2, 0);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 1, &value);
    return prepare(p, eval_assign, &value);
}
