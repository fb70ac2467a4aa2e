// RESHAPE, EXPAND_DIMS and SQUEEZE: the output is the input under another shape, and lies where the input lies if it can.

#include "ops/move.h"

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

static ar_status_t view(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out) {
    if (in->type != out->type || in->count != out->count) {
        return ar_refuse(p, "input %s of %u elements into %s of %u", ar_type_name(in->type), (unsigned)in->count,
            ar_type_name(out->type), (unsigned)out->count);
    }
    reshape_t *r = ar_record(p, eval, sizeof(*r));
    if (!r) {
        return AR_NO_MEMORY;
    }
    r->bytes = ar_alias(p, 0) ? 0 : in->bytes;
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
    return view(p, &in, &out);
}

// The one is the other with dimensions of 1 where the mask has its bits.
static bool is_with_ones(const ar_tensor_t *large, const ar_tensor_t *small, uint32_t mask) {
    unsigned at = 0;
    for (unsigned i = 0; i < large->rank; i++) {
        bool same = mask >> i & 1 ? large->dim[i] == 1 : at < small->rank && large->dim[i] == small->dim[at++];
        if (!same) {
            return false;
        }
    }
    return at == small->rank;
}

ar_status_t ar_prepare_expand_dims(ar_prep_t *p) {
    ar_tensor_t in, out;
    int32_t given;
    unsigned axis = 0;
    ar_status_t status = ar_move_open(p, 2, 0, &in, &out);
    if (status == AR_OK) {
        status = ar_const_ints(p, 1, "the axis", 1, &given);
    }
    if (status == AR_OK) {
        status = ar_axis(p, given, in.rank + 1u, &axis);
    }
    if (status != AR_OK) {
        return status;
    }
    if (!is_with_ones(&out, &in, 1u << axis)) {
        return ar_refuse(p, "the output's shape is not the input's with a 1 at %u", axis);
    }
    return view(p, &in, &out);
}

ar_status_t ar_prepare_squeeze(ar_prep_t *p) {
    ar_tensor_t in, out;
    const uint8_t *axes;
    uint32_t mask = 0;
    ar_status_t status = ar_move_open(p, 1, 0, &in, &out);
    if (status != AR_OK) {
        return status;
    }
    uint32_t n = ar_option_ints(p, SQUEEZE_DIMS, &axes);
    for (uint32_t i = 0; i < n; i++) {
        unsigned axis = 0;
        status = ar_axis(p, ar_i32(axes + 4 * i), in.rank, &axis);
        if (status != AR_OK) {
            return status;
        }
        mask |= 1u << axis;
    }
    for (unsigned i = 0; n == 0 && i < in.rank; i++) {
        mask |= (uint32_t)(in.dim[i] == 1) << i; // none named: all of them
    }
    if (!is_with_ones(&in, &out, mask)) {
        return ar_refuse(p, "the output's shape is not the input's without the axes, which must be of 1");
    }
    return view(p, &in, &out);
}
