// A vector table of our own, with room for the UART's interrupt; the port's ends after SysTick.

#include "mps.h"
#include "fault.h"

#define VECTORS (16 + BOARD_UART0_RX_IRQ + 1)

static void (*vectors[VECTORS])(void) __attribute__((aligned(512)));

void board_vectors_init(void) {
    for (unsigned i = 0; i < VECTORS; i++) {
        vectors[i] = board_fault;
    }
    vectors[16 + BOARD_UART0_RX_IRQ] = board_uart_interrupt;
    SCB_VTOR = (uint32_t)vectors;
    #ifdef BOARD_TRAP_UNALIGNED
    SCB_CCR |= 1 << 3; // UNALIGN_TRP: as on a real Armv6-M core
    #endif
}
