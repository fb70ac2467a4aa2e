// The CMSDK UART: received bytes come by interrupt into a ring, so that Ctrl-C is seen while a script runs and
// nothing has to be polled while instructions are counted.

#include "py/runtime.h"
#include "py/mphal.h"
#include "py/stream.h"
#include "uart.h"

#include "clock.h"
#include "mps.h"

#define RING (1024)

static volatile uint8_t ring[RING];
static volatile uint32_t head, tail;

static bool ring_full(void) {
    return (head + 1) % RING == tail;
}

// With the ring full the byte stays in the UART, and with its interrupt off QEMU holds the sender back.
void board_uart_interrupt(void) {
    UART0->INTSTATUS = UART_INT_RX;
    while (UART0->STATE & UART_STATE_RX_FULL) {
        if (ring_full()) {
            UART0->CTRL &= ~UART_CTRL_RX_INTERRUPT;
            return;
        }
        uint8_t c = (uint8_t)UART0->DATA;
        if (c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ring[head] = c;
            head = (head + 1) % RING;
        }
    }
}

void uart_init(void) {
    SCB_CPACR |= 0xf << 20; // floating point and vector instructions, where there are any
    board_vectors_init();
    UART0->BAUDDIV = 16;
    UART0->CTRL = UART_CTRL_TX_ENABLE | UART_CTRL_RX_ENABLE | UART_CTRL_RX_INTERRUPT;
    NVIC_ISER(BOARD_UART0_RX_IRQ / 32) = 1u << (BOARD_UART0_RX_IRQ % 32);
}

int uart_rx_chr(void) {
    mp_handle_pending(true);
    if (head == tail) {
        // Interrupts are masked so that a byte that comes now wakes the core instead of being slept over.
        __asm volatile ("cpsid i");
        if (head == tail) {
            __asm volatile ("wfi");
            board_clock_woke();
        }
        __asm volatile ("cpsie i");
        return UART_RX_NO_CHAR;
    }
    int c = ring[tail];
    tail = (tail + 1) % RING;
    if (!(UART0->CTRL & UART_CTRL_RX_INTERRUPT)) {
        UART0->CTRL |= UART_CTRL_RX_INTERRUPT;
        board_uart_interrupt();
    }
    return c;
}

void uart_tx_strn(const char *buf, size_t len) {
    for (size_t i = 0; i < len; i++) {
        while (UART0->STATE & UART_STATE_TX_FULL) {
        }
        UART0->DATA = (uint8_t)buf[i];
    }
}

uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t flags);

uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t flags) {
    return (flags & MP_STREAM_POLL_WR) | (head != tail ? flags & MP_STREAM_POLL_RD : 0);
}
