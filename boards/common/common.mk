# What every emulated board needs of the port's makefile.

# The port's own stdio poll and clock do nothing; clock.c and the UART driver have them.
LDFLAGS += -Wl,--wrap=mp_hal_stdio_poll -Wl,--wrap=HardFault_Handler

# The release's source has no micropython-lib: an empty one will do, nothing is frozen from it.
MPY_LIB_DIR = $(COMMON_DIR)lib
