// PAD, PADV2 and MIRROR_PAD: the input in the middle of the output, and around it a value or its own reflection.

#include "ops/move.h"
#include "ops/rows.h"

typedef struct {
    uint32_t count;             // elements of the output
    uint32_t start;             // where the input's first element goes, in bytes
    uint8_t size;               // of an element
    uint8_t rank;
    uint8_t fill;               // every byte of a padding element: the zero point, or 0
    ar_dim_t dim[];
} pad_t;

static ar_status_t eval_pad(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const pad_t *pad = ar_params(rec);
    uint8_t *out = ar_out(rec, 0);
    memset(out, pad->fill, pad->count * pad->size);
    ar_copy(pad->dim, pad->rank, ar_in(rec, 0), out + pad->start, pad->size);
    return AR_OK;
}

static ar_status_t eval_pad_with(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const pad_t *pad = ar_params(rec);
    uint8_t *out = ar_out(rec, 0);
    const ar_dim_t all = { pad->count, { 0, 1 } };
    ar_copy(&all, 1, ar_in(rec, 2), out, pad->size);
    ar_copy(pad->dim, pad->rank, ar_in(rec, 0), out + pad->start, pad->size);
    return AR_OK;
}

// An image, padded around its rows and columns: by rows.
typedef struct {
    ar_rows_t rows;
    uint32_t left, inner, whole; // bytes of a row of the output before the input's, of the input's, and all
    uint8_t fill;
} image_t;

static ar_status_t eval_image(const ar_run_t *run, const ar_rec_t *rec) {
    const image_t *image = ar_params(rec);
    const ar_rows_t *r = &image->rows;
    uint32_t y1 = run->y1 < r->out_h ? run->y1 : r->out_h;
    for (uint32_t y = run->y0; y < y1; y++) {
        uint8_t *out = (uint8_t *)ar_out(rec, 0) + ar_rows_place(y, r->out_held) * image->whole;
        int32_t from = (int32_t)y - r->before;
        if (from < 0 || from >= r->in_h) {
            memset(out, image->fill, image->whole);
            continue;
        }
        uint32_t after = image->left + image->inner;
        memset(out, image->fill, image->left);
        memcpy(out + image->left, ar_rows_in(rec, r, (uint32_t)from, image->inner), image->inner);
        memset(out + after, image->fill, image->whole - after);
    }
    return AR_OK;
}

// Before and after each dimension.
typedef struct {
    int32_t n[AR_MAX_RANK * 2];
} paddings_t;

// The space of the input inside the output, and where it starts, in elements.
static ar_status_t place(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out, paddings_t *pads, ar_space_t *s,
    uint32_t *start) {
    int32_t from[AR_MAX_RANK], to[AR_MAX_RANK];
    if (in->rank != out->rank) {
        return ar_refuse(p, "%I%A%O need %Tsame %Ds,%Apaddings two for each %D");
    }
    ar_status_t status = ar_const_ints(p, 1, "paddings, two for each dimension,", 2u * in->rank, pads->n);
    if (status != AR_OK) {
        return status;
    }
    ar_strides(in->dim, in->rank, from);
    ar_strides(out->dim, out->rank, to);
    s->rank = 0;
    *start = 0;
    for (unsigned i = 0; i < in->rank; i++) {
        int32_t before = pads->n[2 * i], after = pads->n[2 * i + 1];
        if (before < 0 || after < 0 || (int64_t)in->dim[i] + before + after != out->dim[i]) {
            return ar_refuse(p, "%D %u: %d%A%Tpaddings do not make %d", i, (int)in->dim[i], (int)out->dim[i]);
        }
        *start += (uint32_t)before * (uint32_t)to[i];
        ar_space_add(s, (uint32_t)in->dim[i], from[i], to[i]);
    }
    return AR_OK;
}

static bool is_image(const ar_tensor_t *in, const ar_tensor_t *out, int32_t before) {
    return in->rank == 4 && out->dim[0] == 1 && out->dim[3] == in->dim[3] && in->count && out->dim[1] <= 0x7fff && before <= AR_ROWS_MOST;
}

