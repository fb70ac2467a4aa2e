// Operators that can run a few rows at a time: convolution, pooling, what goes element by element. What a row of their output
// needs of their input is what the planner asks to run chains of them in rings of rows (engine/segments.h).
//
// The scalars of their records begin with this.

#ifndef ARENITE_OPS_ROWS_H
#define ARENITE_OPS_ROWS_H

#include "ops/op.h"

// A record's part in a run by rows: none, its output is a ring, its output is held whole and made to its end.
enum { AR_ALONE, AR_RING, AR_HELD };

typedef struct {
    uint16_t scratch;           // blocks of AR_ALIGN bytes of it, where that was asked for between bounds
    uint16_t in_h, out_h;       // rows of the inputs, and of the output
    uint16_t window;            // rows of input that a row of output sees: row y those from y * stride - before on
    union {
        uint32_t best;          // while the model is planned: least bytes up to here, or fewest calls
        uint16_t held[2];       // when it runs: rows of inputs 0 and 1 in memory
    };
    uint16_t out_held;          // rows of the output in memory; row y in place y % held
    uint16_t next;              // the row of output to be made next
    uint16_t time;              // the operator's number, counted from 1
    uint16_t back;              // bytes to the record before, 0: these two can not be in one segment
    union {
        uint16_t from[2];       // bytes back to the record that makes input 0 or 1, 0: none that could be in one segment
        uint32_t row;           // of what has no input: bytes of a row
    };
    uint16_t to;                // bytes on to the last record of the segment that takes rows of this, 0: none
    union {
        uint16_t length;        // while planned: records of the segment that ends here; before, when the last takes rows of this
        uint16_t span;          // when it runs: bytes to the end of the segment, in its first record; else 0
    };
    uint8_t stride;
    uint8_t before;             // rows of padding
    uint8_t inputs : 2;         // that have rows
    uint8_t role : 2;
    uint8_t passes : 1;         // while planned: a row of its output is taken before any other row is made
    uint8_t in_place : 1;       // element by element: an output may lie where its input does
    uint8_t idle : 1;           // channels of the output are perhaps the zero point everywhere, for want of weights
    uint8_t gathers : 1;        // rows of input into sums, from which the output is made with the last of them; out_h is in_h
    uint8_t reads_first : 1;    // a row of input 0 is read before any of its row of output is written
    uint8_t own : 7;            // what the operator notes of itself
} ar_rows_t;

// What a byte holds of strides, dilations and padding.
#define AR_ROWS_MOST (255)

// Tell, when the record is made, that it begins so, and of how many inputs rows are taken. batches: there must be one.
void ar_by_rows(ar_prep_t *p, unsigned inputs, uint32_t batches);

// Whether the operator before makes input 0, and that is idle.
bool ar_rows_idle(const ar_prep_t *p);

static inline ar_rows_t *ar_rows(const ar_rec_t *rec) {
    return ar_params(rec);
}

static inline uint32_t ar_rows_scratch(const ar_rows_t *r) {
    return r->scratch * (uint32_t)AR_ALIGN;
}

// The place of row y where so many rows are held: all of them, or a ring of the last few.
static inline uint32_t ar_rows_place(uint32_t y, uint32_t held) {
    return !AR_HAS_ROWS || y < held ? y : y % held;
}

// A row of input 0 in memory.
static inline void *ar_rows_in(const ar_rec_t *rec, const ar_rows_t *r, uint32_t y, uint32_t bytes) {
    return (uint8_t *)ar_in(rec, 0) + ar_rows_place(y, r->held[0]) * bytes;
}

// Fill in the rows of an operator that gathers those of its input, an image; false: it is none.
bool ar_rows_gather(const ar_prep_t *p, ar_rows_t *r);

// Add rows of int8 to the sums of their channels in the scratch; the sums, where these were the last.
const int32_t *ar_rows_sum_s8(const ar_run_t *run, const ar_rec_t *rec, const ar_rows_t *r, uint32_t width, uint32_t channels);

// How many rows of input the next row of output needs to be there, and the first that it still sees.
static inline uint32_t ar_rows_wanted(const ar_rows_t *r) {
    int32_t end = r->next * r->stride - r->before + r->window;
    return end < 0 ? 0 : end < r->in_h ? (uint32_t)end : r->in_h;
}

static inline uint32_t ar_rows_seen(const ar_rows_t *r) {
    int32_t first = r->next * r->stride - r->before;
    return r->next >= r->out_h ? r->in_h : first < 0 ? 0 : (uint32_t)first;
}

#endif // ARENITE_OPS_ROWS_H
