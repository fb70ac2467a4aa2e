// The product without patches: four positions by one row of weights, widened as it is loaded.
//
// Of each four channels lie the even words of all columns, then the odd ones. From these the three taps of all positions are met
// without a step back: with a stride of 1 six words are loaded at once, and tap k meets those from word k on; with 2 the columns 1,
// 3, 5 and 7 come first, for tap 1, then the others for taps 0 and 2. Each weight is loaded twice, once for either half, since there
// is no register to keep it: 38 instructions for 48 products, 40 with a stride of 2.

#include "kernels/columns.h"
#include "kernels/requantize.h"

#if AR_TIER_DSP

#include "kernels/dsp/instructions.h"
#include "kernels/dsp/tiles.h"

// The fields in the order that the code knows.
typedef struct {
    const ar_channel_t *channel;    // the next one
    const ar_channel_t *channels_end;
    const int8_t *weights;          // of channel 0, from the first row of the kernel on
    uint32_t n;                     // bytes of a row of weights
    const int32_t *bias;            // NULL: sums begin with those at `from`
    const uint32_t *x;
    uint32_t depth;
    uint32_t bytes;                 // of the weights that are met
    const int32_t *from;            // of the next channel
    int8_t *out;                    // of the last position and channel 0; NULL: sums go to `to`
    int32_t step;                   // from a position's outputs to those of the position before
    int32_t zero;
    int32_t *to;                    // of the next channel
    uintptr_t finish;               // set by the code
} columns_t;

// ---- inner loops -----------------------------------------------------------------------------------------------------

#define TAP(load, half, a, b, c, d) \
    load \
    "sxtb16 r10, r10" half "\n" \
    "smlad  r6, " a ", r10, r6\n" \
    "smlad  r7, " b ", r10, r7\n" \
    "smlad  r8, " c ", r10, r8\n" \
    "smlad  r9, " d ", r10, r9\n"

#define TAP_0 "ldr.w  r10, [lr]\n"
#define TAP_0_LAST "ldr.w  r10, [lr], #4\n"
#define TAP_1 "ldr.w  r10, [lr, r11]\n"
#define TAP_2 "ldr.w  r10, [lr, r11, lsl #1]\n"

#define HALF_BY_ONE(half, last) \
    "ldm.w  r12!, {r0-r5}\n" \
    TAP(TAP_1, half, "r1", "r2", "r3", "r4") \
    TAP(TAP_2, half, "r2", "r3", "r4", "r5") \
    TAP(last, half, "r0", "r1", "r2", "r3")

#define HALF_BY_TWO(half, last) \
    "ldm.w  r12!, {r0-r3}\n" \
    TAP(TAP_1, half, "r0", "r1", "r2", "r3") \
    "ldm.w  r12!, {r0-r4}\n" \
    TAP(TAP_2, half, "r1", "r2", "r3", "r4") \
    TAP(last, half, "r0", "r1", "r2", "r3")

// 152 and 160 bytes.
#define BY_ONE HALF_BY_ONE("", TAP_0) HALF_BY_ONE(", ror #8", TAP_0_LAST)
#define BY_TWO HALF_BY_TWO("", TAP_0) HALF_BY_TWO(", ror #8", TAP_0_LAST)

// On the stack: t, the end of the first tap of this row of weights, where it would end in the row behind the last, where a row is
// entered.
#define COLUMNS_LOOP(SIZE, GROUPS) \
    __asm volatile ( \
    "push   {r0-r11, lr}\n" \
    AR_ENTRY(SIZE) \
    "str    r2, [sp, #12]\n" \
    "b.w    ar_columns_start\n" \
    "2:\n" \
    GROUPS \
    "3:\n" \
    "ldrd   r0, r1, [sp, #4]\n" \
    "cmp    lr, r0\n" \
    "bne    2b\n" \
    "add.w  lr, lr, r11, lsl #1\n" \
    "add.w  r0, lr, r11\n" \
    "str    r0, [sp, #4]\n" \
    "cmp    r0, r1\n" \
    "it     ne\n" \
    "ldrne  pc, [sp, #12]\n" \
    "b.w    ar_columns_sums\n")

static __attribute__((naked)) void by_one(columns_t *t, uint32_t count, uint32_t groups_first) {
    COLUMNS_LOOP("152", BY_ONE BY_ONE BY_ONE BY_ONE);
}

static __attribute__((naked)) void by_two(columns_t *t, uint32_t count, uint32_t groups_first) {
    COLUMNS_LOOP("160", BY_TWO BY_TWO);
}

