# micro:bit, Cortex-M0, with the 16 kB of RAM that it has. Of flash it has 256 kB, which MicroPython, Arenite and a
# model do not fit into, so QEMU is told to give it 1 MB (board.json). Addresses: nRF51 Series Reference Manual.
#
# For an nRF51 that never was, with RAM for larger models, add HEAP=131072 STACK_SIZE=32768 RAM_SIZE=0x40000 when
# building and -global nrf51-soc.sram-size=262144 when emulating.
CPU_FLAGS = -mcpu=cortex-m0 -mfloat-abi=soft
NATIVE_ARCH = armv6m

SOC = soc_nrf51
UART_BASE = 0x40002000
UART_IRQ = 2
TIMER_BASE = 0x40008000
TIMER_HZ = 16000000

FLASH_BASE = 0x00000000
FLASH_SIZE = 0x80000
RAM_BASE = 0x20000000
RAM_SIZE = 0x4000
STACK_GUARD = 0
STACK_SIZE = 4096
STDIN_RING = 256

include $(BOARD_DIR)/../common/common.mk
