// Time and instruction count, both from one free-running counter; no interrupt marks the time, since one that came
// while something is measured would be measured too.
//
// QEMU's -icount shift=7 makes every instruction last 128 ns of the emulated time, so the counter's advance says how
// many were executed: 128 ns are 3.2 counts at 25 MHz, 2.56 at 20 MHz, 2.048 at 16 MHz. The counter rounds down, by
// less than one count at either end of an interval, so the quotient is off by less than half an instruction and
// rounding it to nearest is exact. Without -icount the figure is the emulated time in units of 128 ns.
//
// The counter is 32 bits wide. Whoever wants the whole right must read it once a wrap: 171 s at 25 MHz, 214 s at
// 20 MHz, 268 s at 16 MHz, that is 1.3 thousand million instructions or more.

#include "py/mphal.h"
#include "py/runtime.h"
#include "board.h"

#if BOARD_TIMER_HZ == 25000000
#define INSTRUCTIONS(counts) (((counts) * 5 + 8) >> 4)
#elif BOARD_TIMER_HZ == 20000000
#define INSTRUCTIONS(counts) (((counts) * 25 + 32) >> 6)
#elif BOARD_TIMER_HZ == 16000000
#define INSTRUCTIONS(counts) (((counts) * 125 + 128) >> 8)
#else
#error No exact conversion of this counter to instructions is known.
#endif

static uint32_t last_count;
static uint32_t instructions;
static uint64_t elapsed;

static uint32_t clock_advance(void) {
    uint32_t now = soc_counter();
    uint32_t counts = now - last_count;
    last_count = now;
    elapsed += counts;
    return counts;
}

static void clock_update(void) {
    instructions += (uint32_t)INSTRUCTIONS((uint64_t)clock_advance());
}

static uint64_t clock_elapsed(void) {
    uint32_t state = board_irq_disable();
    clock_update();
    uint64_t counts = elapsed;
    board_irq_restore(state);
    return counts;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    uint32_t state = board_irq_disable();
    clock_update();
    mp_uint_t count = instructions;
    board_irq_restore(state);
    return count;
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)(clock_elapsed() / (BOARD_TIMER_HZ / 1000000));
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(clock_elapsed() / (BOARD_TIMER_HZ / 1000));
}

uint64_t mp_hal_time_ns(void) {
    return clock_elapsed() * (1000000000 / 1000000) / (BOARD_TIMER_HZ / 1000000);
}

void mp_hal_delay_us(mp_uint_t us) {
    mp_uint_t start = mp_hal_ticks_us();
    while (mp_hal_ticks_us() - start < us) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t counts = (uint64_t)ms * (BOARD_TIMER_HZ / 1000);
    uint64_t start = clock_elapsed();
    while (clock_elapsed() - start < counts) {
        mp_event_handle_nowait();
    }
}

// Sleep until a byte arrives. With interrupts masked WFI still wakes, and the time slept, which is no whole number of
// instructions, is left out of their count before anything else runs.
void board_idle(void) {
    uint32_t state = board_irq_disable();
    if (!board_stdin_any()) {
        clock_update();
        __asm volatile ("dsb\n wfi" : : : "memory");
        clock_advance();
    }
    board_irq_restore(state);
}
