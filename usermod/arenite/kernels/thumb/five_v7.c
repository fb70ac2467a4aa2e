// The inner loops of kernels/thumb/five.c for Armv7-M.

#include "kernels/thumb/five.h"

#if AR_TIER_THUMB && AR_THUMB_FULL

// ---- the inner loop --------------------------------------------------------------------------------------------------

// 48 bytes.
#define PAIR \
    "ldmia  r0!, {r2, r3, r4}\n" \
    "ldrsb.w r7, [r1], #1\n" \
    "mla    r2, r2, r7, lr\n" \
    "mla    r3, r3, r7, lr\n" \
    "mla    r12, r4, r7, r12\n" \
    "ldmia  r0!, {r4, r5, r6}\n" \
    "ldrsb.w r7, [r1], #1\n" \
    "mla    r12, r4, r7, r12\n" \
    "mla    r2, r5, r7, r2\n" \
    "mla    r3, r6, r7, r3\n" \
    "add    r8, r2\n" \
    "add.w  r9, r9, r2, lsr #16\n" \
    "add    r10, r3\n" \
    "add.w  r11, r11, r3, lsr #16\n"

// As in kernels/thumb/tiles_v7.c, with what a sum begins with, twice; the shift leaves in the carry what rounding adds.
#define OUTPUT(sum, start, to) \
    "add.w  " sum ", " start ", " sum ", lsl #1\n" \
    "smull  r2, " sum ", " sum ", lr\n" \
    "add.w  " sum ", " sum ", r2, lsr #31\n" \
    "add.w  " sum ", " sum ", " sum ", asr #31\n" \
    "asrs.w " sum ", " sum ", r4\n" \
    "adc.w  " sum ", " sum ", r7\n" \
    "ssat   " sum ", #8, " sum "\n" \
    "strb.w " sum ", " to "\n"

// On the stack: f, the end of the row of weights, where the loop is entered, the channel; the third word's sums, whole and above.
__attribute__((naked)) void ar_five_channels(const ar_five_t *f, uint32_t pairs_first) {
    __asm volatile (
        "push   {r4-r11, lr}\n"
        "sub    sp, #24\n"
        "movs   r3, #48\n"
        "mul    r3, r3, r1\n"
        "adr.w  r2, 3f\n"
        "subs   r2, r2, r3\n"
        "orr    r2, r2, #1\n"
        "str    r2, [sp, #8]\n"
        "str    r0, [sp]\n"
        "ldr.w  r12, [r0, #24]\n"
        "1:\n"
        "str.w  r12, [sp, #12]\n"
        "ldrh.w r3, [r12, #6]\n"
        "ldm.w  r0, {r1, r2, r4}\n"
        "mov    r0, r4\n"
        "mla    r1, r3, r2, r1\n"
        "add    r2, r1\n"
        "str    r2, [sp, #4]\n"
        "movs   r4, #0\n"
        "strd   r4, r4, [sp, #16]\n"
        "mov    r8, r4\n"
        "mov    r9, r4\n"
        "mov    r10, r4\n"
        "mov    r11, r4\n"
        "mov.w  r12, #0x800\n"
        "mov.w  lr, #0x7f007f00\n"
        "ldr.w  pc, [sp, #8]\n"
        ".balign 4\n"
        "2:\n"
        PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR
        "3:\n"
        "ldrd   r2, r3, [sp, #16]\n"
        "add    r2, r12\n"
        "add.w  r3, r3, r12, asr #12\n"
        "strd   r2, r3, [sp, #16]\n"
        "mov.w  r12, #0x800\n"
        "ldr    r4, [sp, #4]\n"
        "cmp    r1, r4\n"
        "bne.w  2b\n"
        "ldr    r0, [sp]\n"
        "ldr.w  r12, [sp, #12]\n"
        "add.w  r1, r0, #32\n"
        "ldm    r1, {r4, r5, r6, r7}\n"
        "sub.w  r2, r2, r3, lsl #12\n"
        "mla    r5, r2, r4, r5\n"
        "ldrd   lr, r4, [r12], #8\n"
        "str.w  r12, [sp, #12]\n"
        "lsrs   r2, r4, #16\n"
        "sxth   r4, r4\n"
        "negs   r4, r4\n"
        "ldr    r1, [r0, #12]\n"
        "ldr.w  r1, [r1, r2, lsl #2]\n"
        "add.w  r5, r5, r1, lsl #1\n"
        "subs   r6, r5, r6\n"
        "ldrd   r1, r12, [r0, #16]\n"
        "add    r1, r2\n"
        "sub.w  r8, r8, r9, lsl #16\n"
        "sub.w  r10, r10, r11, lsl #16\n"
        OUTPUT("r8", "r6", "[r1]")
        OUTPUT("r9", "r6", "[r1, r12]")
        OUTPUT("r10", "r6", "[r1, r12, lsl #1]")
        OUTPUT("r3", "r5", "[r1, r12, lsl #2]")
        "add    r1, r12\n"
        OUTPUT("r11", "r6", "[r1, r12, lsl #1]")
        "ldr.w  r12, [sp, #12]\n"
        "ldr    r1, [r0, #28]\n"
        "cmp    r12, r1\n"
        "bne.w  1b\n"
        "add    sp, #24\n"
        "pop    {r4-r11, pc}\n");
}

// ---- what it loads ---------------------------------------------------------------------------------------------------

// Two elements of two patches, and of the last. 32 and 20 bytes.
#define PUT_TWO \
    "ldrsb.w r4, [r0, #1]\n" \
    "ldrsb.w r3, [r0], #2\n" \
    "ldrsb.w r6, [r1, #1]\n" \
    "ldrsb.w r5, [r1], #2\n" \
    "add.w  r4, r4, r6, lsl #16\n" \
    "add.w  r3, r3, r5, lsl #16\n" \
    "str.w  r4, [r2, #16]\n" \
    "str    r3, [r2], #24\n"

#define PUT_LAST \
    "ldrsb.w r4, [r0, #1]\n" \
    "ldrsb.w r3, [r0], #2\n" \
    "add.w  r4, r5, r4, lsl #12\n" \
    "add.w  r3, r5, r3, lsl #12\n" \
    "strd   r3, r4, [r2], #24\n"

#define PUT(SIZE, TWO) \
    __asm volatile ( \
        "push   {r4-r7, lr}\n" \
        "subs   r4, r3, r0\n" \
        "subs   r4, #2\n" \
        "and    r4, r4, #6\n" \
        "adds   r4, #2\n" \
        "movs   r5, #" SIZE " / 2\n" \
        "mul    r4, r4, r5\n" \
        "adr.w  r5, 2f\n" \
        "subs   r5, r5, r4\n" \
        "orr    r4, r5, #1\n" \
        "mov    r7, r3\n" \
        "movs   r5, #1\n" \
        "bx     r4\n" \
        ".balign 4\n" \
        "1:\n" \
        TWO TWO TWO TWO \
        "2:\n" \
        "cmp    r0, r7\n" \
        "bne    1b\n" \
        "pop    {r4-r7, pc}\n")

__attribute__((naked)) void ar_five_put_two(const int8_t *a, const int8_t *b, int32_t *to, const int8_t *a_end) {
    PUT("32", PUT_TWO);
}

__attribute__((naked)) void ar_five_put_last(const int8_t *a, const int8_t *b, int32_t *to, const int8_t *a_end) {
    PUT("20", PUT_LAST);
}

#endif // AR_TIER_THUMB && AR_THUMB_FULL
