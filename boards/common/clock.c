// Time, from a counter that runs with the emulated clock.
//
// With QEMU's -icount shift=7 every instruction takes 128 ns of that clock, so the counter counts instructions:
// instructions = ticks * (nanoseconds of a tick) / 128, rounded. The conversion has no division and no branch that depends on
// the value, so that it costs the same each time and differences are exact. No timer interrupt runs: it would add
// instructions of its own to what is measured.

#include "py/runtime.h"
#include "py/mphal.h"

#include "clock.h"

static uint32_t last;
static uint32_t wraps;

// 64 bits of ticks, as long as it is asked at least once in each turn of the 32-bit counter (over two minutes).
static uint64_t ticks(void) {
    uint32_t now = board_counter();
    wraps += now < last;
    last = now;
    return (uint64_t)wraps << 32 | now;
}

// While the core sleeps, the emulator moves its clock by any amount, not by whole instructions: the count goes on from
// where it woke. Between two reads without a sleep, rounding the difference gives the instructions exactly.
static uint64_t woke_at;
static uint64_t counted;

static uint64_t count_at(uint64_t now) {
    return counted + (((now - woke_at) * BOARD_INSTRUCTIONS_MUL + (1u << (BOARD_INSTRUCTIONS_SHIFT - 1))) >> BOARD_INSTRUCTIONS_SHIFT);
}

void board_clock_woke(void) {
    uint64_t now = ticks();
    counted = count_at(now);
    woke_at = now;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)count_at(ticks());
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)(ticks() / (BOARD_COUNTER_HZ / 1000000));
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(ticks() / (BOARD_COUNTER_HZ / 1000));
}

uint64_t mp_hal_time_ns(void) {
    return ticks() * (1000000000 / BOARD_COUNTER_HZ);
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = ticks() + (uint64_t)us * (BOARD_COUNTER_HZ / 1000000);
    while (ticks() < end) {
        mp_handle_pending(true);
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = ticks() + (uint64_t)ms * (BOARD_COUNTER_HZ / 1000);
    while (ticks() < end) {
        mp_handle_pending(true);
    }
}
