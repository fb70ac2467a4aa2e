// arenite.Tensor: what a model reads and writes, in place.

#include "py/binary.h"
#include "py/objarray.h"
#include "py/objstr.h"
#include "py/unicode.h"

#include "binding.h"

mp_obj_t arenite_tensor_new(arenite_model_obj_t *model, const ar_tensor_t *t, void *data, bool is_input) {
    arenite_tensor_obj_t *self = mp_obj_malloc(arenite_tensor_obj_t, &arenite_tensor_type);
    self->model = model;
    self->data = data;
    self->bytes = t->bytes;
    self->index = t->index;
    self->type = t->type;
    self->is_input = is_input;
    return MP_OBJ_FROM_PTR(self);
}

void arenite_tensor_describe(const arenite_tensor_obj_t *self, ar_tensor_t *t) {
    arenite_model_check(self->model);
    if (!ar_tensor(&self->model->model, self->index, t) || t->type != self->type || t->bytes != self->bytes) {
        arenite_raise_changed();
    }
}

// The same, where what it holds is asked for. An input may be written to at any time.
void arenite_tensor_describe_data(const arenite_tensor_obj_t *self, ar_tensor_t *t) {
    arenite_tensor_describe(self, t);
    if (!self->data) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("input 0: fed by rows, and never whole: use feed(rows)"));
    }
    if (!self->is_input) {
        arenite_model_check_holds(self->model);
    }
}

char arenite_typecode(unsigned type) {
    switch (type) {
        case AR_FLOAT32:
            return 'f';
        case AR_INT8:
            return 'b';
        case AR_INT16:
            return 'h';
        case AR_UINT16:
            return 'H';
        case AR_INT32:
            return 'i';
        case AR_UINT32:
            return 'I';
        case AR_INT64:
            return 'q';
        default:
            return 'B';
    }
}

// Names are whatever bytes the file has; strings are UTF-8.
mp_obj_t arenite_tensor_name(const ar_tensor_t *t, size_t longest) {
    size_t length = t->name_len < longest ? t->name_len : longest;
    if (utf8_check((const byte *)t->name, length)) {
        return mp_obj_new_str(t->name, length);
    }
    vstr_t text;
    vstr_init_len(&text, length);
    for (size_t i = 0; i < length; i++) {
        text.buf[i] = t->name[i] & 0x80 ? '?' : t->name[i];
    }
    return mp_obj_new_str_from_vstr(&text);
}

static mp_obj_t shape_of(const ar_tensor_t *t) {
    mp_obj_t dims[AR_MAX_RANK];
    for (unsigned i = 0; i < t->rank; i++) {
        dims[i] = mp_obj_new_int(t->dim[i]);
    }
    return mp_obj_new_tuple(t->rank, dims);
}

static mp_obj_t scale_of(const ar_tensor_t *t) {
    if (t->n_scales <= 1) {
        return mp_obj_new_float((mp_float_t)t->scale);
    }
    mp_obj_tuple_t *scales = MP_OBJ_TO_PTR(mp_obj_new_tuple(t->n_scales, NULL));
    for (uint32_t i = 0; i < t->n_scales; i++) {
        scales->items[i] = mp_obj_new_float((mp_float_t)ar_scale(t, i));
    }
    return MP_OBJ_FROM_PTR(scales);
}

static mp_obj_t dtype_of(const ar_tensor_t *t) {
    const char *name = ar_type_name(t->type);
    return mp_obj_new_str(name, strlen(name));
}

static void tensor_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    arenite_tensor_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (!self->model->open) {
        mp_print_str(print, "Tensor(closed)");
        return;
    }
    ar_tensor_t t;
    arenite_tensor_describe(self, &t);
    mp_print_str(print, "Tensor(");
    mp_obj_print_helper(print, arenite_tensor_name(&t, SIZE_MAX), PRINT_REPR);
    mp_print_str(print, ", shape=");
    mp_obj_print_helper(print, shape_of(&t), PRINT_REPR);
    mp_printf(print, ", dtype='%s'", ar_type_name(t.type));
    if (t.n_scales) {
        mp_print_str(print, ", scale=");
        mp_obj_print_helper(print, scale_of(&t), PRINT_REPR);
        mp_printf(print, ", zero_point=%d", (int)t.zero_point);
    }
    mp_print_str(print, ")");
}

static void tensor_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return;
    }
    ar_tensor_t t;
    arenite_tensor_describe(MP_OBJ_TO_PTR(self_in), &t);
    switch (attr) {
        case MP_QSTR_name:
            dest[0] = arenite_tensor_name(&t, SIZE_MAX);
            break;
        case MP_QSTR_shape:
            dest[0] = shape_of(&t);
            break;
        case MP_QSTR_dtype:
            dest[0] = dtype_of(&t);
            break;
        case MP_QSTR_scale:
            dest[0] = scale_of(&t);
            break;
        case MP_QSTR_zero_point:
            dest[0] = mp_obj_new_int(t.zero_point);
            break;
        case MP_QSTR_nbytes:
            dest[0] = mp_obj_new_int_from_uint(t.bytes);
            break;
        default:
            dest[1] = MP_OBJ_SENTINEL;
    }
}

static mp_obj_t element(const ar_tensor_t *t, const void *data, size_t i) {
    if (t->type == AR_BOOL) {
        return mp_obj_new_bool(((const uint8_t *)data)[i]);
    }
    return mp_binary_get_val_array(arenite_typecode(t->type), (void *)data, i);
}

static mp_obj_t tensor_subscr(mp_obj_t self_in, mp_obj_t index, mp_obj_t value) {
    arenite_tensor_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (value != MP_OBJ_SENTINEL) {
        return MP_OBJ_NULL; // store and delete: memoryview(t) and set() are for that
    }
    ar_tensor_t t;
    arenite_tensor_describe_data(self, &t);
    return element(&t, self->data, mp_get_index(&arenite_tensor_type, t.count, index, false));
}

