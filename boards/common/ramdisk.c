// ramdisk.memory(): the emulator's RAM that _boot.py keeps a filesystem in. It lies outside the heap, so that files
// last over a soft reset.

#include "py/objarray.h"
#include "py/runtime.h"
#include "shared/runtime/pyexec.h"

#include "board.h"

static mp_obj_t memory(void) {
    // A typecode with the high bit set: the memoryview may be written.
    return mp_obj_new_memoryview(0x80 | 'B', BOARD_RAMDISK_SIZE, (void *)BOARD_RAMDISK_BASE);
}
static MP_DEFINE_CONST_FUN_OBJ_0(memory_obj, memory);

static const mp_rom_map_elem_t ramdisk_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_ramdisk) },
    { MP_ROM_QSTR(MP_QSTR_memory), MP_ROM_PTR(&memory_obj) },
};
static MP_DEFINE_CONST_DICT(ramdisk_globals, ramdisk_globals_table);

const mp_obj_module_t ramdisk_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&ramdisk_globals,
};

MP_REGISTER_MODULE(MP_QSTR_ramdisk, ramdisk_module);

void arenite_board_init(void);

void arenite_board_init(void) {
    pyexec_frozen_module("_boot.py", false);
}
