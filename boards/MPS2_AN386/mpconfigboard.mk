# Cortex-M4 with a single-precision FPU. Memory and addresses: Arm DAI 0386.
CPU_FLAGS = -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard
NATIVE_ARCH = armv7emsp
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

# The one board that reserves a static arena by default, so that code meets both cases.
ARENITE_STATIC_ARENA ?= 16384

include $(BOARD_DIR)/../common/common.mk
