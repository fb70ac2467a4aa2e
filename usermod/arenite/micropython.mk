ARENITE_DIR := $(USERMOD_DIR)

ARENITE_KERNELS := $(wildcard $(ARENITE_DIR)/kernels/portable/*.c)
ARENITE_BINDING := $(wildcard $(ARENITE_DIR)/binding/*.c)
ARENITE_REST := $(wildcard $(ARENITE_DIR)/engine/*.c) $(wildcard $(ARENITE_DIR)/ops/*.c)

# Only the binding has names for MicroPython to collect.
SRC_USERMOD_C += $(ARENITE_BINDING)
SRC_USERMOD_LIB_C += $(ARENITE_REST) $(ARENITE_KERNELS)

CFLAGS_USERMOD += -I$(ARENITE_DIR)

# Warnings that MicroPython's own code does not ask for, and, for what runs in inner loops, speed.
ARENITE_WARNINGS := -Wextra -Wshadow -Wno-unused-parameter
ARENITE_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(subst $(USER_C_MODULES)/,,$(1)))

$(call ARENITE_OBJ,$(ARENITE_BINDING)): private CFLAGS += $(ARENITE_WARNINGS)
$(call ARENITE_OBJ,$(ARENITE_REST)): private CFLAGS += $(ARENITE_WARNINGS)
$(call ARENITE_OBJ,$(ARENITE_KERNELS)): private CFLAGS += $(ARENITE_WARNINGS) -O2
$(call ARENITE_OBJ,$(wildcard $(ARENITE_DIR)/ops/*.c)): private CFLAGS += -O2
# A multiply and an add, not fused into one where the core can: the same bits on every core.
$(call ARENITE_OBJ,$(ARENITE_DIR)/binding/convert.c): private CFLAGS += -ffp-contract=off
