// Fused activations.

#include <math.h>

#include "ops/activation.h"
#include "ops/float.h"

// The largest stands for the end that an activation leaves open.
static ar_status_t range(ar_prep_t *p, int32_t activation, float largest, float *low, float *high) {
    *low = activation == ACTIVATION_NONE ? -largest : activation == ACTIVATION_RELU_N1_TO_1 ? -1 : 0;
    *high = activation == ACTIVATION_RELU_N1_TO_1 ? 1 : activation == ACTIVATION_RELU6 ? 6 : largest;
    return activation >= ACTIVATION_NONE && activation <= ACTIVATION_RELU6 ? AR_OK : ar_bad_activation(p, activation);
}

ar_status_t ar_bad_activation(ar_prep_t *p, int32_t activation) {
    return ar_unsupported(p, "fused activation %d%S", (int)activation);
}

ar_status_t ar_activation_float(ar_prep_t *p, int32_t activation, float *low, float *high) {
    // The ends are the largest floats, which turns infinities into these (CalculateActivationRange in
    // tensorflow/lite/kernels/kernel_util.h).
    return range(p, activation, 3.4028235e38f, low, high);
}

// real / scale + zero point, kept inside the type's range. CalculateActivationRangeQuantized divides and rounds in
// float, half away from zero (tensorflow/lite/kernels/kernel_util.cc).
static int32_t quantize(float real, const ar_tensor_t *out, int32_t low, int32_t high) {
    float steps = roundf(real / out->scale) + (float)out->zero_point;
    return steps <= (float)low ? low : steps >= (float)high ? high : (int32_t)steps;
}

ar_status_t ar_activation_int(ar_prep_t *p, int32_t activation, const ar_tensor_t *out, int32_t *low, int32_t *high) {
    int32_t type_low, type_high;
    ar_type_range(out->type, &type_low, &type_high);
    float real_low, real_high;
    ar_status_t status = range(p, activation, INFINITY, &real_low, &real_high);
    *low = quantize(real_low, out, type_low, type_high);
    *high = quantize(real_high, out, type_low, type_high);
    return status;
}

float ar_logistic_f32(float x) {
    // Where exp(x) is all that counts, no more is computed, and what is 1 in float32 is 1 (reference/logistic.h).
    return x > 16.619047f ? 1.0f : x < -9.0f ? expf(x) : 1.0f / (1.0f + ar_expf(-x));
}
