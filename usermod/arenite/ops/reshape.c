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

static ar_status_t view(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    if (in->type != out->type || in->count != out->count) {
        return ar_refuse(p, "%I %t of %u elements into %t of %u", in->type, (unsigned)in->count,
            out->type, (unsigned)out->count);
    }
    const reshape_t r = { ar_alias(p, 0) ? 0 : in->bytes };
    return ar_keep(p, eval, &r, sizeof(r));
}

ar_status_t ar_prepare_reshape(ar_prep_t *p) {
    // The shape asked for, in the second input or the options, is what the output tensor already has: a file with
    // fixed shapes says it twice, and only the number of elements can be wrong.
    return view(p);
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
    const ar_tensor_t *in = &p->in, *out = &p->out;
    int32_t given;
    unsigned axis = 0;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = ar_const_ints(p, 1, "the axis", 1, &given);
    }
    if (status == AR_OK) {
        status = ar_axis(p, given, in->rank + 1u, &axis);
    }
    if (status != AR_OK) {
        return status;
    }
    if (!is_with_ones(out, in, 1u << axis)) {
        return ar_refuse(p, "%T%O's %H is not %T%I's with a 1 at %u", axis);
    }
    return view(p);
}

ar_status_t ar_prepare_squeeze(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    const uint8_t *axes;
    uint32_t mask = 0;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status != AR_OK) {
        return status;
    }
    uint32_t n = ar_option_ints(p, SQUEEZE_DIMS, &axes);
    for (uint32_t i = 0; i < n; i++) {
        unsigned axis = 0;
        status = ar_axis(p, ar_i32(axes + 4 * i), in->rank, &axis);
        if (status != AR_OK) {
            return status;
        }
        mask |= 1u << axis;
    }
    for (unsigned i = 0; n == 0 && i < in->rank; i++) {
        mask |= (uint32_t)(in->dim[i] == 1) << i; // none named: all of them
    }
    if (!is_with_ones(in, out, mask)) {
        return ar_refuse(p, "%T%O's %H is not %T%I's without %Taxes, which%Mof 1");
    }
    return view(p);
}
