// The console: interrupt-driven on input, so that Ctrl-C arrives while anything runs; polled on output. The port's
// mphalport.c calls uart_*().

#include "py/mphal.h"
#include "py/ringbuf.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/interrupt_char.h"
#include "board.h"
#include "uart.h"

static uint8_t stdin_array[BOARD_STDIN_RING];
static ringbuf_t stdin_ring = { stdin_array, sizeof(stdin_array), 0, 0 };

// With the ring full the interrupt is switched off and the byte stays in the UART, which makes the host wait.
void board_uart_isr(void) {
    while (ringbuf_free(&stdin_ring) > 0) {
        int c = soc_uart_read();
        if (c < 0) {
            return;
        }
        if (c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ringbuf_put(&stdin_ring, (uint8_t)c);
        }
    }
    soc_uart_rx_irq(false);
}

bool board_stdin_any(void) {
    return ringbuf_avail(&stdin_ring) > 0 || MP_STATE_MAIN_THREAD(mp_pending_exception) != MP_OBJ_NULL;
}

void uart_init(void) {
    soc_init();
    soc_uart_rx_irq(true);
}

int uart_rx_chr(void) {
    int c = ringbuf_get(&stdin_ring);
    if (c < 0) {
        mp_event_wait_indefinite();
        return UART_RX_NO_CHAR;
    }
    soc_uart_rx_irq(true);
    return c;
}

void uart_tx_strn(const char *buf, size_t len) {
    for (size_t i = 0; i < len; ++i) {
        soc_uart_write((uint8_t)buf[i]);
    }
}

// In place of the port's, which knows nothing.
uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t poll_flags);
uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ready = poll_flags & MP_STREAM_POLL_WR;
    if ((poll_flags & MP_STREAM_POLL_RD) && ringbuf_avail(&stdin_ring) > 0) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

// The port's main() asks for 10,240 bytes; give Python the stack that the board has, less what C needs between checks.
void __real_mp_stack_set_limit(mp_uint_t limit);
void __wrap_mp_stack_set_limit(mp_uint_t limit);
void __wrap_mp_stack_set_limit(mp_uint_t limit) {
    (void)limit;
    __real_mp_stack_set_limit(BOARD_STACK_SIZE - BOARD_STACK_MARGIN);
}
