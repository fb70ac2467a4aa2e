// AVERAGE_POOL_2D and MAX_POOL_2D, int8, int16 and float32; L2_POOL_2D, float32. Input and output share their
// quantization: nothing is rescaled.

#include <math.h>

#include "kernels/pool.h"
#include "kernels/requantize.h"
#include "ops/activation.h"
#include "ops/spatial.h"

typedef enum { AVERAGE, MAX, L2 } kind_t;

typedef struct {
    ar_window_t w;
    ar_position_t position;
    uint8_t size;               // of an element
    uint8_t kind;
    union {
        int32_t limit[2];
        float limit_f32[2];
    };
} pool_t;

static const void *tap(const ar_window_t *w, const ar_plane_t *in, const ar_place_t *at, int32_t ky, int32_t kx, uint32_t size) {
    return ar_row(in, (uint32_t)(at->top + ky)) + (uint32_t)((at->left + kx) * w->in_c) * size;
}

static uint32_t count(const ar_place_t *at) {
    return (uint32_t)((at->y1 - at->y0) * (at->x1 - at->x0));
}

// Rounded half away from zero (integer_ops/pooling.h).
static int32_t rounded_mean(const pool_t *p, int32_t sum, int32_t n) {
    return ar_clamp((sum > 0 ? sum + n / 2 : sum - n / 2) / n, p->limit[0], p->limit[1]);
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
    int32_t low = p->limit[0], high = p->limit[1], half = taps / 2;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (int8_t)ar_clamp((sums[i] > 0 ? sums[i] + half : sums[i] - half) / taps, low, high);
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
        int32_t largest = p->limit[0];
        for (int32_t ky = at->y0; ky < at->y1; ky++) {
            const int8_t *x = (const int8_t *)tap(&p->w, in, at, ky, at->x0, 1) + c;
            for (int32_t kx = at->x0; kx < at->x1; kx++, x += p->w.in_c) {
                largest = *x > largest ? *x : largest;
            }
        }
        ((int8_t *)out)[c] = (int8_t)(largest > p->limit[1] ? p->limit[1] : largest);
    }
}

static void window_s16(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *out) {
    (void)rec;
    const pool_t *p = params;
    int32_t n = (int32_t)count(at);
    for (uint32_t c = 0; c < p->w.out_c; c++) {
        int32_t sum = 0, largest = p->limit[0];
        for (int32_t ky = at->y0; ky < at->y1; ky++) {
            const int16_t *x = (const int16_t *)tap(&p->w, in, at, ky, at->x0, 2) + c;
            for (int32_t kx = at->x0; kx < at->x1; kx++, x += p->w.in_c) {
                sum += *x;
                largest = *x > largest ? *x : largest;
            }
        }
        int32_t max = largest > p->limit[1] ? p->limit[1] : largest;
        ((int16_t *)out)[c] = (int16_t)(p->kind == MAX ? max : rounded_mean(p, sum, n));
    }
}

static float clamp_f32(const pool_t *p, float v) {
    return v < p->limit_f32[0] ? p->limit_f32[0] : v > p->limit_f32[1] ? p->limit_f32[1] : v;
}

static void window_f32(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *out) {
    (void)rec;
    const pool_t *p = params;
    for (uint32_t c = 0; c < p->w.out_c; c++) {
        float sum = 0, largest = -3.4028235e38f;
        for (int32_t ky = at->y0; ky < at->y1; ky++) {
            const float *x = (const float *)tap(&p->w, in, at, ky, at->x0, sizeof(float)) + c;
            for (int32_t kx = at->x0; kx < at->x1; kx++, x += p->w.in_c) {
                sum += p->kind == L2 ? *x * *x : *x;
                largest = *x > largest ? *x : largest;
            }
        }
        float mean = sum / (float)count(at);
        ((float *)out)[c] = clamp_f32(p, p->kind == MAX ? largest : p->kind == L2 ? sqrtf(mean) : mean);
    }
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    const pool_t *p = ar_params(rec);
    return ar_each_position(run, rec, &p->w, p->size, p->position);
}

// ---- the mean of a whole image, by rows --------------------------------------------------------------------------

