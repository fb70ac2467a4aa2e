// Every fault ends the emulator with status 1 after one line that says where. A handler that returned or waited would
// leave whoever talks to the board hanging.

#include "py/mpconfig.h"
#include "shared/runtime/semihosting_arm.h"
#include "board.h"

static const char *const exception_name[16] = {
    [2] = "NMI", [3] = "HardFault", [4] = "MemManage", [5] = "BusFault", [6] = "UsageFault",
    [11] = "SVCall", [12] = "DebugMonitor", [14] = "PendSV", [15] = "SysTick",
};

// The stack may be what failed, so the handler brings its own.
__attribute__((used, aligned(8))) static uint8_t fault_stack[512];

static void put_str(const char *s) {
    while (*s) {
        soc_uart_write((uint8_t)*s++);
    }
}

static void put_hex(const char *label, uint32_t value) {
    put_str(label);
    for (int shift = 28; shift >= 0; shift -= 4) {
        soc_uart_write((uint8_t)"0123456789abcdef"[value >> shift & 15]);
    }
}

// frame: r0-r3, r12, LR, PC, xPSR, unless the stack had no room for them.
__attribute__((used)) static void fault_report(const uint32_t *frame, uint32_t exception) {
    bool stacked = (uintptr_t)frame >= (uintptr_t)_stack_limit + 32 && (uintptr_t)frame <= (uintptr_t)_estack - 32;
    const char *name = exception < 16 ? exception_name[exception] : NULL;
    put_str("\r\nFAULT ");
    put_str(name ? name : "exception");
    #if BOARD_MPU
    put_hex(" CFSR=", BOARD_REG32(0xe000ed28));
    put_hex(" MMFAR=", BOARD_REG32(0xe000ed34));
    put_hex(" BFAR=", BOARD_REG32(0xe000ed38));
    #endif
    put_hex(" SP=", (uint32_t)frame);
    put_hex(" PC=", stacked ? frame[6] : 0);
    put_hex(" LR=", stacked ? frame[5] : 0);
    put_str(stacked ? "\r\n" : " (stack overflow)\r\n");
    mp_semihosting_exit(1);
    for (;;) {
    }
}

__attribute__((naked)) void board_fault_entry(void) {
    __asm volatile (
        "mrs r0, msp\n"
        "mrs r1, ipsr\n"
        "ldr r2, =fault_stack + 512\n"
        "msr msp, r2\n"
        "ldr r2, =fault_report\n"
        "bx r2\n"
        );
}
