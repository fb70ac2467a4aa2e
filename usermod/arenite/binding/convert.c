// From any buffer of numbers to a tensor's type.

#include <math.h>
#include <string.h>

#include "py/binary.h"

#include "binding.h"

// array, memoryview and struct name element types by these letters; bytes and bytearray have two of their own for "no
// type in particular".
static bool is_untyped(char typecode) {
    return typecode == 'B' || typecode == BYTEARRAY_TYPECODE;
}

bool arenite_typecode_known(char typecode) {
    return typecode == BYTEARRAY_TYPECODE || (typecode && strchr("bBhHiIlLqQfd", typecode));
}

float arenite_sample(char typecode, const void *data, size_t i) {
    switch (typecode) {
        case 'b':
            return (float)((const int8_t *)data)[i];
        case 'h':
            return (float)((const int16_t *)data)[i];
        case 'H':
            return (float)((const uint16_t *)data)[i];
        case 'i':
            return (float)((const int *)data)[i];
        case 'I':
            return (float)((const unsigned *)data)[i];
        case 'l':
            return (float)((const long *)data)[i];
        case 'L':
            return (float)((const unsigned long *)data)[i];
        case 'q':
            return (float)((const int64_t *)data)[i];
        case 'Q':
            return (float)((const uint64_t *)data)[i];
        case 'f':
            return ((const float *)data)[i];
        case 'd':
            return (float)((const double *)data)[i];
        default:
            return (float)((const uint8_t *)data)[i];
    }
}

// Rounded to nearest, half away from zero, and saturated; a NaN becomes the lowest value.
static float clamp(float v, float low, float high) {
    v = roundf(v);
    return v >= high ? high : v > low ? v : low;
}

// The largest floats below 2^31, 2^32 and 2^63.
#define INT32_TOP (2147483520.0f)
#define UINT32_TOP (4294967040.0f)
#define INT64_TOP (9223371487098961920.0f)

// Channel of element i, for tensors quantized per channel.
uint32_t arenite_channel(const ar_tensor_t *t, size_t i) {
    if (t->n_scales <= 1 || t->quantized_dim < 0 || t->quantized_dim >= t->rank) {
        return 0;
    }
    for (unsigned d = t->rank; d-- > (unsigned)t->quantized_dim + 1;) {
        i /= (size_t)t->dim[d];
    }
    return (uint32_t)(i % (size_t)t->dim[t->quantized_dim]);
}

static float quantized(const ar_tensor_t *t, size_t i, float real) {
    uint32_t c = arenite_channel(t, i);
    return roundf(real / (c ? ar_scale(t, c) : t->scale)) + (float)(c ? ar_zero_point(t, c) : t->zero_point);
}

void arenite_store(const ar_tensor_t *t, void *data, size_t i, float real) {
    float v = t->n_scales ? quantized(t, i, real) : real;
    switch (t->type) {
        case AR_FLOAT32:
            ((float *)data)[i] = real;
            break;
        case AR_INT8:
            ((int8_t *)data)[i] = (int8_t)clamp(v, -128, 127);
            break;
        case AR_UINT8:
            ((uint8_t *)data)[i] = (uint8_t)clamp(v, 0, 255);
            break;
        case AR_BOOL:
            ((uint8_t *)data)[i] = v != 0;
            break;
        case AR_INT16:
            ((int16_t *)data)[i] = (int16_t)clamp(v, -32768, 32767);
            break;
        case AR_UINT16:
            ((uint16_t *)data)[i] = (uint16_t)clamp(v, 0, 65535);
            break;
        case AR_INT64:
            ((int64_t *)data)[i] = (int64_t)clamp(v, -9223372036854775808.0f, INT64_TOP);
            break;
        case AR_UINT32:
            ((uint32_t *)data)[i] = (uint32_t)clamp(v, 0, UINT32_TOP);
            break;
        default:
            ((int32_t *)data)[i] = (int32_t)clamp(v, -2147483648.0f, INT32_TOP);
            break;
    }
}

static bool typecode_is(const mp_buffer_info_t *buf, const ar_tensor_t *t) {
    return buf->typecode == arenite_typecode(t->type);
}