typedef struct {
    mp_obj_base_t base;
    mp_fun_1_t iternext;
    arenite_tensor_obj_t *tensor;
    size_t next;
} iterator_t;

static mp_obj_t iterator_next(mp_obj_t self_in) {
    iterator_t *self = MP_OBJ_TO_PTR(self_in);
    ar_tensor_t t;
    arenite_tensor_describe_data(self->tensor, &t);
    return self->next < t.count ? element(&t, self->tensor->data, self->next++) : MP_OBJ_STOP_ITERATION;
}

static mp_obj_t tensor_iter(mp_obj_t self_in, mp_obj_iter_buf_t *buf) {
    MP_STATIC_ASSERT(sizeof(iterator_t) <= sizeof(mp_obj_iter_buf_t));
    iterator_t *iterator = (iterator_t *)buf;
    iterator->base.type = &mp_type_polymorph_iter;
    iterator->iternext = iterator_next;
    iterator->tensor = MP_OBJ_TO_PTR(self_in);
    iterator->next = 0;
    return MP_OBJ_FROM_PTR(iterator);
}

static mp_obj_t tensor_unary(mp_unary_op_t op, mp_obj_t self_in) {
    ar_tensor_t t;
    if (op == MP_UNARY_OP_BOOL) {
        return mp_const_true;
    }
    if (op != MP_UNARY_OP_LEN) {
        return MP_OBJ_NULL;
    }
    arenite_tensor_describe(MP_OBJ_TO_PTR(self_in), &t);
    return mp_obj_new_int_from_uint(t.count);
}

static mp_int_t tensor_buffer(mp_obj_t self_in, mp_buffer_info_t *buf, mp_uint_t flags) {
    arenite_tensor_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if ((flags & MP_BUFFER_WRITE) && !self->is_input) {
        return 1;
    }
    ar_tensor_t t;
    arenite_tensor_describe_data(self, &t);
    buf->buf = self->data;
    buf->len = t.bytes;
    buf->typecode = arenite_typecode(t.type);
    return 0;
}

static bool greater(const arenite_tensor_obj_t *self, size_t a, size_t b) {
    // Floats do not hold every value of these.
    switch (self->type) {
        case AR_INT32:
            return ((const int32_t *)self->data)[a] > ((const int32_t *)self->data)[b];
        case AR_UINT32:
            return ((const uint32_t *)self->data)[a] > ((const uint32_t *)self->data)[b];
        case AR_INT64:
            return ((const int64_t *)self->data)[a] > ((const int64_t *)self->data)[b];
        default: {
            char typecode = arenite_typecode(self->type);
            return arenite_sample(typecode, self->data, a) > arenite_sample(typecode, self->data, b);
        }
    }
}

static mp_obj_t tensor_argmax(mp_obj_t self_in) {
    arenite_tensor_obj_t *self = MP_OBJ_TO_PTR(self_in);
    ar_tensor_t t;
    arenite_tensor_describe_data(self, &t);
    size_t best = 0;
    for (size_t i = 1; i < t.count; i++) {
        if (greater(self, i, best)) {
            best = i;
        }
    }
    return mp_obj_new_int_from_uint(best);
}
static MP_DEFINE_CONST_FUN_OBJ_1(tensor_argmax_obj, tensor_argmax);

static mp_obj_t tensor_set(size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    mp_obj_t from;
    float scale, offset;
    arenite_parse_samples(n_args - 1, args + 1, kw, &from, &scale, &offset);
    arenite_tensor_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    arenite_model_check_idle(self->model);
    if (!self->is_input) {
        mp_raise_TypeError(MP_ERROR_TEXT("only an input can be set"));
    }
    arenite_set(self, from, scale, offset);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(tensor_set_obj, 1, tensor_set);

static mp_obj_t tensor_dequantize(mp_obj_t self_in) {
    arenite_tensor_obj_t *self = MP_OBJ_TO_PTR(self_in);
    ar_tensor_t t;
    arenite_tensor_describe_data(self, &t);
    mp_obj_array_t *array = mp_obj_malloc(mp_obj_array_t, &mp_type_array);
    array->typecode = 'f';
    array->free = 0;
    array->len = t.count;
    array->items = m_new(float, t.count);
    char typecode = arenite_typecode(t.type);
    for (size_t i = 0; i < t.count; i++) {
        float v = arenite_sample(typecode, self->data, i);
        uint32_t c = arenite_channel(&t, i);
        ((float *)array->items)[i] = t.n_scales ? ar_scale(&t, c) * (v - (float)ar_zero_point(&t, c)) : v;
    }
    return MP_OBJ_FROM_PTR(array);
}
static MP_DEFINE_CONST_FUN_OBJ_1(tensor_dequantize_obj, tensor_dequantize);

static const mp_rom_map_elem_t tensor_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_argmax), MP_ROM_PTR(&tensor_argmax_obj) },
    { MP_ROM_QSTR(MP_QSTR_set), MP_ROM_PTR(&tensor_set_obj) },
    { MP_ROM_QSTR(MP_QSTR_dequantize), MP_ROM_PTR(&tensor_dequantize_obj) },
};
static MP_DEFINE_CONST_DICT(tensor_locals, tensor_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    arenite_tensor_type,
    MP_QSTR_Tensor,
    MP_TYPE_FLAG_ITER_IS_GETITER,
    print, tensor_print,
    attr, tensor_attr,
    subscr, tensor_subscr,
    iter, tensor_iter,
    unary_op, tensor_unary,
    buffer, tensor_buffer,
    locals_dict, &tensor_locals
    );
