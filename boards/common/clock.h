// The counter behind the clock: board.h has its frequency, the board family its register.

#ifndef ARENITE_BOARDS_CLOCK_H
#define ARENITE_BOARDS_CLOCK_H

#include <stdint.h>

#include "board.h"

// ticks * MUL >> SHIFT = ticks * (nanoseconds of a tick) / 128, exactly.
#if BOARD_COUNTER_HZ == 25000000
#define BOARD_INSTRUCTIONS_MUL (5)      // 40 / 128
#define BOARD_INSTRUCTIONS_SHIFT (4)
#elif BOARD_COUNTER_HZ == 20000000
#define BOARD_INSTRUCTIONS_MUL (25)     // 50 / 128
#define BOARD_INSTRUCTIONS_SHIFT (6)
#elif BOARD_COUNTER_HZ == 16000000
#define BOARD_INSTRUCTIONS_MUL (125)    // 62.5 / 128
#define BOARD_INSTRUCTIONS_SHIFT (8)
#else
#error BOARD_COUNTER_HZ has no exact conversion yet
#endif

#ifdef BOARD_COUNTER
static inline uint32_t board_counter(void) {
    return *(volatile uint32_t *)BOARD_COUNTER;
}
#else
uint32_t board_counter(void);
#endif

// To be called after each wfi.
void board_clock_woke(void);

#endif // ARENITE_BOARDS_CLOCK_H
