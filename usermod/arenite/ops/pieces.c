// A tensor and its pieces along an axis: CONCATENATION and PACK join them, SPLIT, SPLIT_V and UNPACK part them. For each
// step through the dimensions before the axis, a run of bytes of each piece lies next to that of the piece before.

#include "ops/activation.h"
#include "ops/move.h"

typedef struct {
    uint32_t steps;
    uint32_t run[];             // bytes of each piece
} pieces_t;

static ar_status_t eval_join(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const pieces_t *r = ar_params(rec);
    uint8_t *out = ar_out(rec, 0);
    for (uint32_t step = 0; step < r->steps; step++) {
        for (unsigned i = 0; i < rec->n_in; i++) {
            const uint8_t *in = (const uint8_t *)ar_in(rec, i) + step * r->run[i];
            if (in != out) { // else it was made there
                memcpy(out, in, r->run[i]);
            }
            out += r->run[i];
        }
    }
    return AR_OK;
}

static void part(const pieces_t *r, const ar_rec_t *rec, const uint8_t *in) {
    for (uint32_t step = 0; step < r->steps; step++) {
        for (unsigned i = 0; i < rec->n_out; i++) {
            memcpy((uint8_t *)ar_out(rec, i) + step * r->run[i], in, r->run[i]);
            in += r->run[i];
        }
    }
}

static ar_status_t eval_part(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    part(ar_params(rec), rec, ar_in(rec, 0));
    return AR_OK;
}

static ar_status_t eval_part_second(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    part(ar_params(rec), rec, ar_in(rec, 1));
    return AR_OK;
}

// The pieces of a whole: inputs that join to the output, or outputs that the input parts into.
typedef struct {
    const ar_tensor_t *whole;
    unsigned axis;
    unsigned n;
    bool join;
    bool drop;                  // the pieces are without the axis
} plan_t;

static void get_piece(const ar_prep_t *p, const plan_t *plan, unsigned i, ar_tensor_t *t) {
    if (plan->join) {
        ar_get_input(p, i, t);
    } else {
        ar_get_output(p, i, t);
    }
}

// The piece is like the whole but for the axis; n: how much of that it is.
static ar_status_t check_piece(ar_prep_t *p, const plan_t *plan, unsigned i, int32_t *n) {
    const ar_tensor_t *whole = plan->whole;
    ar_tensor_t t;
    get_piece(p, plan, i, &t);
    if (t.type != whole->type) {
        return ar_types_differ(p, t.type, whole->type);
    }
    bool same = t.rank + plan->drop == whole->rank;
    for (unsigned k = 0, at = 0; same && k < whole->rank; k++) {
        if (k == plan->axis) {
            *n = plan->drop ? 1 : t.dim[at];
            at += !plan->drop;
        } else {
            same = t.dim[at++] == whole->dim[k];
        }
    }
    if (!same) {
        return ar_refuse(p, "%s %u differs in %H,%Anot along axis %u", plan->join ? "input" : "output", i, plan->axis);
    }
    // LiteRT, too, takes no others: the bits would mean something else.
    if (plan->join && t.n_scales && (t.scale != whole->scale || t.zero_point != whole->zero_point)) {
        return ar_refuse(p, "%I %u is quantized otherwise than %T%O", i);
    }
    return AR_OK;
}

static ar_status_t record(ar_prep_t *p, const plan_t *plan, ar_eval_t eval) {
    const ar_tensor_t *whole = plan->whole;
    if (whole->type == AR_RESOURCE || whole->type == AR_INT4) {
        return ar_bad_type(p, whole->type);
    }
    pieces_t *r = ar_record(p, eval, sizeof(*r) + plan->n * sizeof(r->run[0]));
    if (!r) {
        return AR_NO_MEMORY;
    }
    uint32_t inner = ar_type_size(whole->type) * ar_product(whole, plan->axis + 1, whole->rank);
    int32_t left = whole->dim[plan->axis];
    for (unsigned i = 0; i < plan->n; i++) {
        int32_t n = 0;
        ar_status_t status = check_piece(p, plan, i, &n);
        if (status != AR_OK) {
            return status;
        }
        if (n > left) {
            return ar_refuse(p, "%Tpieces make %N%d along axis %u", (int)whole->dim[plan->axis], plan->axis);
        }
        left -= n;
        r->run[i] = (uint32_t)n * inner;
    }
    if (left) {
        return ar_refuse(p, "%Tpieces make less than %d along axis %u", (int)whole->dim[plan->axis], plan->axis);
    }
    r->steps = whole->count ? ar_product(whole, 0, plan->axis) : 0;
    if (plan->join && r->steps == 1) {
        ar_joins(p);
    }
    return AR_OK;
}

