// Tensors: what the file says of them, checked.

#include "engine/bytes.h"
#include "engine/error.h"
#include "engine/graph.h"

unsigned ar_type_size(unsigned type) {
    static const uint8_t size[] = { 4, 0, 4, 1, 8, 0, 1, 2, 0, 1, 0, 0, 0, 4, 0, 4, 2, 0 };
    return type < sizeof(size) ? size[type] : 0;
}

const char *ar_type_name(unsigned type) {
    static const char names[] =
        "float32\0float16\0int32\0uint8\0int64\0string\0bool\0int16\0complex64\0int8\0float64\0complex128\0uint64\0"
        "resource\0variant\0uint32\0uint16\0int4\0";
    const char *name = ar_nth_name(names, type);
    return *name ? name : "?";
}

static ar_status_t bad_tensor(ar_error_t *err, const ar_tensor_t *t, const char *what) {
    return ar_damaged(err, "tensor %u %s", (unsigned)t->index, what);
}

static ar_status_t read_shape(const fb_file_t *f, const fb_vector_t *shape, ar_tensor_t *t, ar_error_t *err) {
    if (shape->length > AR_MAX_RANK) {
        return ar_fail(err, AR_UNSUPPORTED, "tensor %u: %N8 %Ds", (unsigned)t->index);
    }
    t->rank = (uint8_t)shape->length;
    bool halves = t->type == AR_INT4; // two to a byte
    uint64_t bytes = halves ? 1 : ar_type_size(t->type);
    bool empty = false;
    for (uint32_t i = 0; i < t->rank; i++) {
        int32_t dim = ar_i32(f->data + shape->pos + 4 * i);
        if (dim < 0) {
            return bad_tensor(err, t, "has a negative dimension: convert the model with a fixed shape");
        }
        t->dim[i] = dim;
        // The other dimensions of an empty tensor are bounded too, so that no product of dimensions overflows.
        empty = empty || dim == 0;
        bytes *= dim ? (uint32_t)dim : 1;
        if (bytes > 0x3fffffff) {
            return bad_tensor(err, t, "is larger than 1 GB");
        }
    }
    bytes = empty ? 0 : bytes;
    t->bytes = (uint32_t)(halves ? (bytes + 1) / 2 : bytes);
    t->count = (uint32_t)(halves ? bytes : bytes / ar_type_size(t->type));
    return AR_OK;
}

// Word loads from constants need alignment on some cores, and the compiler may pair them on all.
static bool aligned(const void *p, unsigned size) {
    return size < 2 || ((uintptr_t)p & ((size > 4 ? 4 : size) - 1)) == 0;
}

static ar_status_t read_buffer(const ar_graph_t *g, uint32_t buffer, ar_tensor_t *t, ar_error_t *err) {
    fb_table_t table;
    fb_vector_t data;
    t->data = NULL;
    if (buffer == 0) {
        return AR_OK; // by convention the empty buffer
    }
    if (!fb_table_at(&g->file, &g->buffers, buffer, &table)
        || !fb_vector(&table, BUFFER_DATA, 1, &data)) {
        return bad_tensor(err, t, "data runs past the file");
    }
    if (fb_field(&table, BUFFER_OFFSET, 8)) {
        return ar_fail(err, AR_UNSUPPORTED, "tensor %u: data outside %TFlatBuffer%S", (unsigned)t->index);
    }
    if (data.length == 0) {
        return AR_OK;
    }
    if (data.length != t->bytes) {
        return bad_tensor(err, t, "data and shape disagree");
    }
    t->data = g->file.data + data.pos;
    if (!aligned(t->data, ar_type_size(t->type))) {
        return bad_tensor(err, t, "data is not aligned: deploy the file with 'arenite romfs', or load it into RAM");
    }
    return AR_OK;
}

static ar_status_t read_quantization(const fb_file_t *f, const fb_table_t *tensor, ar_tensor_t *t, ar_error_t *err) {
    fb_table_t q;
    fb_vector_t scale, zero;
    t->n_scales = 0;
    t->scale = 0;
    t->zero_point = 0;
    if (!fb_subtable(tensor, TENSOR_QUANTIZATION, &q)
        || !fb_vector(&q, QUANTIZATION_SCALE, 4, &scale)
        || !fb_vector(&q, QUANTIZATION_ZERO_POINT, 8, &zero)) {
        return bad_tensor(err, t, "quantization runs past the file");
    }
    if (scale.length == 0) {
        return AR_OK;
    }
    if (zero.length != 0 && zero.length != scale.length) {
        return bad_tensor(err, t, "has not as many zero points as scales");
    }
    t->n_scales = scale.length;
    t->scales = f->data + scale.pos;
    t->zero_points = zero.length ? f->data + zero.pos : NULL;
    t->quantized_dim = fb_int(&q, QUANTIZATION_QUANTIZED_DIMENSION, 0);
    t->scale = ar_scale(t, 0);
    t->zero_point = ar_zero_point(t, 0);
    return AR_OK;
}

ar_status_t ar_graph_tensor(const ar_graph_t *g, uint32_t index, ar_tensor_t *t, ar_error_t *err) {
    const fb_file_t *f = &g->file;
    fb_table_t table;
    fb_vector_t shape, name;
    t->index = (uint16_t)index;
    if (!fb_table_at(f, &g->tensors, index, &table)
        || !fb_vector(&table, TENSOR_SHAPE, 4, &shape)
        || !fb_vector(&table, TENSOR_NAME, 1, &name)) {
        return ar_damaged(err, "tensor %u runs past %Tfile", (unsigned)index);
    }
    t->type = fb_byte(&table, TENSOR_TYPE, AR_FLOAT32);
    t->name = (const char *)f->data + name.pos;
    t->name_len = name.length;
    t->is_variable = fb_byte(&table, TENSOR_IS_VARIABLE, 0) != 0;
    if (ar_type_size(t->type) == 0 && t->type != AR_INT4) {
        return ar_fail(err, AR_UNSUPPORTED, "tensor %u: type %s%S", (unsigned)index, ar_type_name(t->type));
    }
    if (fb_field(&table, TENSOR_SPARSITY, 4)) {
        return ar_fail(err, AR_UNSUPPORTED, "tensor %u: sparse data%S", (unsigned)index);
    }
    ar_status_t status = read_shape(f, &shape, t, err);
    if (status == AR_OK) {
        status = read_buffer(g, (uint32_t)fb_int(&table, TENSOR_BUFFER, 0), t, err);
    }
    return status == AR_OK ? read_quantization(f, &table, t, err) : status;
}

float ar_scale(const ar_tensor_t *t, uint32_t i) {
    return i < t->n_scales ? ar_f32(t->scales + 4 * i) : 0;
}

int32_t ar_zero_point(const ar_tensor_t *t, uint32_t i) {
    if (i >= t->n_scales || !t->zero_points) {
        return 0;
    }
    int64_t zero = ar_i64(t->zero_points + 8 * i);
    return zero < INT32_MIN ? INT32_MIN : zero > INT32_MAX ? INT32_MAX : (int32_t)zero;
}
