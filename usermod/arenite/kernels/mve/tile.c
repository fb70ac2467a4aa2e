// Inner loops in assembly: all registers are in use. A sum across lanes goes to a register with an even number, of which
// there are seven besides the loop's counter: three patches by two rows of weights make six.

#include "kernels/mve/tile.h"
#include "kernels/tier.h"

#if AR_TIER_MVE

// Two patches of a pair, and its second row by the first of them: the loop goes on with what is left.
#define PAIR_OPENS \
    "ldm.w      r12!, {r0-r4, r6, r8, r10}\n" \
    "ldm.w      r11, {r5, r7, r9, lr}\n" \
    "dlstp.8    lr, lr\n" \
    "1:\n" \
    "vldrb.8    q0, [r1], #16\n" \
    "vldrb.8    q2, [r5], #16\n" \
    "vmladava.s8 r0, q0, q2\n" \
    "vldrb.8    q1, [r3], #16\n" \
    "vmladava.s8 r2, q1, q2\n" \
    "vldrb.8    q3, [r7], #16\n" \
    "vmladava.s8 r4, q0, q3\n"

// One pair: 96 products by eleven instructions, the loop's own costing nothing once it runs. at: of its sums in the tile.
#define PAIR_SUMS \
    PAIR_OPENS \
    "vldrb.8    q2, [r9], #16\n" \
    "vmladava.s8 r6, q1, q3\n" \
    "vmladava.s8 r8, q0, q2\n" \
    "vmladava.s8 r10, q1, q2\n" \
    "letp       lr, 1b\n"

#define PAIR(at0, at1, at2) \
    PAIR_SUMS \
    "strd       r0, r2, [r11, #" at0 "]\n" \
    "strd       r4, r6, [r11, #" at1 "]\n" \
    "strd       r8, r10, [r11, #" at2 "]\n"

// The same of two patches.
#define PAIR_BY_TWO(at0, at1, at2) \
    PAIR_OPENS \
    "vmladava.s8 r6, q1, q3\n" \
    "letp       lr, 1b\n" \
    "strd       r0, r2, [r11, #" at0 "]\n" \
    "strd       r4, r6, [r11, #" at1 "]\n"

// The doubling high products, one less where they are negative, and the rounding shifts; then the zero point. q0 and q1 are
// factors and shifts of the even channels, q2 and q5 of the odd ones.
#define PLAIN(even, odd) \
    "vldrw.u32  q4, [r11, #" even "]\n" \
    "vldrw.u32  q6, [r11, #" odd "]\n" \
    "vqrdmulh.s32 q4, q4, q0\n" \
    "vqrdmulh.s32 q6, q6, q2\n" \
    "vshr.s32   q7, q4, #31\n" \
    "vadd.i32   q4, q4, q7\n" \
    "vshr.s32   q7, q6, #31\n" \
    "vadd.i32   q6, q6, q7\n" \
    "vrshl.s32  q4, q4, q1\n" \
    "vrshl.s32  q6, q6, q5\n" \
    "vqmovnb.s32 q4, q4\n" \
    "vqmovnt.s32 q4, q6\n" \
    "vqadd.s16  q4, q4, r4\n" \
    "vqmovnb.s16 q4, q4\n"

#define ENTER \
    "push   {r4-r11, lr}\n" \
    "vpush  {d8-d15}\n" \
    "mov    r11, r0\n" \
    "mov    r12, r1\n"

#define LEAVE \
    "vpop   {d8-d15}\n" \
    "pop    {r4-r11, pc}\n"

// A tile's sums, then its channels: factors and shifts, the latter in the lower halves of words.
#define SUMS(PAIR) \
    PAIR("16", "48", "80") \
    PAIR("24", "56", "88") \
    PAIR("32", "64", "96") \
    PAIR("40", "72", "104")

