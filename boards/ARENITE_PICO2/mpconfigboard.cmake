# Raspberry Pi Pico 2 (RP2350), on its Arm cores.
set(PICO_BOARD "pico2")
set(PICO_PLATFORM "rp2350")
set(ARENITE_SAME_PINS_AS RPI_PICO2)
include(${MICROPY_BOARD_DIR}/../rp2/board.cmake)