static ar_status_t mean_by_rows(const ar_run_t *run, const ar_rec_t *rec) {
    const pool_t *p = ar_params(rec);
    const ar_window_t *w = &p->w;
    int32_t taps = w->rows.in_h * w->in_w;
    if (w->rows.role == AR_ALONE) {
        ar_window_t whole = *w;
        whole.rows.out_h = whole.rows.out_held = 1;
        whole.rows.window = w->rows.in_h;
        return ar_each_position(run, rec, &whole, p->size, p->position);
    }
    const int32_t *sums = ar_rows_sum_s8(run, rec, &w->rows, w->in_w, w->in_c);
    int8_t *out = ar_out(rec, 0);
    for (uint32_t c = 0; sums && c < w->in_c; c++) {
        out[c] = (int8_t)rounded_mean(p, sums[c], taps);
    }
    return AR_OK;
}

// One window, all of the input, in which sums take less than two rows of it.
static void by_rows(ar_prep_t *p, pool_t *pool, ar_eval_t whole_s8) {
    ar_window_t *w = &pool->w;
    bool whole = whole_s8 && p->in.type == AR_INT8 && w->rows.out_h == 1 && w->out_w == 1 && w->rows.window == w->rows.in_h
        && w->kernel_w == w->in_w && w->in_w >= 2;
    if (AR_HAS_ROWS && whole && ar_batches(w) == 1 && ar_rows_gather(p, &w->rows)) {
        p->rec->eval = whole_s8;
        ar_scratch(p, w->in_c * (uint32_t)sizeof(int32_t));
    }
    ar_window_by_rows(p, w);
}

// What computes one position; NULL: the operator does not have the type.
static ar_position_t position_of(kind_t kind, ar_position_t s8, const ar_tensor_t *in) {
    if (ar_is(in, AR_FLOAT32)) {
        return window_f32;
    }
    return in->type == AR_INT8 ? s8 : ar_is(in, AR_INT16) && kind != L2 ? window_s16 : NULL;
}

static ar_status_t set_limits(ar_prep_t *p, pool_t *pool) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    int32_t activation = ar_option_byte(p, POOL_2D_ACTIVATION, ACTIVATION_NONE);
    if (ar_is(in, AR_FLOAT32)) {
        return ar_activation_float(p, activation, &pool->limit_f32[0], &pool->limit_f32[1]);
    }
    ar_status_t status = ar_expect_quantized(p, in);
    if (status != AR_OK) {
        return status;
    }
    // tensorflow/lite/micro/kernels/pooling_common.cc
    if (in->zero_point != out->zero_point || fabsf(in->scale - out->scale) > 1e-6f) {
        return ar_quantized_otherwise(p);
    }
    return ar_activation_int(p, activation, out, &pool->limit[0], &pool->limit[1]);
}

// s8, whole_s8: what computes a position of int8, and all of an image by rows.
static ar_status_t prepare(ar_prep_t *p, kind_t kind, ar_position_t s8, ar_eval_t whole_s8) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_position_t position = position_of(kind, s8, in);
    if (in->type != out->type || !position) {
        return ar_bad_types(p);
    }
    pool_t *pool = ar_record(p, eval, sizeof(*pool));
    if (!pool) {
        return AR_NO_MEMORY;
    }
    pool->position = position;
    pool->size = (uint8_t)ar_type_size(in->type);
    pool->kind = (uint8_t)kind;
    const int32_t kernel[2] = { ar_option_int(p, POOL_2D_FILTER_H, 0), ar_option_int(p, POOL_2D_FILTER_W, 0) };
    const int32_t stride[2] = { ar_option_int(p, POOL_2D_STRIDE_H, 0), ar_option_int(p, POOL_2D_STRIDE_W, 0) };
    const int32_t dilation[2] = { 1, 1 };
    ar_status_t status = ar_window(p, &pool->w, in, out, ar_option_byte(p, POOL_2D_PADDING, PADDING_SAME), kernel, stride, dilation);
    if (status != AR_OK) {
        return status;
    }
    if (in->dim[3] != out->dim[3]) {
        return ar_refuse(p, "%I%A%O%Xchannels");
    }
    // Sums must stay within 31 bits.
    if (in->count >= 1 << 24 || (ar_is(in, AR_INT16) && in->dim[1] * in->dim[2] > 0xffff)) {
        return ar_unsupported(p, "an %I of %N16 million elements, or 65535 positions of int16");
    }
    by_rows(p, pool, whole_s8);
    return set_limits(p, pool);
}

ar_status_t ar_prepare_average_pool_2d(ar_prep_t *p) {
    return prepare(p, AVERAGE, average_s8, mean_by_rows);
}

ar_status_t ar_prepare_max_pool_2d(ar_prep_t *p) {
    return prepare(p, MAX, max_s8, NULL);
}

ar_status_t ar_prepare_l2_pool_2d(ar_prep_t *p) {
    return prepare(p, L2, NULL, NULL);
}
