// Operators with weights: types, quantization, and the way from sums to outputs.

#include <string.h>

#include "engine/bytes.h"
#include "ops/activation.h"
#include "ops/live.h"
#include "ops/weights.h"

// ---- from sums to outputs ------------------------------------------------------------------------------------------

static void finish_s8(const ar_quant_t *q, const ar_sums_t *sums, const void *bias, const ar_factor_t *factors, uint32_t first,
    uint32_t n, void *out) {
    const int32_t *b = bias ? (const int32_t *)bias + first : NULL;
    int8_t *to = (int8_t *)out + first;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t sum = sums->s8[i] + (b ? (uint32_t)b[i] : 0);
        to[i] = (int8_t)ar_requantize_clamp((int32_t)sum, factors[i], q->out_zero, q->low, q->high);
    }
}

// With an int64 bias TensorFlow Lite rounds the sum once, with 15 bits of the multiplier (common.h,
// MultiplyByQuantizedMultiplier for int64).
static int32_t requantize_wide(int64_t sum, ar_factor_t f) {
    int32_t mult = f.mult < 0x7fff0000 ? (f.mult + (1 << 15)) >> 16 : 0x7fff;
    int32_t shift = 15 - f.shift;
    if (shift < 1) {
        return sum > 0 ? 32767 : -32768; // factors of 2^15: no sound model has them
    }
    uint64_t product = (uint64_t)sum * (uint64_t)mult + ((uint64_t)1 << (shift - 1));
    return (int32_t)((int64_t)product >> shift);
}

static void finish_s16(const ar_quant_t *q, const ar_sums_t *sums, const void *bias, const ar_factor_t *factors, uint32_t first,
    uint32_t n, void *out) {
    int16_t *to = (int16_t *)out + first;
    for (uint32_t i = 0; i < n; i++) {
        int32_t v;
        if (q->wide) {
            int64_t b = bias ? ar_i64((const uint8_t *)bias + 8 * (first + i)) : 0;
            v = requantize_wide((int64_t)((uint64_t)sums->s16[i] + (uint64_t)b), factors[i]);
        } else {
            uint32_t sum = (uint32_t)sums->s16[i] + (bias ? (uint32_t)((const int32_t *)bias)[first + i] : 0);
            v = ar_requantize((int32_t)sum, factors[i]);
        }
        to[i] = (int16_t)ar_clamp(v, q->low_s16, q->high_s16);
    }
}

static float clamp_f32(const ar_quant_t *q, float x) {
    return x < q->low_f32 ? q->low_f32 : x > q->high_f32 ? q->high_f32 : x;
}

static void finish_f32(const ar_quant_t *q, const ar_sums_t *sums, const void *bias, const ar_factor_t *factors, uint32_t first,
    uint32_t n, void *out) {
    (void)factors;
    const float *b = bias ? (const float *)bias + first : NULL;
    float *to = (float *)out + first;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = clamp_f32(q, sums->f32[i] + (b ? b[i] : 0));
    }
}

// Weights of int8 between activations of float32: their scale comes in when all is summed up.
static void finish_f32_s8(const ar_quant_t *q, const ar_sums_t *sums, const void *bias, const ar_factor_t *factors, uint32_t first,
    uint32_t n, void *out) {
    (void)factors;
    const float *b = bias ? (const float *)bias + first : NULL;
    float *to = (float *)out + first;
    for (uint32_t i = 0; i < n; i++) {
        float scale = ar_f32(q->scales + (q->per_channel ? 4 * (first + i) : 0));
        to[i] = clamp_f32(q, sums->f32[i] * scale + (b ? b[i] : 0));
    }
}

const ar_mac_t ar_mac_s8 = { ar_dot_s8, ar_depthwise_s8, finish_s8, 1, 1, 4 };
const ar_mac_t ar_mac_s16 = { ar_dot_s16, ar_depthwise_s16, finish_s16, 2, 1, 8 };
const ar_mac_t ar_mac_f32 = { ar_dot_f32, ar_depthwise_f32, finish_f32, 4, 4, 4 };
const ar_mac_t ar_mac_f32_s8 = { ar_dot_f32_s8, ar_depthwise_f32_s8, finish_f32_s8, 4, 1, 4 };

