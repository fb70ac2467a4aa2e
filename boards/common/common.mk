# What all of Arenite's boards for MicroPython's qemu port share. A board's mpconfigboard.mk states the facts of its
# machine as make variables and then includes this file; what the host tools need too is in its board.json.

COMMON_DIR := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
board_fact = $(shell sed -n 's/.*"$(1)": *"\{0,1\}\([^",]*\).*/\1/p' $(BOARD_DIR)/board.json)

QEMU_ARCH = arm
QEMU_MACHINE := $(call board_fact,machine)
ROMFS_BASE := $(call board_fact,romfs_base)
ROMFS_SIZE := $(call board_fact,romfs_size)

# HEAP=262144 on the command line gives a board with less memory.
HEAP ?= $(call board_fact,ram_heap)
MICROPY_HEAP_SIZE = $(HEAP)

# Nothing is frozen, so neither mpy-cross nor micropython-lib is needed. To freeze scripts of your own, give
# FROZEN_MANIFEST, MPY_LIB_DIR (a folder with a README.md in it will do) and MICROPY_MPYCROSS on the command line.
FROZEN_MANIFEST ?=
MPY_CROSS_FLAGS += -march=$(NATIVE_ARCH)

# Where things lie. The vectors are apart from the code only on machines that start from a small memory.
VECTORS_BASE ?= $(FLASH_BASE)
STACK_GUARD ?= 4096
STACK_SIZE ?= 32768
RAMDISK_BASE ?= 0
RAMDISK_SIZE ?= 0

# 0: no MPU and no stack limit; 7: Armv7-M; 8: Armv8-M.
MPU ?= 0
STDIN_RING ?= 4096

CFLAGS += -mthumb $(CPU_FLAGS)
CFLAGS += -I$(COMMON_DIR) -DMP_CONFIGFILE='"$(COMMON_DIR)/mpconfig.h"'
CFLAGS += -DMICROPY_HW_MCU_NAME='"$(call board_fact,cpu)"'
CFLAGS += $(foreach fact,VECTORS_BASE FLASH_BASE FLASH_SIZE RAM_BASE STACK_GUARD STACK_SIZE ROMFS_BASE ROMFS_SIZE \
	RAMDISK_BASE RAMDISK_SIZE MPU STDIN_RING UART_BASE UART_IRQ TIMER_BASE TIMER_HZ,-DBOARD_$(fact)=$($(fact)))
CFLAGS += $(BOARD_CFLAGS)
# The compiler leaves each function's use of the stack in an .su file beside its object; it changes no code.
CFLAGS += -fstack-usage

LDSCRIPT = $(COMMON_DIR)/board.ld
LDFLAGS += $(foreach fact,VECTORS_BASE FLASH_BASE FLASH_SIZE RAM_BASE RAM_SIZE STACK_GUARD STACK_SIZE,\
	-Wl,--defsym=_$(fact)=$($(fact)))
LDFLAGS += -Wl,--wrap=mp_hal_stdio_poll -Wl,--wrap=mp_stack_set_limit

# The soc file drives the UART, the free-running counter and the flash of a family of machines.
vpath %.c $(COMMON_DIR)
SRC_C += \
	board_startup.c \
	board_fault.c \
	board_clock.c \
	board_stdio.c \
	board_romfs.c \
	$(SOC).c \

ifneq ($(RAMDISK_SIZE),0)
MICROPY_VFS_LFS2 = 1
SRC_C += board_ramdisk.c
endif

# Armv6-M and Armv7-M have helpers in assembly; what works on every core is the generic one.
SRC_BOARD_O += shared/runtime/gchelper_generic.o

QSTR_GLOBAL_DEPENDENCIES += $(COMMON_DIR)/mpconfig.h

# A change of the facts above or of a variable on the command line makes everything stale, which make does not see.
build_key := $(shell cat $(BOARD_DIR)/* $(COMMON_DIR)/common.mk | cksum) $(MAKEOVERRIDES)
ifneq ($(build_key),$(file <$(BUILD)/options))
$(shell mkdir -p $(BUILD) && find $(BUILD) '(' -name '*.o' -o -name qstr.i.last ')' -delete)
$(file >$(BUILD)/options,$(build_key))
endif
