// Fused activations.

#include <math.h>

#include "ops/activation.h"
#include "ops/float.h"

// The largest stands for the end that an activation leaves open.
static bool range(int32_t activation, float largest, float *low, float *high) {
    *low = -largest;
    *high = largest;
    switch (activation) {
        case ACTIVATION_NONE:
            return true;
        case ACTIVATION_RELU:
            *low = 0;
            return true;
        case ACTIVATION_RELU_N1_TO_1:
            *low = -1;
            *high = 1;
            return true;
        case ACTIVATION_RELU6:
            *low = 0;
            *high = 6;
            return true;
        default:
            return false;
    }
}

bool ar_activation_float(int32_t activation, float *low, float *high) {
    // The ends are the largest floats, which turns infinities into these (CalculateActivationRange in
    // tensorflow/lite/kernels/kernel_util.h).
    return range(activation, 3.4028235e38f, low, high);
}

// real / scale + zero point, kept inside the type's range. CalculateActivationRangeQuantized divides and rounds in
// float, half away from zero (tensorflow/lite/kernels/kernel_util.cc).
static int32_t quantize(float real, const ar_tensor_t *out, int32_t low, int32_t high) {
    float steps = roundf(real / out->scale) + (float)out->zero_point;
    return steps <= (float)low ? low : steps >= (float)high ? high : (int32_t)steps;
}

bool ar_activation_int(int32_t activation, const ar_tensor_t *out, int32_t *low, int32_t *high) {
    int32_t type_low = out->type == AR_UINT8 ? 0 : out->type == AR_INT16 ? -32768 : -128;
    int32_t type_high = out->type == AR_UINT8 ? 255 : out->type == AR_INT16 ? 32767 : 127;
    float real_low, real_high;
    if (!range(activation, INFINITY, &real_low, &real_high)) {
        return false;
    }
    *low = quantize(real_low, out, type_low, type_high);
    *high = quantize(real_high, out, type_low, type_high);
    return true;
}

float ar_logistic_f32(float x) {
    // Where exp(x) is all that counts, no more is computed, and what is 1 in float32 is 1 (reference/logistic.h).
    return x > 16.619047f ? 1.0f : x < -9.0f ? expf(x) : 1.0f / (1.0f + ar_expf(-x));
}