#define FACTORS \
    "ldr    r0, [r11, #128]\n" \
    "ldrd   r1, r2, [r11, #112]\n" \
    "ldrd   r3, r4, [r11, #120]\n" \
    "vld40.32 {q0, q1, q2, q3}, [r0]\n" \
    "vld41.32 {q0, q1, q2, q3}, [r0]\n" \
    "vld42.32 {q0, q1, q2, q3}, [r0]\n" \
    "vld43.32 {q0, q1, q2, q3}, [r0]!\n" \
    "vmovlb.s16 q5, q3\n" \
    "str    r0, [r11, #128]\n"

// Where the last tile is done; the next one.
#define AGAIN \
    "ldr    r0, [r11, #132]\n" \
    "cmp    r12, r0\n" \
    "bne    2b\n"

// The next row.
#define NEXT \
    AGAIN \
    "ldr    r0, [r11, #152]\n" \
    "subs   r0, #1\n" \
    "beq    3f\n" \
    "str    r0, [r11, #152]\n" \
    "ldrd   r1, r2, [r11, #136]\n" \
    "ldm.w  r11, {r3-r5}\n" \
    "add    r3, r1\n" \
    "add    r4, r1\n" \
    "add    r5, r1\n" \
    "stm.w  r11, {r3-r5}\n" \
    "add.w  r0, r11, #112\n" \
    "ldm    r0, {r3-r5}\n" \
    "add    r3, r2\n" \
    "add    r4, r2\n" \
    "add    r5, r2\n" \
    "stm    r0!, {r3-r5}\n" \
    "ldrd   r12, r0, [r11, #144]\n" \
    "str    r0, [r11, #128]\n" \
    "b      2b\n" \
    "3:\n"

// The upper halves of the words with the shifts are the places of the channels.
__attribute__((naked)) void ar_tiles_plain(ar_tile_t *t, const ar_tile_pair_t *pairs) {
    __asm volatile (
        ENTER
        "2:\n"
        SUMS(PAIR)
        FACTORS
        "vsri.32    q3, q1, #16\n"
        "vmovlb.s16 q1, q1\n"
        PLAIN("16", "32")
        "vstrb.16   q4, [r1, q3]\n"
        PLAIN("48", "64")
        "vstrb.16   q4, [r2, q3]\n"
        PLAIN("80", "96")
        "vstrb.16   q4, [r3, q3]\n"
        NEXT
        LEAVE);
}

__attribute__((naked)) void ar_tiles_two(ar_tile_t *t, const ar_tile_pair_t *pairs) {
    __asm volatile (
        ENTER
        "2:\n"
        SUMS(PAIR_BY_TWO)
        FACTORS
        "vsri.32    q3, q1, #16\n"
        "vmovlb.s16 q1, q1\n"
        PLAIN("16", "32")
        "vstrb.16   q4, [r1, q3]\n"
        PLAIN("48", "64")
        "vstrb.16   q4, [r2, q3]\n"
        AGAIN
        LEAVE);
}

// A pair at a time, whose place among the sums is a quarter of that among the pairs.
__attribute__((naked)) void ar_tile_s8(ar_tile_t *t, const ar_tile_pair_t *pairs) {
    __asm volatile (
        "push   {r4-r11, lr}\n"
        "sub    sp, #4\n"
        "str    r1, [sp]\n"
        "mov    r11, r0\n"
        "mov    r12, r1\n"
        "2:\n"
        PAIR_SUMS
        "ldr    r5, [sp]\n"
        "sub    r7, r12, r5\n"
        "add    r7, r11, r7, lsr #2\n"
        "strd   r0, r2, [r7, #8]\n"
        "strd   r4, r6, [r7, #40]\n"
        "strd   r8, r10, [r7, #72]\n"
        "add    r5, #128\n"
        "cmp    r12, r5\n"
        "bne    2b\n"
        "add    sp, #4\n"
        "pop    {r4-r11, pc}\n");
}