// What the loops have in common: what comes before each channel, and what after.
__attribute__((naked, used)) static void columns_channels(void) {
    __asm volatile (
        ".thumb_func\n"
        "ar_columns_start:\n"
        "adr.w  r2, 5f\n"
        "movs   r3, #24\n"
        "mls    r2, r1, r3, r2\n"
        "orr    r2, r2, #1\n"
        "str    r2, [r0, #52]\n"
        "ldr    r1, [r0]\n"
        "1:\n"
        "ldrh   r2, [r1, #6]\n"
        "ldrd   lr, r3, [r0, #8]\n"
        "mla    lr, r2, r3, lr\n"
        "ldrd   r12, r11, [r0, #20]\n"
        "add.w  r3, lr, r11\n"
        "ldr.w  r10, [r0, #28]\n"
        "add.w  r10, r10, r3\n"
        "strd   r3, r10, [sp, #4]\n"
        "ldr    r3, [r0, #16]\n"
        "cbz    r3, 6f\n"
        "ldr.w  r6, [r3, r2, lsl #2]\n"
        "mov    r7, r6\n"
        "mov    r8, r6\n"
        "mov    r9, r6\n"
        "ldr    pc, [sp, #12]\n"
        "6:\n"
        "ldr    r3, [r0, #32]\n"
        "ldm    r3!, {r6-r9}\n"
        "str    r3, [r0, #32]\n"
        "ldr    pc, [sp, #12]\n"
        ".thumb_func\n"
        "ar_columns_sums:\n"
        "ldr    r0, [sp]\n"
        "ldr    r1, [r0]\n"
        "ldm    r1!, {r2, r3}\n"
        "str    r1, [r0]\n"
        "ldrd   r10, r12, [r0, #36]\n"
        "cmp    r10, #0\n"
        "beq    4f\n"
        "add    r10, r10, r3, lsr #16\n"
        "lsls   r2, r2, #1\n"
        "mvn    r3, r3\n"     // whose lowest byte is how far to shift
        "mov    r11, #0x80000000\n"
        "asr    r11, r11, r3\n"
        "ldr.w  lr, [r0, #44]\n"
        "ldr    pc, [r0, #52]\n"
        ".balign 4\n"
        AR_OUTPUT("r9") AR_OUTPUT("r8") AR_OUTPUT("r7") AR_OUTPUT("r6")
        "5:\n"
        "ldr    r2, [r0, #4]\n"
        "cmp    r1, r2\n"
        "bne    1b\n"
        "pop    {r0-r11, pc}\n"
        "4:\n"
        "ldr    r3, [r0, #48]\n"
        "stm    r3!, {r6-r9}\n"
        "str    r3, [r0, #48]\n"
        "b      5b\n");
}

// ---- columns ---------------------------------------------------------------------------------------------------------

// Four channels of a column, or of two: the even words to one place, the odd ones to another.
#define ONE(x, even, odd) \
    "ldr.w  r4, [" x "]\n" \
    "sxtab16 r6, r2, r4\n" \
    "sxtab16 r4, r2, r4, ror #8\n" \
    "str.w  r6, [r3, #" even "]\n" \
    "str.w  r4, [r3, #" odd "]\n"

#define TWO(x, second, even, odd) \
    "ldr.w  r4, [" x "]\n" \
    "ldr.w  r5, [" second "]\n" \
    "sxtab16 r6, r2, r4\n" \
    "sxtab16 r7, r2, r5\n" \
    "sxtab16 r4, r2, r4, ror #8\n" \
    "sxtab16 r5, r2, r5, ror #8\n" \
    "strd   r6, r7, [r3, #" even "]\n" \
    "strd   r4, r5, [r3, #" odd "]\n"

// The columns, n bytes apart, from x on; and from the fourth on where no power of two reaches.
#define PUT_LOOP(SIZE, COLUMNS) \
    __asm volatile ( \
    "push   {r4-r8, lr}\n" \
    "add.w  r8, r0, r1\n" \
    "add.w  lr, r8, r1, lsl #1\n" \
    "1:\n" \
    COLUMNS \
    "add.w  r0, r0, #4\n" \
    "add.w  lr, lr, #4\n" \
    "add.w  r3, r3, #" SIZE "\n" \
    "cmp    r0, r8\n" \
    "bne    1b\n" \
    "pop    {r4-r8, pc}\n")

static __attribute__((naked)) void put_six(const int8_t *x, uint32_t n, uint32_t offset, uint32_t *to) {
    PUT_LOOP("48", TWO("r0", "r0, r1", "0", "24") TWO("r0, r1, lsl #1", "lr", "8", "32") TWO("r0, r1, lsl #2", "lr, r1, lsl #1", "16", "40"));
}

static __attribute__((naked)) void put_nine(const int8_t *x, uint32_t n, uint32_t offset, uint32_t *to) {
    PUT_LOOP("72", TWO("r0, r1", "lr", "0", "36") TWO("lr, r1, lsl #1", "lr, r1, lsl #2", "8", "44") TWO("r0", "r0, r1, lsl #1", "16", "52")
        "add.w  r12, lr, r1, lsl #1\n"
        TWO("r0, r1, lsl #2", "r12, r1", "24", "60") ONE("r0, r1, lsl #3", "32", "68"));
}

