// AVERAGE_POOL_2D and MAX_POOL_2D, int8 and float32. Input and output share their quantization: nothing is rescaled.

#include <math.h>

#include "kernels/pool.h"
#include "ops/activation.h"
#include "ops/spatial.h"

typedef struct {
    ar_window_t w;
    union {
        int32_t limit_s8[2];
        float limit_f32[2];
    };
} pool_t;

static const void *tap(const ar_window_t *w, const ar_plane_t *in, const ar_place_t *at, int32_t ky, int32_t kx, uint32_t size) {
    return ar_row(in, (uint32_t)(at->top + ky)) + (uint32_t)((at->left + kx) * w->in_c) * size;
}

static uint32_t count(const ar_place_t *at) {
    return (uint32_t)((at->y1 - at->y0) * (at->x1 - at->x0));
}

// The means of n channels from c on.
static void average_block(const pool_t *p, const ar_plane_t *in, const ar_place_t *at, uint32_t c, uint32_t n, int8_t *out) {
    int32_t sums[AR_POOL_BLOCK] = { 0 }, taps = (int32_t)count(at), rows = at->y1 - at->y0;
    // Rows of the whole width are one.
    int32_t step = at->x1 - at->x0 == p->w.in_w && in->rows == in->h && rows > 0 ? rows : 1;
    for (int32_t ky = at->y0; ky < at->y1; ky += step) {
        const int8_t *x = (const int8_t *)tap(&p->w, in, at, ky, at->x0, 1) + c;
        ar_pool_sum_s8(sums, x, p->w.in_c, (uint32_t)(step * (at->x1 - at->x0)), n);
    }
    for (uint32_t i = 0; i < n; i++) {
        // Rounded half away from zero (integer_ops/pooling.h).
        int32_t mean = (sums[i] > 0 ? sums[i] + taps / 2 : sums[i] - taps / 2) / taps;
        out[i] = (int8_t)(mean < p->limit_s8[0] ? p->limit_s8[0] : mean > p->limit_s8[1] ? p->limit_s8[1] : mean);
    }
}

static void average_s8(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *out) {
    (void)rec;
    const pool_t *p = params;
    for (uint32_t c = 0, n; c < p->w.out_c; c += n) {
        n = p->w.out_c - c < AR_POOL_BLOCK ? p->w.out_c - c : AR_POOL_BLOCK;
        average_block(p, in, at, c, n, (int8_t *)out + c);
    }
}

static void max_s8(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *out) {
    (void)rec;
    const pool_t *p = params;
    for (uint32_t c = 0; c < p->w.out_c; c++) {
        int32_t largest = p->limit_s8[0];
        for (int32_t ky = at->y0; ky < at->y1; ky++) {
            const int8_t *x = (const int8_t *)tap(&p->w, in, at, ky, at->x0, 1) + c;
            for (int32_t kx = at->x0; kx < at->x1; kx++, x += p->w.in_c) {
                largest = *x > largest ? *x : largest;
            }
        }
        ((int8_t *)out)[c] = (int8_t)(largest > p->limit_s8[1] ? p->limit_s8[1] : largest);
    }
}

static float clamp_f32(const pool_t *p, float v) {
    return v < p->limit_f32[0] ? p->limit_f32[0] : v > p->limit_f32[1] ? p->limit_f32[1] : v;
}

static void average_f32(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *out) {
    (void)rec;
    const pool_t *p = params;
    for (uint32_t c = 0; c < p->w.out_c; c++) {
        float sum = 0;
        for (int32_t ky = at->y0; ky < at->y1; ky++) {
            const float *x = (const float *)tap(&p->w, in, at, ky, at->x0, sizeof(float)) + c;
            for (int32_t kx = at->x0; kx < at->x1; kx++, x += p->w.in_c) {
                sum += *x;
            }
        }
        ((float *)out)[c] = clamp_f32(p, sum / (float)count(at));
    }
}

