QEMU_MACHINE = mps2-an385
ARENITE_CPU = -mcpu=cortex-m0 -mfloat-abi=soft
ARENITE_MCU = Cortex-M0
ARENITE_GC = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb1.o
ARENITE_MARCH = armv6m

include $(BOARD_DIR)/../common/mps.mk
