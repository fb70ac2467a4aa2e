// Where a model's bytes come from: a file that offers its memory (ROMFS) or any buffer is used in place; another file
// is read into the heap once.

#include <string.h>

#include "py/builtin.h"
#include "py/objarray.h"

#include "binding.h"

// Files are asked through their Python methods: a filesystem may be written in Python (mpremote mount is).
static mp_int_t seek_file(mp_obj_t file, mp_int_t offset, mp_int_t whence) {
    mp_obj_t args[4];
    mp_load_method(file, MP_QSTR_seek, args);
    args[2] = MP_OBJ_NEW_SMALL_INT(offset);
    args[3] = MP_OBJ_NEW_SMALL_INT(whence);
    return mp_obj_get_int(mp_call_method_n_kw(2, 0, args));
}

static void close_file(mp_obj_t file) {
    mp_obj_t args[2];
    mp_load_method(file, MP_QSTR_close, args);
    mp_call_method_n_kw(0, 0, args);
}

// Where a file may write what comes next. The memoryview has the block's start and an offset, as far as that has room for
// it, so that it keeps the block should the file keep it.
static mp_obj_t rest_of(uint8_t *block, size_t done, size_t size) {
    size_t most = ((size_t)1 << (MP_OBJ_ARRAY_FREE_SIZE_BITS - 1)) - 1, offset = done < most ? done : 0;
    mp_obj_t view = mp_obj_new_memoryview(0x80 | 'B', size - done, block + (done - offset)); // 0x80: writable
    ((mp_obj_array_t *)MP_OBJ_TO_PTR(view))->free = offset;
    return view;
}

// Read what there is, up to size bytes: a call may return less than it is asked for.
static size_t read_into(mp_obj_t file, uint8_t *to, size_t size) {
    size_t done = 0;
    while (done < size) {
        mp_obj_t args[3];
        mp_load_method(file, MP_QSTR_readinto, args);
        args[2] = rest_of(to, done, size);
        mp_obj_t got = mp_call_method_n_kw(1, 0, args);
        mp_int_t n = got == mp_const_none ? 0 : mp_obj_get_int(got);
        if (n <= 0 || (size_t)n > size - done) {
            break;
        }
        done += (size_t)n;
    }
    return done;
}

static void read_file(mp_obj_t file, arenite_source_t *source) {
    mp_int_t size = seek_file(file, 0, 2);
    seek_file(file, 0, 0);
    source->size = size < 0 ? 0 : (size_t)size;
    source->block = m_new_maybe(uint8_t, source->size ? source->size : 1);
    if (!source->block) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("model: needs %u bytes of heap; on ROMFS it needs none"),
            (unsigned)source->size);
    }
    // A file that has shrunk meanwhile is cut short, and the engine will say so.
    source->size = read_into(file, source->block, source->size);
    source->data = source->block;
}

// ---- the seal --------------------------------------------------------------------------------------------------------

// `arenite romfs` puts 16 bytes between a model's identifier and the rest: "ARCK", two sums over the words behind them, 0.
// Any reader of FlatBuffers skips them. A model of which only a part has reached the flash does not have these sums.
#define SEAL_AT (8)
#define SEAL_SIZE (16)

static uint32_t word_at(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

// Fletcher's checksum of 32-bit words modulo 2^32; up to three bytes at the end are not in it.
static void check_seal(const arenite_source_t *source) {
    const uint8_t *p = source->data + SEAL_AT;
    if (source->size < SEAL_AT + SEAL_SIZE || memcmp(p, "ARCK", 4) != 0) {
        return;
    }
    uint32_t low = 1, high = 0;
    for (size_t i = SEAL_AT + SEAL_SIZE; i + 4 <= source->size; i += 4) {
        low += word_at(source->data + i);
        high += low;
    }
    if (low != word_at(p + 4) || high != word_at(p + 8)) {
        mp_raise_ValueError(MP_ERROR_TEXT("model: not what was packed: its deployment was cut off; deploy it again"));
    }
}

static void open_path(mp_obj_t from, arenite_source_t *source) {
    mp_buffer_info_t buf;
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
        close_file(file);
    } else {
        close_file(file);
        nlr_jump(nlr.ret_val);
    }
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
    open_path(from, source);
    check_seal(source);
}

// The block is left to the collector: a file written in Python may have kept the memoryview that it was read into.
void arenite_source_close(arenite_source_t *source) {
    *source = (arenite_source_t) { .owner = MP_OBJ_NULL };
}

bool arenite_buffer_is_at(mp_obj_t owner, const void *data, size_t size) {
    mp_buffer_info_t buf;
    return mp_get_buffer(owner, &buf, MP_BUFFER_READ) && buf.buf == data && buf.len >= size;
}
