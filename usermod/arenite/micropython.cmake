add_library(usermod_arenite INTERFACE)

file(GLOB ARENITE_SOURCES
    ${CMAKE_CURRENT_LIST_DIR}/binding/*.c
    ${CMAKE_CURRENT_LIST_DIR}/engine/*.c
    ${CMAKE_CURRENT_LIST_DIR}/ops/*.c
    ${CMAKE_CURRENT_LIST_DIR}/kernels/*/*.c)

target_sources(usermod_arenite INTERFACE ${ARENITE_SOURCES})
target_include_directories(usermod_arenite INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(usermod INTERFACE usermod_arenite)

# -DARENITE_STATIC_ARENA=bytes: what the firmware reserves for arenite.Arena.static; without it, nothing.
if(ARENITE_STATIC_ARENA)
    set_property(SOURCE ${CMAKE_CURRENT_LIST_DIR}/binding/arena.c APPEND PROPERTY
        COMPILE_DEFINITIONS "ARENITE_STATIC_ARENA=${ARENITE_STATIC_ARENA}")
endif()

# -DARENITE_OPS=...: a header with the lines of ops/table.h that are wanted, and what of kernels/has.h is not; without it, all of them.
if(ARENITE_OPS)
    set_property(SOURCE ${ARENITE_SOURCES} APPEND PROPERTY
        COMPILE_DEFINITIONS "AR_OPS_TABLE=\"${ARENITE_OPS}\"")
endif()

# A multiply and an add, not fused into one where the core can: the same bits on every core.
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/binding/convert.c PROPERTIES COMPILE_OPTIONS "-ffp-contract=off")

# What is kept in registers across a loop costs more bytes than it saves in code that is built small; so does some of what speeds
# up what runs once a model or once an operator.
file(GLOB ARENITE_ENGINE ${CMAKE_CURRENT_LIST_DIR}/engine/*.c)
file(GLOB ARENITE_OPS_SOURCES ${CMAKE_CURRENT_LIST_DIR}/ops/*.c)
file(GLOB ARENITE_HOT ${CMAKE_CURRENT_LIST_DIR}/kernels/*/*.c)
set_source_files_properties(${ARENITE_ENGINE} PROPERTIES COMPILE_OPTIONS
    "-fno-move-loop-invariants;-fno-tree-dominator-opts;-fno-caller-saves;-fno-forward-propagate;-fno-tree-loop-im;-fno-if-conversion")
set_source_files_properties(${ARENITE_OPS_SOURCES} PROPERTIES COMPILE_OPTIONS "-fno-move-loop-invariants")

# -DARENITE_SMALL=1: as few bytes of flash as can be, where speed matters less: the portable kernels, all of it built small, and
# no channels looked for at run time that need not be computed. The results are the same.
if(ARENITE_SMALL)
    set_property(SOURCE ${ARENITE_SOURCES} APPEND PROPERTY COMPILE_DEFINITIONS ARENITE_SMALL ARENITE_PORTABLE)
    set(ARENITE_FEWEST
        "-Os;-fno-move-loop-invariants;-fno-thread-jumps;-fno-schedule-insns2;-fno-caller-saves;-fno-tree-dominator-opts;-fno-if-conversion")
    set_source_files_properties(${ARENITE_HOT} PROPERTIES COMPILE_OPTIONS "${ARENITE_FEWEST}")
    set_source_files_properties(${ARENITE_OPS_SOURCES} PROPERTIES COMPILE_OPTIONS
        "${ARENITE_FEWEST};-fno-forward-propagate;-fno-tree-loop-im;-fno-tree-switch-conversion")
    set(ARENITE_HOT)
endif()

# What runs for every element or position is worth its size; less of it in firmware for some models, which is to be small.
list(FILTER ARENITE_HOT EXCLUDE REGEX "/(fixed_point|sigmoid)\\.c$")
if(ARENITE_HOT)
    set(ARENITE_HOT_OPS one_channel weights)
    if(NOT ARENITE_OPS)
        list(APPEND ARENITE_HOT_OPS conv_s8 columns packed depthwise3 spatial)
    endif()
    foreach(name ${ARENITE_HOT_OPS})
        list(APPEND ARENITE_HOT ${CMAKE_CURRENT_LIST_DIR}/ops/${name}.c)
    endforeach()
    set_source_files_properties(${ARENITE_HOT} PROPERTIES COMPILE_OPTIONS "-O2;-fno-partial-inlining")
endif()
