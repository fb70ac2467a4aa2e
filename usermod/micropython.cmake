# For ports that build with CMake: USER_C_MODULES=.../usermod/micropython.cmake
include(${CMAKE_CURRENT_LIST_DIR}/arenite/micropython.cmake)