static size_t samples(const mp_buffer_info_t *buf) {
    char typecode = (char)buf->typecode;
    return buf->len / (is_untyped(typecode) ? 1 : mp_binary_get_size('@', typecode, NULL));
}

// Whether no sample is written over before it is read, from the first to the last or back: the distance between a sample and
// where it goes grows evenly, so that the ends tell.
static bool keeps(ptrdiff_t distance, ptrdiff_t growth, size_t n, bool backwards) {
    ptrdiff_t first = distance + growth, last = distance + growth * (ptrdiff_t)(n - 1);
    return n < 2 || (backwards ? first <= 0 && last <= 0 : first >= 0 && last >= 0);
}

// Samples may lie in the same memory: outputs that become inputs.
static void store_all(arenite_tensor_obj_t *tensor, const ar_tensor_t *t, const mp_buffer_info_t *buf, float scale, float offset) {
    const uint8_t *from = buf->buf;
    void *to = tensor->data;
    ptrdiff_t distance = from - (const uint8_t *)to;
    ptrdiff_t growth = (ptrdiff_t)(t->count ? buf->len / t->count : 0) - (ptrdiff_t)ar_type_size(t->type);
    bool apart = distance >= (ptrdiff_t)t->bytes || -distance >= (ptrdiff_t)buf->len;
    bool forwards = apart || keeps(distance, growth, t->count, false);
    if (!forwards && !keeps(distance, growth, t->count, true)) {
        mp_raise_ValueError(MP_ERROR_TEXT("buffer lies where the tensor lies: copy it first"));
    }
    arenite_model_hold(tensor->model);
    for (size_t k = 0; k < t->count; k++) {
        size_t i = forwards ? k : t->count - 1 - k;
        arenite_store(t, to, i, scale * arenite_sample((char)buf->typecode, from, i) + offset);
    }
}

static const char *short_name(const ar_tensor_t *t) {
    return mp_obj_str_get_str(arenite_tensor_name(t, 32));
}

bool arenite_parse_samples(size_t n_args, const mp_obj_t *args, mp_map_t *kw, mp_obj_t *from, float *scale, float *offset) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_buffer, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_obj = MP_OBJ_NULL } },
        { MP_QSTR_scale, MP_ARG_OBJ, { .u_obj = MP_OBJ_NULL } },
        { MP_QSTR_offset, MP_ARG_OBJ, { .u_obj = MP_OBJ_NULL } },
    };
    mp_arg_val_t val[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, args, kw, MP_ARRAY_SIZE(allowed), allowed, val);
    *from = val[0].u_obj;
    *scale = val[1].u_obj == MP_OBJ_NULL ? 1 : mp_obj_get_float_to_f(val[1].u_obj);
    *offset = val[2].u_obj == MP_OBJ_NULL ? 0 : mp_obj_get_float_to_f(val[2].u_obj);
    return val[1].u_obj != MP_OBJ_NULL || val[2].u_obj != MP_OBJ_NULL;
}

// "input 0 'image': needs 784 int8, got ..."
static MP_NORETURN void refuse_input(unsigned number, const ar_tensor_t *t, const mp_obj_type_t *type, size_t got, const char *unit) {
    mp_raise_msg_varg(type, MP_ERROR_TEXT("input %u '%s': needs %u %s, got %u %s"), number, short_name(t), (unsigned)t->count, ar_type_name(t->type), (unsigned)got, unit);
}

static MP_NORETURN void refuse_typecode(unsigned number, const ar_tensor_t *t, const mp_buffer_info_t *buf, const char *cure) {
    mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("input %u '%s': needs %u %s, got %u of type '%c': %s"), number, short_name(t),
        (unsigned)t->count, ar_type_name(t->type),
        (unsigned)(arenite_typecode_known((char)buf->typecode) ? samples(buf) : buf->len), buf->typecode, cure);
}