// One column, or where it is outside (NULL) zeros; seen: how many lie side by side.
static void put_one(const int8_t *a, uint32_t n, uint32_t offset, uint32_t seen, uint32_t *to) {
    for (uint32_t i = 0; i < n; i += 4, to += 2 * seen) {
        uint32_t x = a ? word_at(a + i) : 0;
        to[0] = a ? sxtab16(offset, x) : 0;
        to[seen] = a ? sxtab16_odd(offset, x) : 0;
    }
}

void ar_columns_put(const ar_product_s8_t *p, const ar_columns_t *c, uint32_t row, const int8_t *x, uint32_t inside, uint32_t beyond) {
    uint32_t offset = in_both(p->offset), depth = c->depth, stride = c->stride, seen = ar_columns_seen(stride);
    uint32_t *to = c->x + row * (ar_columns_bytes(stride, depth) / sizeof(*to));
    // What is outside may be read if that is in the same memory, and then be written over.
    bool all = (uintptr_t)x >= (uintptr_t)c->x_begin && (uintptr_t)x + seen * depth <= (uintptr_t)p->x_end;
    if (all && stride == 1) {
        put_six(x, depth, offset, to);
    } else if (all) {
        put_nine(x, depth, offset, to);
    }
    for (uint32_t column = 0; !(all && inside == 0 && beyond >= seen) && column < seen; column++) {
        uint32_t place = stride == 1 ? column : column & 1 ? column / 2 : AR_COLUMNS_POSITIONS + column / 2;
        bool is_inside = column >= inside && column < beyond;
        if (!(all && is_inside)) {
            put_one(is_inside ? x + column * depth : NULL, depth, offset, seen, to + place);
        }
    }
}

// ---- products --------------------------------------------------------------------------------------------------------

static __attribute__((cold, noinline)) void start_sums(const ar_product_s8_t *p, const ar_channel_t *c, uint32_t n, int32_t *sums) {
    for (const ar_channel_t *end = c + n; c < end; c++, sums += AR_COLUMNS_POSITIONS) {
        for (uint32_t i = 0; i < AR_COLUMNS_POSITIONS; i++) {
            sums[i] = ar_product_start(p, c->channel);
        }
    }
}

static __attribute__((cold, noinline)) void end_sums(const ar_product_s8_t *p, const ar_channel_t *c, uint32_t n,
    const int32_t *sums, uint32_t count, int8_t *out) {
    for (const ar_channel_t *end = c + n; c < end; c++, sums += AR_COLUMNS_POSITIONS) {
        for (uint32_t i = 0; i < count; i++) {
            out[i * p->out_step + c->channel] = (int8_t)ar_requantize_clamp(sums[i], (ar_factor_t) { c->mult, c->shift }, p->out_zero,
                p->low, p->high);
        }
    }
}

// Channels from those sums on, or from their biases, to these or, if out is given, to their outputs.
static void run(const ar_product_s8_t *p, const ar_columns_t *c, const ar_channel_t *channels, uint32_t n, int32_t *sums, bool biases,
    uint32_t count, int8_t *out) {
    columns_t t;
    t.channel = channels;
    t.channels_end = channels + n;
    t.weights = p->weights + c->first * AR_COLUMNS_TAPS * c->depth;
    t.n = p->n;
    t.bias = biases ? p->bias : NULL;
    t.x = c->x;
    t.depth = c->depth;
    t.bytes = c->rows * AR_COLUMNS_TAPS * c->depth;
    t.from = t.to = sums;
    t.out = out ? out + (count - 1) * p->out_step : NULL;
    t.step = -(int32_t)p->out_step;
    t.zero = p->out_zero;
    if (c->stride == 1) {
        by_one(&t, count, ar_groups_first(c->depth / 4));
    } else {
        by_two(&t, count, 2 - (c->depth / 4 & 1));
    }
}

void ar_columns_product(const ar_product_s8_t *p, const ar_columns_t *c, uint32_t count, int8_t *out) {
    const ar_channel_t *channels = p->channels;
    bool quick = p->plain && p->bias;
    if (p->n_channels == 0) {
        return;
    }
    if (quick) {
        run(p, c, channels, p->n_channels, c->sums, c->begins, count, c->ends ? out : NULL);
        return;
    }
    int32_t own[AR_COLUMNS_POSITIONS];
    for (uint32_t k = 0, n; k < p->n_channels; k += n) { // all at once, or one at a time
        int32_t *sums = c->sums ? c->sums : own;
        n = c->sums ? p->n_channels : 1;
        if (c->begins) {
            start_sums(p, channels + k, n, sums);
        }
        run(p, c, channels + k, n, sums, false, count, NULL);
        if (c->ends) {
            end_sums(p, channels + k, n, sums, count, out);
        }
    }
}

#endif // AR_TIER_DSP
