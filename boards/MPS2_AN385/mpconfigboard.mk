QEMU_MACHINE = mps2-an385
ARENITE_CPU = -mcpu=cortex-m3 -mfloat-abi=soft
ARENITE_MCU = Cortex-M3
ARENITE_GC = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb2.o
ARENITE_MARCH = armv7m

include $(BOARD_DIR)/../common/mps.mk
