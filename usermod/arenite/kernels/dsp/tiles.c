// Inner loops in assembly. Each is unrolled, most four times, and entered where the groups that are left over begin, so that there
// is no second loop for them. What has no register is on the stack.

#include "kernels/dsp/tiles.h"
#include "kernels/tier.h"

#if AR_TIER_DSP

// Four elements of two patches (r0 and r2: even ones and odd of the first; r1 and r3) by two rows. 40 bytes.
#define TILE \
    "ldm.w  r12!, {r0-r3}\n" \
    "ldm.w  lr!, {r8-r11}\n" \
    "smlad  r4, r0, r8, r4\n" \
    "smlad  r5, r1, r8, r5\n" \
    "smlad  r6, r0, r9, r6\n" \
    "smlad  r7, r1, r9, r7\n" \
    "smlad  r4, r2, r10, r4\n" \
    "smlad  r5, r3, r10, r5\n" \
    "smlad  r6, r2, r11, r6\n" \
    "smlad  r7, r3, r11, r7\n"

// The doubling high product (twice the factor less 2^32, and so once more the sum), one less where that is negative, the rounding
// shift with the zero point added, int8.
#define PLAIN(sum, mult, power) \
    "smmlar " sum ", " sum ", " mult ", " sum "\n" \
    "add    " sum ", " sum ", " sum ", asr #31\n" \
    "smmlsr " sum ", " sum ", " power ", r8\n" \
    "ssat   " sum ", #8, " sum "\n"

__attribute__((naked)) void ar_tiles_plain(ar_tiles_t *t, const uint32_t *w_end, uint32_t groups_first) {
    __asm volatile (
        "push   {r0, r1, r4-r11, lr}\n"
        AR_ENTRY("40")
        "str    r2, [r0, #52]\n"
        "ldr.w  r12, [r0, #32]\n"
        "1:\n"
        "ldr.w  lr, [r0, #40]\n"
        "ldrd   r4, r6, [r0, #44]\n"
        "mov    r5, r4\n"
        "mov    r7, r6\n"
        "ldr.w  pc, [r0, #52]\n"
        "2:\n"
        TILE TILE TILE TILE
        "3:\n"
        "ldr    r0, [sp, #4]\n"
        "cmp    lr, r0\n"
        "bne    2b\n"
        "ldr    r0, [sp]\n"
        "ldm.w  r0, {r1-r3, r8-r11, lr}\n"
        PLAIN("r4", "r9", "r10")
        PLAIN("r5", "r9", "r10")
        PLAIN("r6", "r11", "lr")
        PLAIN("r7", "r11", "lr")
        "strb   r5, [r1, r3]\n"
        "strb   r7, [r2, r3]\n"
        "strb   r4, [r1]\n"
        "strb   r6, [r2]\n"
        "add.w  r1, r1, r3, lsl #1\n"
        "add.w  r2, r2, r3, lsl #1\n"
        "strd   r1, r2, [r0]\n"
        "ldr    r1, [r0, #36]\n"
        "cmp    r12, r1\n"
        "bne    1b\n"
        "pop    {r0, r1, r4-r11, pc}\n");
}

// Four elements of a pair of patches by one row, its even ones in r11, its odd ones in r10.
#define PAIR(a, b) \
    "ldm.w  r12!, {r0-r3}\n" \
    "smlad  " a ", r0, r11, " a "\n" \
    "smlad  " b ", r1, r11, " b "\n" \
    "smlad  " a ", r2, r10, " a "\n" \
    "smlad  " b ", r3, r10, " b "\n"

#define WEIGHTS \
    "ldr.w  r10, [lr], #4\n" \
    "sxtb16 r11, r10\n" \
    "sxtb16 r10, r10, ror #8\n"

// The even elements of five patches, or the odd ones.
#define HALVES(weights) \
    "ldm.w  r12!, {r0-r3, r9}\n" \
    "smlad  r4, r0, " weights ", r4\n" \
    "smlad  r5, r1, " weights ", r5\n" \
    "smlad  r6, r2, " weights ", r6\n" \
    "smlad  r7, r3, " weights ", r7\n" \
    "smlad  r8, r9, " weights ", r8\n"

// 32, 52, 60 and 72 bytes.
#define BY_TWO WEIGHTS PAIR("r4", "r5")
#define BY_FOUR BY_TWO PAIR("r6", "r7")
#define BY_FIVE WEIGHTS HALVES("r11") HALVES("r10")
#define BY_SIX BY_FOUR PAIR("r8", "r9")

// On the stack: t, the end of the patches.
#define FEW_LOOP(SIZE, GROUPS) \
    __asm volatile ( \
    "push   {r0, r1, r4-r11, lr}\n" \
    AR_ENTRY(SIZE) \
    "b.w    ar_few_start\n" \
    "2:\n" \
    GROUPS \
    "3:\n" \
    "ldr    r0, [sp, #4]\n" \
    "cmp    r12, r0\n" \
    "bne    2b\n" \
    "b.w    ar_few_sums\n")