// The same where factors and shifts stay in q4 and q5, those of the odd channels in q6 and q7.
#define KEPT(even, odd) \
    "vldrw.u32  q0, [r11, #" even "]\n" \
    "vldrw.u32  q1, [r11, #" odd "]\n" \
    "vqrdmulh.s32 q0, q0, q4\n" \
    "vqrdmulh.s32 q1, q1, q6\n" \
    "vshr.s32   q2, q0, #31\n" \
    "vadd.i32   q0, q0, q2\n" \
    "vshr.s32   q3, q1, #31\n" \
    "vadd.i32   q1, q1, q3\n" \
    "vrshl.s32  q0, q0, q5\n" \
    "vrshl.s32  q1, q1, q7\n" \
    "vqmovnb.s32 q0, q0\n" \
    "vqmovnt.s32 q0, q1\n" \
    "vqadd.s16  q0, q0, r4\n" \
    "vqmovnb.s16 q0, q0\n"

__attribute__((naked)) void ar_tile_rows(ar_tile_t *t, const ar_tile_pair_t *pairs) {
    __asm volatile (
        ENTER
        "ldr    r0, [r11, #128]\n"
        "vld40.32 {q4, q5, q6, q7}, [r0]\n"
        "vld41.32 {q4, q5, q6, q7}, [r0]\n"
        "vld42.32 {q4, q5, q6, q7}, [r0]\n"
        "vld43.32 {q4, q5, q6, q7}, [r0]\n"
        "vmovlb.s16 q5, q5\n"
        "vmovlb.s16 q7, q7\n"
        "2:\n"
        SUMS(PAIR)
        "add.w  r0, r11, #112\n"
        "ldm    r0, {r1-r4}\n"
        KEPT("16", "32")
        "vstrb.16   q0, [r1]\n"
        KEPT("48", "64")
        "vstrb.16   q0, [r2]\n"
        KEPT("80", "96")
        "vstrb.16   q0, [r3]\n"
        "ldr    r6, [r11, #152]\n"
        "subs   r6, #1\n"
        "beq    3f\n"
        "str    r6, [r11, #152]\n"
        "ldrd   r4, r5, [r11, #136]\n"
        "add    r1, r5\n"
        "add    r2, r5\n"
        "add    r3, r5\n"
        "stm    r0!, {r1-r3}\n"
        "ldm.w  r11, {r1-r3}\n"
        "add    r1, r4\n"
        "add    r2, r4\n"
        "add    r3, r4\n"
        "stm.w  r11, {r1-r3}\n"
        "sub.w  r12, #128\n"
        "b      2b\n"
        "3:\n"
        LEAVE);
}

// The pairs of channels 0 and 2, 4 and 6, 1 and 3, 5 and 7: rows of weights and biases, each a field of a pair. q4: where those of
// the even channels are. Called by what follows, with the tile in r11 and the pairs in r12.
static __attribute__((naked, used)) void rows_of_weights(void) {
    __asm volatile (
        "ldr    r0, [r11, #128]\n"
        "ldr    r1, [r11, #12]\n"
        "ldrd   r2, r3, [r11, #160]\n"
        "vld40.32 {q0, q1, q2, q3}, [r0]\n"
        "vld41.32 {q0, q1, q2, q3}, [r0]\n"
        "vld42.32 {q0, q1, q2, q3}, [r0]\n"
        "vld43.32 {q0, q1, q2, q3}, [r0]\n"
        "adr    r4, 7f\n"
        "vldrw.u32  q4, [r4]\n"
        "vshr.u32   q0, q1, #16\n"
        "vshr.u32   q2, q3, #16\n"
        "vmul.i32   q1, q0, r1\n"
        "vmul.i32   q3, q2, r1\n"
        "vadd.i32   q1, q1, r2\n"
        "vadd.i32   q3, q3, r2\n"
        "vmov.i32   q5, #0\n"
        "vmov.i32   q6, #0\n"
        "cbz    r3, 3f\n"
        "vldrw.u32  q5, [r3, q0, uxtw #2]\n"
        "vldrw.u32  q6, [r3, q2, uxtw #2]\n"
        "3:\n"
        "add    r2, r12, #4\n"
        "vstrw.32   q5, [r12, q4]\n"
        "vstrw.32   q1, [r2, q4]\n"
        "add    r3, r12, #64\n"
        "add    r2, r2, #64\n"
        "vstrw.32   q6, [r3, q4]\n"
        "vstrw.32   q3, [r2, q4]\n"
        "bx     lr\n"
        ".balign 4\n"
        "7: .word 0, 8, 32, 40\n");
}

