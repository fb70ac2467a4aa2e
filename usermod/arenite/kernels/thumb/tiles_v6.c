// Inner loops for Armv6-M, unrolled and entered where the pairs that are left over begin, so that there is no second loop
// for them. Only moves, additions and comparisons reach the registers from r8 on.

#include "kernels/thumb/tiles.h"

#if AR_TIER_THUMB && !AR_THUMB_FULL

// Two elements by two channels. The shift leaves the highest bit of the lower half in the carry: set, the lower half is negative and
// has borrowed from the upper.
#define CHANNELS(packed, second) \
    "ldmia  r1!, {r4, r5}\n" \
    "muls   r4, r2, r4\n" \
    "muls   r5, r3, r5\n" \
    "adds   r4, r4, r5\n" \
    "add    " packed ", r4\n" \
    "asrs   r4, r4, #16\n" \
    "adcs   " second ", r4\n"

#define WORDS(a, b) "ldmia  r0!, {r2, r3}\n"
#define BYTES(a, b) "ldrb r2, [r0, #" a "]\n" "ldrb r3, [r0, #" b "]\n" "sxtb r2, r2\n" "sxtb r3, r3\n"

// 30 bytes where a patch's elements are words, 36 where they are bytes: these count from where a round begins, so that x lies
// before the first of them what is left out of the first round (AR_THUMB_BEFORE).
#define PAIR(LOAD, a, b) LOAD(a, b) CHANNELS("r8", "r6") CHANNELS("r9", "r7")
#define PAIRS(LOAD) PAIR(LOAD, "0", "1") PAIR(LOAD, "2", "3") PAIR(LOAD, "4", "5") PAIR(LOAD, "6", "7")

// The doubling high product of r2, rounded, of four products of halves, the sum's lower one signed; one less where that is
// negative; the rounding shift with the zero point added; int8. r1: the factor.
#define PLAIN \
    "ldmia  r1!, {r4, r5}\n" \
    "sxth   r3, r2\n" \
    "subs   r2, r2, r3\n" \
    "asrs   r2, r2, #16\n" \
    "movs   r6, r3\n" \
    "muls   r6, r5, r6\n" \
    "muls   r3, r4, r3\n" \
    "asrs   r3, r3, #16\n" \
    "adds   r6, r6, r3\n" \
    "muls   r4, r2, r4\n" \
    "muls   r2, r5, r2\n" \
    "adds   r6, r6, r4\n" \
    "asrs   r6, r6, #15\n" \
    "adcs   r6, r2\n" \
    "adds   r6, r6, r2\n" \
    "asrs   r3, r6, #31\n" \
    "adds   r6, r6, r3\n" \
    "ldmia  r1!, {r3, r4, r5}\n" \
    "adds   r6, r6, r3\n" \
    "asrs   r6, r4\n" \
    "sxtb   r3, r6\n" \
    "cmp    r3, r6\n" \
    "beq    5f\n" \
    "asrs   r6, r6, #31\n" \
    "movs   r3, #127\n" \
    "eors   r3, r6\n" \
    "5:\n" \
    "strb   r3, [r7, r5]\n"

#define NOTHING
#define BACK "ldr    r4, [r3, #96]\n" "subs   r0, r0, r4\n"
#define ON "adds   r0, #8\n"

