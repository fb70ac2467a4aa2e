add_library(usermod_arenite INTERFACE)

file(GLOB ARENITE_SOURCES
    ${CMAKE_CURRENT_LIST_DIR}/binding/*.c
    ${CMAKE_CURRENT_LIST_DIR}/engine/*.c
    ${CMAKE_CURRENT_LIST_DIR}/ops/*.c
    ${CMAKE_CURRENT_LIST_DIR}/kernels/portable/*.c)

target_sources(usermod_arenite INTERFACE ${ARENITE_SOURCES})
target_include_directories(usermod_arenite INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(usermod INTERFACE usermod_arenite)

# What runs in inner loops is worth its size.
file(GLOB ARENITE_KERNELS ${CMAKE_CURRENT_LIST_DIR}/kernels/portable/*.c)
set_source_files_properties(${ARENITE_KERNELS} PROPERTIES COMPILE_OPTIONS "-O2")
