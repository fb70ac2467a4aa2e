// Five patches by one row of weights at a time, for Armv7-M, with activations as the model has them.
//
// An element is three words: x0 + x1 * 2^16, x2 + x3 * 2^16, and x4 * 2^12 + 1; the next element's begin with the last, so that
// loads in ascending order find a register for it. Of the first two, products of two elements are summed and split as in
// kernels/thumb/tiles.h: what is added to both halves makes them positive whatever the weights are. The third sums up 16
// products of the fifth patch and, below these, 16 weights before it is split. The sum of all weights is what the offset of
// the activations is multiplied by.

#include "kernels/thumb/five.h"

#if AR_TIER_THUMB && AR_THUMB_FULL

#define HALF (0x7f00)           // the least sum of two products is -2 * 127 * 128, the greatest 2 * 128 * 128
#define BELOW (12)              // bits of the sum of 16 weights
#define MIDDLE (1 << (BELOW - 1)) // added to it
#define UNROLLED (8)

// The fields in the order that the code loads them in.
typedef struct {
    const int8_t *w;
    uint32_t n;                 // of a row
    const void *x;
    const int32_t *bias;
    int8_t *out;
    uint32_t step;
    const ar_channel_t *channel;
    const ar_channel_t *end;
    uint32_t twice;             // the offset, twice
    uint32_t start;             // with which the sum of the weights comes out too large; twice
    uint32_t halves;            // added to both halves' sums; twice
    int32_t zero;
} five_t;

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
static __attribute__((naked)) void all_channels(const five_t *f, uint32_t pairs_first) {
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

// An even number of elements, at least two, up to a_end.
static __attribute__((naked)) void put_two(const int8_t *a, const int8_t *b, int32_t *to, const int8_t *a_end) {
    PUT("32", PUT_TWO);
}

static __attribute__((naked)) void put_last(const int8_t *a, const int8_t *b, int32_t *to, const int8_t *a_end) {
    PUT("20", PUT_LAST);
}

void ar_five_put(const ar_product_s8_t *p, uint32_t i, uint32_t r, uint32_t rows, const int8_t *a, const int8_t *b, uint32_t step) {
    uint32_t row = p->row;
    int32_t *to = (int32_t *)p->scratch + 3 * r * row + i / 2;
    for (; rows > 0; rows--, a += step, b += step, to += 3 * row) {
        (i < AR_FIVE - 1 ? put_two : put_last)(a, b, to, a + row);
    }
}

// ---- any factor and range --------------------------------------------------------------------------------------------

// Element k of patch i.
static int32_t element(const int32_t *x, uint32_t k, uint32_t i) {
    int32_t word = x[3 * k + (i / 2 + (k & 1)) % 3];
    return i == AR_FIVE - 1 ? word >> BELOW : i & 1 ? (word + 0x8000) >> 16 : (int16_t)word;
}

static __attribute__((cold, noinline)) void one_by_one(const ar_product_s8_t *p, int8_t *out) {
    for (const ar_channel_t *c = p->channels, *end = c + p->n_channels; c < end; c++) {
        const int8_t *w = ar_product_row(p, c);
        for (uint32_t i = 0; i < AR_FIVE; i++) {
            uint32_t sum = (uint32_t)ar_product_start(p, c->channel);
            for (uint32_t k = 0; k < p->n; k++) {
                sum += (uint32_t)((element(p->scratch, k, i) + p->offset) * w[k]);
            }
            out[i * p->out_step + c->channel] =
                (int8_t)ar_requantize_clamp((int32_t)sum, (ar_factor_t) { c->mult, c->shift }, p->out_zero, p->low, p->high);
        }
    }
}

// ---- what a product calls --------------------------------------------------------------------------------------------

void ar_five_held(const ar_product_s8_t *p, int8_t *out) {
    uint32_t pairs = p->n / 2, rounds = (pairs + UNROLLED - 1) / UNROLLED, twice = 2 * (uint32_t)p->offset;
    const five_t f = {
        .w = p->weights, .n = p->n, .x = p->scratch, .bias = p->bias, .out = out, .step = p->out_step, .channel = p->channels,
        .end = p->channels + p->n_channels, .twice = twice, .start = 0 - twice * MIDDLE * rounds, .halves = 2 * HALF * pairs,
        .zero = p->out_zero,
    };
    if (!p->plain) {
        one_by_one(p, out);
    } else if (p->n_channels > 0) {
        all_channels(&f, ((pairs - 1) & (UNROLLED - 1)) + 1);
    }
}

#endif // AR_TIER_THUMB && AR_THUMB_FULL
