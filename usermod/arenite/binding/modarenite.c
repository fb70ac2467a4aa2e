// The arenite module: TensorFlow Lite models on MicroPython.

#include <string.h>

#include "py/mphal.h"
#include "py/objstr.h"

#include "binding.h"

extern const mp_obj_module_t arenite_module;

static const MP_DEFINE_STR_OBJ(version_obj, "0.1.0");

// MicroPython calls this at every import of a module that is not in sys.modules, where it does not put built-in ones.
// Once there, the next call is in a new heap, after a soft reset, and what the static arena held is gone.
static mp_obj_t module_init(void) {
    mp_obj_dict_store(MP_OBJ_FROM_PTR(&MP_STATE_VM(mp_loaded_modules_dict)), MP_OBJ_NEW_QSTR(MP_QSTR_arenite),
        MP_OBJ_FROM_PTR(&arenite_module));
    arenite_arena_forget_static();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(module_init_obj, module_init);

static void measure(mp_obj_t from, bool stream, ar_needs_t *needs) {
    arenite_source_t source;
    arenite_source_open(from, &source);
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        arenite_measure(&source, stream, needs);
        nlr_pop();
    } else {
        arenite_source_close(&source);
        nlr_jump(nlr.ret_val);
    }
    arenite_source_close(&source);
}

// Of several, what an Arena for all of them needs, in whatever order they are loaded and let go: what is their own, and once what
// they share.
static mp_obj_t arena_needed(size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_stream, MP_ARG_KW_ONLY | MP_ARG_BOOL, { .u_bool = false } },
    };
    mp_arg_val_t stream;
    mp_arg_parse_all(0, NULL, kw, MP_ARRAY_SIZE(allowed), allowed, &stream);
    ar_needs_t needs = { 0 };
    uint32_t own = 0, shared = 0;
    for (size_t i = 0; i < n_args; i++) {
        measure(args[i], stream.u_bool, &needs);
        own += needs.own;
        shared = needs.shared > shared ? needs.shared : shared;
    }
    return mp_obj_new_int_from_uint(n_args == 1 ? needs.arena : own + shared);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(arena_needed_obj, 1, arena_needed);

static mp_obj_t ops(void) {
    mp_obj_t names = mp_obj_new_list(0, NULL);
    const char *name;
    for (unsigned i = 0; (name = ar_op_compiled(i)) != NULL; i++) {
        mp_obj_list_append(names, mp_obj_new_str(name, strlen(name)));
    }
    mp_obj_t *items;
    size_t n;
    mp_obj_list_get(names, &n, &items);
    return mp_obj_new_tuple(n, items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(ops_obj, ops);

static mp_obj_t ticks(void) {
    return mp_obj_new_int_from_uint((uint32_t)mp_hal_ticks_cpu());
}
static MP_DEFINE_CONST_FUN_OBJ_0(ticks_obj, ticks);

static const mp_rom_map_elem_t arenite_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_arenite) },
    { MP_ROM_QSTR(MP_QSTR___version__), MP_ROM_PTR(&version_obj) },
    { MP_ROM_QSTR(MP_QSTR___init__), MP_ROM_PTR(&module_init_obj) },
    { MP_ROM_QSTR(MP_QSTR_Model), MP_ROM_PTR(&arenite_model_type) },
    { MP_ROM_QSTR(MP_QSTR_Tensor), MP_ROM_PTR(&arenite_tensor_type) },
    { MP_ROM_QSTR(MP_QSTR_Arena), MP_ROM_PTR(&arenite_arena_type) },
    { MP_ROM_QSTR(MP_QSTR_arena_needed), MP_ROM_PTR(&arena_needed_obj) },
    { MP_ROM_QSTR(MP_QSTR_ops), MP_ROM_PTR(&ops_obj) },
    { MP_ROM_QSTR(MP_QSTR_ticks), MP_ROM_PTR(&ticks_obj) },
};
static MP_DEFINE_CONST_DICT(arenite_globals, arenite_globals_table);

const mp_obj_module_t arenite_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&arenite_globals,
};

MP_REGISTER_MODULE(MP_QSTR_arenite, arenite_module);
