// The ROMFS region. In the emulator it is plain memory that `-device loader` fills before boot and that can be
// written, so that deploying is a copy.

#include <string.h>

#include "py/mperrno.h"
#include "py/objarray.h"
#include "py/runtime.h"
#include "extmod/vfs.h"

#include "board.h"

// mpremote writes blocks of this size.
#define MIN_WRITE (16)

static uint8_t *const region = (uint8_t *)BOARD_ROMFS_BASE;

static bool inside(mp_int_t offset, size_t length) {
    return offset >= 0 && offset <= BOARD_ROMFS_SIZE && length <= (size_t)(BOARD_ROMFS_SIZE - offset);
}

static mp_obj_t romfs_write(mp_int_t offset, mp_obj_t source) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(source, &buf, MP_BUFFER_READ);
    if (!inside(offset, buf.len)) {
        return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
    }
    memcpy(region + offset, buf.buf, buf.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}

// args: the request, then the segment (there is one), then what the request wants.
mp_obj_t mp_vfs_rom_ioctl(size_t n_args, const mp_obj_t *args) {
    mp_int_t request = mp_obj_get_int(args[0]);
    if (request == MP_VFS_ROM_IOCTL_GET_NUMBER_OF_SEGMENTS) {
        return MP_OBJ_NEW_SMALL_INT(1);
    }
    if (n_args < 2 || mp_obj_get_int(args[1]) != 0) {
        return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
    }
    if (request == MP_VFS_ROM_IOCTL_GET_SEGMENT) {
        return mp_obj_new_memoryview('B', BOARD_ROMFS_SIZE, region);
    }
    if (request == MP_VFS_ROM_IOCTL_WRITE_PREPARE && n_args == 3) {
        bool fits = inside(0, (size_t)mp_obj_get_int(args[2]));
        return MP_OBJ_NEW_SMALL_INT(fits ? MIN_WRITE : -MP_ENOSPC);
    }
    if (request == MP_VFS_ROM_IOCTL_WRITE && n_args == 4) {
        return romfs_write(mp_obj_get_int(args[2]), args[3]);
    }
    if (request == MP_VFS_ROM_IOCTL_WRITE_COMPLETE) {
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
}
