// The flash region that holds a ROMFS image: MicroPython mounts it at /rom, and `mpremote romfs` writes it.

#include "py/mperrno.h"
#include "py/objarray.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "board.h"

static const MP_DEFINE_MEMORYVIEW_OBJ(romfs_obj, 'B', 0, BOARD_ROMFS_SIZE, (void *)BOARD_ROMFS_BASE);

static bool romfs_contains(mp_int_t offset, size_t len) {
    return offset >= 0 && (size_t)offset <= BOARD_ROMFS_SIZE && len <= BOARD_ROMFS_SIZE - (size_t)offset;
}

static int romfs_write(mp_int_t offset, mp_obj_t data) {
    mp_buffer_info_t bufinfo;
    mp_get_buffer_raise(data, &bufinfo, MP_BUFFER_READ);
    if (!romfs_contains(offset, bufinfo.len)) {
        return -MP_EINVAL;
    }
    soc_flash_write((size_t)offset, bufinfo.buf, bufinfo.len);
    return 0;
}

// Returns the smallest unit of writing, which mpremote pads its last chunk to.
static int romfs_prepare(mp_int_t len) {
    if (!romfs_contains(0, (size_t)len)) {
        return -MP_EINVAL;
    }
    soc_flash_erase(0, (size_t)len);
    return 4;
}

static int romfs_ioctl(mp_int_t cmd, size_t n_args, const mp_obj_t *args) {
    if (n_args < 2 || mp_obj_get_int(args[1]) != 0) {
        return -MP_EINVAL;
    }
    if (cmd == MP_VFS_ROM_IOCTL_WRITE_PREPARE && n_args == 3) {
        return romfs_prepare(mp_obj_get_int(args[2]));
    }
    if (cmd == MP_VFS_ROM_IOCTL_WRITE && n_args == 4) {
        return romfs_write(mp_obj_get_int(args[2]), args[3]);
    }
    return cmd == MP_VFS_ROM_IOCTL_WRITE_COMPLETE ? 0 : -MP_EINVAL;
}

mp_obj_t mp_vfs_rom_ioctl(size_t n_args, const mp_obj_t *args) {
    mp_int_t cmd = mp_obj_get_int(args[0]);
    if (cmd == MP_VFS_ROM_IOCTL_GET_NUMBER_OF_SEGMENTS) {
        return MP_OBJ_NEW_SMALL_INT(1);
    }
    if (cmd == MP_VFS_ROM_IOCTL_GET_SEGMENT && n_args == 2 && mp_obj_get_int(args[1]) == 0) {
        return MP_OBJ_FROM_PTR(&romfs_obj);
    }
    return MP_OBJ_NEW_SMALL_INT(romfs_ioctl(cmd, n_args, args));
}
