// A block device in memory that nothing else uses, with littlefs on it, mounted at "/". It lies outside Python's heap
// because mpremote resets the board softly before most commands and files must outlive that.

#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "extmod/vfs_lfs.h"

#define BLOCK_SIZE (512)

static uint8_t *ramdisk_at(mp_obj_t block, size_t n_args, const mp_obj_t *args, size_t len) {
    size_t offset = (size_t)mp_obj_get_int(block) * BLOCK_SIZE + (n_args > 3 ? (size_t)mp_obj_get_int(args[3]) : 0);
    if (offset > BOARD_RAMDISK_SIZE || len > BOARD_RAMDISK_SIZE - offset) {
        mp_raise_OSError(MP_EINVAL);
    }
    return (uint8_t *)BOARD_RAMDISK_BASE + offset;
}

// readblocks(block, buf[, offset])
static mp_obj_t ramdisk_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t bufinfo;
    mp_get_buffer_raise(args[2], &bufinfo, MP_BUFFER_WRITE);
    memcpy(bufinfo.buf, ramdisk_at(args[1], n_args, args, bufinfo.len), bufinfo.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(ramdisk_readblocks_obj, 3, 4, ramdisk_readblocks);

// writeblocks(block, buf[, offset])
static mp_obj_t ramdisk_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t bufinfo;
    mp_get_buffer_raise(args[2], &bufinfo, MP_BUFFER_READ);
    memcpy(ramdisk_at(args[1], n_args, args, bufinfo.len), bufinfo.buf, bufinfo.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(ramdisk_writeblocks_obj, 3, 4, ramdisk_writeblocks);

static mp_obj_t ramdisk_ioctl(mp_obj_t self, mp_obj_t cmd, mp_obj_t arg) {
    switch (mp_obj_get_int(cmd)) {
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(BOARD_RAMDISK_SIZE / BLOCK_SIZE);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(BLOCK_SIZE);
        default:
            return MP_OBJ_NEW_SMALL_INT(0);
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(ramdisk_ioctl_obj, ramdisk_ioctl);

static const mp_rom_map_elem_t ramdisk_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&ramdisk_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&ramdisk_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&ramdisk_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(ramdisk_locals_dict, ramdisk_locals_dict_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    ramdisk_type,
    MP_QSTR_RAMDisk,
    MP_TYPE_FLAG_NONE,
    locals_dict, &ramdisk_locals_dict
    );

static const mp_obj_base_t ramdisk_obj = { &ramdisk_type };

static void ramdisk_format(void) {
    mp_obj_t method[3];
    mp_load_method(MP_OBJ_FROM_PTR(&mp_type_vfs_lfs2), MP_QSTR_mkfs, method);
    method[2] = MP_OBJ_FROM_PTR(&ramdisk_obj);
    mp_call_method_n_kw(1, 0, method);
}

static bool ramdisk_is_formatted(void) {
    return memcmp((const uint8_t *)BOARD_RAMDISK_BASE + 8, "littlefs", 8) == 0;
}

void board_ramdisk_mount(void) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        if (!ramdisk_is_formatted()) {
            ramdisk_format();
        }
        mp_obj_t vfs = mp_call_function_1(MP_OBJ_FROM_PTR(&mp_type_vfs_lfs2), MP_OBJ_FROM_PTR(&ramdisk_obj));
        mp_call_function_2(MP_OBJ_FROM_PTR(&mp_vfs_mount_obj), vfs, MP_OBJ_NEW_QSTR(MP_QSTR__slash_));
        mp_vfs_chdir(MP_OBJ_NEW_QSTR(MP_QSTR__slash_));
        nlr_pop();
    }
}
