// The registers that the MPS boards' drivers use. Sources: Arm DDI 0479 (CMSDK: the APB UART), and the application
// notes AN385, AN386, AN500, AN505 and AN547 (FPGAIO, memory maps, interrupts). A board's board.h has the addresses.

#ifndef ARENITE_BOARDS_MPS_H
#define ARENITE_BOARDS_MPS_H

#include <stdint.h>

#include "board.h"

typedef struct {
    volatile uint32_t DATA;
    volatile uint32_t STATE;
    volatile uint32_t CTRL;
    volatile uint32_t INTSTATUS;
    volatile uint32_t BAUDDIV;
} cmsdk_uart_t;

#define UART0 ((cmsdk_uart_t *)BOARD_UART0)

enum {
    UART_STATE_TX_FULL = 1 << 0,
    UART_STATE_RX_FULL = 1 << 1,
    UART_CTRL_TX_ENABLE = 1 << 0,
    UART_CTRL_RX_ENABLE = 1 << 1,
    UART_CTRL_RX_INTERRUPT = 1 << 3,
    UART_INT_RX = 1 << 1,
};

// FPGAIO COUNTER: counts up at BOARD_COUNTER_HZ from reset.
#define FPGAIO_COUNTER (*(volatile uint32_t *)BOARD_COUNTER)

// System control space (Armv7-M and Armv8-M Architecture Reference Manuals).
#define SCB_VTOR (*(volatile uint32_t *)0xe000ed08)
#define SCB_CCR (*(volatile uint32_t *)0xe000ed14)
#define SCB_CFSR (*(volatile uint32_t *)0xe000ed28)
#define SCB_BFAR (*(volatile uint32_t *)0xe000ed38)
#define SCB_CPACR (*(volatile uint32_t *)0xe000ed88)
#define NVIC_ISER(n) (((volatile uint32_t *)0xe000e100)[n])

void board_uart_interrupt(void);
void board_vectors_init(void);

#endif // ARENITE_BOARDS_MPS_H