__attribute__((naked)) void ar_few_two(ar_few_t *t, uint32_t count, uint32_t groups_first) {
    FEW_LOOP("32", BY_TWO BY_TWO BY_TWO BY_TWO);
}

__attribute__((naked)) void ar_few_four(ar_few_t *t, uint32_t count, uint32_t groups_first) {
    FEW_LOOP("52", BY_FOUR BY_FOUR BY_FOUR BY_FOUR);
}

__attribute__((naked)) void ar_few_five(ar_few_t *t, uint32_t count, uint32_t groups_first) {
    FEW_LOOP("60", BY_FIVE BY_FIVE BY_FIVE BY_FIVE BY_FIVE BY_FIVE BY_FIVE BY_FIVE);
}

__attribute__((naked)) void ar_few_six(ar_few_t *t, uint32_t count, uint32_t groups_first) {
    FEW_LOOP("72", BY_SIX BY_SIX BY_SIX BY_SIX);
}

// What the loops have in common: what comes before each channel, and what after.
__attribute__((naked, used)) static void few_channels(void) {
    __asm volatile (
        ".thumb_func\n"
        "ar_few_start:\n"
        "str    r2, [r0, #24]\n"
        "ldr    r3, [r0, #44]\n"
        "str    r3, [sp, #4]\n"
        "adr.w  r2, 5f\n"
        "movs   r3, #24\n"
        "mls    r2, r1, r3, r2\n"
        "cbnz   r1, 0f\n"
        "adr.w  r2, 4f\n"
        "0:\n"
        "orr    r2, r2, #1\n"
        "str    r2, [r0, #40]\n"
        "ldr    r1, [r0]\n"
        "1:\n"
        "ldrh   r2, [r1, #6]\n"
        "ldrd   lr, r3, [r0, #8]\n"
        "mla    lr, r2, r3, lr\n"
        "ldrd   r3, r12, [r0, #16]\n"
        "ldr.w  r4, [r3, r2, lsl #2]\n"
        "mov    r5, r4\n"
        "mov    r6, r4\n"
        "mov    r7, r4\n"
        "mov    r8, r4\n"
        "mov    r9, r4\n"
        "ldr    pc, [r0, #24]\n"
        ".thumb_func\n"
        "ar_few_sums:\n"
        "ldr    r0, [sp]\n"
        "ldr    r1, [r0]\n"
        "ldm    r1!, {r2, r3}\n"
        "str    r1, [r0]\n"
        "lsls   r2, r2, #1\n"
        "mvn    r12, r3\n"     // whose lowest byte is how far to shift
        "mov    r11, #0x80000000\n"
        "asr    r11, r11, r12\n"
        "ldrd   r10, r12, [r0, #28]\n"
        "add    r10, r10, r3, lsr #16\n"
        "ldr.w  lr, [r0, #36]\n"
        "ldr    pc, [r0, #40]\n"
        "4:\n"
        "ldr    r1, [r0, #28]\n"
        "stm.w  r1, {r4-r9}\n"
        "pop    {r0, r1, r4-r11, pc}\n"
        ".balign 4\n"
        AR_OUTPUT("r9") AR_OUTPUT("r8") AR_OUTPUT("r7") AR_OUTPUT("r6") AR_OUTPUT("r5") AR_OUTPUT("r4")
        "5:\n"
        "ldr    r2, [r0, #4]\n"
        "cmp    r1, r2\n"
        "bne    1b\n"
        "pop    {r0, r1, r4-r11, pc}\n");
}

// One column of three: the upper two rows of each channel by one dual multiply-add, the third by a single one. What activations
// leave free takes weights.
#define TAPS \
    "ldm.w  r12!, {r0-r3, r8, r9}\n" \
    "ldm.w  lr!, {r10, r11}\n" \
    "smlad  r4, r0, r10, r4\n" \
    "smlad  r5, r1, r11, r5\n" \
    "ldm.w  lr!, {r0, r1, r10, r11}\n" \
    "smlad  r6, r2, r0, r6\n" \
    "smlad  r7, r3, r1, r7\n" \
    "smlabb r4, r8, r10, r4\n" \
    "smlatt r5, r8, r10, r5\n" \
    "smlabb r6, r9, r11, r6\n" \
    "smlatt r7, r9, r11, r7\n"

__attribute__((naked)) void ar_taps_plain(ar_taps_t *t) {
    __asm volatile (
        "push   {r0, r4-r11, lr}\n"
        "ldr.w  r12, [r0]\n"
        "1:\n"
        "ldr.w  lr, [r0, #12]\n"
        "ldm.w  lr!, {r4-r7}\n"
        TAPS TAPS TAPS
        "ldr    r0, [sp]\n"
        "ldrd   r10, r8, [r0, #4]\n"
        "ldm.w  r10!, {r1-r3, r9}\n"
        PLAIN("r4", "r1", "r2")
        PLAIN("r5", "r3", "r9")
        "ldm.w  r10, {r1-r3, r9}\n"
        PLAIN("r6", "r1", "r2")
        PLAIN("r7", "r3", "r9")
        "ldrd   r1, r2, [r0, #24]\n"
        "strb   r4, [r1]\n"
        "strb   r6, [r1, #1]\n"
        "strb   r5, [r1, #2]\n"
        "strb   r7, [r1, #3]\n"
        "add    r1, r1, r2\n"
        "str    r1, [r0, #24]\n"
        "ldrd   r3, r2, [r0, #16]\n"
        "add    r12, r12, r3\n"
        "cmp    r12, r2\n"
        "bne    1b\n"
        "pop    {r0, r4-r11, pc}\n");
}

