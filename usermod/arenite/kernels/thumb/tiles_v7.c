// Inner loops for Armv7-M, unrolled and entered where the pairs that are left over begin, so that there is no second loop
// for them. What has no register is on the stack.

#include "kernels/thumb/tiles.h"

#if AR_TIER_THUMB && AR_THUMB_FULL

// Two elements of a patch by four channels. 40 bytes where they are words, 44 where they are bytes.
#define WORDS "ldm.w  r12!, {r0, r1}\n"
#define BYTES "ldrsb.w r1, [r12, #1]\n" "ldrsb.w r0, [r12], #2\n"

#define PAIR(LOAD) \
    LOAD \
    "ldm.w  lr!, {r2-r5}\n" \
    "mla    r10, r0, r2, r11\n" \
    "mla    r10, r1, r3, r10\n" \
    "add.w  r6, r6, r10\n" \
    "add.w  r8, r8, r10, lsr #16\n" \
    "mla    r10, r0, r4, r11\n" \
    "mla    r10, r1, r5, r10\n" \
    "add.w  r7, r7, r10\n" \
    "add.w  r9, r9, r10, lsr #16\n"

// The doubling high product, rounded; one less where that is negative; the rounding shift with the zero point added; int8.
#define PLAIN(sum) \
    "ldm.w  lr!, {r1-r4}\n" \
    "lsl.w  " sum ", " sum ", #1\n" \
    "smull  r5, r10, " sum ", r1\n" \
    "add.w  r10, r10, r5, lsr #31\n" \
    "add.w  r10, r10, r10, asr #31\n" \
    "add    r10, r2\n" \
    "asr.w  r10, r10, r3\n" \
    "ssat   r10, #8, r10\n" \
    "strb.w r10, [r0, r4]\n"

#define TILES(SIZE, LOAD) \
    __asm volatile ( \
        "push   {r0, r1, r4-r11, lr}\n" \
        "movs   r3, #" SIZE "\n" \
        "mul    r3, r3, r2\n" \
        "adr.w  r2, 3f\n" \
        "subs   r2, r2, r3\n" \
        "orr    r2, r2, #1\n" \
        "str    r2, [r0, #100]\n" \
        "ldr.w  r12, [r0, #96]\n" \
        "mov.w  r11, #0x7f007f00\n" \
        "1:\n" \
        "ldm.w  r0, {r2, r6-r9}\n" \
        "mov    lr, r2\n" \
        "ldr.w  pc, [r0, #100]\n" \
        "2:\n" \
        PAIR(LOAD) PAIR(LOAD) PAIR(LOAD) PAIR(LOAD) PAIR(LOAD) PAIR(LOAD) PAIR(LOAD) PAIR(LOAD) \
        "3:\n" \
        "ldr    r0, [sp, #4]\n" \
        "cmp    lr, r0\n" \
        "bne.w  2b\n" \
        "ldr.w  lr, [sp]\n" \
        "sub.w  r6, r6, r8, lsl #16\n" \
        "sub.w  r7, r7, r9, lsl #16\n" \
        "add.w  lr, lr, #20\n" \
        "ldr.w  r0, [lr], #4\n" \
        PLAIN("r6") PLAIN("r8") PLAIN("r7") PLAIN("r9") \
        "ldrd   r1, r2, [lr]\n" \
        "add    r1, r0\n" \
        "ldr    r0, [sp]\n" \
        "str    r1, [r0, #20]\n" \
        "cmp    r12, r2\n" \
        "bne.w  1b\n" \
        "pop    {r0, r1, r4-r11, pc}\n")

__attribute__((naked)) void ar_thumb_tiles(ar_thumb_tiles_t *t, const uint32_t *w_end, uint32_t pairs_first) {
    TILES("40", WORDS);
}

__attribute__((naked)) void ar_thumb_tiles_bytes(ar_thumb_tiles_t *t, const uint32_t *w_end, uint32_t pairs_first) {
    TILES("44", BYTES);
}

