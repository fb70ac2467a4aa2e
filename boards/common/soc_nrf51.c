// Nordic's nRF51: UART, TIMER0 as a free-running counter, and flash behind its controller (nRF51 Series Reference
// Manual).

#include "board.h"

#define NRF_UART(offset) BOARD_REG32(BOARD_UART_BASE + (offset))
#define UART_STARTRX NRF_UART(0x000)
#define UART_STARTTX NRF_UART(0x008)
#define UART_RXDRDY NRF_UART(0x108)
#define UART_TXDRDY NRF_UART(0x11c)
#define UART_INTENSET NRF_UART(0x304)
#define UART_INTENCLR NRF_UART(0x308)
#define UART_ENABLE NRF_UART(0x500)
#define UART_RXD NRF_UART(0x518)
#define UART_TXD NRF_UART(0x51c)
#define UART_INT_RXDRDY (1 << 2)

#define NRF_TIMER(offset) BOARD_REG32(BOARD_TIMER_BASE + (offset))
#define TIMER_START NRF_TIMER(0x000)
#define TIMER_CAPTURE0 NRF_TIMER(0x040)
#define TIMER_BITMODE NRF_TIMER(0x508)
#define TIMER_PRESCALER NRF_TIMER(0x510)
#define TIMER_CC0 NRF_TIMER(0x540)
#define BITMODE_32 (3)

#define NVMC_CONFIG BOARD_REG32(0x4001e504)
#define NVMC_ERASEPAGE BOARD_REG32(0x4001e508)
#define NVMC_READ_ONLY (0)
#define NVMC_WRITE (1)
#define NVMC_ERASE (2)
#define FLASH_PAGE_SIZE (1024)

void soc_init(void) {
    UART_ENABLE = 4;
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    TIMER_BITMODE = BITMODE_32;
    TIMER_PRESCALER = 0;
    TIMER_START = 1;
}

int soc_uart_read(void) {
    if (!UART_RXDRDY) {
        return -1;
    }
    UART_RXDRDY = 0;
    return (int)(UART_RXD & 0xff);
}

void soc_uart_write(uint8_t c) {
    UART_TXDRDY = 0;
    UART_TXD = c;
    while (!UART_TXDRDY) {
    }
}

void soc_uart_rx_irq(bool enable) {
    if (enable) {
        UART_INTENSET = UART_INT_RXDRDY;
    } else {
        UART_INTENCLR = UART_INT_RXDRDY;
    }
}

uint32_t soc_counter(void) {
    TIMER_CAPTURE0 = 1;
    return TIMER_CC0;
}

void soc_flash_erase(size_t offset, size_t len) {
    NVMC_CONFIG = NVMC_ERASE;
    for (size_t page = offset; page < offset + len; page += FLASH_PAGE_SIZE) {
        NVMC_ERASEPAGE = BOARD_ROMFS_BASE + page;
    }
    NVMC_CONFIG = NVMC_READ_ONLY;
}

// Flash is written in words; what is missing of the last one stays erased.
void soc_flash_write(size_t offset, const void *src, size_t len) {
    const uint8_t *bytes = src;
    NVMC_CONFIG = NVMC_WRITE;
    for (size_t i = 0; i < len; i += 4) {
        uint32_t word = 0xffffffff;
        for (size_t k = 0; k < 4 && i + k < len; ++k) {
            word = (word & ~(0xffu << (8 * k))) | (uint32_t)bytes[i + k] << (8 * k);
        }
        BOARD_REG32(BOARD_ROMFS_BASE + offset + i) = word;
    }
    NVMC_CONFIG = NVMC_READ_ONLY;
}
