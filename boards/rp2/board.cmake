# What Arenite's boards for MicroPython's rp2 port share. A board's mpconfigboard.cmake names the Pico it is, and then
# includes this file; where its ROMFS lies is said once, in its board.json.

file(READ ${MICROPY_BOARD_DIR}/board.json ARENITE_BOARD)
string(JSON ARENITE_ROMFS_BASE GET ${ARENITE_BOARD} romfs_base)
string(JSON ARENITE_ROMFS_SIZE GET ${ARENITE_BOARD} romfs_size)
list(APPEND MICROPY_DEF_BOARD
    ARENITE_ROMFS_BASE=${ARENITE_ROMFS_BASE}
    ARENITE_ROMFS_SIZE=${ARENITE_ROMFS_SIZE})
# A change of board.json configures anew.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${MICROPY_BOARD_DIR}/board.json)

# `arenite build` makes the UF2 file itself: picotool is not needed, and not looked for.
set(PICO_NO_PICOTOOL 1)

# MicroPython's own pins and frozen modules. Where micropython-lib is not checked out, the drivers that a Pico's
# firmware takes from it are those of modules/.
set(MICROPY_BOARD_PINS ${MICROPY_PORT_DIR}/boards/${ARENITE_SAME_PINS_AS}/pins.csv)
if(NOT MICROPY_USER_FROZEN_MANIFEST AND NOT EXISTS ${MICROPY_DIR}/lib/micropython-lib/README.md)
    set(MICROPY_LIB_DIR ${CMAKE_CURRENT_LIST_DIR})
    set(MICROPY_FROZEN_MANIFEST ${CMAKE_CURRENT_LIST_DIR}/manifest.py)
endif()

# The linker refuses firmware that would run into the ROMFS, which the port does not check.
configure_file(${CMAKE_CURRENT_LIST_DIR}/guard.ld.in ${CMAKE_BINARY_DIR}/guard.ld @ONLY)
cmake_language(EVAL CODE "cmake_language(DEFER CALL target_link_options firmware PRIVATE ${CMAKE_BINARY_DIR}/guard.ld)")
