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
    const int8_t *x[3];         // 168: rows, where the next output begins
    uint32_t step;              // 180: from a position to the next, of inputs and outputs
    int8_t *out;                // 184: the next
    int32_t zero;               // 188
    uint32_t pairs;             // 192: of outputs, at least one
    uint32_t on;                // 196: bytes of a row from an output to the next
    int32_t offset;             // 200
    uint32_t unused;
    int32_t bias[2][4];         // 208
} eight_t;

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

static void begin(const ar_depthwise3_t *d, const ar_channel_t *channels, const int8_t *const rows[3], int8_t *out, eight_t *e) {
    static const int32_t none[AR_DEPTHWISE_EIGHT];
    uint32_t first = channels->channel;
    const int8_t *inside = rows[0] ? rows[0] : rows[1] ? rows[1] : rows[2];
    put_factors(d, channels, d->bias ? d->bias + first : none, put_weights(d, d->weights + first, rows, e), e);
    for (uint32_t i = 0; i < 3; i++) {
        e->x[i] = (rows[i] ? rows[i] : inside) + first - d->pad_left * d->n_channels;
    }
    e->step = d->n_channels;
    e->out = out + first;
    e->zero = d->out_zero;
    e->on = d->stride * d->n_channels;
    e->offset = d->offset;
}

// ---- one output ------------------------------------------------------------------------------------------------------

// r1, r2 and r3 are the rows, r4 the step, r5 the output, r6 the zero point, r8 the offset, r7 the weights; q3 and q4 the sums.
#define TAP(x, w) \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q1, [r7, #" w "]\n" \
    "vadd.i16   q0, q0, r8\n" \
    "add        " x ", " x ", r4\n" \
    "vmullb.s16 q2, q0, q1\n" \
    "vmullt.s16 q0, q0, q1\n" \
    "vadd.i32   q3, q3, q2\n" \
    "vadd.i32   q4, q4, q0\n"

// So many columns from the k-th on; what comes before and behind them is outside. END: what is done with the sums.
#define ONE(END) \
    __asm volatile ( \
        "push       {r4-r8, lr}\n" \
        "vpush      {d8-d9}\n" \
        "dls        lr, r2\n" \
        "add        r7, r0, r1, lsl #3\n" \
        "mov        r8, r1\n" \
        "add        r1, r0, #168\n" \
        "ldm        r1, {r1-r6}\n" \
        "mul        r8, r8, r4\n" \
        "add        r1, r1, r8\n" \
        "add        r2, r2, r8\n" \
        "add        r3, r3, r8\n" \
        "ldr        r8, [r0, #200]\n" \
        "vldrw.u32  q3, [r0, #208]\n" \
        "vldrw.u32  q4, [r0, #224]\n" \
        "1:\n" \
        TAP("r1", "0") \
        TAP("r2", "24") \
        TAP("r3", "48") \
        "add        r7, r7, #8\n" \
        "le         lr, 1b\n" \
        END \
        "add        r7, r0, #168\n" \
        "ldr        r8, [r0, #196]\n" \
        "ldm        r7, {r1-r3}\n" \
        "add        r1, r1, r8\n" \
        "add        r2, r2, r8\n" \
        "add        r3, r3, r8\n" \
        "add        r5, r5, r4\n" \
        "stm        r7, {r1-r5}\n" \
        "vpop       {d8-d9}\n" \
        "pop        {r4-r8, pc}\n")

static __attribute__((naked)) void one_plain(eight_t *e, uint32_t k, uint32_t columns) {
    ONE(
        "vldrw.u32  q0, [r0, #104]\n"
        "vldrw.u32  q1, [r0, #136]\n"
        "vqrdmulh.s32 q3, q3, q0\n"
        "vshr.s32   q2, q3, #31\n"
        "vadd.i32   q3, q3, q2\n"
        "vrshl.s32  q3, q3, q1\n"
        "vldrw.u32  q0, [r0, #120]\n"
        "vldrw.u32  q1, [r0, #152]\n"
        "vqrdmulh.s32 q4, q4, q0\n"
        "vshr.s32   q2, q4, #31\n"
        "vadd.i32   q4, q4, q2\n"
        "vrshl.s32  q4, q4, q1\n"
        "vqmovnb.s32 q3, q3\n"
        "vqmovnt.s32 q3, q4\n"
        "vqadd.s16  q3, q3, r6\n"
        "vqmovnb.s16 q3, q3\n"
        "vstrb.16   q3, [r5]\n");
}

static __attribute__((naked)) void one_start(eight_t *e, uint32_t k, uint32_t columns) {
    ONE(
        "vstrw.32   q3, [r0, #72]\n"
        "vstrw.32   q4, [r0, #88]\n");
}

// The same whatever factor and range are; the sums take the place of what others start from, as there are none.
static __attribute__((noinline)) void one(const ar_depthwise3_t *d, eight_t *e, uint32_t k, uint32_t columns) {
    int8_t *out = e->out;
    one_start(e, k, columns);
    int32x4_t even = scaled(vld1q_s32(e->start[0]), vld1q_s32(e->mult[0]), vld1q_s32(e->shift[0]));
    int32x4_t odd = scaled(vld1q_s32(e->start[1]), vld1q_s32(e->mult[1]), vld1q_s32(e->shift[1]));
    vstrbq_s16(out, joined(clamped(even, d->out_zero, d->low, d->high), clamped(odd, d->out_zero, d->low, d->high)));
}

// ---- pairs -----------------------------------------------------------------------------------------------------------