// On the stack: t, rows of taps that are left, the end of the weights of this one.
__attribute__((naked)) void ar_thumb_packed_row(ar_thumb_packed_row_t *t, uint32_t pairs_first) {
    __asm volatile (
        "push   {r0-r2, r4-r11, lr}\n"
        "movs   r3, #44\n"
        "mul    r3, r3, r1\n"
        "adr.w  r2, 3f\n"
        "subs   r2, r2, r3\n"
        "orr    r2, r2, #1\n"
        "str    r2, [r0, #72]\n"
        "mov.w  r11, #0x7f007f00\n"
        "1:\n"
        "ldm.w  r0, {r6-r9, r12, lr}\n"
        "ldr    r1, [r0, #56]\n"
        "cbz    r1, 6f\n"
        "ldm    r1!, {r2-r5}\n"
        "add    r6, r2\n"
        "add    r7, r3\n"
        "add    r8, r4\n"
        "add    r9, r5\n"
        "str    r1, [r0, #56]\n"
        "6:\n"
        "ldr    r2, [r0, #24]\n"
        "ldr    r3, [r0, #32]\n"
        "add    r3, lr\n"
        "strd   r2, r3, [sp, #4]\n"
        "ldr.w  pc, [r0, #72]\n"
        "2:\n"
        PAIR(BYTES) PAIR(BYTES) PAIR(BYTES) PAIR(BYTES) PAIR(BYTES) PAIR(BYTES) PAIR(BYTES) PAIR(BYTES)
        "3:\n"
        "ldr    r0, [sp, #8]\n"
        "cmp    lr, r0\n"
        "bne.w  2b\n"
        "ldrd   r0, r1, [sp]\n"
        "subs   r1, r1, #1\n"
        "beq    4f\n"
        "str    r1, [sp, #4]\n"
        "ldr    r2, [r0, #36]\n"
        "add    r12, r2\n"
        "ldr    r2, [r0, #28]\n"
        "cmp    r1, r2\n"
        "bne    7f\n"
        "ldr    r2, [r0, #44]\n"
        "sub.w  r12, r12, r2\n"
        "7:\n"
        "ldr    r2, [r0, #40]\n"
        "add    lr, r2\n"
        "ldr    r3, [r0, #32]\n"
        "add    r3, lr\n"
        "str    r3, [sp, #8]\n"
        "ldr.w  pc, [r0, #72]\n"
        "4:\n"
        "ldr    r1, [r0, #60]\n"
        "cbz    r1, 8f\n"
        "stm.w  r1!, {r6-r9}\n"
        "str    r1, [r0, #60]\n"
        "b      9f\n"
        "8:\n"
        "sub.w  r6, r6, r8, lsl #16\n"
        "sub.w  r7, r7, r9, lsl #16\n"
        "add.w  lr, r0, #76\n"
        "ldr    r0, [r0, #64]\n"
        PLAIN("r6") PLAIN("r8") PLAIN("r7") PLAIN("r9")
        "ldr    r1, [sp]\n"
        "ldr    r2, [r1, #68]\n"
        "add    r2, r0\n"
        "mov    r0, r1\n"
        "str    r2, [r0, #64]\n"
        "9:\n"
        "ldr    r1, [r0, #16]\n"
        "ldr    r2, [r0, #48]\n"
        "add    r1, r2\n"
        "str    r1, [r0, #16]\n"
        "ldr    r2, [r0, #52]\n"
        "cmp    r1, r2\n"
        "bne.w  1b\n"
        "pop    {r0-r2, r4-r11, pc}\n");
}

// An element of two patches, in r3 and r12, by a row.
#define BY_ROW(address, first, second) \
    "ldrsb.w lr, " address "\n" \
    "mla    " first ", r3, lr, " first "\n" \
    "mla    " second ", r12, lr, " second "\n"

