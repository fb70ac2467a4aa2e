# Cortex-M55 with Helium. Memory and addresses: Arm DAI 0547. It starts from the ITCM at 0, which is too small to hold
# all code for ever, so only the vectors are there.
CPU_FLAGS = -mcpu=cortex-m55 -mfloat-abi=hard
NATIVE_ARCH = armv7emdp
MPU = 8

SOC = soc_mps
UART_BASE = 0x49303000
UART_IRQ = 33
TIMER_BASE = 0x49302018
TIMER_HZ = 20000000

VECTORS_BASE = 0x00000000
FLASH_BASE = 0x01000000
FLASH_SIZE = 0x200000
RAM_BASE = 0x21000000
RAM_SIZE = 0x400000
RAMDISK_BASE = 0x62800000
RAMDISK_SIZE = 0x400000

include $(BOARD_DIR)/../common/common.mk
