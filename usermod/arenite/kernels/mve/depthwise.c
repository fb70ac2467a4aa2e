// Rows of a 3x3 depthwise convolution in assembly: all vector registers are in use. Requantized in the short way.
//
// r11 is the strip, r9 the channels, r7 the outputs, lr counts steps; r1, r3 and r5 are the start of the sums, the factor and
// its shift, r10 the zero point, r12 the advance. q0 has the addresses of four columns, q4 to q7 the weights.

#include "kernels/mve/depthwise.h"
#include "kernels/tier.h"

#if AR_TIER_MVE

#define ENTER \
    "push   {r4-r11, lr}\n" \
    "vpush  {d8-d15}\n" \
    "mov    r11, r0\n" \
    "mov    r9, r1\n" \
    "ldr    r12, [r11, #44]\n" \
    "ldr    r10, [r11, #48]\n" \
    "1:\n"

#define CHANNEL \
    "ldm.w      r9!, {r1, r3, r5}\n" \
    "ldr        r7, [r11, #40]\n" \
    "add        r7, r7, r5, lsr #8\n" \
    "ldr        lr, [r11, #32]\n"

#define LEAVE \
    "ldr        r6, [r11, #52]\n" \
    "cmp        r6, r9\n" \
    "bne        1b\n" \
    "vpop       {d8-d15}\n" \
    "pop        {r4-r11, pc}\n"

// The doubling high product, one less where that is negative, and the rounding shift.
#define SCALED(q) \
    "vadd.i32   " q ", " q ", r1\n" \
    "vqrdmulh.s32 " q ", " q ", r3\n" \
    "vshr.s32   q3, " q ", #31\n" \
    "vadd.i32   " q ", " q ", q3\n" \
    "vrshl.s32  " q ", r5\n"

// Sums of four columns in two rows.
#define SUMS \
    "vldrw.u32  q3, [q0, #128]!\n" \
    "vmladav.s8 r0, q3, q4\n" \
    "vmladav.s8 r2, q3, q5\n" \
    "vmladav.s8 r4, q3, q6\n" \
    "vmladav.s8 r6, q3, q7\n" \
    "vldrw.u32  q3, [q0, #128]!\n" \
    "vmladav.s8 r8, q3, q4\n" \
    "vmov       q1[2], q1[0], r0, r8\n" \
    "vmladav.s8 r8, q3, q5\n" \
    "vmov       q2[2], q2[0], r2, r8\n" \
    "vmladav.s8 r8, q3, q6\n" \
    "vmov       q1[3], q1[1], r4, r8\n" \
    "vmladav.s8 r8, q3, q7\n" \
    "vmov       q2[3], q2[1], r6, r8\n"

// As bytes, each the low one of two.
#define NARROWED \
    "vqmovnb.s32 q1, q1\n" \
    "vqmovnt.s32 q1, q2\n" \
    "vqadd.s16  q1, q1, r10\n" \
    "vqmovnb.s16 q1, q1\n" \
    "vldrh.u16  q3, [r11]\n"

// As bytes, each the low one of four.
#define NARROWED_FOUR \
    "vqmovnb.s32 q1, q1\n" \
    "vqadd.s16  q1, q1, r10\n" \
    "vqmovnb.s16 q1, q1\n"

__attribute__((naked)) void ar_depthwise_two_rows(ar_depthwise_strip_t *s, const ar_depthwise_channel_t *channels) {
    __asm volatile (
        ENTER
        "vldrb.8    q4, [r9], #16\n"
        "vldrb.8    q5, [r9], #16\n"
        "vldrb.8    q6, [r9], #16\n"
        "vldrb.8    q7, [r9], #16\n"
        "vldrw.32   q0, [r9], #16\n"
        CHANNEL
        "wls        lr, lr, 3f\n"
        "2:\n"
        SUMS SCALED("q1") SCALED("q2") NARROWED
        "vstrb.16   q1, [r7, q3]\n"
        "add        r7, r7, r12\n"
        "le         lr, 2b\n"
        "3:\n"
        "ldr        r0, [r11, #36]\n"
        "cmp        r0, #4\n"
        "bgt        4f\n"
        "cbnz       r0, 6f\n"
        "b          5f\n"
        "6:\n"
        // Two columns: in the order row, row, of each.
        "vctp.32    r0\n"
        "vldrw.u32  q3, [q0, #128]!\n"
        "vmladav.s8 r0, q3, q4\n"
        "vmladav.s8 r2, q3, q6\n"
        "vmov       q1[2], q1[0], r0, r2\n"
        "vmladav.s8 r0, q3, q5\n"
        "vmladav.s8 r2, q3, q7\n"
        "vmov       q1[3], q1[1], r0, r2\n"
        SCALED("q1") NARROWED_FOUR
        "vldrw.u32  q3, [r11, #16]\n"
        "vpst\n"
        "vstrbt.32  q1, [r7, q3]\n"
        "b          5f\n"
        "4:\n"
        "vctp.16    r0\n"
        SUMS SCALED("q1") SCALED("q2") NARROWED
        "vpst\n"
        "vstrbt.16  q1, [r7, q3]\n"
        "5:\n"
        LEAVE);
}

// Sums of four columns in one row, so many bytes apart.
#define ROW_SUMS(apart) \
    "vldrw.u32  q3, [q0, #" apart "]!\n" \
    "vmladav.s8 r0, q3, q4\n" \
    "vldrw.u32  q5, [q0, #" apart "]!\n" \
    "vmladav.s8 r2, q5, q4\n" \
    "vldrw.u32  q3, [q0, #" apart "]!\n" \
    "vmladav.s8 r4, q3, q4\n" \
    "vldrw.u32  q5, [q0, #" apart "]!\n" \
    "vmladav.s8 r6, q5, q4\n" \
    "vmov       q1[2], q1[0], r0, r4\n" \
    "vmov       q1[3], q1[1], r2, r6\n"

#define ROW(apart) \
    __asm volatile ( \
        ENTER \
        "vldrw.u32  q6, [r11, #16]\n" \
        "mov        r8, #128 - " apart "\n" \
        "1:\n" \
        "vldrb.8    q4, [r9], #64\n" \
        "vldrw.32   q0, [r9], #16\n" \
        "vadd.i32   q0, q0, r8\n" \
        CHANNEL \
        "wls        lr, lr, 3f\n" \
        "2:\n" \
        ROW_SUMS(apart) SCALED("q1") NARROWED_FOUR \
        "vstrb.32   q1, [r7, q6]\n" \
        "add        r7, r7, r12\n" \
        "le         lr, 2b\n" \
        "3:\n" \
        "ldr        r0, [r11, #36]\n" \
        "cbz        r0, 5f\n" \
        "vctp.32    r0\n" \
        ROW_SUMS(apart) SCALED("q1") NARROWED_FOUR \
        "vpst\n" \
        "vstrbt.32  q1, [r7, q6]\n" \
        "5:\n" \
        LEAVE)

__attribute__((naked)) void ar_depthwise_row_1(ar_depthwise_strip_t *s, const ar_depthwise_channel_t *channels) {
    ROW("64");
}

__attribute__((naked)) void ar_depthwise_row_2(ar_depthwise_strip_t *s, const ar_depthwise_channel_t *channels) {
    ROW("128");
}

#endif // AR_TIER_MVE