// r0 and r2 become what the sums of a pair start from.
#define STARTED \
    "str    r0, [r12]\n" \
    "str    r2, [r12, #8]\n" \
    "strd   r0, r2, [r12, #16]\n" \
    "strd   r0, r2, [r12, #24]\n" \
    "add    r12, #32\n"

#define BEGIN \
    "ldm.w  r12, {r0-r3}\n" \
    "movs   r4, #0\n" \
    "movs   r6, #0\n" \
    "dlstp.8    lr, r9\n" \
    "1:\n" \
    "vldrb.8    q0, [r1], #16\n" \
    "vaddva.s8  r4, q0\n" \
    "vldrb.8    q1, [r3], #16\n" \
    "vaddva.s8  r6, q1\n" \
    "letp   lr, 1b\n" \
    "mla    r0, r4, r8, r0\n" \
    "mla    r2, r6, r8, r2\n" \
    STARTED

__attribute__((naked)) void ar_tile_begin(ar_tile_t *t, ar_tile_pair_t *pairs) {
    __asm volatile (
        ENTER
        "bl     rows_of_weights\n"
        "ldr    r8, [r11, #156]\n"
        "ldr    r9, [r11, #12]\n"
        "add    r10, r12, #128\n"
        "2:\n"
        BEGIN
        "cmp    r12, r10\n"
        "bne    2b\n"
        LEAVE);
}

// The sums of weights beside those of two patches.
#define BEGIN_TWO(at0, at1) \
    "ldm.w  r12, {r0-r3}\n" \
    "mov    r4, r0\n" \
    "mov    r6, r2\n" \
    "mov    r8, #0\n" \
    "mov    r10, #0\n" \
    "add    r9, r11, #168\n" \
    "ldm    r9, {r5, r7, lr}\n" \
    "dlstp.8    lr, lr\n" \
    "1:\n" \
    "vldrb.8    q0, [r1], #16\n" \
    "vldrb.8    q2, [r5], #16\n" \
    "vmladava.s8 r0, q0, q2\n" \
    "vldrb.8    q1, [r3], #16\n" \
    "vmladava.s8 r2, q1, q2\n" \
    "vaddva.s8  r8, q0\n" \
    "vldrb.8    q3, [r7], #16\n" \
    "vmladava.s8 r4, q0, q3\n" \
    "vaddva.s8  r10, q1\n" \
    "vmladava.s8 r6, q1, q3\n" \
    "letp   lr, 1b\n" \
    "ldr    r9, [r11, #156]\n" \
    "ldr    r1, [r12]\n" \
    "ldr    r3, [r12, #8]\n" \
    "mul    r8, r8, r9\n" \
    "mul    r10, r10, r9\n" \
    "add    r0, r8\n" \
    "add    r2, r10\n" \
    "add    r4, r8\n" \
    "add    r6, r10\n" \
    "strd   r0, r2, [r11, #" at0 "]\n" \
    "strd   r4, r6, [r11, #" at1 "]\n" \
    "add    r0, r1, r8\n" \
    "add    r2, r3, r10\n" \
    STARTED

__attribute__((naked)) void ar_tile_begin_two(ar_tile_t *t, ar_tile_pair_t *pairs) {
    __asm volatile (
        ENTER
        "bl     rows_of_weights\n"
        BEGIN_TWO("16", "48")
        BEGIN_TWO("24", "56")
        BEGIN_TWO("32", "64")
        BEGIN_TWO("40", "72")
        FACTORS
        "ldrd   r1, r2, [r11, #180]\n"
        "vsri.32    q3, q1, #16\n"
        "vmovlb.s16 q1, q1\n"
        PLAIN("16", "32")
        "vstrb.16   q4, [r1, q3]\n"
        PLAIN("48", "64")
        "vstrb.16   q4, [r2, q3]\n"
        LEAVE);
}

#endif // AR_TIER_MVE