static ar_status_t prepare_image(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out, const paddings_t *pads, uint8_t fill) {
    image_t *image = ar_record(p, eval_image, sizeof(*image));
    if (!image) {
        return AR_NO_MEMORY;
    }
    uint32_t column = in->bytes / (uint32_t)(in->dim[1] * in->dim[2]);
    image->rows.in_h = (uint16_t)in->dim[1];
    image->rows.out_h = (uint16_t)out->dim[1];
    image->rows.window = image->rows.stride = 1;
    image->rows.before = (uint8_t)pads->n[2];
    image->left = (uint32_t)pads->n[4] * column;
    image->inner = (uint32_t)in->dim[2] * column;
    image->whole = (uint32_t)out->dim[2] * column;
    image->fill = fill;
    ar_by_rows(p, 1, 1);
    return AR_OK;
}

// Leave the zeros to the operator behind, if that is a convolution, and they reach at most as far as half its kernel. Not inlined: what
// is known of that operator is on the stack for no longer.
static __attribute__((noinline)) bool leave(ar_prep_t *p, const paddings_t *pads) {
    ar_prep_t next;
    ar_tensor_t weights;
    ar_frame_t frame;
    const ar_op_t *op = p->in.data || p->in.is_variable || p->out.is_variable ? NULL : ar_behind(p, &next);
    if (!op || (op->code != CONV_2D && op->code != DEPTHWISE_CONV_2D)
        || ar_option_byte(&next, CONV_2D_PADDING, PADDING_SAME) != PADDING_VALID) {
        return false;
    }
    ar_get_input(&next, 1, &weights);
    for (unsigned i = 0; i < 2; i++) {
        int32_t before = pads->n[2 + 2 * i], after = pads->n[3 + 2 * i], most = weights.dim[1 + i] / 2;
        if (before > most || after > most || most > AR_ROWS_MOST) {
            return false;
        }
        frame.before[i] = (uint8_t)before;
        frame.after[i] = (uint8_t)after;
    }
    ar_leave(p, frame);
    return true;
}

static ar_status_t prepare_pad(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out, ar_eval_t eval) {
    ar_space_t s;
    paddings_t pads;
    uint32_t start;
    uint8_t fill = (uint8_t)(in->type == AR_INT8 || in->type == AR_UINT8 ? out->zero_point : 0);
    ar_status_t status = place(p, in, out, &pads, &s, &start);
    if (status != AR_OK) {
        return status;
    }
    if (eval == eval_pad && is_image(in, out, pads.n[2])) {
        if (AR_HAS_FRAMES && leave(p, &pads)) {
            return ar_record(p, ar_nothing, 0) ? AR_OK : AR_NO_MEMORY;
        }
        return prepare_image(p, in, out, &pads, fill);
    }
    pad_t *pad = ar_record(p, eval, sizeof(*pad) + ar_space_bytes(&s));
    if (!pad) {
        return AR_NO_MEMORY;
    }
    pad->count = out->count;
    pad->size = (uint8_t)ar_type_size(in->type);
    pad->start = start * pad->size;
    pad->fill = fill;
    pad->rank = (uint8_t)s.rank;
    memcpy(pad->dim, s.dim, ar_space_bytes(&s));
    return AR_OK;
}

static ar_status_t same_quantization(ar_prep_t *p, const ar_tensor_t *a, const ar_tensor_t *b) {
    bool same = a->type == AR_FLOAT32 || (a->scale == b->scale && a->zero_point == b->zero_point);
    return same ? AR_OK : ar_refuse(p, "%I, value%A%O%V%Tsame scale%A%P");
}

ar_status_t ar_prepare_pad(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = same_quantization(p, in, out);
    }
    return status == AR_OK ? prepare_pad(p, in, out, eval_pad) : status;
}

ar_status_t ar_prepare_padv2(ar_prep_t *p) {
    if (p->n_in == 2) {
        return ar_prepare_pad(p);
    }
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_tensor_t value;
    ar_status_t status = ar_expect_io(p, 3, 3, 1);
    if (status == AR_OK) {
        status = ar_move_open(p, &p->in);
    }
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 2, &value);
    if (value.type != in->type || value.count != 1) {
        return ar_refuse(p, "%Tvalue%Mone, of %T%I's type");
    }
    status = same_quantization(p, in, out);
    if (status == AR_OK) {
        status = same_quantization(p, &value, out);
    }
    return status == AR_OK ? prepare_pad(p, in, out, eval_pad_with) : status;
}

