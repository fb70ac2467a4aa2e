#define MICROPY_CONFIG_ROM_LEVEL    (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

// As on the boards: floats are of single precision, and files in a ROMFS image.
#define MICROPY_FLOAT_IMPL          (MICROPY_FLOAT_IMPL_FLOAT)
#include "variants/mpconfigvariant_common.h"

// Ctrl-C is seen between two operators, and leaves no model in the middle of one.
#undef MICROPY_ASYNC_KBD_INTR
#define MICROPY_ASYNC_KBD_INTR      (0)
