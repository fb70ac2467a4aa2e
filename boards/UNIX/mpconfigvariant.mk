# MicroPython on this computer, without what needs libraries of others or their sources: a board to try models on.
FROZEN_MANIFEST ?=
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_SSL = 0
MICROPY_SSL_MBEDTLS = 0
