// The engine's refusals as Python exceptions.

#include <string.h>

#include "py/cstack.h"

#include "binding.h"

// What is left has to be enough beforehand: the engine itself does not ask.
void arenite_check_stack(unsigned n_subgraphs) {
    #if MICROPY_STACK_CHECK
    mp_uint_t needed = ARENITE_STACK + (n_subgraphs > 1 ? ARENITE_STACK_CALLS : 0);
    if (mp_cstack_usage() + needed > MP_STATE_THREAD(stack_limit) + ARENITE_STACK_BELOW_LIMIT) {
        mp_raise_recursion_depth();
    }
    #else
    (void)n_subgraphs;
    #endif
}

MP_NORETURN void arenite_raise(const ar_error_t *err) {
    const mp_obj_type_t *type = &mp_type_RuntimeError;
    if (err->status == AR_VALUE) {
        type = &mp_type_ValueError;
    } else if (err->status == AR_UNSUPPORTED) {
        type = &mp_type_NotImplementedError;
    } else if (err->status == AR_NO_MEMORY) {
        type = &mp_type_MemoryError;
    }
    // Where something lies past the end, the end is most likely what is missing.
    const char *cure = strstr(err->text, "past the file") ? ": deploy it again" : "";
    mp_raise_msg_varg(type, MP_ERROR_TEXT("%s%s"), err->text, cure);
}

MP_NORETURN void arenite_raise_changed(void) {
    mp_raise_ValueError(MP_ERROR_TEXT("model: its bytes have changed since it was loaded"));
}

MP_NORETURN void arenite_raise_arena(size_t needed, size_t has) {
    mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("arena: needs %u bytes, has %u"), (unsigned)needed, (unsigned)has);
}
