QEMU_MACHINE = mps2-an505
ARENITE_CPU = -mcpu=cortex-m33 -mfloat-abi=hard -mfpu=fpv5-sp-d16
ARENITE_MCU = Cortex-M33
ARENITE_GC = shared/runtime/gchelper_generic.o
ARENITE_MARCH = armv7emsp

include $(BOARD_DIR)/../common/mps.mk
