// Arm's MPS2 and MPS3 boards: the UART of the Cortex-M System Design Kit (DDI 0479), the FPGA I/O block's cycle
// counter (DAI 0385), and memory in place of flash.

#include <string.h>

#include "board.h"

#define UART_DATA BOARD_REG32(BOARD_UART_BASE + 0x00)
#define UART_STATE BOARD_REG32(BOARD_UART_BASE + 0x04)
#define UART_CTRL BOARD_REG32(BOARD_UART_BASE + 0x08)
#define UART_INTCLEAR BOARD_REG32(BOARD_UART_BASE + 0x0c)
#define UART_BAUDDIV BOARD_REG32(BOARD_UART_BASE + 0x10)

#define STATE_TX_FULL (1 << 0)
#define STATE_RX_FULL (1 << 1)
#define CTRL_TX_RX_EN (3 << 0)
#define CTRL_RX_INT_EN (1 << 3)
#define INT_RX (1 << 1)

void soc_init(void) {
    UART_BAUDDIV = 16;
    UART_CTRL = CTRL_TX_RX_EN;
}

// The interrupt is cleared before the byte is taken: taking it lets the next one in, and with it the next interrupt.
int soc_uart_read(void) {
    if (!(UART_STATE & STATE_RX_FULL)) {
        return -1;
    }
    UART_INTCLEAR = INT_RX;
    return (int)(UART_DATA & 0xff);
}

void soc_uart_write(uint8_t c) {
    while (UART_STATE & STATE_TX_FULL) {
    }
    UART_DATA = c;
}

void soc_uart_rx_irq(bool enable) {
    UART_CTRL = CTRL_TX_RX_EN | (enable ? CTRL_RX_INT_EN : 0);
}

uint32_t soc_counter(void) {
    return BOARD_REG32(BOARD_TIMER_BASE);
}

void soc_flash_erase(size_t offset, size_t len) {
    board_mpu_enable(false);
    memset((uint8_t *)BOARD_ROMFS_BASE + offset, 0xff, len);
    board_mpu_enable(true);
}

void soc_flash_write(size_t offset, const void *src, size_t len) {
    board_mpu_enable(false);
    memcpy((uint8_t *)BOARD_ROMFS_BASE + offset, src, len);
    board_mpu_enable(true);
}
