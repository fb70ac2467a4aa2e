# Raspberry Pi Pico (RP2040), and boards that are wired like it.
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")
set(ARENITE_SAME_PINS_AS RPI_PICO)
include(${MICROPY_BOARD_DIR}/../rp2/board.cmake)
