// What the operators with weights share: which types go together, how they are quantized, and the way from sums to outputs.

#ifndef ARENITE_OPS_WEIGHTS_H
#define ARENITE_OPS_WEIGHTS_H

#include "kernels/depthwise.h"
#include "kernels/dot.h"
#include "kernels/product.h"
#include "kernels/requantize.h"
#include "ops/op.h"

// Scalars that a record keeps. The scales of the channels stay in the model.
typedef struct {
    const uint8_t *scales;          // of the weights
    union {
        struct {
            float in_scale;
            float out_scale;
            union {
                struct {            // int8: zero points, and the range of the output
                    int8_t in_zero, out_zero;
                    int8_t low, high;
                };
                struct {            // int16, whose zero points are 0
                    int16_t low_s16, high_s16;
                };
            };
        };
        struct {
            float low_f32;
            float high_f32;
        };
    };
    uint8_t bias_bits;              // int8: those of all biases from bit 24 on, but for their signs; 255: nobody knows them
    uint8_t per_channel : 1;        // 0: one scale for all
    uint8_t wide : 1;               // int16: sums are rounded from 64 bits, as with an int64 bias or none
    uint8_t int4 : 1;               // the weights
    uint8_t mac : 2;                // the way of ar_mac_of
    uint16_t own;                   // what the operator notes of its geometry
} ar_quant_t;

// What is added to activations of int8.
static inline int32_t ar_quant_offset(const ar_quant_t *q) {
    return -q->in_zero;
}

// Sums of a block of outputs, of whichever type.
#define AR_SUMS (16)

typedef union {
    uint32_t s8[AR_SUMS];
    int64_t s16[AR_SUMS];
    float f32[AR_SUMS];
} ar_sums_t;

// The ways of one type of activations. finish: sums plus bias to outputs [first, first + n).
typedef struct {
    ar_dot_t dot;
    ar_depthwise_t depthwise;
    void (*finish)(const ar_quant_t *q, const ar_sums_t *sums, const void *bias, const ar_factor_t *factors, uint32_t first,
        uint32_t n, void *out);
    uint8_t size;                   // bytes of an activation
    uint8_t weight_size;
    uint8_t sum_size;
} ar_mac_t;

// What a record calls them; ar_mac_of tells them.
enum { AR_WAY_S8, AR_WAY_S16, AR_WAY_F32, AR_WAY_F32_S8, AR_NO_WAY };

static inline bool ar_quant_is_s8(const ar_quant_t *q) {
    return (!AR_HAS_FLOAT32 && !AR_HAS_INT16) || q->mac == AR_WAY_S8;
}

static inline bool ar_quant_is_int4(const ar_quant_t *q) {
    return AR_HAS_INT4 && q->int4;
}

extern const ar_mac_t ar_mac_s8, ar_mac_s16, ar_mac_f32, ar_mac_f32_s8;

// The ways for these types, as a record keeps it, or an error: float32, with weights of float32 or int8; int8; int16 with int8
// weights. int4 weights are for ar_weights_ready.
ar_status_t ar_quant_mac(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out, ar_quant_t *q);
const ar_mac_t *ar_mac_of(const ar_quant_t *q);

// Check activation, quantization (for integers) and bias (input 2, where there is one) of an operator with that many output
// channels; fill q.
ar_status_t ar_quant(ar_prep_t *p, ar_quant_t *q, const ar_tensor_t *in, const ar_tensor_t *weights,
    const ar_tensor_t *out, int32_t activation, uint32_t channels);

// The same where the bias is another input.
ar_status_t ar_quant_bias(ar_prep_t *p, ar_quant_t *q, const ar_tensor_t *in, const ar_tensor_t *weights, unsigned bias,
    const ar_tensor_t *out, int32_t activation, uint32_t channels);

// The factors of channels in their order, up to the end.
typedef struct {
    const ar_quant_t *q;
    const uint8_t *scales;          // NULL: one for all
    ar_ratio_t ratio;
    ar_factor_t all;
    uint32_t end;
} ar_factors_t;

void ar_quant_begin(ar_factors_t *f, const ar_quant_t *q, uint32_t end);

// Factors of channels [first, first + n).
void ar_quant_factors(const ar_quant_t *q, uint32_t first, uint32_t n, ar_factor_t *factors);

// The scalars of a product of int8, and the channels [first, first + n) of its weights; plain is told of all. apart: channels
// whose weights are all zero come last, mult being the output that they always have. The count of the others.
void ar_quant_product(const ar_quant_t *q, ar_product_s8_t *product);
uint32_t ar_quant_some(ar_factors_t *factors, ar_product_s8_t *product, uint32_t first, uint32_t n, bool apart, ar_channel_t *channels);
uint32_t ar_quant_channels(const ar_quant_t *q, ar_product_s8_t *product, uint32_t first, uint32_t n, bool apart, ar_channel_t *channels);

// Whether all biases leave a shorter way to requantize open, with so many weights: what is known at load.
bool ar_quant_plain(const ar_quant_t *q, uint32_t n);

// What a channel always gives whose sums are its bias: with the factor that is listed, or one that is derived.
int8_t ar_quant_of_bias(const ar_quant_t *q, int32_t bias, const ar_channel_t *c);
int8_t ar_quant_constant(const ar_quant_t *q, uint32_t channel, int32_t bias);

// int4 weights as bytes; returns to.
const int8_t *ar_unpack_int4(const uint8_t *packed, uint32_t count, int8_t *to);

// Scratch for the factors of all channels, and for int4 weights one byte each behind them.
void ar_weights_scratch(ar_prep_t *p, const ar_tensor_t *weights, uint32_t channels);

// Fill that scratch. The weights as bytes: those of the model, or the scratch's.
const void *ar_weights_ready(const ar_rec_t *rec, const ar_quant_t *q, const ar_mac_t *mac, uint32_t channels, uint32_t int4_count);

// The bias of a record, NULL where there is none.
static inline const void *ar_bias(const ar_rec_t *rec) {
    return rec->n_in > 2 ? ar_in(rec, 2) : NULL;
}

#endif // ARENITE_OPS_WEIGHTS_H
