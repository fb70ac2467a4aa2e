// Dimensions in another order: TRANSPOSE, and SPACE_TO_DEPTH and DEPTH_TO_SPACE, whose tensors are seen with a dimension
// for the place in the block.

#include "ops/move.h"

// Dimension i of the output is perm[i] of the input.
static ar_status_t read_perm(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out, unsigned *perm) {
    int32_t given[AR_MAX_RANK];
    uint32_t seen = 0;
    ar_status_t status = ar_const_ints(p, 1, "the permutation", in->rank, given);
    for (unsigned i = 0; status == AR_OK && i < in->rank; i++) {
        status = ar_axis(p, given[i], in->rank, &perm[i]);
        if (status == AR_OK) {
            seen |= 1u << perm[i];
        }
    }
    if (status != AR_OK) {
        return status;
    }
    bool fits = in->rank == out->rank && seen == (1u << in->rank) - 1;
    for (unsigned i = 0; fits && i < in->rank; i++) {
        fits = out->dim[i] == in->dim[perm[i]];
    }
    return fits ? AR_OK : ar_refuse(p, "no permutation, or not %Tone that gives %T%O's %H");
}

ar_status_t ar_prepare_transpose(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    unsigned perm[AR_MAX_RANK];
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = read_perm(p, in, out, perm);
    }
    if (status != AR_OK) {
        return status;
    }
    int32_t from[AR_MAX_RANK], to[AR_MAX_RANK];
    ar_space_t s = { 0 };
    ar_strides(in->dim, in->rank, from);
    ar_strides(out->dim, out->rank, to);
    for (unsigned i = 0; i < in->rank; i++) {
        ar_space_add(&s, (uint32_t)out->dim[i], from[perm[i]], to[i]);
    }
    return ar_move_record(p, &s, 0, 0);
}

// Space is [batch, height * block, width * block, depth], depth [batch, height, width, block * block * depth], where the
// row in the block goes before the column (space_to_depth.h, depth_to_space.h).
static ar_status_t prepare_block(ar_prep_t *p, bool to_depth) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status != AR_OK) {
        return status;
    }
    const ar_tensor_t *space = to_depth ? in : out, *deep = to_depth ? out : in;
    int32_t block = ar_option_int(p, BLOCK_SIZE, 0);
    if (space->rank != 4 || deep->rank != 4 || block < 1 || block > 0x7fff) {
        return ar_refuse(p, "needs 4 %Ds%Aa block size, not %d", (int)block);
    }
    int64_t b = block;
    if (space->dim[0] != deep->dim[0] || space->dim[1] != deep->dim[1] * b || space->dim[2] != deep->dim[2] * b
        || deep->dim[3] != space->dim[3] * b * b) {
        return ar_refuse(p, "%Hs are not those of blocks of %d by %d", (int)block, (int)block);
    }
    int32_t run = block * space->dim[3], row = space->dim[2] * space->dim[3];
    const ar_dim_t dim[] = { // strides in space, then in depth
        { (uint32_t)(deep->dim[0] * deep->dim[1]), { block * row, deep->dim[2] * deep->dim[3] } },
        { (uint32_t)block, { row, run } },
        { (uint32_t)deep->dim[2], { run, deep->dim[3] } },
        { (uint32_t)run, { 1, 1 } },
    };
    ar_space_t s = { 0 };
    for (unsigned i = 0; i < sizeof(dim) / sizeof(dim[0]); i++) {
        ar_space_add(&s, dim[i].n, dim[i].stride[to_depth ? 0 : 1], dim[i].stride[to_depth ? 1 : 0]);
    }
    return ar_move_record(p, &s, 0, 0);
}

ar_status_t ar_prepare_space_to_depth(ar_prep_t *p) {
    return prepare_block(p, true);
}

ar_status_t ar_prepare_depth_to_space(ar_prep_t *p) {
    return prepare_block(p, false);
}