static const ar_mac_t *const ways[] = {
    &ar_mac_s8, AR_HAS_INT16 ? &ar_mac_s16 : NULL, AR_HAS_FLOAT32 ? &ar_mac_f32 : NULL, AR_HAS_HYBRID ? &ar_mac_f32_s8 : NULL,
};

const ar_mac_t *ar_mac_of(const ar_quant_t *q) {
    return ar_quant_is_s8(q) ? &ar_mac_s8 : ways[q->mac];
}

// AR_NO_WAY, where the types are what this build has left out.
static ar_status_t refuse_types(ar_prep_t *p, unsigned in, unsigned weights, unsigned out) {
    if (!ar_has_type(in) || !ar_has_type(weights)) {
        return ar_left_out(p, ar_type_name(ar_has_type(in) ? weights : in));
    }
    if (!AR_HAS_HYBRID && in == AR_FLOAT32 && weights == AR_INT8) {
        return ar_left_out(p, "int8 with float32");
    }
    return ar_unsupported(p, "%I %t, %W %t, %O %t%S", in, weights, out);
}

ar_status_t ar_quant_mac(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out, ar_quant_t *q) {
    bool s8 = weights->type == AR_INT8;
    unsigned way = AR_NO_WAY;
    if (ar_is(in, AR_FLOAT32)) {
        way = weights->type == AR_FLOAT32 ? AR_WAY_F32 : AR_HAS_HYBRID && s8 ? AR_WAY_F32_S8 : AR_NO_WAY;
    } else if (in->type == AR_INT8) {
        way = s8 || ar_is(weights, AR_INT4) ? AR_WAY_S8 : AR_NO_WAY;
    } else if (ar_is(in, AR_INT16)) {
        way = s8 ? AR_WAY_S16 : AR_NO_WAY;
    }
    if (way == AR_NO_WAY || out->type != in->type) {
        return refuse_types(p, in->type, weights->type, out->type);
    }
    q->mac = way & 3;
    q->int4 = weights->type == AR_INT4;
    return AR_OK;
}

// ---- quantization --------------------------------------------------------------------------------------------------

static bool scales_are_normal(const ar_tensor_t *t) {
    const uint8_t *end = t->scales + 4 * t->n_scales;
    for (const uint8_t *scale = t->scales; scale < end; scale += 4) {
        if (!ar_is_normal(ar_f32(scale))) {
            return false;
        }
    }
    return true;
}

// How large biases may be: the bits of all.
static uint8_t bits_of_bias(const ar_tensor_t *bias) {
    uint32_t bits = 0;
    for (const uint8_t *b = bias->data, *end = b + 4 * bias->count; b < end; b += 4) {
        bits |= (uint32_t)(ar_i32(b) ^ (ar_i32(b) >> 31));
    }
    return (uint8_t)(bits >> 24);
}

static ar_status_t check_bias(ar_prep_t *p, ar_quant_t *q, unsigned i, const ar_tensor_t *in, uint32_t channels) {
    ar_tensor_t bias;
    if (!ar_has_input(p, i)) {
        q->wide = true;
        return AR_OK;
    }
    ar_get_input(p, i, &bias);
    bool fits = ar_is(in, AR_FLOAT32) ? bias.type == AR_FLOAT32
        : bias.type == AR_INT32 || (ar_is(in, AR_INT16) && bias.type == AR_INT64);
    if (!fits) {
        return ar_unsupported(p, "a bias of %t%S", bias.type);
    }
    if (bias.count != channels) {
        return ar_refuse(p, "%Tbias has %u elements for %u channels", (unsigned)bias.count, (unsigned)channels);
    }
    q->wide = bias.type == AR_INT64;
    if (AR_ASKS_PLAIN && in->type == AR_INT8) {
        q->bias_bits = bias.data ? bits_of_bias(&bias) : 255;
    }
    return AR_OK;
}

static ar_status_t check_weights(ar_prep_t *p, ar_quant_t *q, const ar_tensor_t *weights, uint32_t channels) {
    if (weights->n_scales != 1 && weights->n_scales != channels) {
        return ar_refuse(p, "%W have %u scales for %u channels", (unsigned)weights->n_scales, (unsigned)channels);
    }
    int32_t axis = weights->quantized_dim;
    if (weights->n_scales > 1 && (axis < 0 || axis >= weights->rank || weights->dim[axis] != (int32_t)channels)) {
        return ar_refuse(p, "%W are quantized along %D %d, which is not that of %Tchannels", (int)axis);
    }
    if (!scales_are_normal(weights)) {
        return ar_refuse(p, "a scale of %T%W is not a number above 0");
    }
    q->scales = weights->scales;
    q->per_channel = weights->n_scales > 1;
    return AR_OK;
}

