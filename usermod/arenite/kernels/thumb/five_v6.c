// The inner loop of kernels/thumb/five.c for Armv6-M.

#include "kernels/thumb/five.h"

#if AR_TIER_THUMB && !AR_THUMB_FULL

// The fifth patch's element is r4, the weight is r5.
#define MORE(sum) \
    "ldmia  r0!, {r4}\n" \
    "muls   r4, r5, r4\n" \
    "add    " sum ", r4\n"

#define SPLIT(x, packed, second) \
    "add    " x ", r11\n" \
    "add    " packed ", " x "\n" \
    "lsrs   " x ", " x ", #16\n" \
    "adds   " second ", " second ", " x "\n"

// 54 bytes.
#define PAIR \
    "ldmia  r0!, {r2, r3, r4}\n" \
    "movs   r5, #0\n" \
    "ldrsb  r5, [r1, r5]\n" \
    "muls   r2, r5, r2\n" \
    "muls   r3, r5, r3\n" \
    "muls   r4, r5, r4\n" \
    "add    r10, r4\n" \
    "movs   r5, #1\n" \
    "ldrsb  r5, [r1, r5]\n" \
    "adds   r1, #2\n" \
    MORE("r10") MORE("r2") MORE("r3") \
    SPLIT("r2", "r8", "r6") \
    SPLIT("r3", "r9", "r7")

