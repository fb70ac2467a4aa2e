// Quantization of operators with int8 weights.

#include "engine/bytes.h"
#include "ops/activation.h"
#include "ops/weights.h"

static bool scales_are_normal(const ar_tensor_t *t) {
    for (uint32_t i = 0; i < t->n_scales; i++) {
        float scale = ar_scale(t, i);
        if (!(scale >= 1.17549435e-38f && scale <= 3.4028235e38f)) {
            return false;
        }
    }
    return true;
}

ar_status_t ar_quant(ar_prep_t *p, ar_quant_t *q, const ar_tensor_t *in, const ar_tensor_t *weights,
    const ar_tensor_t *out, int32_t activation, uint32_t channels) {
    if (!ar_is_quantized(in) || !ar_is_quantized(out)) {
        return ar_refuse(p, "input and output need one scale above 0 and a zero point in range");
    }
    if (weights->n_scales != 1 && weights->n_scales != channels) {
        return ar_refuse(p, "weights have %u scales for %u channels", (unsigned)weights->n_scales, (unsigned)channels);
    }
    if (!scales_are_normal(weights)) {
        return ar_refuse(p, "a scale of the weights is not a number above 0");
    }
    int32_t low, high;
    if (!ar_activation_int(activation, out, &low, &high)) {
        return ar_unsupported(p, "fused activation %d is not supported", (int)activation);
    }
    q->scales = weights->scales;
    q->per_channel = weights->n_scales > 1;
    q->in_scale = in->scale;
    q->out_scale = out->scale;
    q->in_offset = (int16_t)-in->zero_point;
    q->out_zero = (int16_t)out->zero_point;
    q->low = (int16_t)low;
    q->high = (int16_t)high;
    return AR_OK;
}

ar_status_t ar_check_bias(ar_prep_t *p, unsigned type, uint32_t channels) {
    if (!ar_has_input(p, 2)) {
        return AR_OK;
    }
    ar_tensor_t bias;
    ar_get_input(p, 2, &bias);
    if (bias.type != type) {
        return ar_unsupported(p, "a bias of %s is not supported", ar_type_name(bias.type));
    }
    if (bias.count != channels) {
        return ar_refuse(p, "the bias has %u elements for %u channels", (unsigned)bias.count, (unsigned)channels);
    }
    return AR_OK;
}

void ar_quant_factors(const ar_quant_t *q, uint32_t first, uint32_t n, ar_factor_t *factors) {
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0 && !q->per_channel) {
            factors[i] = factors[0];
        } else {
            uint32_t channel = q->per_channel ? first + i : 0;
            factors[i] = ar_factor(q->in_scale, ar_f32(q->scales + 4 * channel), q->out_scale);
        }
    }
}
