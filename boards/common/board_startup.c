// Vectors and reset. The port's startup.c goes on from _start().

#include "py/mpconfig.h"
#include "board.h"

#define SHCSR REG(0xe000ed24)
#define CPACR REG(0xe000ed88)
#define MPU_CTRL REG(0xe000ed94)
#define MPU_RNR REG(0xe000ed98)
#define MPU_RBAR REG(0xe000ed9c)
#define MPU_RASR REG(0xe000eda0)
#define MPU_RLAR REG(0xe000eda0)
#define CCR REG(0xe000ed14)
#define NVIC_ISER(n) REG(0xe000e100 + 4 * (n))
#define REG(addr) BOARD_REG32(addr)

#define CCR_UNALIGN_TRP (1 << 3)
#define SHCSR_FAULTS_ENABLE (7 << 16)
#define CPACR_FPU_MVE (0xf << 20)

extern uint32_t _sidata[], _sdata[], _edata[], _sbss[], _ebss[];
void _start(void);

// Interrupts that no one enables have no entry.
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[] = {
    [0] = (uintptr_t)_estack,
    [1] = (uintptr_t)board_reset,
    [2 ... 15] = (uintptr_t)board_fault_entry,
    [16 + BOARD_UART_IRQ] = (uintptr_t)board_uart_isr,
};

#if BOARD_MPU == 7

// Regions are a power of two in size and aligned to it. AP: 0 nobody, 6 read-only.
static void mpu_region(uint32_t n, uint32_t base, uint32_t size, uint32_t ap) {
    MPU_RNR = n;
    MPU_RBAR = base;
    MPU_RASR = ap << 24 | 1 << 17 | (uint32_t)(30 - __builtin_clz(size)) << 1 | 1;
}

static void mpu_init(void) {
    mpu_region(0, BOARD_RAM_BASE, BOARD_STACK_GUARD, 0);
    mpu_region(1, BOARD_FLASH_BASE, BOARD_FLASH_SIZE, 6);
    mpu_region(2, BOARD_ROMFS_BASE, BOARD_ROMFS_SIZE, 6);
}

#elif BOARD_MPU == 8

// Attribute 0 of MAIR, which reset leaves as device memory, is made normal memory first.
static void mpu_region_read_only(uint32_t n, uint32_t base, uint32_t size) {
    MPU_RNR = n;
    MPU_RBAR = base | 3 << 1;
    MPU_RLAR = ((base + size - 1) & ~0x1fu) | 1;
}

static void mpu_init(void) {
    REG(0xe000edc0) = 0x44;
    mpu_region_read_only(0, BOARD_FLASH_BASE, BOARD_FLASH_SIZE);
    mpu_region_read_only(1, BOARD_ROMFS_BASE, BOARD_ROMFS_SIZE);
    #if BOARD_VECTORS_BASE != BOARD_FLASH_BASE
    mpu_region_read_only(2, BOARD_VECTORS_BASE, 1024);
    #endif
    __asm volatile ("msr msplim, %0" : : "r" (_stack_limit));
}

#endif

// What is flash on a real board is memory on these machines; the MPU makes it read-only, so that a stray write is a
// fault and not a changed weight. Everything else is as if there were no MPU.
void board_mpu_enable(bool enable) {
    #if BOARD_MPU
    MPU_CTRL = enable ? 5 : 0;
    __asm volatile ("dsb\n isb" : : : "memory");
    #endif
}

static MP_NOINLINE void memory_init(void) {
    for (uint32_t *src = _sidata, *dest = _sdata; dest < _edata;) {
        *dest++ = *src++;
    }
    for (uint32_t *dest = _sbss; dest < _ebss;) {
        *dest++ = 0;
    }
}

void board_reset(void) {
    #if __ARM_FP
    // First of all: the compiler may use these registers for anything.
    CPACR |= CPACR_FPU_MVE;
    __asm volatile ("dsb\n isb" : : : "memory");
    #endif
    memory_init();
    #if BOARD_MPU
    SHCSR |= SHCSR_FAULTS_ENABLE;
    mpu_init();
    board_mpu_enable(true);
    #endif
    #if __ARM_ARCH < 7 && BOARD_MPU
    // Armv6-M code on an Armv7-M machine: let it fault where Armv6-M does.
    CCR |= CCR_UNALIGN_TRP;
    #endif
    NVIC_ISER(BOARD_UART_IRQ / 32) = 1u << (BOARD_UART_IRQ % 32);
    _start();
}
