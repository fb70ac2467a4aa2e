// Requantization factors of many channels, in assembly: all of it is in Armv7-M, too.

#include "kernels/requantize.h"
#include "kernels/tier.h"

#if AR_LISTS

// As ar_ratio_quick.
__attribute__((naked)) bool ar_ratio_list(ar_list_t *l) {
    __asm volatile (
        "push   {r4-r11, lr}\n"
        "ldm.w  r0, {r1-r9}\n"
        "cmp    r1, r2\n"
        "beq    4f\n"
        "1:\n"
        "ldr    r10, [r1], #4\n"
        "lsl.w  r11, r10, #8\n"
        "orr    r11, r11, #0x80000000\n"
        "umull  r12, lr, r11, r6\n"
        "umull  r12, r11, r5, r11\n"
        "adds.w r12, r12, lr\n"
        "adcs.w r11, r11, #0\n"
        "ubfx   r10, r10, #23, #8\n"
        "add    r10, r7\n"
        "bmi    2f\n"
        "adds.w r12, r12, r12\n"
        "adc.w  r11, r11, r11\n"
        "sub.w  r10, r10, #1\n"
        "2:\n"
        "add.w  lr, r12, #0x4000\n"
        "cmp.w  lr, #0x8000\n"
        "bcc    3f\n"
        "5:\n"
        "lsrs.w r11, r11, #1\n"
        "adc.w  r11, r11, #0\n"
        "bfi    r4, r10, #0, #16\n"
        "strd   r11, r4, [r3], #8\n"
        "add.w  r4, r4, #0x10000\n"
        "orn    r8, r8, r10\n"
        "orr.w  r9, r9, r11\n"
        "cmp    r1, r2\n"
        "bne    1b\n"
        "4:\n"
        "stm.w  r0, {r1-r9}\n"
        "movs   r0, #1\n"
        "pop    {r4-r11, pc}\n"
        "3:\n"
        "eor.w  lr, r11, r12, lsr #31\n" // all of them come here where the ratio is a power of two
        "lsls.w lr, lr, #31\n"
        "bpl    5b\n"
        "bfi    r4, r10, #0, #16\n"
        "strd   r11, r4, [r3], #8\n"
        "add.w  r4, r4, #0x10000\n"
        "stm.w  r0, {r1-r9}\n"
        "movs   r0, #0\n"
        "pop    {r4-r11, pc}\n");
}

#endif // AR_LISTS
