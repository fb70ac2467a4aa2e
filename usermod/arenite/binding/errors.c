// The engine's refusals as Python exceptions.

#include "binding.h"

MP_NORETURN void arenite_raise(const ar_error_t *err) {
    const mp_obj_type_t *type = &mp_type_RuntimeError;
    if (err->status == AR_VALUE) {
        type = &mp_type_ValueError;
    } else if (err->status == AR_UNSUPPORTED) {
        type = &mp_type_NotImplementedError;
    } else if (err->status == AR_NO_MEMORY) {
        type = &mp_type_MemoryError;
    }
    mp_raise_msg_varg(type, MP_ERROR_TEXT("%s"), err->text);
}

MP_NORETURN void arenite_raise_changed(void) {
    mp_raise_ValueError(MP_ERROR_TEXT("model: its bytes have changed since it was loaded"));
}

MP_NORETURN void arenite_raise_arena(size_t needed, size_t has) {
    mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("arena: needs %u bytes, has %u"), (unsigned)needed, (unsigned)has);
}
