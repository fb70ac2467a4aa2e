// Running a chain of operators a row at a time.
//
// Each row is made as late as it can be: from the last operator of the segment on, whatever lacks a row asks the operator that
// makes it; a row that is made is taken at once by whoever takes it last, if that now can, and if of its own rows one is lacking.
// So little is held at any time, and as the order depends on nothing but the geometry, a replay of it while the model is planned
// tells how many rows each ring holds.

#include "engine/rows.h"

// The record that must make another row before the next row of this one can be made; NULL: none of those from first on. Of two,
// where branches meet, the one that takes what was made before: its branch is the shorter, and rows are held for it alone.
static const ar_rec_t *lacking(const ar_rec_t *rec, const ar_rec_t *first) {
    const ar_rows_t *r = ar_rows(rec);
    const uint8_t *found = NULL, *earliest = NULL;
    uint32_t wanted = ar_rows_wanted(r);
    for (unsigned i = 0; i < r->inputs; i++) {
        const uint8_t *maker = (const uint8_t *)rec - r->from[i];
        const ar_rows_t *m = ar_rows((const ar_rec_t *)maker);
        if (r->from[i] && maker >= (const uint8_t *)first && m->next < wanted) {
            const uint8_t *source = m->from[0] ? maker - m->from[0] : NULL;
            source = source >= (const uint8_t *)first ? source : NULL;
            if (!found || source < earliest) {
                found = maker;
                earliest = source;
            }
        }
    }
    return (const ar_rec_t *)found;
}

// Whether there is another row to make, and whoever takes these last lacks one.
static bool is_lacked(const ar_rec_t *rec) {
    const ar_rows_t *r = ar_rows(rec);
    return r->next < r->out_h && (r->to == 0 || r->next < ar_rows_wanted(ar_rows(ar_rows_taker(rec))));
}

ar_status_t ar_rows_drive(const ar_rec_t *first, const ar_rec_t *rec, const ar_rec_t *target, ar_fire_t fire, void *context) {
    while (ar_rows(target)->next < ar_rows(target)->out_h) {
        const ar_rec_t *maker = lacking(rec, first);
        if (maker) {
            rec = maker;
            continue;
        }
        ar_status_t status = fire(context, rec);
        if (status != AR_OK) {
            return status;
        }
        rec = is_lacked(ar_rows_taker(rec)) ? ar_rows_taker(rec) : target;
    }
    return AR_OK;
}

// ---- for good ------------------------------------------------------------------------------------------------------

typedef struct {
    ar_run_t run;
    const ar_rec_t *first;
} job_t;

static ar_status_t fire(void *context, const ar_rec_t *rec) {
    job_t *j = context;
    j->run.y0 = ar_rows(rec)->next;
    j->run.y1 = j->run.y0 + 1;
    ar_status_t status = rec->eval(&j->run, rec);
    if (status == AR_WAITING) {
        return status;
    }
    ar_rows(rec)->next++;
    if (status != AR_OK || !j->run.hook || rec == j->run.model->feed) {
        return status;
    }
    return j->run.hook(j->run.context, ar_rows(rec)->time - 1u) ? AR_OK : AR_STOPPED;
}

// What was left in want of a row of input goes on from there, so that the order stays the same.
static ar_status_t drive(job_t *j, const ar_rec_t *target) {
    const ar_rec_t *from = target;
    if (j->run.model->waits && ar_rows(target)->next < ar_rows(target)->out_h) {
        j->run.model->waits = false;
        from = j->first;
    }
    return ar_rows_drive(j->first, from, target, fire, j);
}

ar_status_t ar_rows_run(const ar_run_t *run, const ar_rec_t *first) {
    const ar_rec_t *end = (const ar_rec_t *)((const uint8_t *)first + ar_rows(first)->span), *last = first;
    job_t j = { .run = *run, .first = first };
    bool goes_on = run->model->waits;
    for (const ar_rec_t *rec = first; rec < end; rec = ar_rows_next(rec)) {
        ar_rows(rec)->next = goes_on ? ar_rows(rec)->next : 0;
        last = rec;
    }
    ar_status_t status = drive(&j, last);
    for (const ar_rec_t *rec = first; status == AR_OK && rec < last; rec = ar_rows_next(rec)) {
        if (ar_rows(rec)->role == AR_HELD) {
            status = drive(&j, rec);
        }
    }
    if (status == AR_OK && first == run->model->feed) { // of which all is taken, whoever needs it
        status = drive(&j, first);
    }
    run->model->waits = status == AR_WAITING;
    return status;
}

ar_status_t ar_rows_take(const ar_run_t *run, const ar_rec_t *rec) {
    ar_model_t *m = run->model;
    const ar_rows_t *r = ar_rows(rec);
    if (!m->fed || m->fed->rows == 0) {
        return AR_WAITING;
    }
    m->fed->rows--;
    m->fed->take(m->fed, (uint8_t *)ar_out(rec, 0) + run->y0 % r->out_held * r->row, r->row);
    return AR_OK;
}
