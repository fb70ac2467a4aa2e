# What the boards of Arm's MPS2 and MPS3 families share, for MicroPython's qemu port. A board's mpconfigboard.mk sets
# QEMU_MACHINE, ARENITE_CPU (compiler flags), ARENITE_GC (objects of the collector's helper) and ARENITE_MARCH (for
# mpy-cross), and includes this.

COMMON_DIR := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))/

QEMU_ARCH = arm
CFLAGS += -mthumb $(ARENITE_CPU) -I$(BOARD_DIR) -I$(COMMON_DIR)
CFLAGS += -DMP_CONFIGFILE='"$(COMMON_DIR)mpconfig.h"'
CFLAGS += -DMICROPY_HW_MCU_NAME='"$(ARENITE_MCU)"'
CFLAGS += -DARENITE_STATIC_ARENA=$(ARENITE_STATIC_ARENA)
MPY_CROSS_FLAGS += -march=$(ARENITE_MARCH)

# HEAP=262144 on the command line, with a BUILD folder of its own, makes a board with a realistic memory.
HEAP ?= 2097152
MICROPY_HEAP_SIZE = $(HEAP)
ARENITE_STATIC_ARENA ?= 0

LDSCRIPT = $(BOARD_DIR)/board.ld
LDFLAGS += -L$(COMMON_DIR)
SRC_BOARD_O += $(ARENITE_GC)

SRC_C += \
	$(COMMON_DIR)clock.c \
	$(COMMON_DIR)fault.c \
	$(COMMON_DIR)mpsuart.c \
	$(COMMON_DIR)ramdisk.c \
	$(COMMON_DIR)romfs.c \
	$(COMMON_DIR)vectors.c \

SRC_QSTR += $(COMMON_DIR)ramdisk.c

include $(COMMON_DIR)common.mk

MICROPY_VFS_LFS2 = 1
FROZEN_MANIFEST = $(COMMON_DIR)manifest.py
