// Inner loops for Armv7-M, unrolled and entered where the pairs that are left over begin, so that there is no second loop
// for them. What has no register is on the stack.

#include "kernels/thumb/tiles.h"

#if AR_TIER_THUMB && AR_THUMB_FULL

// Two elements of a patch by four channels. 40 bytes.
#define PAIR \
    "ldm.w  r12!, {r0, r1}\n" \
    "ldm.w  lr!, {r2-r5}\n" \
    "mla    r10, r0, r2, r11\n" \
    "mla    r10, r1, r3, r10\n" \
    "add.w  r6, r6, r10\n" \
    "add.w  r8, r8, r10, asr #16\n" \
    "mla    r10, r0, r4, r11\n" \
    "mla    r10, r1, r5, r10\n" \
    "add.w  r7, r7, r10\n" \
    "add.w  r9, r9, r10, asr #16\n"

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

__attribute__((naked)) void ar_thumb_tiles(ar_thumb_tiles_t *t, const uint32_t *w_end, uint32_t pairs_first) {
    __asm volatile (
        "push   {r0, r1, r4-r11, lr}\n"
        "movs   r3, #40\n"
        "mul    r3, r3, r2\n"
        "adr.w  r2, 3f\n"
        "subs   r2, r2, r3\n"
        "orr    r2, r2, #1\n"
        "str    r2, [r0, #100]\n"
        "ldr.w  r12, [r0, #96]\n"
        "1:\n"
        "ldm.w  r0, {r2, r6-r9}\n"
        "mov    lr, r2\n"
        "mov.w  r11, #0x8000\n"
        "ldr.w  pc, [r0, #100]\n"
        "2:\n"
        PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR
        "3:\n"
        "ldr    r0, [sp, #4]\n"
        "cmp    lr, r0\n"
        "bne.w  2b\n"
        "ldr.w  lr, [sp]\n"
        "sub.w  r6, r6, r8, lsl #16\n"
        "sub.w  r7, r7, r9, lsl #16\n"
        "add.w  lr, lr, #20\n"
        "ldr.w  r0, [lr], #4\n"
        PLAIN("r6") PLAIN("r8") PLAIN("r7") PLAIN("r9")
        "ldrd   r1, r2, [lr]\n"
        "add    r1, r0\n"
        "ldr    r0, [sp]\n"
        "str    r1, [r0, #20]\n"
        "cmp    r12, r2\n"
        "bne.w  1b\n"
        "pop    {r0, r1, r4-r11, pc}\n");
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
        BYTE BYTE BYTE BYTE
        "3:\n"
        "cmp    r12, r11\n"
        "bne.w  2b\n"
        "pop    {r0}\n"
        "adds   r0, #16\n"
        "stm    r0!, {r4-r7}\n"
        "pop    {r4-r11, pc}\n");
}

__attribute__((naked)) void ar_thumb_rows_wide(ar_thumb_rows_t *r, const int32_t *x, const int32_t *end) {
    __asm volatile (
        "push   {r0, r2, r4-r11, lr}\n"
        "mov    r12, r1\n"
        "ldm.w  r0, {r0-r7}\n"
        "2:\n"
        "ldm.w  r12!, {r8-r11}\n"
        ROWS("r8") ROWS("r9") ROWS("r10") ROWS("r11")
        "ldr.w  lr, [sp, #4]\n"
        "cmp    r12, lr\n"
        "bne.w  2b\n"
        "pop    {r8, r12}\n"
        "stm.w  r8, {r0-r7}\n"
        "pop    {r4-r11, pc}\n");
}

// A column of three.
#define COLUMN \
    "ldm.w  r12!, {r3-r5}\n" \
    "mla    r6, r0, r3, r6\n" \
    "mla    r6, r1, r4, r6\n" \
    "mla    r6, r2, r5, r6\n"

__attribute__((naked)) void ar_thumb_row(const ar_thumb_row_t *r) {
    __asm volatile (
        "push   {r4-r11, lr}\n"
        "ldm.w  r0, {r0-r5}\n"
        "push   {r2, r3}\n"
        "mov    r12, r0\n"
        "mov    lr, r1\n"
        "mov    r10, r4\n"
        "mov    r11, r5\n"
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
        "pop    {r2, r3}\n"
        "pop    {r4-r11, pc}\n");
}

#endif // AR_TIER_THUMB && AR_THUMB_FULL
