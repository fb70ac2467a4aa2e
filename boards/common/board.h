// What the files of boards/common offer each other.
#ifndef ARENITE_BOARDS_COMMON_BOARD_H
#define ARENITE_BOARDS_COMMON_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_REG32(addr) (*(volatile uint32_t *)(uintptr_t)(addr))

// From the linker script.
extern uint8_t _stack_limit[], _estack[];

// The soc file: UART, counter, flash. The UART offers no byte by returning -1.
void soc_init(void);
int soc_uart_read(void);
void soc_uart_write(uint8_t c);
void soc_uart_rx_irq(bool enable);
uint32_t soc_counter(void);
void soc_flash_erase(size_t offset, size_t len);
void soc_flash_write(size_t offset, const void *src, size_t len);

// Start and fault.
void board_reset(void);
void board_fault_entry(void);
void board_mpu_enable(bool enable);

// Console.
void board_uart_isr(void);
bool board_stdin_any(void);

#endif // ARENITE_BOARDS_COMMON_BOARD_H
