#define MICROPY_HW_BOARD_NAME           "Raspberry Pi Pico with Arenite"
#include "../rp2/board.h"