#define ROW(w, sum) \
    "ldr.w  r10, [" w "], #4\n" \
    "sxtb16 r11, r10\n" \
    "sxtb16 r10, r10, ror #8\n" \
    "smlad  " sum ", r8, r11, " sum "\n" \
    "smlad  " sum ", r9, r10, " sum "\n"

#define ROWS ROW("r1", "r4") ROW("r2", "r5") ROW("r3", "r6") ROW("lr", "r7")

// 92 and 84 bytes.
#define BYTES \
    "ldr.w  r9, [r0], #4\n" \
    "sxtab16 r8, r12, r9\n" \
    "sxtab16 r9, r12, r9, ror #8\n" \
    ROWS

#define WIDE \
    "ldrd   r8, r9, [r0], #8\n" \
    ROWS

__attribute__((naked)) void ar_rows_bytes(ar_rows_t *r, const int8_t *x, const int8_t *end, uint32_t groups_first) {
    __asm volatile (
        "push   {r0, r2, r4-r11, lr}\n"
        "mov    r12, r1\n"
        "mov    r2, r3\n"
        AR_ENTRY("92")
        "mov    r11, r2\n"
        "ldm.w  r0, {r1-r3, lr}\n"
        "add.w  r10, r0, #16\n"
        "ldm.w  r10, {r4-r7}\n"
        "mov    r10, r12\n"
        "ldr.w  r12, [r0, #32]\n"
        "mov    r0, r10\n"
        "bx     r11\n"
        "2:\n"
        BYTES BYTES BYTES BYTES
        "3:\n"
        "ldr.w  r10, [sp, #4]\n"
        "cmp    r0, r10\n"
        "bne    2b\n"
        "ldr    r0, [sp]\n"
        "stm.w  r0!, {r1-r3, lr}\n"
        "stm.w  r0, {r4-r7}\n"
        "pop    {r0, r2, r4-r11, pc}\n");
}

// Rows 0 to 3 at r1, r2, r3 and lr; x at r0.
#define FOURS_LOOP(SIZE, GROUP) \
    __asm volatile ( \
    "push   {r0, r1, r4-r11, lr}\n" \
    AR_ENTRY(SIZE) \
    "str    r2, [r0, #20]\n" \
    "1:\n" \
    "ldm.w  r0, {r1, r8, r10, r11}\n" \
    "ldm.w  r10, {r4-r7}\n" \
    "add    r10, r10, r11\n" \
    "str.w  r10, [r0, #8]\n" \
    "add.w  r2, r1, r8\n" \
    "add.w  r3, r2, r8\n" \
    "add.w  lr, r3, r8\n" \
    "add.w  r10, lr, r8\n" \
    "str.w  r10, [r0]\n" \
    "ldrd   r10, r11, [r0, #16]\n" \
    "ldr.w  r12, [r0, #44]\n" \
    "mov    r0, r10\n" \
    "bx     r11\n" \
    "2:\n" \
    GROUP GROUP GROUP GROUP \
    "3:\n" \
    "ldr.w  r10, [sp, #4]\n" \
    "cmp    r0, r10\n" \
    "bne    2b\n" \
    "ldr    r0, [sp]\n" \
    "add.w  r12, r0, #24\n" \
    "ldm.w  r12, {r1, r2, r9, r10}\n" \
    "ldr.w  r8, [r0, #40]\n" \
    PLAIN("r4", "r9", "r10") \
    PLAIN("r5", "r9", "r10") \
    PLAIN("r6", "r9", "r10") \
    PLAIN("r7", "r9", "r10") \
    "strb   r5, [r1, #1]\n" \
    "strb   r6, [r1, #2]\n" \
    "strb   r7, [r1, #3]\n" \
    "strb   r4, [r1], #4\n" \
    "str    r1, [r0, #24]\n" \
    "cmp    r1, r2\n" \
    "bne    1b\n" \
    "pop    {r0, r1, r4-r11, pc}\n")

__attribute__((naked)) void ar_fours_bytes(ar_fours_t *f, const int8_t *x_end, uint32_t groups_first) {
    FOURS_LOOP("92", BYTES);
}

__attribute__((naked)) void ar_fours_wide(ar_fours_t *f, const uint32_t *x_end, uint32_t groups_first) {
    FOURS_LOOP("84", WIDE);
}

#endif // AR_TIER_DSP