static ar_status_t join(ar_prep_t *p, unsigned axis_field, bool drop) {
    plan_t plan = { .whole = &p->out, .n = p->n_in, .join = true, .drop = drop };
    ar_status_t status = ar_expect_io(p, p->n_in, p->n_in, 1); // none left out
    if (status == AR_OK) {
        status = ar_axis(p, ar_option_int(p, axis_field, 0), plan.whole->rank, &plan.axis);
    }
    return status == AR_OK ? record(p, &plan, eval_join) : status;
}

ar_status_t ar_prepare_concatenation(ar_prep_t *p) {
    int32_t activation = ar_option_byte(p, CONCATENATION_ACTIVATION, ACTIVATION_NONE);
    if (activation != ACTIVATION_NONE) {
        return ar_bad_activation(p, activation);
    }
    return join(p, CONCATENATION_AXIS, false);
}

ar_status_t ar_prepare_pack(ar_prep_t *p) {
    return join(p, PACK_AXIS, true);
}

// Part a tensor along the axis that the input axis_input holds.
static ar_status_t split(ar_prep_t *p, plan_t *plan, unsigned axis_input, ar_eval_t eval) {
    int32_t axis;
    plan->n = p->n_out;
    ar_status_t status = ar_const_ints(p, axis_input, "the axis", 1, &axis);
    if (status == AR_OK) {
        status = ar_axis(p, axis, plan->whole->rank, &plan->axis);
    }
    return status == AR_OK ? record(p, plan, eval) : status;
}

ar_status_t ar_prepare_split(ar_prep_t *p) {
    ar_tensor_t whole;
    plan_t plan = { .whole = &whole };
    ar_get_input(p, 1, &whole);
    return split(p, &plan, 0, eval_part_second);
}

// What the outputs have is what counts; the sizes asked for say it again, and -1 stands for what is left.
static ar_status_t check_sizes(ar_prep_t *p, unsigned axis) {
    ar_tensor_t sizes, piece;
    ar_get_input(p, 1, &sizes);
    if ((sizes.type != AR_INT32 && sizes.type != AR_INT64) || sizes.count != p->n_out) {
        return ar_refuse(p, "%Tsizes%Mint32 or int64,%A%u", (unsigned)p->n_out);
    }
    for (unsigned i = 0; sizes.data && i < p->n_out; i++) {
        int32_t n = ar_index_at(sizes.data, sizes.type, i);
        ar_get_output(p, i, &piece);
        if (n != -1 && n != piece.dim[axis]) {
            return ar_refuse(p, "%O %u is %d along axis %u, %Tsizes say %d", i, (int)piece.dim[axis], axis, (int)n);
        }
    }
    return AR_OK;
}

ar_status_t ar_prepare_split_v(ar_prep_t *p) {
    plan_t plan = { .whole = &p->in };
    ar_status_t status = split(p, &plan, 2, eval_part);
    return status == AR_OK ? check_sizes(p, plan.axis) : status;
}

ar_status_t ar_prepare_unpack(ar_prep_t *p) {
    plan_t plan = { .whole = &p->in, .n = p->n_out, .drop = true };
    ar_status_t status = ar_axis(p, ar_option_int(p, UNPACK_AXIS, 0), plan.whole->rank, &plan.axis);
    return status == AR_OK ? record(p, &plan, eval_part) : status;
}