static ar_status_t check_activations(ar_prep_t *p, ar_quant_t *q, const ar_tensor_t *in, const ar_tensor_t *out) {
    ar_status_t status = ar_expect_quantized(p, in);
    if (status != AR_OK) {
        return status;
    }
    if (ar_is(in, AR_INT16) && (in->zero_point != 0 || out->zero_point != 0)) {
        return ar_zero_points_wanted(p);
    }
    q->in_scale = in->scale;
    q->out_scale = out->scale;
    if (in->type == AR_INT8) {
        q->in_zero = (int8_t)in->zero_point;
        q->out_zero = (int8_t)out->zero_point;
    }
    return AR_OK;
}

// Float activations, int8 weights: these lie around 0.
static ar_status_t check_zero_points(ar_prep_t *p, const ar_tensor_t *weights) {
    for (uint32_t i = 0; i < weights->n_scales; i++) {
        if (ar_zero_point(weights, i) != 0) {
            return ar_unsupported(p, "%W of int8 for float32 need %Ps of 0");
        }
    }
    return AR_OK;
}

ar_status_t ar_quant_bias(ar_prep_t *p, ar_quant_t *q, const ar_tensor_t *in, const ar_tensor_t *weights, unsigned bias,
    const ar_tensor_t *out, int32_t activation, uint32_t channels) {
    ar_status_t status = check_bias(p, q, bias, in, channels);
    if (status == AR_OK && !ar_is(in, AR_FLOAT32)) {
        status = check_activations(p, q, in, out);
    } else if (AR_HAS_HYBRID && status == AR_OK && !ar_is(weights, AR_FLOAT32)) {
        status = check_zero_points(p, weights);
    }
    if (status == AR_OK && !ar_is(weights, AR_FLOAT32)) {
        status = check_weights(p, q, weights, channels);
    }
    if (status != AR_OK) {
        return status;
    }
    if (ar_is(in, AR_FLOAT32)) {
        return ar_activation_float(p, activation, &q->low_f32, &q->high_f32);
    }
    int32_t low, high;
    status = ar_activation_int(p, activation, out, &low, &high);
    if (!ar_is(in, AR_INT16)) {
        q->low = (int8_t)low;
        q->high = (int8_t)high;
    } else {
        q->low_s16 = (int16_t)low;
        q->high_s16 = (int16_t)high;
    }
    return status;
}

ar_status_t ar_quant(ar_prep_t *p, ar_quant_t *q, const ar_tensor_t *in, const ar_tensor_t *weights,
    const ar_tensor_t *out, int32_t activation, uint32_t channels) {
    return ar_quant_bias(p, q, in, weights, 2, out, activation, channels);
}

void ar_quant_begin(ar_factors_t *f, const ar_quant_t *q, uint32_t end) {
    f->q = q;
    f->end = end;
    f->scales = q->per_channel ? q->scales : NULL;
    if (f->scales) {
        f->ratio = ar_ratio(q->in_scale, q->out_scale);
    } else {
        f->all = ar_factor(q->in_scale, ar_f32(q->scales), q->out_scale);
    }
}

static inline ar_factor_t factor_at(const ar_factors_t *f, uint32_t channel) {
    return f->scales ? ar_ratio_factor(&f->ratio, ar_f32(f->scales + 4 * channel)) : f->all;
}

void ar_quant_factors(const ar_quant_t *q, uint32_t first, uint32_t n, ar_factor_t *factors) {
    ar_factors_t f;
    ar_quant_begin(&f, q, first + n);
    for (uint32_t i = 0; i < n; i++) {
        factors[i] = factor_at(&f, first + i);
    }
}

// Of the sums of so many weights.
static int32_t bound_of(uint32_t n) {
    return n < 32768 ? (int32_t)n * 255 * 128 : INT32_MAX;
}

void ar_quant_product(const ar_quant_t *q, ar_product_s8_t *product) {
    product->offset = ar_quant_offset(q);
    product->out_zero = q->out_zero;
    product->low = q->low;
    product->high = q->high;
    product->plain = AR_ASKS_PLAIN && product->start == 0 && q->low == -128 && q->high == 127;
}

