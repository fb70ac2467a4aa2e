// A row of a 3x3 depthwise convolution for cores with Helium, eight channels beside each other in vectors: it takes no scratch
// and little to begin with, where a row is all that is asked for.

#include "kernels/depthwise.h"

#if AR_TIER_MVE

#include "kernels/mve/requantize.h"

// Even channels, then odd ones, as long products have them. The fields at the offsets that the code has.
typedef struct {
    int8_t weights[3][3][AR_DEPTHWISE_EIGHT];   // zeros in rows that are outside
    int32_t start[2][4];        // 72: of sums of all taps of activations as they are
    int32_t mult[2][4];         // 104
    int32_t shift[2][4];        // 136
    const int8_t *x[3];         // 168: rows, where the first column is that an output sees
    uint32_t step;              // 180: from a position to the next, of inputs and outputs
    int8_t *out;                // 184: the first
    int32_t zero;               // 188
    uint32_t pairs;             // 192: of outputs that see no column outside
    uint32_t others;            // 196: FIRST, MIDDLE, LAST
    int32_t offset;             // 200
    uint32_t back;              // 204: of a row, from behind the columns that an output sees to those of the next
    int32_t bias[2][4];         // 208
} eight_t;

// Outputs besides the pairs: the first one, if it sees a column before the input; one more that sees none outside; the last one,
// if it sees one behind.
#define FIRST (1)
#define MIDDLE (2)
#define LAST (4)

// ---- before ----------------------------------------------------------------------------------------------------------

// Three taps of a row; what they add to the sums of weights.
static inline int16x8_t row_of_weights(int8_t *to, const int8_t *w, uint32_t step, int16x8_t sum) {
    __asm volatile (
        "vldrb.s16  q0, [%1]\n"
        "add        %1, %1, %3\n"
        "vldrb.s16  q1, [%1]\n"
        "add        %1, %1, %3\n"
        "vldrb.s16  q2, [%1]\n"
        "vstrb.16   q0, [%2]\n"
        "vadd.i16   %q0, %q0, q0\n"
        "vstrb.16   q1, [%2, #8]\n"
        "vadd.i16   %q0, %q0, q1\n"
        "vstrb.16   q2, [%2, #16]\n"
        "vadd.i16   %q0, %q0, q2\n"
        : "+w" (sum), "+l" (w) : "l" (to), "r" (step) : "q0", "q1", "q2", "memory");
    return sum;
}

static inline int16x8_t put_weights(const ar_depthwise3_t *d, const int8_t *w, const int8_t *const rows[3], eight_t *e) {
    int16x8_t sum = vdupq_n_s16(0);
    for (uint32_t ky = 0; ky < 3; ky++, w += 3 * d->n_channels) {
        if (rows[ky]) {
            sum = row_of_weights(e->weights[ky][0], w, d->n_channels, sum);
        } else {
            for (uint32_t i = 0; i < 3; i++) {
                vstrbq_s16(e->weights[ky][i], vdupq_n_s16(0));
            }
        }
    }
    return sum;
}

static inline void put_factors(const ar_depthwise3_t *d, const ar_channel_t *channels, const int32_t *bias, int16x8_t sum, eight_t *e) {
    __asm volatile (
        "vld40.32   {q0, q1, q2, q3}, [%0]\n"
        "vld41.32   {q0, q1, q2, q3}, [%0]\n"
        "vld42.32   {q0, q1, q2, q3}, [%0]\n"
        "vld43.32   {q0, q1, q2, q3}, [%0]\n"
        "vmovlb.s16 q1, q1\n"
        "vmovlb.s16 q3, q3\n"
        "vstrw.32   q0, [%1, #104]\n"
        "vstrw.32   q1, [%1, #136]\n"
        "vstrw.32   q2, [%1, #120]\n"
        "vstrw.32   q3, [%1, #152]\n"
        "vld20.32   {q0, q1}, [%2]\n"
        "vld21.32   {q0, q1}, [%2]\n"
        "vstrw.32   q0, [%1, #208]\n"
        "vstrw.32   q1, [%1, #224]\n"
        "vdup.16    q3, %4\n"
        "vmullb.s16 q2, %q3, q3\n"
        "vadd.i32   q0, q0, q2\n"
        "vmullt.s16 q2, %q3, q3\n"
        "vadd.i32   q1, q1, q2\n"
        "vstrw.32   q0, [%1, #72]\n"
        "vstrw.32   q1, [%1, #88]\n"
        : : "r" (channels), "r" (e), "r" (bias), "w" (sum), "r" (d->offset) : "q0", "q1", "q2", "q3", "memory");
}

// ---- a row in assembly -----------------------------------------------------------------------------------------------