// 56 bytes; 36.
#define EIGHT(LOAD) \
    LOAD \
    BY_ROW("[r1, r2]", "r6", "r7") \
    BY_ROW("[r1, r2, lsl #1]", "r8", "r9") \
    BY_ROW("[r1, r2, lsl #2]", "r10", "r11") \
    BY_ROW("[r1], #1", "r4", "r5")

#define OF_ONE(address, sum) \
    "ldrsb.w lr, " address "\n" \
    "mla    " sum ", r3, lr, " sum "\n"

#define EIGHT_OF_ONE \
    "ldrsh.w r3, [r0], #2\n" \
    OF_ONE("[r1, r2]", "r7") OF_ONE("[r1, r2, lsl #1]", "r9") OF_ONE("[r1, r2, lsl #2]", "r11") OF_ONE("[r1], #1", "r5")

#define UNSIGNED "ldrb.w r12, [r0, r2]\n" "ldrb.w r3, [r0], #1\n"
#define HALVES "ldrsh.w r12, [r0, r2, lsl #1]\n" "ldrsh.w r3, [r0], #2\n"

// On the stack: t, the end of the row of weights, two sums.
#define EIGHTS_LOOP(SIZE, ELEMENTS) \
    __asm volatile ( \
    "push   {r0-r11, lr}\n" \
    "movs   r3, #" SIZE "\n" \
    "mul    r3, r3, r1\n" \
    "adr.w  r2, 3f\n" \
    "subs   r2, r2, r3\n" \
    "orr    r2, r2, #1\n" \
    "str    r2, [r0, #44]\n" \
    "b.w    ar_thumb_eights_start\n" \
    ".balign 4\n" \
    "2:\n" \
    ELEMENTS \
    "3:\n" \
    "ldr.w  lr, [sp, #4]\n" \
    "cmp    r1, lr\n" \
    "bne.w  2b\n" \
    "b.w    ar_thumb_eights_sums\n")

__attribute__((naked)) void ar_thumb_eights_bytes(ar_thumb_eights_t *t, uint32_t first) {
    EIGHTS_LOOP("56", EIGHT(UNSIGNED) EIGHT(UNSIGNED) EIGHT(UNSIGNED) EIGHT(UNSIGNED) EIGHT(UNSIGNED) EIGHT(UNSIGNED) EIGHT(UNSIGNED) EIGHT(UNSIGNED));
}

__attribute__((naked)) void ar_thumb_eights_halves(ar_thumb_eights_t *t, uint32_t first) {
    EIGHTS_LOOP("56", EIGHT(HALVES) EIGHT(HALVES));
}

__attribute__((naked)) void ar_thumb_eights_one(ar_thumb_eights_t *t, uint32_t first) {
    EIGHTS_LOOP("36", EIGHT_OF_ONE EIGHT_OF_ONE);
}

#define FLIP(x) "eor " x ", " x ", #0x80808080\n"

__attribute__((naked)) void ar_thumb_put_bytes(const int8_t *x, uint32_t beyond, uint32_t rows, uint32_t row, uint8_t *to) {
    __asm volatile (
        "push   {r4-r7, lr}\n"
        "ldr.w  r12, [sp, #20]\n"
        "1:\n"
        "lsrs.w lr, r3, #4\n"
        "beq    3f\n"
        "2:\n"
        "ldr    r5, [r0, #4]\n"
        "ldr    r6, [r0, #8]\n"
        "ldr    r7, [r0, #12]\n"
        "ldr    r4, [r0], #16\n"
        FLIP("r4") FLIP("r5") FLIP("r6") FLIP("r7")
        "str.w  r5, [r12, #4]\n"
        "str.w  r6, [r12, #8]\n"
        "str.w  r7, [r12, #12]\n"
        "str    r4, [r12], #16\n"
        "subs.w lr, lr, #1\n"
        "bne    2b\n"
        "3:\n"
        "ands   lr, r3, #12\n"
        "beq    5f\n"
        "4:\n"
        "ldr    r4, [r0], #4\n"
        FLIP("r4")
        "str    r4, [r12], #4\n"
        "subs.w lr, lr, #4\n"
        "bne    4b\n"
        "5:\n"
        "ands   lr, r3, #3\n"
        "beq    7f\n"
        "6:\n"
        "ldrb   r4, [r0], #1\n"
        "eor    r4, r4, #0x80\n"
        "strb   r4, [r12], #1\n"
        "subs.w lr, lr, #1\n"
        "bne    6b\n"
        "7:\n"
        "add    r0, r1\n"
        "subs   r2, #1\n"
        "bne    1b\n"
        "pop    {r4-r7, pc}\n");
}