int8_t ar_quant_of_bias(const ar_quant_t *q, int32_t bias, const ar_channel_t *c) {
    ar_factor_t f = { c->mult, c->shift };
    bool is_zero = bias == 0 || (bias < 0 && q->low == q->out_zero); // what is below the zero point is mostly cut off
    return (int8_t)(is_zero ? q->out_zero : ar_requantize_clamp(bias, f, q->out_zero, q->low, q->high));
}

int8_t ar_quant_constant(const ar_quant_t *q, uint32_t channel, int32_t bias) {
    ar_factor_t f;
    if (bias == 0 || (bias < 0 && q->low == q->out_zero)) {
        return (int8_t)q->out_zero;
    }
    ar_quant_factors(q, channel, 1, &f);
    return (int8_t)ar_requantize_clamp(bias, f, q->out_zero, q->low, q->high);
}

// Channels without weights go behind the others, which stay in their order; the count of these.
static uint32_t part(const ar_quant_t *q, const ar_product_s8_t *product, uint32_t n, ar_channel_t *channels) {
    uint32_t size = product->n;
    const int8_t *w = product->weights + channels->channel * size;
    ar_channel_t *live = channels;
    for (ar_channel_t *c = channels, *end = channels + n; c < end; c++, w += size) {
        ar_channel_t this = *c;
        if (*w != 0 || !ar_is_zero(w, size)) {
            *c = *live;
            *live++ = this;
        } else {
            c->mult = ar_quant_of_bias(q, product->bias ? product->bias[this.channel] : 0, &this);
        }
    }
    return (uint32_t)(live - channels);
}

#if AR_TIER_MVE

static bool list(ar_factors_t *f, uint32_t first, uint32_t n, ar_channel_t *channels) {
    if (f->scales) {
        return ar_ratio_channels(&f->ratio, f->scales + 4 * first, first, n, channels);
    }
    for (uint32_t i = 0; i < n; i++) {
        channels[i] = (ar_channel_t) { f->all.mult, (int16_t)f->all.shift, (uint16_t)(first + i) };
    }
    return AR_SHIFT_IS_PLAIN(f->all.shift);
}

#elif !AR_QUICK

// List n channels from first on; nobody asks what is plain.
static bool list(const ar_factors_t *f, uint32_t first, uint32_t n, ar_channel_t *channels) {
    for (uint32_t i = 0; i < n; i++) {
        ar_factor_t factor = factor_at(f, first + i);
        channels[i] = (ar_channel_t) { factor.mult, (int16_t)factor.shift, (uint16_t)(first + i) };
    }
    return true;
}

#else

// What the quick way gets wrong.
static __attribute__((noinline, cold)) void mend(const ar_factors_t *f, uint32_t n, ar_channel_t *c) {
    for (ar_channel_t *end = c + n; c < end; c++) {
        if (c->mult < 0 || (uint32_t)(c->shift + 31) > 61) {
            ar_factor_t factor = factor_at(f, c->channel);
            c->mult = factor.mult;
            c->shift = (int16_t)factor.shift;
        }
    }
}

// A scale, wherever it lies: most often as a word does, which saves a call on cores that read only such.
static inline uint32_t scale_at(const uint8_t *at) {
    uint32_t bits;
    if (!AR_TIER_THUMB || AR_THUMB_FULL || ((uintptr_t)at & 3)) {
        return ar_u32(at);
    }
    memcpy(&bits, __builtin_assume_aligned(at, sizeof(bits)), sizeof(bits));
    return bits;
}

