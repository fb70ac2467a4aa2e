// The qemu port's configuration, and what a board that runs models needs on top of it.

#include "mpconfigport.h"

#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)
#undef MICROPY_PY_SYS_STDIO_BUFFER
#define MICROPY_PY_SYS_STDIO_BUFFER (1)
#undef MICROPY_VFS_ROM_IOCTL
#define MICROPY_VFS_ROM_IOCTL (1)

// Ctrl-C, from the UART's interrupt.
#define MICROPY_KBD_EXCEPTION (1)

// Armv6-M has no native emitter for these options.
#if __ARM_ARCH_ISA_THUMB == 1
#undef MICROPY_EMIT_THUMB
#define MICROPY_EMIT_THUMB (0)
#undef MICROPY_EMIT_INLINE_THUMB
#define MICROPY_EMIT_INLINE_THUMB (0)
#endif

#ifndef ARENITE_NO_FILESYSTEM
// Runs _boot.py, which mounts the filesystem.
void arenite_board_init(void);
#define MICROPY_PORT_INIT_FUNC arenite_board_init()
#endif