// On the stack: f, the end of the row of weights, where the loop is entered, the channel; the third word's sums, whole and above;
// five sums.
__attribute__((naked)) void ar_five_channels(const ar_five_t *f, uint32_t pairs_first) {
    __asm volatile (
        ".syntax unified\n"
        "push   {r4-r7, lr}\n"
        "mov    r4, r8\n"
        "mov    r5, r9\n"
        "mov    r6, r10\n"
        "mov    r7, r11\n"
        "push   {r4-r7}\n"
        "sub    sp, #44\n"
        "movs   r3, #54\n"
        "muls   r3, r1, r3\n"
        "adr    r2, 3f\n"
        "subs   r2, r2, r3\n"
        "adds   r2, #1\n"
        "str    r2, [sp, #8]\n"
        "str    r0, [sp]\n"
        "movs   r5, #0x7f\n"
        "lsls   r5, r5, #8\n"
        "lsls   r4, r5, #16\n"
        "adds   r4, r4, r5\n"
        "mov    r11, r4\n"
        "ldr    r4, [r0, #24]\n"
        "1:\n"
        "str    r4, [sp, #12]\n"
        "ldrh   r3, [r4, #6]\n"
        "ldmia  r0!, {r1, r2, r5}\n"
        "mov    r0, r5\n"
        "muls   r3, r2, r3\n"
        "adds   r1, r1, r3\n"
        "adds   r2, r2, r1\n"
        "str    r2, [sp, #4]\n"
        "movs   r6, #0\n"
        "movs   r7, #0\n"
        "str    r6, [sp, #16]\n"
        "str    r6, [sp, #20]\n"
        "mov    r8, r6\n"
        "mov    r9, r6\n"
        "movs   r5, #8\n"
        "lsls   r5, r5, #8\n"
        "mov    r10, r5\n"
        "ldr    r5, [sp, #8]\n"
        "bx     r5\n"
        ".balign 4\n"
        "2:\n"
        PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR
        "3:\n"
        "ldr    r2, [sp, #16]\n"
        "ldr    r3, [sp, #20]\n"
        "mov    r4, r10\n"
        "adds   r2, r2, r4\n"
        "asrs   r4, r4, #12\n"
        "adds   r3, r3, r4\n"
        "str    r2, [sp, #16]\n"
        "str    r3, [sp, #20]\n"
        "movs   r4, #8\n"
        "lsls   r4, r4, #8\n"
        "mov    r10, r4\n"
        "ldr    r4, [sp, #4]\n"
        "cmp    r1, r4\n"
        "beq    4f\n"
        "b      2b\n"
        "4:\n"
        "lsls   r4, r3, #12\n"
        "subs   r2, r2, r4\n"
        "ldr    r0, [sp]\n"
        "adds   r0, #32\n"
        "ldmia  r0!, {r1, r4, r5}\n" // the offset, start, halves
        "muls   r2, r1, r2\n"
        "adds   r2, r2, r4\n"
        "ldr    r0, [sp]\n"
        "ldr    r1, [r0, #12]\n"
        "ldr    r4, [sp, #12]\n"
        "ldrh   r4, [r4, #6]\n"
        "lsls   r4, r4, #2\n"
        "ldr    r1, [r1, r4]\n"
        "adds   r2, r2, r1\n"
        "adds   r3, r3, r2\n"
        "str    r3, [sp, #40]\n"
        "subs   r2, r2, r5\n" // what the other sums begin with
        "lsls   r4, r6, #16\n"
        "mov    r3, r8\n"
        "subs   r3, r3, r4\n"
        "adds   r3, r3, r2\n"
        "str    r3, [sp, #24]\n"
        "adds   r6, r6, r2\n"
        "str    r6, [sp, #28]\n"
        "lsls   r4, r7, #16\n"
        "mov    r3, r9\n"
        "subs   r3, r3, r4\n"
        "adds   r3, r3, r2\n"
        "str    r3, [sp, #32]\n"
        "adds   r7, r7, r2\n"
        "str    r7, [sp, #36]\n"
        "ldr    r4, [sp, #12]\n"
        "ldmia  r4!, {r1, r2}\n" // the multiplier, shift and channel
        "str    r4, [sp, #12]\n"
        "uxth   r4, r1\n"
        "mov    r8, r4\n"
        "lsrs   r5, r1, #16\n"
        "mov    r9, r5\n"
        "sxth   r3, r2\n"
        "rsbs   r3, r3, #0\n"
        "mov    r12, r3\n"
        "subs   r3, #1\n"
        "ldr    r4, [r0, #44]\n"
        "lsls   r4, r4, #1\n"
        "adds   r4, #1\n"
        "lsls   r4, r4, r3\n"
        "mov    r10, r4\n"
        "lsrs   r2, r2, #16\n"
        "ldr    r4, [r0, #16]\n"
        "adds   r4, r4, r2\n"
        "mov    lr, r4\n"
        "ldr    r1, [r0, #20]\n"
        "add    r7, sp, #24\n"
        "5:\n" // as PLAIN of kernels/thumb/tiles_v6.c
        "ldmia  r7!, {r2}\n"
        "mov    r4, r8\n"
        "mov    r5, r9\n"
        "sxth   r3, r2\n"
        "subs   r2, r2, r3\n"
        "asrs   r2, r2, #16\n"
        "movs   r6, r3\n"
        "muls   r6, r5, r6\n"
        "muls   r3, r4, r3\n"
        "asrs   r3, r3, #16\n"
        "adds   r6, r6, r3\n"
        "muls   r4, r2, r4\n"
        "muls   r2, r5, r2\n"
        "adds   r6, r6, r4\n"
        "asrs   r6, r6, #15\n"
        "adcs   r6, r2\n"
        "adds   r6, r6, r2\n"
        "asrs   r3, r6, #31\n"
        "adds   r6, r6, r3\n"
        "add    r6, r10\n"
        "mov    r4, r12\n"
        "asrs   r6, r4\n"
        "sxtb   r3, r6\n"
        "cmp    r3, r6\n"
        "beq    6f\n"
        "asrs   r6, r6, #31\n"
        "movs   r3, #127\n"
        "eors   r3, r6\n"
        "6:\n"
        "mov    r4, lr\n"
        "strb   r3, [r4]\n"
        "add    lr, r1\n"
        "mov    r4, sp\n"
        "adds   r4, #44\n"
        "cmp    r7, r4\n"
        "bne    5b\n"
        "ldr    r4, [sp, #12]\n"
        "ldr    r1, [r0, #28]\n"
        "cmp    r4, r1\n"
        "beq    7f\n"
        "b      1b\n"
        "7:\n"
        "add    sp, #44\n"
        "pop    {r4-r7}\n"
        "mov    r8, r4\n"
        "mov    r9, r5\n"
        "mov    r10, r6\n"
        "mov    r11, r7\n"
        "pop    {r4-r7, pc}\n");
}

#endif // AR_TIER_THUMB && !AR_THUMB_FULL