// As PLAIN; the shift leaves in the carry what rounding adds.
#define OUTPUT(sum, to) \
    "lsl.w  " sum ", " sum ", #1\n" \
    "smull  r0, " sum ", " sum ", r12\n" \
    "add.w  " sum ", " sum ", r0, lsr #31\n" \
    "add.w  " sum ", " sum ", " sum ", asr #31\n" \
    "asrs.w " sum ", " sum ", lr\n" \
    "adc.w  " sum ", " sum ", r11\n" \
    "ssat   " sum ", #8, " sum "\n" \
    "strb.w " sum ", " to "\n"

// A channel of both patches. A shift takes the lowest byte.
#define OUTPUTS(first, second) \
    "ldrd   r12, lr, [r1]\n" \
    "rsb    lr, lr, #0\n" \
    OUTPUT(first, "[r2]") \
    OUTPUT(second, "[r2, r3]")

#define ON \
    "add.w  r1, r1, r10, lsl #1\n" \
    "add.w  r2, r2, r10, asr #2\n"

// What both loops have in common: what comes before four channels, and what after.
__attribute__((naked, used)) static void eights(void) {
    __asm volatile (
        ".thumb_func\n"
        "ar_thumb_eights_start:\n"
        "1:\n"
        "ldm.w  r0, {r1, r2, r3, r12, lr}\n"
        "ldr    r4, [r3]\n"
        "ldr.w  r6, [r3, lr]\n"
        "ldr.w  r8, [r3, lr, lsl #1]\n"
        "ldr.w  r10, [r3, lr, lsl #2]\n"
        "mov    r5, r4\n"
        "mov    r7, r6\n"
        "mov    r9, r8\n"
        "mov    r11, r10\n"
        "ldr    r3, [r0, #20]\n"
        "add    r3, r1\n"
        "str    r3, [sp, #4]\n"
        "ldr    r3, [r0, #44]\n"
        "mov    r0, r12\n"
        "bx     r3\n"
        ".thumb_func\n"
        "ar_thumb_eights_sums:\n"
        "strd   r10, r11, [sp, #8]\n"
        "ldr    r0, [sp]\n"
        "ldrd   r1, r2, [r0, #24]\n"
        "ldr    r3, [r0, #32]\n"
        "ldr.w  r10, [r0, #16]\n"
        "ldr.w  r11, [r0, #36]\n"
        OUTPUTS("r4", "r5") ON
        OUTPUTS("r6", "r7") ON
        OUTPUTS("r8", "r9") ON ON
        "ldrd   r4, r5, [sp, #8]\n"
        OUTPUTS("r4", "r5")
        // To the other end: from row 4 to 7, or from 3 to the next eight.
        "add.w  r1, r1, #32\n"
        "sub.w  r1, r1, r10, lsl #1\n"
        "add    r2, r3\n"
        "adds   r2, #4\n"
        "sub.w  r2, r2, r10, asr #2\n"
        "rsbs   r3, r3, #0\n"
        "ldr    r0, [sp]\n"
        "strd   r1, r2, [r0, #24]\n"
        "str    r3, [r0, #32]\n"
        "ldm.w  r0, {r4-r9}\n"
        "add.w  r2, r8, r8, lsl #1\n"
        "adds   r2, #16\n"
        "add    r6, r2\n"
        "lsrs   r2, r2, #2\n"
        "mla    r4, r2, r9, r4\n"
        "ldr    r2, [r0, #40]\n"
        "ldr    r3, [r0, #48]\n"
        "mla    r7, r3, r5, r7\n"
        "rsbs   r5, r5, #0\n"
        "rsb    r8, r8, #0\n"
        "stm.w  r0, {r4-r8}\n"
        "cmp    r1, r2\n"
        "bne.w  1b\n"
        "pop    {r0-r11, pc}\n");
}

