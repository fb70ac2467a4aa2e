// A fault prints one line and ends the emulator with status 1, so that a test fails at once instead of hanging.

#include <stdint.h>
#include <string.h>

#include "shared/runtime/semihosting_arm.h"
#include "uart.h"

#include "fault.h"

__attribute__((used)) static uint32_t emergency_stack[128];

static void print(const char *name, uint32_t value) {
    char text[9];
    for (int i = 0; i < 8; i++) {
        text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    }
    text[8] = '\0';
    uart_tx_strn(name, strlen(name));
    uart_tx_strn(text, 8);
}

// Called on the emergency stack. The frame that the core pushed: r0-r3, r12, lr, pc, xPSR.
__attribute__((used, noreturn)) static void report(const uint32_t *frame, uint32_t exception) {
    #if __ARM_ARCH_ISA_THUMB == 2
    uint32_t cfsr = *(volatile uint32_t *)0xe000ed28, bfar = *(volatile uint32_t *)0xe000ed38;
    #else
    uint32_t cfsr = 0, bfar = 0;
    #endif
    print("\r\nFAULT exception=", exception & 0x1ff);
    print(" CFSR=", cfsr);
    print(" BFAR=", bfar);
    print(" SP=", (uint32_t)frame);
    print(" PC=", frame[6]);
    print(" LR=", frame[5]);
    uart_tx_strn("\r\n", 2);
    mp_semihosting_exit(1);
    for (;;) {
    }
}

__attribute__((naked)) void board_fault(void) {
    __asm volatile (
        "mrs r0, msp\n"
        "mrs r1, ipsr\n"
        #if __ARM_ARCH >= 8
        "movs r2, #0\n"
        "msr msplim, r2\n"
        #endif
        "ldr r2, =emergency_stack + 512\n"
        "mov sp, r2\n"
        "ldr r2, =report\n"
        "bx r2\n"
        ".ltorg\n");
}

void __wrap_HardFault_Handler(void) __attribute__((naked));

void __wrap_HardFault_Handler(void) {
    __asm volatile ("ldr r0, =board_fault\n bx r0\n .ltorg\n");
}
