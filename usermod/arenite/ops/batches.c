// SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: what lies in one place of every block makes a batch of its own, and back.
//
//     batch (i * block width + j) * batches + b, place (y, x) = space b, place (y * height + i - top, x * width + j - left)
//
// For each place (i, j) in the block one strided copy moves the rows and columns that lie inside the space; what is
// padding stays as it was filled (space_to_batch_nd.h, batch_to_space_nd.h).

#include "ops/move.h"

typedef struct {
    int32_t block[2];
    int32_t before[2];          // padding, or what is cropped
    int32_t space[4];           // batches, height, width, depth
    int32_t plane[2];           // height and width of a batch
    uint32_t fill_bytes;        // of the output; 0: every byte is copied
    uint8_t size;
    uint8_t fill;
    bool to_batch;
} batches_t;

// The range of places y in a batch for which y * block + at - before lies in the space.
static int32_t clip(const batches_t *b, unsigned k, int32_t at, int32_t *first) {
    int32_t block = b->block[k], shift = at - b->before[k], n = b->space[1 + k];
    int32_t low = shift < 0 ? (-shift + block - 1) / block : 0;
    int32_t high = n - shift > 0 ? (n - shift + block - 1) / block : 0;
    *first = low;
    high = high < b->plane[k] ? high : b->plane[k];
    return high > low ? high - low : 0;
}

static void move_place(const batches_t *b, int32_t i, int32_t j, const void *in, void *out) {
    int32_t y, x, rows = clip(b, 0, i, &y), columns = clip(b, 1, j, &x);
    if (rows == 0 || columns == 0) {
        return;
    }
    const int32_t *n = b->space;
    int32_t row = n[2] * n[3], line = b->plane[1] * n[3], plane = b->plane[0] * line;
    int32_t space = (y * b->block[0] + i - b->before[0]) * row + (x * b->block[1] + j - b->before[1]) * n[3];
    int32_t batch = (i * b->block[1] + j) * n[0] * plane + y * line + x * n[3];
    ar_dim_t dim[] = {
        { (uint32_t)n[0], { n[1] * row, plane } },
        { (uint32_t)rows, { b->block[0] * row, line } },
        { (uint32_t)columns, { b->block[1] * n[3], n[3] } },
        { (uint32_t)n[3], { 1, 1 } },
    };
    for (unsigned k = 0; !b->to_batch && k < 4; k++) {
        dim[k] = (ar_dim_t) { dim[k].n, { dim[k].stride[1], dim[k].stride[0] } };
    }
    int32_t from = b->to_batch ? space : batch, to = b->to_batch ? batch : space;
    ar_copy(dim, 4, (const uint8_t *)in + from * b->size, (uint8_t *)out + to * b->size, b->size);
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const batches_t *b = ar_params(rec);
    memset(ar_out(rec, 0), b->fill, b->fill_bytes);
    for (int32_t i = 0; i < b->block[0]; i++) {
        for (int32_t j = 0; j < b->block[1]; j++) {
            move_place(b, i, j, ar_in(rec, 0), ar_out(rec, 0));
        }
    }
    return AR_OK;
}

// Shapes of 3 dimensions have one column.
static void as_image(const ar_tensor_t *t, int32_t *dim) {
    dim[0] = t->dim[0];
    dim[1] = t->dim[1];
    dim[2] = t->rank == 4 ? t->dim[2] : 1;
    dim[3] = t->dim[t->rank - 1];
}

// Blocks and what lies around them: two numbers for height, and two for width if there is one.
static ar_status_t read_blocks(ar_prep_t *p, unsigned rank, batches_t *b, int32_t *after) {
    int32_t around[4] = { 0 };
    b->block[1] = 1;
    ar_status_t status = ar_const_ints(p, 1, "the block's shape", rank - 2, b->block);
    if (status == AR_OK) {
        status = ar_const_ints(p, 2, "paddings and crops", 2 * (rank - 2), around);
    }
    if (status != AR_OK) {
        return status;
    }
    for (unsigned k = 0; k < 2; k++) {
        b->before[k] = around[2 * k];
        after[k] = around[2 * k + 1];
        if (b->block[k] < 1 || b->block[k] > 0x7fff || around[2 * k] < 0 || after[k] < 0 || around[2 * k] > 0xfffff
            || after[k] > 0xfffff) {
            return ar_refuse(p, "a block, padding or crop is negative or too large");
        }
    }
    return AR_OK;
}

static ar_status_t prepare(ar_prep_t *p, bool to_batch) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status != AR_OK) {
        return status;
    }
    if (in->rank != out->rank || (in->rank != 3 && in->rank != 4)) {
        return ar_unsupported(p, "needs 3 or 4 %Ds");
    }
    batches_t b = { .to_batch = to_batch, .size = (uint8_t)ar_type_size(in->type) };
    int32_t batch[4], after[2] = { 0 };
    status = read_blocks(p, in->rank, &b, after);
    if (status != AR_OK) {
        return status;
    }
    as_image(to_batch ? in : out, b.space);
    as_image(to_batch ? out : in, batch);
    bool fits = batch[3] == b.space[3] && batch[0] == (int64_t)b.space[0] * b.block[0] * b.block[1];
    for (unsigned k = 0; k < 2; k++) {
        b.plane[k] = batch[1 + k];
        fits &= (int64_t)b.plane[k] * b.block[k] == (int64_t)b.space[1 + k] + b.before[k] + after[k];
    }
    if (!fits) {
        return ar_refuse(p, "%Hs are not those that blocks of %d by %d give", (int)b.block[0], (int)b.block[1]);
    }
    bool zero_point = out->type == AR_INT8 || out->type == AR_UINT8;
    b.fill_bytes = to_batch && (b.before[0] | b.before[1] | after[0] | after[1]) ? out->bytes : 0;
    b.fill = zero_point ? (uint8_t)out->zero_point : 0;
    batches_t *r = ar_record(p, eval, sizeof(*r));
    if (!r) {
        return AR_NO_MEMORY;
    }
    *r = b;
    if (out->count == 0) {
        r->block[0] = 0; // nothing to walk, whatever the block says
    }
    return AR_OK;
}

ar_status_t ar_prepare_space_to_batch_nd(ar_prep_t *p) {
    return prepare(p, true);
}

ar_status_t ar_prepare_batch_to_space_nd(ar_prep_t *p) {
    return prepare(p, false);
}