static void max_f32(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *out) {
    (void)rec;
    const pool_t *p = params;
    for (uint32_t c = 0; c < p->w.out_c; c++) {
        float largest = -3.4028235e38f;
        for (int32_t ky = at->y0; ky < at->y1; ky++) {
            const float *x = (const float *)tap(&p->w, in, at, ky, at->x0, sizeof(float)) + c;
            for (int32_t kx = at->x0; kx < at->x1; kx++, x += p->w.in_c) {
                largest = *x > largest ? *x : largest;
            }
        }
        ((float *)out)[c] = clamp_f32(p, largest);
    }
}

static ar_status_t eval_average_s8(const ar_run_t *run, const ar_rec_t *rec) {
    return ar_each_position(run, rec, ar_params(rec), 1, average_s8);
}

static ar_status_t eval_max_s8(const ar_run_t *run, const ar_rec_t *rec) {
    return ar_each_position(run, rec, ar_params(rec), 1, max_s8);
}

static ar_status_t eval_average_f32(const ar_run_t *run, const ar_rec_t *rec) {
    return ar_each_position(run, rec, ar_params(rec), sizeof(float), average_f32);
}

static ar_status_t eval_max_f32(const ar_run_t *run, const ar_rec_t *rec) {
    return ar_each_position(run, rec, ar_params(rec), sizeof(float), max_f32);
}

static ar_status_t prepare(ar_prep_t *p, ar_eval_t eval_s8, ar_eval_t eval_f32) {
    ar_tensor_t in, out;
    ar_status_t status = ar_expect_io(p, 1, 1, 1);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 0, &in);
    ar_get_output(p, 0, &out);
    if (in.type != out.type || (in.type != AR_INT8 && in.type != AR_FLOAT32)) {
        return ar_unsupported(p, "input %s, output %s is not supported", ar_type_name(in.type), ar_type_name(out.type));
    }
    pool_t *pool = ar_record(p, in.type == AR_INT8 ? eval_s8 : eval_f32, sizeof(*pool));
    if (!pool) {
        return AR_NO_MEMORY;
    }
    const int32_t kernel[2] = { ar_option_int(p, POOL_2D_FILTER_H, 0), ar_option_int(p, POOL_2D_FILTER_W, 0) };
    const int32_t stride[2] = { ar_option_int(p, POOL_2D_STRIDE_H, 0), ar_option_int(p, POOL_2D_STRIDE_W, 0) };
    const int32_t dilation[2] = { 1, 1 };
    status = ar_window(p, &pool->w, &in, &out, ar_option_byte(p, POOL_2D_PADDING, PADDING_SAME), kernel, stride, dilation);
    if (status != AR_OK) {
        return status;
    }
    if (in.dim[3] != out.dim[3]) {
        return ar_refuse(p, "input and output differ in channels");
    }
    if (in.count >= 1 << 24) {
        return ar_unsupported(p, "an input of more than 16 million elements");  // its sum might pass 31 bits
    }
    int32_t activation = ar_option_byte(p, POOL_2D_ACTIVATION, ACTIVATION_NONE);
    bool known;
    if (in.type == AR_INT8) {
        if (!ar_is_quantized(&in) || !ar_is_quantized(&out)) {
            return ar_refuse(p, "input and output need one scale above 0 and a zero point in range");
        }
        // tensorflow/lite/micro/kernels/pooling_common.cc
        if (in.zero_point != out.zero_point || fabsf(in.scale - out.scale) > 1e-6f) {
            return ar_refuse(p, "input and output must have the same scale and zero point");
        }
        known = ar_activation_int(activation, &out, &pool->limit_s8[0], &pool->limit_s8[1]);
    } else {
        known = ar_activation_float(activation, &pool->limit_f32[0], &pool->limit_f32[1]);
    }
    return known ? AR_OK : ar_unsupported(p, "fused activation %d is not supported", (int)activation);
}

ar_status_t ar_prepare_average_pool_2d(ar_prep_t *p) {
    return prepare(p, eval_average_s8, eval_average_f32);
}

ar_status_t ar_prepare_max_pool_2d(ar_prep_t *p) {
    return prepare(p, eval_max_s8, eval_max_f32);
}
