QEMU_MACHINE = mps2-an500
ARENITE_CPU = -mcpu=cortex-m7 -mfloat-abi=hard -mfpu=fpv5-d16
ARENITE_MCU = Cortex-M7
ARENITE_GC = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb2.o
ARENITE_MARCH = armv7emdp

include $(BOARD_DIR)/../common/mps.mk
