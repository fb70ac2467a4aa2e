// RESHAPE: the output is the input under another shape, and lies where the input lies if it can.

#include <string.h>

#include "ops/op.h"

typedef struct {
    uint32_t bytes;             // 0: nothing to move
} reshape_t;

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const reshape_t *r = ar_params(rec);
    if (r->bytes) {
        memcpy(ar_out(rec, 0), ar_in(rec, 0), r->bytes);
    }
    return AR_OK;
}

ar_status_t ar_prepare_reshape(ar_prep_t *p) {
    ar_status_t status = ar_expect_io(p, 1, 2, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_tensor_t in, out;
    ar_get_input(p, 0, &in);
    ar_get_output(p, 0, &out);
    // The shape asked for, in the second input or the options, is what the output tensor already has: a file with
    // fixed shapes says it twice, and only the number of elements can be wrong.
    if (in.type != out.type || in.count != out.count) {
        return ar_refuse(p, "input %s of %u elements into %s of %u", ar_type_name(in.type), (unsigned)in.count,
            ar_type_name(out.type), (unsigned)out.count);
    }
    reshape_t *r = ar_record(p, eval, sizeof(*r));
    if (!r) {
        return AR_NO_MEMORY;
    }
    r->bytes = ar_alias(p, 0) ? 0 : in.bytes;
    return AR_OK;
}