#define ROW(w, sum, x) \
    "ldrsb.w lr, [" w "], #1\n" \
    "mla    " sum ", " x ", lr, " sum "\n"

#define ROWS(x) ROW("r0", "r4", x) ROW("r1", "r5", x) ROW("r2", "r6", x) ROW("r3", "r7", x)

// 40 bytes.
#define BYTE \
    "ldrsb.w r8, [r12], #1\n" \
    "add.w  r8, r8, r9\n" \
    ROWS("r8")

__attribute__((naked)) void ar_thumb_rows_bytes(ar_thumb_rows_t *r, const int8_t *x, uint32_t n, uint32_t first) {
    __asm volatile (
        "push   {r0, r4-r11, lr}\n"
        "mov    r12, r1\n"
        "add.w  r11, r1, r2\n"
        "movs   r2, #40\n"
        "mul    r3, r3, r2\n"
        "adr.w  r2, 3f\n"
        "subs   r2, r2, r3\n"
        "orr    r10, r2, #1\n"
        "ldr    r9, [r0, #32]\n"
        "ldm.w  r0, {r0-r7}\n"
        "bx     r10\n"
        "2:\n"
        BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE
        "3:\n"
        "cmp    r12, r11\n"
        "bne.w  2b\n"
        "pop    {r0}\n"
        "adds   r0, #16\n"
        "stm    r0!, {r4-r7}\n"
        "pop    {r4-r11, pc}\n");
}

// 132 bytes.
#define WIDE "ldm.w r12!, {r8-r11}\n" ROWS("r8") ROWS("r9") ROWS("r10") ROWS("r11")

// The doubling high product and all that follows, of a sum that is to be doubled, with one factor; the output is the next.
#define NEXT(sum) \
    "lsl.w  " sum ", " sum ", #1\n" \
    "smull  r10, r11, " sum ", r3\n" \
    "add.w  r11, r11, r10, lsr #31\n" \
    "add.w  r11, r11, r11, asr #31\n" \
    "add    r11, r8\n" \
    "asr.w  r11, r11, r9\n" \
    "ssat   r11, #8, r11\n" \
    "strb   r11, [r1], #1\n"

// Rows 0 to 3 at r0 to r3; x at r12.
__attribute__((naked)) void ar_thumb_fours(ar_thumb_fours_t *f, const int32_t *x_end, uint32_t groups_first) {
    __asm volatile (
        "push   {r0, r1, r4-r11, lr}\n"
        "movs   r3, #132\n"
        "mul    r3, r3, r2\n"
        "adr.w  r2, 3f\n"
        "subs   r2, r2, r3\n"
        "orr    r2, r2, #1\n"
        "str    r2, [r0, #20]\n"
        "1:\n"
        "ldm.w  r0, {r8-r11}\n"
        "ldm.w  r10, {r4-r7}\n"
        "add    r10, r11\n"
        "str.w  r10, [r0, #8]\n"
        "add.w  r1, r8, r9\n"
        "add.w  r2, r1, r9\n"
        "add.w  r3, r2, r9\n"
        "add.w  r10, r3, r9\n"
        "str.w  r10, [r0]\n"
        "ldrd   r12, r11, [r0, #16]\n"
        "mov    r0, r8\n"
        "bx     r11\n"
        "2:\n"
        WIDE WIDE WIDE WIDE
        "3:\n"
        "ldr.w  lr, [sp, #4]\n"
        "cmp    r12, lr\n"
        "bne.w  2b\n"
        "ldr    r0, [sp]\n"
        "add.w  r12, r0, #24\n"
        "ldm.w  r12, {r1-r3, r8, r9}\n"
        NEXT("r4") NEXT("r5") NEXT("r6") NEXT("r7")
        "str    r1, [r0, #24]\n"
        "cmp    r1, r2\n"
        "bne.w  1b\n"
        "pop    {r0, r1, r4-r11, pc}\n");
}

