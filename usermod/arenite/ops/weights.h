// What the operators with int8 weights share: their quantization, and the factor of each output channel.

#ifndef ARENITE_OPS_WEIGHTS_H
#define ARENITE_OPS_WEIGHTS_H

#include "kernels/requantize.h"
#include "ops/op.h"

// Scalars that a record keeps. The scales of the channels stay in the model.
typedef struct {
    const uint8_t *scales;      // of the weights
    float in_scale;
    float out_scale;
    int16_t in_offset;          // minus the input's zero point
    int16_t out_zero;
    int16_t low;                // range of the output
    int16_t high;
    uint16_t per_channel;       // 0: one scale for all
} ar_quant_t;

// Check the quantization of input, weights and output of an int8 operator with that many output channels; fill q.
ar_status_t ar_quant(ar_prep_t *p, ar_quant_t *q, const ar_tensor_t *in, const ar_tensor_t *weights,
    const ar_tensor_t *out, int32_t activation, uint32_t channels);

// The bias, if there is one (input 2): its type and length.
ar_status_t ar_check_bias(ar_prep_t *p, unsigned type, uint32_t channels);

// Factors of channels [first, first + n).
void ar_quant_factors(const ar_quant_t *q, uint32_t first, uint32_t n, ar_factor_t *factors);

// A sum to an int8 output.
static inline int8_t ar_quant_out(const ar_quant_t *q, uint32_t acc, ar_factor_t f) {
    return (int8_t)ar_requantize_clamp((int32_t)acc, f, q->out_zero, q->low, q->high);
}

#endif // ARENITE_OPS_WEIGHTS_H
