# Cortex-M0 code on the Cortex-M3 board AN385: what Armv6-M compiles to, with memory enough for every model and a
# counter of instructions. Unaligned accesses fault, as they do on a Cortex-M0.
CPU_FLAGS = -mcpu=cortex-m0 -mfloat-abi=soft
NATIVE_ARCH = armv6m
MPU = 7

SOC = soc_mps
UART_BASE = 0x40004000
UART_IRQ = 0
TIMER_BASE = 0x40028018
TIMER_HZ = 25000000

FLASH_BASE = 0x00000000
FLASH_SIZE = 0x400000
RAM_BASE = 0x20000000
RAM_SIZE = 0x400000
RAMDISK_BASE = 0x21800000
RAMDISK_SIZE = 0x400000

include $(BOARD_DIR)/../common/common.mk