// ---- MIRROR_PAD ------------------------------------------------------------------------------------------------------

typedef struct {
    int32_t before;
    int32_t after;
    int32_t n;                  // of the input
    int32_t whole;              // of the output
    int32_t stride;             // of the output
} side_t;

typedef struct {
    uint8_t size;
    uint8_t rank;
    uint8_t sides;
    uint8_t offset;             // 1: the edge is not repeated (REFLECT), 0: it is (SYMMETRIC)
    int32_t start;              // where the input's first element goes, in bytes
    side_t side[];              // then the dimensions of the input in the output
} mirror_t;

// Reflect along dimension k what stands in the output: dimensions behind it are whole by now, those before it are not.
// Both paddings start next to the input and go outwards, while what is read goes inwards.
static void reflect(const mirror_t *m, unsigned k, uint8_t *out) {
    ar_dim_t dim[AR_MAX_RANK];
    int32_t origin = 0;
    const side_t *s = m->side;
    for (unsigned i = 0; i < m->sides; i++) {
        dim[i] = (ar_dim_t) { (uint32_t)(i > k ? s[i].whole : s[i].n), { s[i].stride, s[i].stride } };
        origin += i < k ? s[i].before * s[i].stride : 0;
    }
    int32_t size = m->size, offset = m->offset, first = s[k].before, last = first + s[k].n - 1;
    dim[k] = (ar_dim_t) { (uint32_t)s[k].before, { s[k].stride, -s[k].stride } };
    ar_copy(dim, m->sides, out + (origin + (first + offset) * s[k].stride) * size,
        out + (origin + (first - 1) * s[k].stride) * size, m->size);
    dim[k] = (ar_dim_t) { (uint32_t)s[k].after, { -s[k].stride, s[k].stride } };
    ar_copy(dim, m->sides, out + (origin + (last - offset) * s[k].stride) * size,
        out + (origin + (last + 1) * s[k].stride) * size, m->size);
}

static ar_status_t eval_mirror(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const mirror_t *m = ar_params(rec);
    uint8_t *out = ar_out(rec, 0);
    ar_copy((const ar_dim_t *)(m->side + m->sides), m->rank, ar_in(rec, 0), out + m->start, m->size);
    for (unsigned k = m->sides; k-- > 0;) {
        reflect(m, k, out);
    }
    return AR_OK;
}

ar_status_t ar_prepare_mirror_pad(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_space_t s;
    paddings_t pads;
    uint32_t start;
    int32_t stride[AR_MAX_RANK];
    int8_t mode = ar_option_byte(p, MIRROR_PAD_MODE, MIRROR_REFLECT);
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = place(p, in, out, &pads, &s, &start);
    }
    if (status != AR_OK) {
        return status;
    }
    if (mode != MIRROR_REFLECT && mode != MIRROR_SYMMETRIC) {
        return ar_refuse(p, "mode %d is not known", (int)mode);
    }
    mirror_t *m = ar_record(p, eval_mirror, sizeof(*m) + in->rank * sizeof(side_t) + ar_space_bytes(&s));
    if (!m) {
        return AR_NO_MEMORY;
    }
    m->size = (uint8_t)ar_type_size(in->type);
    m->rank = (uint8_t)s.rank;
    m->sides = in->rank;
    m->offset = mode == MIRROR_REFLECT;
    m->start = (int32_t)start * m->size;
    memcpy(m->side + in->rank, s.dim, ar_space_bytes(&s));
    ar_strides(out->dim, out->rank, stride);
    for (unsigned i = 0; i < in->rank; i++) {
        int32_t before = pads.n[2 * i], after = pads.n[2 * i + 1], most = in->dim[i] - m->offset;
        if (before > most || after > most) {
            return ar_refuse(p, "%D %u: %d cannot be reflected %d%A%d times", i, (int)in->dim[i], (int)before, (int)after);
        }
        m->side[i] = (side_t) { before, after, in->dim[i], out->dim[i], stride[i] };
    }
    return AR_OK;
}
