# Cortex-M7 with a double-precision FPU. Memory and addresses: Arm DAI 0400.
CPU_FLAGS = -mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard
NATIVE_ARCH = armv7emdp
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
RAMDISK_BASE = 0x60800000
RAMDISK_SIZE = 0x400000

include $(BOARD_DIR)/../common/common.mk
