// Running a chain of operators a row at a time.

#ifndef ARENITE_ENGINE_ROWS_H
#define ARENITE_ENGINE_ROWS_H

#include "ops/rows.h"

// Make the next row of a record, and count it.
typedef ar_status_t (*ar_fire_t)(void *context, const ar_rec_t *rec);

// Make all rows of the target, and what it takes of those of the records from first on; where it was left with AR_WAITING, from
// that record on. The rows' counts start where they are.
ar_status_t ar_rows_drive(const ar_rec_t *first, const ar_rec_t *from, const ar_rec_t *target, ar_fire_t fire, void *context);

// The last to take rows of a record; itself, if none of its segment does.
static inline ar_rec_t *ar_rows_taker(const ar_rec_t *rec) {
    return (ar_rec_t *)((uint8_t *)(uintptr_t)rec + ar_rows(rec)->to);
}

// The next record of a chain: between two may stand one that does nothing, PAD that leaves its zeros to the one behind it. What
// comes after the last record of all lies behind that, whatever it is.
static inline ar_rec_t *ar_rows_next(const ar_rec_t *rec) {
    ar_rec_t *next = ar_next_record(rec);
    return !AR_HAS_FRAMES || (next->size & AR_BY_ROWS) ? next : ar_next_record(next);
}

// Whether a segment begins here.
static inline bool ar_rows_begin(const ar_rec_t *rec) {
    return (rec->size & AR_BY_ROWS) && ar_rows(rec)->span;
}

// What the record of the input of a model that is fed does for a row. It stands before those of the operators, and its size leads
// to the first that takes rows of it.
ar_status_t ar_rows_take(const ar_run_t *run, const ar_rec_t *rec);

// Run the segment of the first record, or go on with it.
ar_status_t ar_rows_run(const ar_run_t *run, const ar_rec_t *first);

#endif // ARENITE_ENGINE_ROWS_H