// START: of a patch, r3 being 20 behind t; END: of a round.
#define TILES(SIZE, LOAD, START, END) \
    __asm volatile ( \
        ".syntax unified\n" \
        "push   {r3-r7, lr}\n" \
        "mov    r4, r8\n" \
        "mov    r5, r9\n" \
        "mov    r6, r10\n" \
        "mov    r7, r11\n" \
        "push   {r3-r7}\n" \
        "mov    r11, r0\n" \
        "mov    r10, r1\n" \
        "movs   r3, #" SIZE "\n" \
        "muls   r3, r2, r3\n" \
        "adr    r4, 3f\n" \
        "subs   r4, r4, r3\n" \
        "adds   r4, #1\n" \
        "mov    r12, r4\n" \
        "movs   r3, #4\n" \
        "subs   r3, r3, r2\n" \
        "lsls   r3, r3, #1\n" \
        "str    r3, [r0, #116]\n" \
        "adds   r0, #112\n" \
        "ldr    r0, [r0]\n" \
        "1:\n" \
        "mov    r3, r11\n" \
        "ldmia  r3!, {r1, r4, r5, r6, r7}\n" \
        "mov    r8, r4\n" \
        "mov    r9, r5\n" \
        START \
        "bx     r12\n" \
        ".balign 4\n" \
        "2:\n" \
        PAIRS(LOAD) \
        "3:\n" \
        END \
        "cmp    r1, r10\n" \
        "bne    2b\n" \
        "mov    lr, r0\n" \
        "lsls   r2, r6, #16\n" \
        "mov    r3, r8\n" \
        "subs   r2, r3, r2\n" \
        "lsls   r4, r7, #16\n" \
        "mov    r3, r9\n" \
        "subs   r3, r3, r4\n" \
        "mov    r8, r6\n" \
        "mov    r9, r3\n" \
        "str    r7, [sp]\n" \
        "mov    r1, r11\n" \
        "adds   r1, #20\n" \
        "ldmia  r1!, {r7}\n" \
        PLAIN \
        "mov    r2, r8\n" \
        PLAIN \
        "mov    r2, r9\n" \
        PLAIN \
        "ldr    r2, [sp]\n" \
        PLAIN \
        "mov    r0, lr\n" \
        "ldmia  r1!, {r3, r4}\n" \
        "adds   r7, r7, r3\n" \
        "mov    r1, r11\n" \
        "str    r7, [r1, #20]\n" \
        "cmp    r0, r4\n" \
        "beq    4f\n" \
        "b      1b\n" \
        "4:\n" \
        "pop    {r3-r7}\n" \
        "mov    r8, r4\n" \
        "mov    r9, r5\n" \
        "mov    r10, r6\n" \
        "mov    r11, r7\n" \
        "pop    {r3-r7, pc}\n")

__attribute__((naked)) void ar_thumb_tiles(ar_thumb_tiles_t *t, const uint32_t *w_end, uint32_t pairs_first) {
    TILES("30", WORDS, NOTHING, NOTHING);
}

__attribute__((naked)) void ar_thumb_tiles_bytes(ar_thumb_tiles_t *t, const uint32_t *w_end, uint32_t pairs_first) {
    TILES("36", BYTES, BACK, ON);
}

// lr: rows of taps that are left; r10: the end of the weights of this one.
__attribute__((naked)) void ar_thumb_packed_row(ar_thumb_packed_row_t *t, uint32_t pairs_first) {
    __asm volatile (
        ".syntax unified\n"
        "push   {r4-r7, lr}\n"
        "mov    r4, r8\n"
        "mov    r5, r9\n"
        "mov    r6, r10\n"
        "mov    r7, r11\n"
        "push   {r3-r7}\n"
        "mov    r11, r0\n"
        "movs   r3, #36\n"
        "muls   r3, r1, r3\n"
        "adr    r4, 3f\n"
        "subs   r4, r4, r3\n"
        "adds   r4, #1\n"
        "mov    r12, r4\n"
        "1:\n"
        "mov    r3, r11\n"
        "ldmia  r3!, {r4, r5, r6, r7}\n"
        "mov    r8, r4\n"
        "mov    r9, r5\n"
        "ldr    r4, [r3, #40]\n"
        "cmp    r4, #0\n"
        "beq    6f\n"
        "ldmia  r4!, {r0, r1, r2, r5}\n"
        "add    r8, r0\n"
        "add    r9, r1\n"
        "adds   r6, r6, r2\n"
        "adds   r7, r7, r5\n"
        "str    r4, [r3, #40]\n"
        "6:\n"
        "ldmia  r3!, {r0, r1, r2}\n"
        "mov    lr, r2\n"
        "ldr    r4, [r3, #4]\n"
        "adds   r4, r4, r1\n"
        "mov    r10, r4\n"
        "bx     r12\n"
        ".balign 4\n"
        "2:\n"
        PAIRS(BYTES)
        "3:\n"
        "adds   r0, #8\n"
        "cmp    r1, r10\n"
        "bne    2b\n"
        "mov    r3, r11\n"
        "mov    r4, lr\n"
        "subs   r4, r4, #1\n"
        "beq    4f\n"
        "mov    lr, r4\n"
        "ldr    r5, [r3, #36]\n"
        "adds   r0, r0, r5\n"
        "ldr    r5, [r3, #28]\n"
        "cmp    r4, r5\n"
        "bne    7f\n"
        "ldr    r5, [r3, #44]\n"
        "subs   r0, r0, r5\n"
        "7:\n"
        "ldr    r5, [r3, #40]\n"
        "adds   r1, r1, r5\n"
        "ldr    r5, [r3, #32]\n"
        "adds   r5, r5, r1\n"
        "mov    r10, r5\n"
        "bx     r12\n"
        "4:\n"
        "ldr    r4, [r3, #60]\n"
        "cmp    r4, #0\n"
        "beq    8f\n"
        "mov    r0, r8\n"
        "mov    r1, r9\n"
        "stmia  r4!, {r0, r1, r6, r7}\n"
        "str    r4, [r3, #60]\n"
        "b      9f\n"
        "8:\n"
        "lsls   r2, r6, #16\n"
        "mov    r3, r8\n"
        "subs   r2, r3, r2\n"
        "lsls   r4, r7, #16\n"
        "mov    r3, r9\n"
        "subs   r3, r3, r4\n"
        "mov    r8, r6\n"
        "mov    r9, r3\n"
        "str    r7, [sp]\n"
        "mov    r1, r11\n"
        "ldr    r7, [r1, #64]\n"
        "adds   r1, #76\n"
        PLAIN
        "mov    r2, r8\n"
        PLAIN
        "mov    r2, r9\n"
        PLAIN
        "ldr    r2, [sp]\n"
        PLAIN
        "mov    r3, r11\n"
        "ldr    r4, [r3, #68]\n"
        "adds   r7, r7, r4\n"
        "str    r7, [r3, #64]\n"
        "9:\n"
        "ldr    r4, [r3, #16]\n"
        "ldr    r5, [r3, #48]\n"
        "adds   r4, r4, r5\n"
        "str    r4, [r3, #16]\n"
        "ldr    r5, [r3, #52]\n"
        "cmp    r4, r5\n"
        "beq    10f\n"
        "b      1b\n"
        "10:\n"
        "pop    {r3-r7}\n"
        "mov    r8, r4\n"
        "mov    r9, r5\n"
        "mov    r10, r6\n"
        "mov    r11, r7\n"
        "pop    {r4-r7, pc}\n");
}

