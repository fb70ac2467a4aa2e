// MicroPython's configuration for Arenite's boards: the qemu port's own, and what a board that talks to mpremote and
// keeps models in a ROMFS needs besides.

#include "mpconfigport.h"

#undef MICROPY_PY_TIME
#undef MICROPY_PY_SELECT
#undef MICROPY_PY_SYS_STDIO_BUFFER
#undef MICROPY_VFS_ROM_IOCTL

#define MICROPY_PY_TIME                 (1)
#define MICROPY_PY_SELECT               (1)
#define MICROPY_PY_SYS_STDIO_BUFFER     (1)
#define MICROPY_VFS_ROM_IOCTL           (1)
#define MICROPY_PY_OS_UNAME             (1)

// How much mpremote may send before it waits for a word from the board. The default, 256, makes `mpremote romfs deploy`
// and `cp` spend their time waiting.
#define MICROPY_REPL_STDIN_BUFFER_MAX   (BOARD_STDIN_RING / 2)

// Armv6-M has none of the 32-bit instructions that the emitters use by default.
#if __ARM_ARCH < 7
#define MICROPY_EMIT_THUMB_ARMV7M       (0)
#define MICROPY_EMIT_INLINE_THUMB_FLOAT (0)
#endif

// mp_init() mounts the RAM disk, so a soft reset finds its files again.
#if BOARD_RAMDISK_SIZE
#define MICROPY_PORT_INIT_FUNC          board_ramdisk_mount()
void board_ramdisk_mount(void);
#endif

// What __wrap_mp_stack_set_limit() leaves for C below the limit that Python has.
#define BOARD_STACK_MARGIN              (BOARD_STACK_SIZE / 8 + 512)
#define ARENITE_STACK_BELOW_LIMIT       (BOARD_STACK_MARGIN)

// The UART's interrupt hands Ctrl-C to the scheduler, so the scheduler's own sections must mask it.
static inline uint32_t board_irq_disable(void) {
    uint32_t state;
    __asm volatile ("mrs %0, primask\n cpsid i" : "=r" (state) : : "memory");
    return state;
}

static inline void board_irq_restore(uint32_t state) {
    __asm volatile ("msr primask, %0" : : "r" (state) : "memory");
}

#define MICROPY_BEGIN_ATOMIC_SECTION()     board_irq_disable()
#define MICROPY_END_ATOMIC_SECTION(state)  board_irq_restore(state)

// No interrupt marks the time, so only a wait without an end may stop the CPU.
#define MICROPY_INTERNAL_WFE(timeout_ms) \
    do { \
        if ((timeout_ms) < 0) { \
            board_idle(); \
        } \
    } while (0)
void board_idle(void);
