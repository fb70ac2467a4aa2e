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
    set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/binding/arena.c PROPERTIES
        COMPILE_DEFINITIONS "ARENITE_STATIC_ARENA=${ARENITE_STATIC_ARENA}")
endif()

# -DARENITE_OPS=...: a header with the lines of ops/table.h that are wanted; without it, all of them.
if(ARENITE_OPS)
    set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/ops/table.c PROPERTIES
        COMPILE_DEFINITIONS "AR_OPS_TABLE=\"${ARENITE_OPS}\"")
endif()

# A multiply and an add, not fused into one where the core can: the same bits on every core.
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/binding/convert.c PROPERTIES COMPILE_OPTIONS "-ffp-contract=off")

# What is kept in registers across a loop costs more bytes than it saves in code that is built small.
file(GLOB ARENITE_SMALL ${CMAKE_CURRENT_LIST_DIR}/engine/*.c ${CMAKE_CURRENT_LIST_DIR}/ops/*.c)
set_source_files_properties(${ARENITE_SMALL} PROPERTIES COMPILE_OPTIONS "-fno-move-loop-invariants")

# What runs for every element or position is worth its size.
file(GLOB ARENITE_HOT ${CMAKE_CURRENT_LIST_DIR}/kernels/*/*.c)
list(FILTER ARENITE_HOT EXCLUDE REGEX "/(fixed_point|sigmoid)\\.c$")
foreach(name conv_s8 one_channel depthwise3 spatial weights)
    list(APPEND ARENITE_HOT ${CMAKE_CURRENT_LIST_DIR}/ops/${name}.c)
endforeach()
set_source_files_properties(${ARENITE_HOT} PROPERTIES COMPILE_OPTIONS "-O2;-fno-partial-inlining")