#define ROW(w, sum) \
    "ldrsb  r5, [" w ", r4]\n" \
    "muls   r5, r6, r5\n" \
    "add    " sum ", r5\n"

// 30 bytes.
#define BYTE \
    "ldrsb  r6, [r7, r4]\n" \
    "add    r6, r12\n" \
    ROW("r0", "r8") ROW("r1", "r9") ROW("r2", "r10") ROW("r3", "r11") \
    "adds   r4, #1\n"

__attribute__((naked)) void ar_thumb_rows_bytes(ar_thumb_rows_t *r, const int8_t *x, uint32_t n, uint32_t first) {
    __asm volatile (
        ".syntax unified\n"
        "push   {r0, r4-r7, lr}\n"
        "mov    r4, r8\n"
        "mov    r5, r9\n"
        "mov    r6, r10\n"
        "mov    r7, r11\n"
        "push   {r1, r4-r7}\n"
        "mov    lr, r2\n"
        "movs   r5, #30\n"
        "muls   r5, r3, r5\n"
        "adr    r6, 3f\n"
        "subs   r6, r6, r5\n"
        "adds   r6, #1\n"
        "ldr    r5, [r0, #32]\n"
        "mov    r12, r5\n"
        "adds   r0, #16\n"
        "ldmia  r0!, {r1, r2, r3, r4}\n"
        "mov    r8, r1\n"
        "mov    r9, r2\n"
        "mov    r10, r3\n"
        "mov    r11, r4\n"
        "subs   r0, #32\n"
        "ldmia  r0, {r0, r1, r2, r3}\n"
        "ldr    r7, [sp]\n"
        "movs   r4, #0\n"
        "bx     r6\n"
        ".balign 4\n"
        "2:\n"
        BYTE BYTE BYTE BYTE
        "3:\n"
        "cmp    r4, lr\n"
        "bne    2b\n"
        "ldr    r0, [sp, #20]\n"
        "adds   r0, #16\n"
        "mov    r1, r8\n"
        "mov    r2, r9\n"
        "mov    r3, r10\n"
        "mov    r4, r11\n"
        "stmia  r0!, {r1, r2, r3, r4}\n"
        "pop    {r1, r4-r7}\n"
        "mov    r8, r4\n"
        "mov    r9, r5\n"
        "mov    r10, r6\n"
        "mov    r11, r7\n"
        "pop    {r0, r4-r7, pc}\n");
}

// A column of three.
#define COLUMN \
    "ldmia  r0!, {r2, r3, r4}\n" \
    "ldmia  r1!, {r5, r6, r7}\n" \
    "muls   r2, r5, r2\n" \
    "muls   r3, r6, r3\n" \
    "muls   r4, r7, r4\n" \
    "adds   r2, r2, r3\n" \
    "adds   r2, r2, r4\n"

