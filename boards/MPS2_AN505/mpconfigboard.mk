# Cortex-M33 with FPU and DSP instructions, in its secure state. Memory and addresses: Arm DAI 0505.
CPU_FLAGS = -mcpu=cortex-m33 -mfpu=fpv5-sp-d16 -mfloat-abi=hard
NATIVE_ARCH = armv7emsp
MPU = 8

SOC = soc_mps
UART_BASE = 0x40200000
UART_IRQ = 32
TIMER_BASE = 0x40302018
TIMER_HZ = 20000000

FLASH_BASE = 0x10000000
FLASH_SIZE = 0x400000
RAM_BASE = 0x38000000
RAM_SIZE = 0x400000
RAMDISK_BASE = 0x80800000
RAMDISK_SIZE = 0x400000

include $(BOARD_DIR)/../common/common.mk
