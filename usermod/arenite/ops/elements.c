// Element-wise operators by rows. Their evals know nothing of rows: they get a copy of their record, whose pointers and count
// are those of one row.

#include <string.h>

#include "ops/elements.h"
#include "ops/rows.h"

typedef struct {
    ar_rows_t rows;
    uint32_t row[3];            // bytes of a row of inputs 0 and 1 and of the output
    ar_eval_t eval;
    uint32_t count_at;          // in the operator's own scalars
} elements_t;

// The largest records that are wrapped so: their copies are on the stack.
#define POINTERS (5)
#define OWN_BYTES (sizeof(void *) == 8 ? 160 : 112)

typedef struct {
    uint64_t head[(sizeof(ar_rec_t) + POINTERS * sizeof(void *) + 7) / 8];
    uint64_t own[OWN_BYTES / 8];
} copy_t;

static size_t own_bytes(const ar_rec_t *rec) {
    return ar_record_bytes(rec) - (size_t)((const uint8_t *)ar_params(rec) - (const uint8_t *)rec);
}

static void *row_of(const elements_t *e, unsigned k, uint8_t *data, uint32_t y, uint32_t held) {
    return data + ar_rows_place(y, held) * e->row[k];
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    const elements_t *e = ar_params(rec);
    const ar_rows_t *r = &e->rows;
    copy_t copy;
    ar_rec_t *own = (ar_rec_t *)(void *)&copy;
    size_t head = (size_t)((const uint8_t *)e - (const uint8_t *)rec);
    memcpy(own, rec, head);
    memcpy(ar_params(own), e + 1, own_bytes(rec) - sizeof(*e));
    if (r->role == AR_ALONE) {
        return e->eval(run, own);
    }
    *(uint32_t *)((uint8_t *)ar_params(own) + e->count_at) /= r->out_h;
    ar_status_t status = AR_OK;
    for (uint32_t y = run->y0; status == AR_OK && y < run->y1; y++) {
        for (unsigned i = 0; i < r->inputs; i++) {
            own->t[i] = row_of(e, i, rec->t[i], y, r->held[i]);
        }
        own->t[rec->n_in] = row_of(e, 2, rec->t[rec->n_in], y, r->out_held);
        status = e->eval(run, own);
    }
    return status;
}

// Rows of an image; 0: it is none.
static uint16_t height(const ar_tensor_t *t) {
    return t->rank == 4 && t->dim[0] == 1 && t->dim[1] > 1 && t->dim[1] <= 0x7fff && t->count ? (uint16_t)t->dim[1] : 0;
}

ar_status_t ar_elementwise(ar_prep_t *p, uint32_t *count, unsigned inputs) {
    uint16_t h = height(&p->out);
    uint32_t at = (uint32_t)((uint8_t *)count - (uint8_t *)ar_params(p->rec));
    bool fits = p->n_in + p->n_out + 1 <= POINTERS && own_bytes(p->rec) <= OWN_BYTES;
    if (!h || *count % h || !fits) {
        return AR_OK;
    }
    elements_t made = { .rows = { .in_h = h, .out_h = h, .window = 1, .stride = 1, .in_place = true }, .eval = p->rec->eval, .count_at = at };
    made.row[2] = p->out.bytes / h;
    for (unsigned i = 0; i < inputs; i++) {
        ar_tensor_t in;
        ar_get_input(p, i, &in);
        made.row[i] = in.bytes / h;
        made.rows.in_place = made.rows.in_place && made.row[i] >= made.row[2];
    }
    elements_t *e = ar_record_wrap(p, eval, sizeof(*e));
    if (!e) {
        return AR_NO_MEMORY;
    }
    *e = made;
    ar_by_rows(p, inputs, 1);
    return AR_OK;
}
