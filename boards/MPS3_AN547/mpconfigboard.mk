QEMU_MACHINE = mps3-an547
ARENITE_CPU = -mcpu=cortex-m55 -mfloat-abi=hard
ARENITE_MCU = Cortex-M55
ARENITE_GC = shared/runtime/gchelper_generic.o
ARENITE_MARCH = armv7emsp

include $(BOARD_DIR)/../common/mps.mk