// A column of three.
#define COLUMN \
    "ldm.w  r12!, {r3-r5}\n" \
    "mla    r6, r0, r3, r6\n" \
    "mla    r6, r1, r4, r6\n" \
    "mla    r6, r2, r5, r6\n"

// On the stack: on, x_end, out, the last taps.
__attribute__((naked)) void ar_thumb_row(const ar_thumb_row_t *r) {
    __asm volatile (
        "push   {r0, r4-r11, lr}\n"
        "ldm.w  r0, {r0-r5}\n"
        "mov    r12, r0\n"
        "mov    lr, r1\n"
        "add.w  r5, lr, #168\n"
        "push   {r2-r5}\n"
        "ldr    r0, [sp, #16]\n"
        "ldr.w  r11, [r0, #20]\n"
        "1:\n"
        "ldr.w  r10, [sp, #8]\n"
        "add.w  r0, lr, #40\n"
        "ldm.w  r0, {r7-r9}\n"
        "2:\n"
        "ldm.w  lr!, {r0, r1, r2, r6}\n"
        COLUMN
        "ldm.w  lr!, {r0, r1, r2}\n"
        COLUMN
        "ldm.w  lr, {r0, r1, r2}\n"
        COLUMN
        "smull  r0, r1, r6, r7\n"
        "sub.w  lr, lr, #28\n"
        "add.w  r1, r1, r0, lsr #31\n"
        "add.w  r1, r1, r1, asr #31\n"
        "add    r1, r8\n"
        "asr.w  r1, r1, r9\n"
        "ssat   r1, #8, r1\n"
        "ldrd   r2, r3, [sp]\n"
        "strb.w r1, [r10]\n"
        "add    r10, r11\n"
        "add    r12, r2\n"
        "cmp    r12, r3\n"
        "bne    2b\n"
        "ldrd   r0, r1, [sp, #12]\n"
        "cmp    lr, r0\n"
        "add.w  lr, lr, #56\n"
        "ldrd   r4, r5, [r1, #24]\n"
        "add    r3, r4\n"
        "add    r12, r5\n"
        "ldr    r2, [sp, #8]\n"
        "add.w  r2, r2, #1\n"
        "strd   r3, r2, [sp, #4]\n"
        "bne    1b\n"
        "add    sp, #20\n"
        "pop    {r4-r11, pc}\n");
}

#define CHANNEL(k, plane) \
    "ldrsb.w r11, [r0, #" k "]\n" \
    "ldrsb.w r12, [r1, #" k "]\n" \
    "ldrsb.w lr, [r2, #" k "]\n" \
    "stm.w  " plane "!, {r11, r12, lr}\n"

__attribute__((naked)) void ar_thumb_columns(const ar_thumb_columns_t *c) {
    __asm volatile (
        "push   {r4-r11, lr}\n"
        "ldm.w  r0, {r0-r10}\n"
        "1:\n"
        CHANNEL("0", "r6") CHANNEL("1", "r7") CHANNEL("2", "r8") CHANNEL("3", "r9")
        "add    r0, r3\n"
        "add    r1, r4\n"
        "add    r2, r5\n"
        "cmp    r6, r10\n"
        "bne    1b\n"
        "pop    {r4-r11, pc}\n");
}

// Three taps, twice what they are, and a sum of them.
#define TAPS(a, b, c) \
    "ldrsb.w r9, " a "\n" \
    "ldrsb.w r10, " b "\n" \
    "ldrsb.w r11, " c "\n" \
    "lsl.w  r9, r9, #1\n" \
    "lsl.w  r10, r10, #1\n" \
    "lsl.w  r11, r11, #1\n"

