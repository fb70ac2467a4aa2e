ARENITE_STATIC_ARENA ?= 16384
QEMU_MACHINE = mps2-an386
ARENITE_CPU = -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16
ARENITE_MCU = Cortex-M4
ARENITE_GC = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb2.o
ARENITE_MARCH = armv7emsp

include $(BOARD_DIR)/../common/mps.mk