void arenite_fill(arenite_tensor_obj_t *tensor, unsigned number, mp_obj_t from) {
    ar_tensor_t t;
    mp_buffer_info_t buf;
    arenite_tensor_describe(tensor, &t);
    if (!mp_get_buffer(from, &buf, MP_BUFFER_READ)) {
        mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("input %u '%s': needs a buffer of %u %s, got %s"), number,
            short_name(&t), (unsigned)t.count, ar_type_name(t.type), mp_obj_get_type_str(from));
    }
    char typecode = (char)buf.typecode;
    if (typecode_is(&buf, &t) || is_untyped(typecode)) {
        if (buf.len != t.bytes) {
            refuse_input(number, &t, &mp_type_ValueError, buf.len, "bytes");
        }
        arenite_model_hold(tensor->model);
        memmove(tensor->data, buf.buf, t.bytes);
    } else if (typecode == 'f' && t.n_scales) {
        if (samples(&buf) != t.count) {
            refuse_input(number, &t, &mp_type_ValueError, samples(&buf), "floats");
        }
        store_all(tensor, &t, &buf, 1, 0);
    } else {
        refuse_typecode(number, &t, &buf, "see Tensor.set");
    }
}

void arenite_set(arenite_tensor_obj_t *tensor, mp_obj_t from, float scale, float offset) {
    ar_tensor_t t;
    mp_buffer_info_t buf;
    arenite_tensor_describe_data(tensor, &t);
    mp_get_buffer_raise(from, &buf, MP_BUFFER_READ);
    if (!arenite_typecode_known((char)buf.typecode)) {
        mp_raise_TypeError(MP_ERROR_TEXT("buffer of numbers needed"));
    }
    if (samples(&buf) != t.count) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("tensor '%s': needs %u samples, got %u"), short_name(&t),
            (unsigned)t.count, (unsigned)samples(&buf));
    }
    if (typecode_is(&buf, &t) && !t.n_scales && scale == 1 && offset == 0) {
        arenite_model_hold(tensor->model);
        memmove(tensor->data, buf.buf, t.bytes); // integers that a float does not hold stay what they are
    } else {
        store_all(tensor, &t, &buf, scale, offset);
    }
}

// ---- rows ------------------------------------------------------------------------------------------------------------

static void take_row(ar_feed_t *feed, void *to, uint32_t bytes) {
    arenite_rows_t *rows = (arenite_rows_t *)feed;
    const mp_buffer_info_t *buf = &rows->buf;
    if (!arenite_buffer_is_at(rows->from, buf->buf, buf->len)) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("rows: moved or shrunk while they were fed"));
    }
    if (rows->raw) {
        memcpy(to, (const uint8_t *)buf->buf + rows->at, bytes);
    }
    for (uint32_t i = 0; !rows->raw && i < rows->row; i++) {
        arenite_store(&rows->t, to, i, rows->scale * arenite_sample((char)buf->typecode, buf->buf, rows->at + i) + rows->offset);
    }
    rows->at += rows->row;
}

void arenite_rows_open(arenite_rows_t *rows, arenite_model_obj_t *model, bool all, size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    bool scaled = arenite_parse_samples(n_args, args, kw, &rows->from, &rows->scale, &rows->offset);
    uint32_t bytes, left = ar_feed_wants(&model->model, &bytes);
    mp_obj_tuple_t *inputs = MP_OBJ_TO_PTR(model->inputs);
    ar_tensor_t *t = &rows->t;
    arenite_tensor_describe(MP_OBJ_TO_PTR(inputs->items[0]), t);
    mp_get_buffer_raise(rows->from, &rows->buf, MP_BUFFER_READ);
    char typecode = (char)rows->buf.typecode;
    rows->raw = !scaled && (typecode_is(&rows->buf, t) || is_untyped(typecode));
    if (!rows->raw && !(scaled ? arenite_typecode_known(typecode) : typecode == 'f' && t->n_scales)) {
        refuse_typecode(0, t, &rows->buf, "give feed a scale");
    }
    size_t got = rows->raw ? rows->buf.len : samples(&rows->buf);
    rows->row = rows->raw ? bytes : bytes / ar_type_size(t->type);
    left = all ? t->bytes / bytes : left;
    uint32_t n = (uint32_t)(got / rows->row);
    if (n == 0 || got % rows->row || n > left || (all && n < left)) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("input 0 '%s': needs %s%u rows of %u %s, got %u"), short_name(t),
            all ? "" : "up to ", (unsigned)left, (unsigned)rows->row, rows->raw ? "bytes" : "samples", (unsigned)got);
    }
    rows->feed = (ar_feed_t) { take_row, n };
    rows->at = 0;
}
