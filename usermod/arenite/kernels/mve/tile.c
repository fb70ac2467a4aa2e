// Inner loops in assembly: all registers are in use. A sum across lanes goes to a register with an even number, of which
// there are seven besides the loop's counter: three patches by two rows of weights make six.

#include "kernels/mve/tile.h"
#include "kernels/tier.h"

#if AR_TIER_MVE

// One pair: 96 products by eleven instructions, the loop's own costing nothing once it runs. at: of its sums in the tile.
#define PAIR(at0, at1, at2) \
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
    "vmladava.s8 r4, q0, q3\n" \
    "vldrb.8    q2, [r9], #16\n" \
    "vmladava.s8 r6, q1, q3\n" \
    "vmladava.s8 r8, q0, q2\n" \
    "vmladava.s8 r10, q1, q2\n" \
    "letp       lr, 1b\n" \
    "strd       r0, r2, [r11, #" at0 "]\n" \
    "strd       r4, r6, [r11, #" at1 "]\n" \
    "strd       r8, r10, [r11, #" at2 "]\n"

__attribute__((naked)) void ar_tile_s8(ar_tile_t *t, const ar_tile_pair_t *pairs) {
    __asm volatile (
        "push   {r4-r11, lr}\n"
        "mov    r11, r0\n"
        "mov    r12, r1\n"
        PAIR("16", "48", "80")
        PAIR("24", "56", "88")
        PAIR("32", "64", "96")
        PAIR("40", "72", "104")
        "pop    {r4-r11, pc}\n");
}

#endif // AR_TIER_MVE