// On the stack: where the last channel's taps end.
__attribute__((naked)) void ar_thumb_arrange(const ar_thumb_arrange_t *a) {
    __asm volatile (
        "push   {r4-r11, lr}\n"
        "ldm.w  r0, {r0-r6}\n"
        "add.w  r7, r6, #224\n"
        "push   {r7}\n"
        "add.w  r7, r1, r1, lsl #1\n"
        "add.w  r8, r0, r7, lsl #1\n"
        "add    r7, r0\n"
        "1:\n"
        "add.w  r12, r6, #16\n"
        TAPS("[r0, r1]", "[r7, r1]", "[r8, r1]")
        "add.w  lr, r9, r10\n"
        "add    lr, r11\n"
        "stm.w  r12!, {r9, r10, r11}\n"
        TAPS("[r0, r1, lsl #1]", "[r7, r1, lsl #1]", "[r8, r1, lsl #1]")
        "add    lr, r9\n"
        "add    lr, r10\n"
        "add    lr, r11\n"
        "stm.w  r12!, {r9, r10, r11}\n"
        "ldrd   r9, r10, [r5], #8\n"
        "sxth.w r10, r10\n"
        "rsb    r11, r10, #0\n"
        "mvn.w  r10, r10\n"
        "lsl.w  r10, r4, r10\n"
        "stm.w  r12, {r9, r10, r11}\n"
        TAPS("[r0], #1", "[r7], #1", "[r8], #1")
        "add    lr, r9\n"
        "add    lr, r10\n"
        "add    lr, r11\n"
        "ldr    r12, [r2], #4\n"
        "mul    lr, lr, r3\n"
        "add.w  lr, lr, r12, lsl #1\n"
        "stm.w  r6, {r9, r10, r11, lr}\n"
        "ldr.w  r12, [sp]\n"
        "adds   r6, #56\n"
        "cmp    r6, r12\n"
        "bne    1b\n"
        "pop    {r3-r11, pc}\n");
}

// Two elements of two channels. 32 bytes.
#define PACKED \
    "ldrsb.w r5, [r0, #1]\n" \
    "ldrsb.w r4, [r0], #2\n" \
    "ldrsb.w r7, [r1, #1]\n" \
    "ldrsb.w r6, [r1], #2\n" \
    "add.w  r5, r5, r7, lsl #16\n" \
    "add.w  r4, r4, r6, lsl #16\n" \
    "strd   r4, r5, [r2], #16\n" \
    "add    r9, r4\n" \
    "add    r9, r5\n"

__attribute__((naked)) void ar_thumb_pack(const int8_t *a, const int8_t *b, uint32_t *to, const int8_t *a_end, ar_thumb_packed_t *s) {
    __asm volatile (
        "push   {r4-r9, lr}\n"
        "subs   r4, r3, r0\n"
        "subs   r4, #2\n"
        "and    r4, r4, #6\n"
        "adds   r4, #2\n"
        "adr.w  r5, 2f\n"
        "sub.w  r5, r5, r4, lsl #4\n"
        "orr    r5, r5, #1\n"
        "mov.w  r9, #0\n"
        "bx     r5\n"
        ".balign 4\n"
        "1:\n"
        PACKED PACKED PACKED PACKED
        "2:\n"
        "cmp    r0, r3\n"
        "bne    1b\n"
        "ldr    r0, [sp, #28]\n"
        "ldrd   r4, r5, [r0]\n"
        "sxth.w r6, r9\n"
        "add    r4, r9\n"
        "sub.w  r9, r9, r6\n"
        "add.w  r5, r5, r9, asr #16\n"
        "strd   r4, r5, [r0]\n"
        "pop    {r4-r9, pc}\n");
}

#endif // AR_TIER_THUMB && AR_THUMB_FULL
