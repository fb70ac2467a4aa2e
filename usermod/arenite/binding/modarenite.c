#include "py/runtime.h"
#include "py/mphal.h"

static mp_obj_t ticks(void) {
    return mp_obj_new_int_from_uint(mp_hal_ticks_cpu());
}
static MP_DEFINE_CONST_FUN_OBJ_0(ticks_obj, ticks);

static const mp_rom_map_elem_t globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_arenite) },
    { MP_ROM_QSTR(MP_QSTR_ticks), MP_ROM_PTR(&ticks_obj) },
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t arenite_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&globals,
};
MP_REGISTER_MODULE(MP_QSTR_arenite, arenite_module);
