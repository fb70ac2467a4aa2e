# Arenite for MicroPython ports that build with make: USER_C_MODULES=.../usermod

ARENITE_DIR := $(USERMOD_DIR)

# Bytes that the firmware reserves for arenite.Arena.static.
ARENITE_STATIC_ARENA ?= 0

# A header with the lines of ops/table.h that are wanted, and what of kernels/has.h is not, from the root of the file system; without it,
# all of them.
# `arenite build BOARD --for MODEL...` writes one.
ARENITE_OPS ?=

# 1: as few bytes of flash as can be, where speed matters less: the portable kernels, all of it built small, and no channels
# looked for at run time that need not be computed. The results are the same. `arenite build BOARD --small` sets it.
ARENITE_SMALL ?= 0

# Only the binding uses MicroPython, so only the binding is searched for qstrs.
SRC_USERMOD_C += $(wildcard $(ARENITE_DIR)/binding/*.c)
SRC_USERMOD_LIB_C += $(wildcard \
	$(ARENITE_DIR)/engine/*.c \
	$(ARENITE_DIR)/ops/*.c \
	$(ARENITE_DIR)/kernels/*/*.c)

CFLAGS_USERMOD += -I$(ARENITE_DIR) -DARENITE_STATIC_ARENA=$(ARENITE_STATIC_ARENA)
ifneq ($(ARENITE_OPS),)
CFLAGS_USERMOD += -DAR_OPS_TABLE='"$(ARENITE_OPS)"'
endif

# What runs for every element or position is worth its size; everything else is built as small as the port wants it.
# Callbacks leave parameters unused. Some ports make single constants of double ones, which gives other bits; clang, which
# builds none of them, does not know the option.
ARENITE_FLAGS = -Wextra -Wshadow -Wno-unused-parameter
ARENITE_FLAGS += $(if $(findstring clang,$(CC)),,-fno-single-precision-constant)

# What is kept in registers across a loop costs more bytes than it saves in code that is built small.
ARENITE_COMPACT = $(ARENITE_FLAGS) $(if $(findstring clang,$(CC)),,-fno-move-loop-invariants)

# So do these in what runs once a model or once an operator; and others where bytes are all that counts.
ARENITE_ENGINE = $(if $(findstring clang,$(CC)),,-fno-tree-dominator-opts -fno-caller-saves -fno-forward-propagate \
	-fno-tree-loop-im -fno-if-conversion)
ARENITE_FEWEST = $(ARENITE_COMPACT) $(if $(findstring clang,$(CC)),,-fno-thread-jumps -fno-schedule-insns2 -fno-caller-saves \
	-fno-tree-dominator-opts -fno-if-conversion)
ARENITE_FEWER = $(if $(findstring clang,$(CC)),,-fno-forward-propagate -fno-tree-loop-im -fno-tree-switch-conversion)

$(BUILD)/arenite/binding/%.o: private CFLAGS += $(ARENITE_FLAGS)
$(BUILD)/arenite/engine/%.o: private CFLAGS += $(ARENITE_COMPACT) $(ARENITE_ENGINE)
ifeq ($(ARENITE_SMALL),1)
CFLAGS_USERMOD += -DARENITE_SMALL -DARENITE_PORTABLE
$(BUILD)/arenite/ops/%.o: private CFLAGS += $(ARENITE_FEWEST) $(ARENITE_FEWER)
$(BUILD)/arenite/kernels/%.o: private CFLAGS += $(ARENITE_FEWEST) -Os
else
$(BUILD)/arenite/ops/%.o: private CFLAGS += $(ARENITE_COMPACT)
$(BUILD)/arenite/kernels/%.o: private CFLAGS += $(ARENITE_FLAGS) -O2
# Firmware for some models is to be small: less of it is built so, and of what is some costs fewer bytes; both are 1 % of an invoke.
ARENITE_LEAN = $(if $(findstring clang,$(CC)),,-fno-thread-jumps -fno-reorder-blocks -fno-tree-ch -fno-inline-small-functions)
$(BUILD)/arenite/kernels/dsp/%.o: private CFLAGS += $(if $(ARENITE_OPS),$(ARENITE_LEAN))
ARENITE_HOT = one_channel weights $(if $(ARENITE_OPS),,conv_s8 columns packed depthwise3 spatial)
$(ARENITE_HOT:%=$(BUILD)/arenite/ops/%.o): private CFLAGS += -O2 $(if $(findstring clang,$(CC)),,-fmove-loop-invariants -fno-partial-inlining)
ARENITE_COLD = fixed_point sigmoid
$(ARENITE_COLD:%=$(BUILD)/arenite/kernels/portable/%.o): private CFLAGS += -Os
endif
# A multiply and an add, not fused into one where the core can: the same bits on every core.
$(BUILD)/arenite/binding/convert.o: private CFLAGS += $(ARENITE_FLAGS) -ffp-contract=off
