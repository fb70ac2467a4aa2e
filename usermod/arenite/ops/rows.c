// What operators share that gather the rows of an image into sums.

#include <string.h>

#include "kernels/pool.h"
#include "ops/rows.h"

bool ar_rows_gather(const ar_prep_t *p, ar_rows_t *r) {
    const ar_tensor_t *in = &p->in;
    if (!AR_HAS_ROWS || in->rank != 4 || in->dim[0] != 1 || in->dim[1] < 2 || in->dim[1] > 0x7fff || in->count == 0) {
        return false;
    }
    r->in_h = r->out_h = (uint16_t)in->dim[1];
    r->window = r->stride = 1;
    r->before = 0;
    r->gathers = true;
    return true;
}

const int32_t *ar_rows_sum_s8(const ar_run_t *run, const ar_rec_t *rec, const ar_rows_t *r, uint32_t width, uint32_t channels) {
    int32_t *sums = ar_scratch_of(rec);
    for (uint32_t y = run->y0; y < run->y1; y++) {
        const int8_t *x = ar_rows_in(rec, r, y, width * channels);
        memset(sums, 0, y == 0 ? channels * sizeof(*sums) : 0);
        for (uint32_t c = 0; c < channels; c += AR_POOL_BLOCK) {
            ar_pool_sum_s8(sums + c, x + c, channels, width, channels - c < AR_POOL_BLOCK ? channels - c : AR_POOL_BLOCK);
        }
    }
    return run->y1 >= r->out_h ? sums : NULL;
}
