// PAD: zeros (the zero point) around the input.

#include <string.h>

#include "engine/bytes.h"
#include "ops/walk.h"

typedef struct {
    uint32_t bytes;             // of the output
    uint32_t start;             // where the input's first element goes, in bytes
    uint8_t size;               // of an element
    uint8_t rank;
    uint8_t fill;               // every byte of a padding element: the zero point, or 0
    ar_dim_t dim[];
} pad_t;

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const pad_t *pad = ar_params(rec);
    uint8_t *out = ar_out(rec, 0);
    memset(out, pad->fill, pad->bytes);
    ar_copy(pad->dim, pad->rank, ar_in(rec, 0), out + pad->start, pad->size);
    return AR_OK;
}

static int64_t padding_at(const ar_tensor_t *paddings, unsigned i) {
    return paddings->type == AR_INT64 ? ar_i64(paddings->data + 8 * i) : ar_i32(paddings->data + 4 * i);
}

// The space of the input inside the output, and where it starts.
static ar_status_t place(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *paddings, const ar_tensor_t *out, ar_space_t *s,
    uint32_t *start) {
    int32_t from[AR_MAX_RANK], to[AR_MAX_RANK];
    ar_strides(in->dim, in->rank, from);
    ar_strides(out->dim, out->rank, to);
    s->rank = 0;
    *start = 0;
    for (unsigned i = 0; i < in->rank; i++) {
        int64_t before = padding_at(paddings, 2 * i), after = padding_at(paddings, 2 * i + 1);
        if (before < 0 || after < 0 || before > out->dim[i] || after > out->dim[i] || in->dim[i] + before + after != out->dim[i]) {
            return ar_refuse(p, "dimension %u: %d and the paddings do not make %d", i, (int)in->dim[i], (int)out->dim[i]);
        }
        *start += (uint32_t)before * (uint32_t)to[i];
        ar_space_add(s, (uint32_t)in->dim[i], from[i], to[i]);
    }
    return AR_OK;
}

ar_status_t ar_prepare_pad(ar_prep_t *p) {
    ar_tensor_t in, paddings, out;
    ar_status_t status = ar_expect_io(p, 2, 2, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 0, &in);
    ar_get_input(p, 1, &paddings);
    ar_get_output(p, 0, &out);
    if (in.type != out.type || (in.type != AR_INT8 && in.type != AR_FLOAT32)) {
        return ar_unsupported(p, "input %s, output %s is not supported", ar_type_name(in.type), ar_type_name(out.type));
    }
    if ((paddings.type != AR_INT32 && paddings.type != AR_INT64) || paddings.count != 2u * in.rank || in.rank != out.rank) {
        return ar_refuse(p, "paddings must be int32 or int64, two for each dimension");
    }
    if (!paddings.data) {
        return ar_unsupported(p, "paddings that are computed are not supported: make them constant");
    }
    if (in.type == AR_INT8 && (!ar_is_quantized(&out) || out.zero_point != in.zero_point || out.scale != in.scale)) {
        return ar_refuse(p, "input and output must have the same scale and zero point");
    }
    ar_space_t s;
    uint32_t start;
    status = place(p, &in, &paddings, &out, &s, &start);
    if (status != AR_OK) {
        return status;
    }
    pad_t *pad = ar_record(p, eval, sizeof(*pad) + ar_space_bytes(&s));
    if (!pad) {
        return AR_NO_MEMORY;
    }
    pad->bytes = out.bytes;
    pad->size = (uint8_t)ar_type_size(in.type);
    pad->start = start * pad->size;
    pad->fill = in.type == AR_INT8 ? (uint8_t)out.zero_point : 0;
    pad->rank = (uint8_t)s.rank;
    memcpy(pad->dim, s.dim, ar_space_bytes(&s));
    return AR_OK;
}