// List n channels from first on; whether all shifts are plain for sure.
static bool list(const ar_factors_t *f, uint32_t first, uint32_t n, ar_channel_t *channels) {
    ar_channel_t *c = channels, *end = c + n;
    if (!f->scales) {
        for (uint32_t i = first; c < end; c++) {
            *c = (ar_channel_t) { f->all.mult, (int16_t)f->all.shift, (uint16_t)i++ };
        }
        return AR_SHIFT_IS_PLAIN(f->all.shift);
    }
    const uint8_t *scales = f->scales + 4 * first;
    uint32_t worst = 0;             // bits of -1 - shift
    int32_t sign = 0;
#if AR_LISTS
    ar_list_t l = {
        scales, scales + 4 * n, c, first << 16, (uint32_t)(f->ratio.quotient >> 32), (uint32_t)f->ratio.quotient, f->ratio.exponent,
        0, 0,
    };
    while (!ar_ratio_list(&l)) {
        ar_channel_t *at = (ar_channel_t *)l.to - 1;
        ar_factor_t factor = ar_ratio_factor(&f->ratio, ar_f32(l.scales - 4));
        at->mult = factor.mult;
        at->shift = (int16_t)factor.shift;
        l.worst |= ~(uint32_t)factor.shift;
        l.sign |= factor.mult;
    }
    worst = l.worst;
    sign = l.sign;
#else
    const ar_ratio_t ratio = f->ratio; // which nothing that is written to can be a part of
    for (uint32_t i = first; c < end; c++, scales += 4) {
        bool near;
        ar_factor_t factor = ar_ratio_quick(&ratio, scale_at(scales), &near);
        if (near) {
            factor = ar_ratio_factor(&f->ratio, ar_f32(scales));
        }
        worst |= ~(uint32_t)factor.shift;
        sign |= factor.mult;
        *c = (ar_channel_t) { factor.mult, (int16_t)factor.shift, (uint16_t)i++ };
    }
#endif
    if (sign >= 0 && AR_SHIFT_IS_PLAIN((int32_t)~worst)) {
        return true;
    }
    mend(f, n, channels);
    return false;
}

#endif

bool ar_quant_plain(const ar_quant_t *q, uint32_t n) {
    return q->bias_bits < ((1 << 30) - bound_of(n)) >> 24;
}

uint32_t ar_quant_some(ar_factors_t *f, ar_product_s8_t *product, uint32_t first, uint32_t n, bool apart, ar_channel_t *channels) {
    bool plain = list(f, first, n, channels);
    uint32_t live = AR_LOOKS && apart ? part(f->q, product, n, channels) : n;
    // Channels without weights may have the strangest scales and biases.
    plain = plain && ar_quant_plain(f->q, product->n);
    for (const ar_channel_t *c = channels, *end = c + live; AR_ASKS_PLAIN && !plain && c < end; c++) {
        int32_t bias = product->bias ? product->bias[c->channel] : 0, size = bias ^ (bias >> 31);
        product->plain = product->plain && AR_SHIFT_IS_PLAIN(c->shift) && size < (1 << 30) - bound_of(product->n);
    }
    return live;
}

uint32_t ar_quant_channels(const ar_quant_t *q, ar_product_s8_t *product, uint32_t first, uint32_t n, bool apart, ar_channel_t *channels) {
    ar_factors_t factors;
    ar_quant_begin(&factors, q, first + n);
    return ar_quant_some(&factors, product, first, n, apart, channels);
}

// ---- scratch -------------------------------------------------------------------------------------------------------

void ar_weights_scratch(ar_prep_t *p, const ar_tensor_t *weights, uint32_t channels) {
    uint32_t factors = ar_is(&p->out, AR_FLOAT32) ? 0 : channels * (uint32_t)sizeof(ar_factor_t);
    ar_scratch(p, factors + (ar_is(weights, AR_INT4) ? weights->count : 0));
}

// Two to a byte, the first in the low half (tensorflow/lite/kernels/internal/portable_tensor_utils.cc).
const int8_t *ar_unpack_int4(const uint8_t *packed, uint32_t count, int8_t *to) {
    for (uint32_t i = 0; i < count; i++) {
        uint8_t half = i & 1 ? packed[i / 2] >> 4 : packed[i / 2] & 15;
        to[i] = (int8_t)((half ^ 8) - 8);
    }
    return to;
}

const void *ar_weights_ready(const ar_rec_t *rec, const ar_quant_t *q, const ar_mac_t *mac, uint32_t channels, uint32_t int4_count) {
    ar_factor_t *factors = ar_scratch_of(rec);
    if (!AR_HAS_FLOAT32 || mac->size != 4) {
        ar_quant_factors(q, 0, channels, factors);
    }
    if (!AR_HAS_INT4 || int4_count == 0) {
        return ar_in(rec, 1);
    }
    return ar_unpack_int4(ar_in(rec, 1), int4_count, (int8_t *)(factors + channels));
}
