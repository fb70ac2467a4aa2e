#define MICROPY_HW_BOARD_NAME           "Raspberry Pi Pico 2 with Arenite"
#include "../rp2/board.h"