// lr: the last taps; on the stack: out.
__attribute__((naked)) void ar_thumb_row(const ar_thumb_row_t *r) {
    __asm volatile (
        ".syntax unified\n"
        "push   {r0, r4-r7, lr}\n"
        "mov    r4, r8\n"
        "mov    r5, r9\n"
        "mov    r6, r10\n"
        "mov    r7, r11\n"
        "push   {r3-r7}\n"
        "ldmia  r0!, {r1, r2, r3, r4, r5, r6}\n"
        "mov    r8, r3\n"
        "mov    r9, r4\n"
        "mov    r10, r5\n"
        "mov    r11, r6\n"
        "str    r5, [sp]\n"
        "movs   r5, r2\n"
        "adds   r5, #180\n"
        "mov    lr, r5\n"
        "movs   r0, r1\n"
        "movs   r1, r2\n"
        "2:\n"
        COLUMN
        "mov    r12, r2\n"
        COLUMN
        "add    r12, r2\n"
        COLUMN
        "ldmia  r1!, {r3}\n"
        "add    r2, r12\n"
        "adds   r2, r2, r3\n"
        "mov    r7, r10\n"
        PLAIN
        "subs   r1, #60\n"
        "add    r10, r11\n"
        "add    r0, r8\n"
        "cmp    r0, r9\n"
        "bne    2b\n"
        "ldr    r2, [sp, #20]\n"
        "ldr    r3, [r2, #24]\n"
        "add    r9, r3\n"
        "ldr    r3, [r2, #28]\n"
        "add    r0, r3\n"
        "ldr    r4, [sp]\n"
        "adds   r4, #1\n"
        "str    r4, [sp]\n"
        "mov    r10, r4\n"
        "movs   r4, r1\n"
        "adds   r1, #60\n"
        "cmp    r4, lr\n"
        "bne    2b\n"
        "pop    {r3-r7}\n"
        "mov    r8, r4\n"
        "mov    r9, r5\n"
        "mov    r10, r6\n"
        "mov    r11, r7\n"
        "pop    {r0, r4-r7, pc}\n");
}

// Two elements of two channels. 255 added makes both halves of the sum of two words positive but for a sum of two weights of -256:
// that times -128 is the one product that does not fit 16 bits.
__attribute__((naked)) void ar_thumb_pack(const int8_t *a, const int8_t *b, uint32_t *to, const int8_t *a_end, ar_thumb_packed_t *s) {
    __asm volatile (
        ".syntax unified\n"
        "push   {r4-r7, lr}\n"
        "mov    r4, r8\n"
        "mov    r5, r9\n"
        "push   {r4, r5}\n"
        "subs   r3, r3, r0\n"
        "mov    r12, r3\n"
        "movs   r4, #255\n"
        "lsls   r5, r4, #16\n"
        "adds   r4, r4, r5\n"
        "mov    r8, r4\n"
        "movs   r3, #0\n"
        "mov    r9, r3\n"
        "movs   r4, #0\n"
        "1:\n"
        "ldrsb  r5, [r0, r4]\n"
        "ldrsb  r6, [r1, r4]\n"
        "adds   r4, #1\n"
        "lsls   r6, r6, #16\n"
        "adds   r5, r5, r6\n"
        "ldrsb  r6, [r0, r4]\n"
        "ldrsb  r7, [r1, r4]\n"
        "adds   r4, #1\n"
        "lsls   r7, r7, #16\n"
        "adds   r6, r6, r7\n"
        "stmia  r2!, {r5, r6}\n"
        "adds   r2, #8\n"
        "adds   r5, r5, r6\n"
        "add    r5, r8\n"
        "add    r9, r5\n"
        "orrs   r3, r5\n"
        "cmp    r4, r12\n"
        "bne    1b\n"
        "ldr    r0, [sp, #28]\n"
        "ldmia  r0!, {r1, r2, r5}\n"
        "subs   r0, #12\n"
        "lsrs   r4, r4, #1\n"
        "movs   r6, #255\n"
        "muls   r4, r6, r4\n" // what was added to each half
        "mov    r6, r9\n"
        "lsrs   r7, r6, #16\n"
        "adds   r2, r2, r7\n"
        "subs   r2, r2, r4\n"
        "adds   r1, r1, r6\n"
        "lsls   r6, r4, #16\n"
        "adds   r6, r6, r4\n"
        "subs   r1, r1, r6\n"
        "orrs   r5, r3\n"
        "stmia  r0!, {r1, r2, r5}\n"
        "pop    {r4, r5}\n"
        "mov    r8, r4\n"
        "mov    r9, r5\n"
        "pop    {r4-r7, pc}\n");
}

#endif // AR_TIER_THUMB && !AR_THUMB_FULL