// r1, r2 and r3 are the rows, r4 the step, r5 the outputs, r6 the zero point, r8 the offset, r9 the way back; q4 and q5 are the sums
// of one output, q6 and q7 those of the next of a pair.
#define TAPS(even, odd, w) \
    "vmullb.s16 q3, q0, " w "\n" \
    "vadd.i32   " even ", " even ", q3\n" \
    "vmullt.s16 q3, q0, " w "\n" \
    "vadd.i32   " odd ", " odd ", q3\n"

#define ONE(w) TAPS("q4", "q5", w)
#define OTHER(w) TAPS("q6", "q7", w)

// One tap of one output, of which not all may be there: the offset is added to the activations.
#define TAP(x, w) \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q1, [r7, #" w "]\n" \
    "vadd.i16   q0, q0, r8\n" \
    "add        " x ", " x ", r4\n" \
    ONE("q1")

// The first column of a row, and the second without products.
#define OPENING(x, w0, w1) \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q1, [r0, #" w0 "]\n" \
    "add        " x ", " x ", r4\n" \
    ONE("q1") \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q2, [r0, #" w1 "]\n" \
    "add        " x ", " x ", r4\n"

// Four columns of a row; the next pair begins with the third.
#define ROW_1(x, w0, w1, w2) \
    OPENING(x, w0, w1) \
    OTHER("q1") \
    ONE("q2") \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q1, [r0, #" w2 "]\n" \
    "add        r7, " x ", r4\n" \
    OTHER("q2") \
    ONE("q1") \
    "vldrb.s16  q0, [r7]\n" \
    OTHER("q1")

// Five, of which the next pair begins with the last.
#define ROW_2(x, w0, w1, w2) \
    OPENING(x, w0, w1) \
    ONE("q2") \
    "vldrb.s16  q0, [" x "]\n" \
    "add        " x ", " x ", r4\n" \
    OTHER("q1") \
    "vldrb.s16  q1, [r0, #" w2 "]\n" \
    ONE("q1") \
    "vldrb.s16  q0, [" x "]\n" \
    "add        " x ", " x ", r4\n" \
    OTHER("q2") \
    "vldrb.s16  q0, [" x "]\n" \
    OTHER("q1")

// The doubling high product, one less where that is negative, and the rounding shift.
#define SCALED(q) \
    "vqrdmulh.s32 " q ", " q ", q0\n" \
    "vshr.s32   q3, " q ", #31\n" \
    "vadd.i32   " q ", " q ", q3\n" \
    "vrshl.s32  " q ", " q ", q1\n"

#define FACTORS(mult, shift) \
    "vldrw.u32  q0, [r0, #" mult "]\n" \
    "vldrw.u32  q1, [r0, #" shift "]\n"

#define STORED(even, odd) \
    "vqmovnb.s32 " even ", " even "\n" \
    "vqmovnt.s32 " even ", " odd "\n" \
    "vqadd.s16  " even ", " even ", r6\n" \
    "vqmovnb.s16 " even ", " even "\n" \
    "vstrb.16   " even ", [r5]\n" \
    "add        r5, r5, r4\n"

#define PAIRS(ROW) \
    "1:\n" \
    "vldrw.u32  q4, [r0, #72]\n" \
    "vldrw.u32  q5, [r0, #88]\n" \
    "vmov       q6, q4\n" \
    "vmov       q7, q5\n" \
    ROW("r1", "0", "8", "16") \
    ROW("r2", "24", "32", "40") \
    ROW("r3", "48", "56", "64") \
    FACTORS("104", "136") \
    SCALED("q4") \
    SCALED("q6") \
    FACTORS("120", "152") \
    SCALED("q5") \
    SCALED("q7") \
    STORED("q4", "q5") \
    STORED("q6", "q7") \
    "le         lr, 1b\n"

// One output of lr columns, the weights of which are at r7; then on to r11.
#define ONE_MORE(columns, first, then) \
    "adr        r11, " then "\n" \
    "mov        lr, #" columns "\n" \
    "add        r7, r0, #" first "\n" \
    "b          7f\n"

static __attribute__((naked)) void outputs(const eight_t *e) {
    __asm volatile (
        "push       {r4-r11, lr}\n"
        "vpush      {d8-d15}\n"
        "add        r7, r0, #168\n"
        "ldm        r7, {r1-r6}\n"
        "ldr        r10, [r0, #196]\n"
        "ldrd       r8, r9, [r0, #200]\n"
        "tst        r10, #1\n"
        "beq        2f\n"
        ONE_MORE("2", "8", "2f")
        ".balign 4\n"
        "2:\n"
        "ldr        lr, [r0, #192]\n"
        "wls        lr, lr, 4f\n"
        "cmp        r9, r4\n"
        "beq        3f\n"
        PAIRS(ROW_1)
        "b          4f\n"
        "3:\n"
        PAIRS(ROW_2)
        "4:\n"
        "tst        r10, #2\n"
        "beq        5f\n"
        ONE_MORE("3", "0", "5f")
        ".balign 4\n"
        "5:\n"
        "tst        r10, #4\n"
        "beq        6f\n"
        ONE_MORE("2", "0", "6f")
        ".balign 4\n"
        "6:\n"
        "vpop       {d8-d15}\n"
        "pop        {r4-r11, pc}\n"
        "7:\n"
        "dls        lr, lr\n"
        "vldrw.u32  q4, [r0, #208]\n"
        "vldrw.u32  q5, [r0, #224]\n"
        "1:\n"
        TAP("r1", "0")
        TAP("r2", "24")
        TAP("r3", "48")
        "add        r7, r7, #8\n"
        "le         lr, 1b\n"
        FACTORS("104", "136")
        SCALED("q4")
        FACTORS("120", "152")
        SCALED("q5")
        STORED("q4", "q5")
        "sub        r1, r1, r9\n"
        "sub        r2, r2, r9\n"
        "sub        r3, r3, r9\n"
        "mov        pc, r11\n");
}

// ---- whatever stride, factor and range -------------------------------------------------------------------------------

// One output at x, of which columns k to end are inside.
static void one(const ar_depthwise3_t *d, const eight_t *e, int32_t x, uint32_t k, uint32_t end, int8_t *out) {
    int32x4_t even = vld1q_s32(e->bias[0]), odd = vld1q_s32(e->bias[1]);
    for (; k < end; k++) {
        for (uint32_t ky = 0; ky < 3; ky++) {
            int16x8_t v = vldrbq_s16(e->x[ky] + (x + (int32_t)k) * (int32_t)e->step), w = vldrbq_s16(e->weights[ky][k]);
            v = vaddq_n_s16(v, (int16_t)d->offset);
            even = vaddq_s32(even, vmullbq_int_s16(v, w));
            odd = vaddq_s32(odd, vmulltq_int_s16(v, w));
        }
    }
    even = scaled(even, vld1q_s32(e->mult[0]), vld1q_s32(e->shift[0]));
    odd = scaled(odd, vld1q_s32(e->mult[1]), vld1q_s32(e->shift[1]));
    vstrbq_s16(out, joined(clamped(even, d->out_zero, d->low, d->high), clamped(odd, d->out_zero, d->low, d->high)));
}

static __attribute__((cold, noinline)) void one_by_one(const ar_depthwise3_t *d, const eight_t *e) {
    int32_t x = -(int32_t)d->pad_left, in_w = (int32_t)d->in_w;
    int8_t *out = e->out;
    for (uint32_t i = 0; i < d->out_w; i++, x += (int32_t)d->stride, out += e->step) {
        one(d, e, x, x < 0, in_w - x < 3 ? (uint32_t)(in_w - x) : 3, out);
    }
}

// ---- a row -----------------------------------------------------------------------------------------------------------

// What all channels have in common. Whether the code above can do it.
static inline bool plan(const ar_depthwise3_t *d, eight_t *e) {
    uint32_t seen = (d->out_w - 1) * d->stride + 3 - d->pad_left, last = seen > d->in_w, inner = d->out_w - d->pad_left - last;
    e->step = d->n_channels;
    e->zero = d->out_zero;
    e->pairs = inner / 2;
    e->others = (d->pad_left ? FIRST : 0) | (inner & 1 ? MIDDLE : 0) | (last ? LAST : 0);
    e->offset = d->offset;
    e->back = (3 - d->stride) * d->n_channels;
    return d->plain && d->stride <= 2 && seen <= d->in_w + 1 && d->out_w >= d->pad_left + last && d->in_w > 1;
}

void ar_depthwise3_row(const ar_depthwise3_t *d, const ar_channel_t *channels, uint32_t n, const int8_t *const rows[3], int8_t *out) {
    static const int32_t none[AR_DEPTHWISE_EIGHT];
    const int8_t *inside = rows[0] ? rows[0] : rows[1] ? rows[1] : rows[2];
    const int8_t *const x[3] = { rows[0] ? rows[0] : inside, rows[1] ? rows[1] : inside, rows[2] ? rows[2] : inside };
    eight_t e; // not all of it is needed, and zeros take their time
    bool quick = plan(d, &e);
    for (uint32_t k = 0; k < n; k += AR_DEPTHWISE_EIGHT) {
        const ar_channel_t *at = channels + (k + AR_DEPTHWISE_EIGHT <= n ? k : n - AR_DEPTHWISE_EIGHT);
        uint32_t first = at->channel;
        put_factors(d, at, d->bias ? d->bias + first : none, put_weights(d, d->weights + first, rows, &e), &e);
        for (uint32_t i = 0; i < 3; i++) {
            e.x[i] = x[i] + first;
        }
        e.out = out + first;
        if (quick) {
            outputs(&e);
        } else {
            one_by_one(d, &e);
        }
    }
}

#endif // AR_TIER_MVE
