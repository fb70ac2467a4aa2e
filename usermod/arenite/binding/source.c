// Where a model's bytes come from: a file that offers its memory (ROMFS) or any buffer is used in place; another file
// is read into the heap once.

#include "py/builtin.h"
#include "py/mperrno.h"
#include "py/stream.h"

#include "binding.h"

static mp_off_t file_size(mp_obj_t file) {
    int error;
    mp_off_t size = mp_stream_seek(file, 0, MP_SEEK_END, &error);
    if (size < 0 || mp_stream_seek(file, 0, MP_SEEK_SET, &error) < 0) {
        mp_raise_OSError(error);
    }
    return size;
}

static void read_file(mp_obj_t file, arenite_source_t *source) {
    source->size = (size_t)file_size(file);
    source->block_size = source->size ? source->size : 1;
    source->block = m_new_maybe(uint8_t, source->block_size);
    if (!source->block) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("model: needs %u bytes of heap; on ROMFS it needs none"),
            (unsigned)source->size);
    }
    int error;
    mp_uint_t got = mp_stream_rw(file, source->block, source->size, &error, MP_STREAM_RW_READ);
    if (error) {
        m_del(uint8_t, source->block, source->block_size);
        mp_raise_OSError(error);
    }
    // A file that has shrunk meanwhile is cut short, and the engine will say so.
    source->size = got;
    source->data = source->block;
}

void arenite_source_open(mp_obj_t from, arenite_source_t *source) {
    mp_buffer_info_t buf;
    *source = (arenite_source_t) { .owner = MP_OBJ_NULL };
    if (!mp_obj_is_str(from)) {
        mp_get_buffer_raise(from, &buf, MP_BUFFER_READ);
        source->owner = from;
        source->data = buf.buf;
        source->size = buf.len;
        return;
    }
    mp_obj_t args[2] = { from, MP_OBJ_NEW_QSTR(MP_QSTR_rb) };
    mp_obj_t file = mp_call_function_n_kw(MP_OBJ_FROM_PTR(&mp_builtin_open_obj), 2, 0, args);
    if (mp_get_buffer(file, &buf, MP_BUFFER_READ)) {
        source->owner = file;
        source->data = buf.buf;
        source->size = buf.len;
        return;
    }
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        read_file(file, source);
        nlr_pop();
        mp_stream_close(file);
    } else {
        mp_stream_close(file);
        nlr_jump(nlr.ret_val);
    }
}

void arenite_source_close(arenite_source_t *source) {
    if (source->block) {
        m_del(uint8_t, source->block, source->block_size);
    }
    *source = (arenite_source_t) { .owner = MP_OBJ_NULL };
}

bool arenite_buffer_is_at(mp_obj_t owner, const void *data, size_t size) {
    mp_buffer_info_t buf;
    return mp_get_buffer(owner, &buf, MP_BUFFER_READ) && buf.buf == data && buf.len >= size;
}