// r1, r2 and r3 are the rows, r4 the step, r5 the outputs, r6 the zero point; q4 and q5 are the sums of one output, q6 and q7
// those of the next.
#define TAPS(even, odd, w) \
    "vmullb.s16 q3, q0, " w "\n" \
    "vadd.i32   " even ", " even ", q3\n" \
    "vmullt.s16 q3, q0, " w "\n" \
    "vadd.i32   " odd ", " odd ", q3\n"

#define FIRST(w) TAPS("q4", "q5", w)
#define SECOND(w) TAPS("q6", "q7", w)

// Four columns of a row; the next pair begins with the third.
#define ROW_1(x, w0, w1, w2) \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q1, [r0, #" w0 "]\n" \
    "add        " x ", " x ", r4\n" \
    FIRST("q1") \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q2, [r0, #" w1 "]\n" \
    "add        " x ", " x ", r4\n" \
    SECOND("q1") \
    FIRST("q2") \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q1, [r0, #" w2 "]\n" \
    "add        r7, " x ", r4\n" \
    SECOND("q2") \
    FIRST("q1") \
    "vldrb.s16  q0, [r7]\n" \
    SECOND("q1")

// Five, of which the next pair begins with the last.
#define ROW_2(x, w0, w1, w2) \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q1, [r0, #" w0 "]\n" \
    "add        " x ", " x ", r4\n" \
    FIRST("q1") \
    "vldrb.s16  q0, [" x "]\n" \
    "vldrb.s16  q2, [r0, #" w1 "]\n" \
    "add        " x ", " x ", r4\n" \
    FIRST("q2") \
    "vldrb.s16  q0, [" x "]\n" \
    "add        " x ", " x ", r4\n" \
    SECOND("q1") \
    "vldrb.s16  q1, [r0, #" w2 "]\n" \
    FIRST("q1") \
    "vldrb.s16  q0, [" x "]\n" \
    "add        " x ", " x ", r4\n" \
    SECOND("q2") \
    "vldrb.s16  q0, [" x "]\n" \
    SECOND("q1")

// The doubling high product, one less where that is negative, and the rounding shift.
#define SCALED(q) \
    "vqrdmulh.s32 " q ", " q ", q0\n" \
    "vshr.s32   q3, " q ", #31\n" \
    "vadd.i32   " q ", " q ", q3\n" \
    "vrshl.s32  " q ", " q ", q1\n"

#define STORED(even, odd) \
    "vqmovnb.s32 " even ", " even "\n" \
    "vqmovnt.s32 " even ", " odd "\n" \
    "vqadd.s16  " even ", " even ", r6\n" \
    "vqmovnb.s16 " even ", " even "\n" \
    "vstrb.16   " even ", [r5]\n" \
    "add        r5, r5, r4\n"

#define PAIRS(ROW) \
    __asm volatile ( \
        "push       {r4-r7, lr}\n" \
        "vpush      {d8-d15}\n" \
        "add        r1, r0, #168\n" \
        "ldm        r1, {r1-r6}\n" \
        "ldr        lr, [r0, #192]\n" \
        "dls        lr, lr\n" \
        "1:\n" \
        "vldrw.u32  q4, [r0, #72]\n" \
        "vldrw.u32  q5, [r0, #88]\n" \
        "vmov       q6, q4\n" \
        "vmov       q7, q5\n" \
        ROW("r1", "0", "8", "16") \
        ROW("r2", "24", "32", "40") \
        ROW("r3", "48", "56", "64") \
        "vldrw.u32  q0, [r0, #104]\n" \
        "vldrw.u32  q1, [r0, #136]\n" \
        SCALED("q4") \
        SCALED("q6") \
        "vldrw.u32  q0, [r0, #120]\n" \
        "vldrw.u32  q1, [r0, #152]\n" \
        SCALED("q5") \
        SCALED("q7") \
        STORED("q4", "q5") \
        STORED("q6", "q7") \
        "le         lr, 1b\n" \
        "add        r0, r0, #168\n" \
        "stm        r0, {r1-r5}\n" \
        "vpop       {d8-d15}\n" \
        "pop        {r4-r7, pc}\n")

static __attribute__((naked)) void pairs_1(eight_t *e) {
    PAIRS(ROW_1);
}

static __attribute__((naked)) void pairs_2(eight_t *e) {
    PAIRS(ROW_2);
}

// ---- a row -----------------------------------------------------------------------------------------------------------

void ar_depthwise3_eight(const ar_depthwise3_t *d, const ar_channel_t *channels, const int8_t *const rows[3], int8_t *out) {
    eight_t e; // not all of it is needed, and zeros take their time
    uint32_t stride = d->stride, n;
    int32_t x = -(int32_t)d->pad_left, in_w = (int32_t)d->in_w;
    bool quick = d->plain && stride <= 2;
    begin(d, channels, rows, out, &e);
    for (uint32_t left = d->out_w; left > 0; left -= n, x += (int32_t)(n * stride)) {
        // Of a pair the last column is 2 + stride behind the first.
        int32_t beyond = in_w - 3 - (int32_t)stride - x;
        if (quick && x >= 0 && beyond >= 0 && left > 1) {
            uint32_t fit = ((uint32_t)beyond >> stride) + 1;
            e.pairs = fit < left / 2 ? fit : left / 2;
            (stride == 1 ? pairs_1 : pairs_2)(&e);
            n = 2 * e.pairs;
        } else {
            uint32_t k = x < 0, end = in_w - x < 3 ? (uint32_t)(in_w - x) : 3;
            n = 1;
            if (d->plain) {
                one_plain(&e, k, end - k);
            } else {
                one(d, &e, k, end - k);
            }
        }
    }
}

#endif // AR_TIER_MVE
