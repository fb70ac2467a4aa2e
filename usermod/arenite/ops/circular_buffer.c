// CIRCULAR_BUFFER, a custom operator of tflite-micro, int8: the last inputs in a row, the newest last. Models that look
// at time step by step run what follows it only every few steps (tensorflow/lite/micro/kernels/circular_buffer.cc).
//
// The row is the output itself where the model says that this is a variable, else a copy of its own.

#include <string.h>

#include "ops/op.h"

typedef struct {
    uint32_t bytes;             // of an input
    uint32_t all;               // of the row
    int32_t cycles;             // what follows runs at every so many steps
    uint8_t empty;              // the byte of what was not there yet
    bool in_place;
    bool tells;                 // output 1 tells whether the row is to be used; else the run ends early
} circular_t;

// What lasts: how many steps are left, then the row unless it lies in the output.
static uint8_t *row_of(const ar_rec_t *rec) {
    const circular_t *c = ar_params(rec);
    return c->in_place ? ar_out(rec, 0) : (uint8_t *)ar_scratch_of(rec) + sizeof(int32_t);
}

static void reset(const circular_t *c, const ar_rec_t *rec) {
    memcpy(ar_scratch_of(rec), &c->cycles, sizeof(c->cycles));
    memset(row_of(rec), c->empty, c->all);
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    const circular_t *c = ar_params(rec);
    int32_t *left = ar_scratch_of(rec);
    uint8_t *row = row_of(rec);
    if (run->y0 == AR_RESET) {
        reset(c, rec);
        return AR_OK;
    }
    memmove(row, row + c->bytes, c->all - c->bytes);
    memcpy(row + c->all - c->bytes, ar_in(rec, 0), c->bytes);
    if (!c->in_place) {
        memcpy(ar_out(rec, 0), row, c->all);
    }
    bool due = --*left <= 0;
    if (due) {
        *left = c->cycles;
    }
    if (c->tells) {
        *(uint8_t *)ar_out(rec, 1) = due;
        return AR_OK;
    }
    return due ? AR_OK : AR_WAITING;
}

// Models without cycles_max: tflite-micro knows two by their shapes.
static ar_status_t guess_cycles(ar_prep_t *p, const ar_tensor_t *out, int32_t *cycles) {
    if (out->dim[2] == 2 && out->dim[3] == 96) {
        return ar_unsupported(p, "cycles_max is missing from its options");
    }
    *cycles = out->dim[1] == 5 || out->dim[1] == 13 || out->dim[1] == 25 ? 1 : 2;
    return AR_OK;
}

static ar_status_t check(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out) {
    ar_tensor_t flag;
    if (in->type != AR_INT8 || out->type != AR_INT8) {
        return ar_bad_types(p);
    }
    if (in->rank != 4 || out->rank != 4 || in->dim[0] != 1 || in->dim[1] != 1 || out->dim[0] != 1 || out->dim[1] < 1
        || in->dim[2] != out->dim[2] || in->dim[3] != out->dim[3]) {
        return ar_refuse(p, "%T%I%M[1, 1, n, c],%A%T%O [1, steps, n, c]");
    }
    if (p->n_out == 2) {
        ar_get_output(p, 1, &flag);
        if (flag.type != AR_BOOL || flag.count != 1) {
            return ar_refuse(p, "%O 1%Mone bool");
        }
    }
    return AR_OK;
}

ar_status_t ar_prepare_circular_buffer(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    int32_t cycles = ar_custom_int(p, "cycles_max", 0);
    ar_status_t status = ar_expect_io(p, 1, 1, p->n_out == 2 ? 2 : 1);
    status = status == AR_OK ? check(p, in, out) : status;
    if (status == AR_OK && cycles <= 0) {
        status = guess_cycles(p, out, &cycles);
    }
    if (status != AR_OK) {
        return status;
    }
    bool in_place = out->is_variable;
    ar_state(p, (uint32_t)sizeof(int32_t) + (in_place ? 0 : out->bytes));
    const circular_t c = {
        .bytes = in->bytes, .all = out->bytes, .cycles = cycles, .empty = (uint8_t)out->zero_point, .in_place = in_place,
        .tells = p->n_out == 2,
    };
    p->may_wait = !c.tells && cycles > 1;
    status = ar_keep(p, eval, &c, sizeof(c));
    if (status == AR_OK) {
        ar_keeps(p);
    }
    return status;
}
