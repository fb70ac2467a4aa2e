// FULLY_CONNECTED: int8 with weights quantized per tensor or per channel, and float32. Weights are [outputs, inputs];
// whatever shape the input has, it is read as rows of that many inputs.

#include "kernels/dot.h"
#include "ops/activation.h"
#include "ops/weights.h"

enum { INPUT = 0, WEIGHTS = 1, BIAS = 2 };

typedef struct {
    uint32_t rows;              // of the input: batches
    uint32_t n_in;
    uint32_t n_out;
    union {
        struct {
            ar_quant_t q;
            ar_factor_t factor; // for weights with one scale
            int32_t weights_offset;
        };
        struct {
            float low;
            float high;
        } f;
    };
} dense_t;

// What a zero point of the weights adds to each sum of a row.
static uint32_t zero_point_term(const dense_t *d, const int8_t *x) {
    uint32_t sum = 0;
    for (uint32_t i = 0; d->weights_offset && i < d->n_in; i++) {
        sum += (uint32_t)(x[i] + d->q.in_offset);
    }
    return sum * (uint32_t)d->weights_offset;
}

static void row_s8(const dense_t *d, const ar_rec_t *rec, const int8_t *x, int8_t *out) {
    const int32_t *bias = rec->n_in > BIAS ? ar_in(rec, BIAS) : NULL;
    const int8_t *weights = ar_in(rec, WEIGHTS);
    uint32_t start = zero_point_term(d, x);
    ar_factor_t factors[AR_DOT_ROWS] = { d->factor, d->factor, d->factor, d->factor };
    for (uint32_t o = 0, n; o < d->n_out; o += n) {
        n = d->n_out - o < AR_DOT_ROWS ? d->n_out - o : AR_DOT_ROWS;
        uint32_t acc[AR_DOT_ROWS];
        for (uint32_t i = 0; i < n; i++) {
            acc[i] = start + (bias ? (uint32_t)bias[o + i] : 0);
        }
        ar_dot_s8(acc, n, x, d->q.in_offset, weights + (size_t)o * d->n_in, d->n_in, d->n_in);
        if (d->q.per_channel) {
            ar_quant_factors(&d->q, o, n, factors);
        }
        for (uint32_t i = 0; i < n; i++) {
            out[o + i] = ar_quant_out(&d->q, acc[i], factors[i]);
        }
    }
}

static ar_status_t eval_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const dense_t *d = ar_params(rec);
    const int8_t *x = ar_in(rec, INPUT);
    int8_t *out = ar_out(rec, 0);
    for (uint32_t row = 0; row < d->rows; row++, x += d->n_in, out += d->n_out) {
        row_s8(d, rec, x, out);
    }
    return AR_OK;
}

static ar_status_t eval_f32(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const dense_t *d = ar_params(rec);
    const float *x = ar_in(rec, INPUT);
    const float *bias = rec->n_in > BIAS ? ar_in(rec, BIAS) : NULL;
    float *out = ar_out(rec, 0);
    for (uint32_t row = 0; row < d->rows; row++, x += d->n_in) {
        const float *weights = ar_in(rec, WEIGHTS);
        for (uint32_t o = 0; o < d->n_out; o++, weights += d->n_in) {
            float sum = 0;
            ar_dot_f32(&sum, 1, x, weights, 0, d->n_in);
            sum += bias ? bias[o] : 0;
            *out++ = sum < d->f.low ? d->f.low : sum > d->f.high ? d->f.high : sum;
        }
    }
    return AR_OK;
}

static ar_status_t shape(ar_prep_t *p, dense_t *d, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out) {
    if (weights->rank != 2 || weights->dim[0] < 1 || weights->dim[1] < 1) {
        return ar_refuse(p, "weights must be [outputs, inputs], each at least 1");
    }
    if (ar_option_byte(p, FULLY_CONNECTED_WEIGHTS_FORMAT, 0) != 0) {
        return ar_unsupported(p, "shuffled weights are not supported");
    }
    d->n_out = (uint32_t)weights->dim[0];
    d->n_in = (uint32_t)weights->dim[1];
    d->rows = in->count / d->n_in;
    // In 64 bits: the product of two counts from the file.
    if (in->count % d->n_in != 0 || (uint64_t)d->rows * d->n_out != out->count) {
        return ar_refuse(p, "weights [%u, %u] do not fit %u inputs and %u outputs", (unsigned)d->n_out, (unsigned)d->n_in,
            (unsigned)in->count, (unsigned)out->count);
    }
    return AR_OK;
}

static ar_status_t quantize(ar_prep_t *p, dense_t *d, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out,
    int32_t activation) {
    ar_status_t status = ar_quant(p, &d->q, in, weights, out, activation, d->n_out);
    if (status != AR_OK) {
        return status;
    }
    if (weights->zero_point < -128 || weights->zero_point > 127) {
        return ar_refuse(p, "zero point %d of the weights is out of range", (int)weights->zero_point);
    }
    d->weights_offset = -weights->zero_point;
    // One scale: TensorFlow Lite multiplies input and weight scale in float (GetQuantizedConvolutionMultipler); a
    // scale a channel: in double (PopulateConvolutionQuantizationParams).
    float product = in->scale * weights->scale;
    if (!d->q.per_channel && !(product >= 1.17549435e-38f && product <= 3.4028235e38f)) {
        return ar_refuse(p, "the product of the scales of input and weights is no normal number");
    }
    d->factor = ar_factor(product, 1.0f, out->scale);
    return AR_OK;
}

ar_status_t ar_prepare_fully_connected(ar_prep_t *p) {
    ar_tensor_t in, weights, out;
    ar_status_t status = ar_expect_io(p, 2, 3, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, INPUT, &in);
    ar_get_input(p, WEIGHTS, &weights);
    ar_get_output(p, 0, &out);
    if ((in.type != AR_INT8 && in.type != AR_FLOAT32) || weights.type != in.type || out.type != in.type) {
        return ar_unsupported(p, "input %s, weights %s, output %s is not supported", ar_type_name(in.type),
            ar_type_name(weights.type), ar_type_name(out.type));
    }
    bool quantized = in.type == AR_INT8;
    dense_t *d = ar_record(p, quantized ? eval_s8 : eval_f32, sizeof(*d));
    if (!d) {
        return AR_NO_MEMORY;
    }
    status = shape(p, d, &in, &weights, &out);
    if (status == AR_OK) {
        status = ar_check_bias(p, quantized ? AR_INT32 : AR_FLOAT32, d->n_out);
    }
    int32_t activation = ar_option_byte(p, FULLY_CONNECTED_ACTIVATION, ACTIVATION_NONE);
    if (status == AR_OK && quantized) {
        status = quantize(p, d, &in, &weights, &out, activation);
    } else if (status == AR_OK && !ar_activation_float(activation, &d->f.low, &d->f.high)) {
        status = ar_unsupported(p, "fused activation %d is not supported", (int)activation);
    }
    return status;
}
