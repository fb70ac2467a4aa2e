// RESIZE_NEAREST_NEIGHBOR, any type, and RESIZE_BILINEAR, int8 and float32: images of another height and width.

#include <math.h>

#include "ops/move.h"

// One axis: the sizes, and how far a step in the output goes in the input.
typedef struct {
    int32_t in, out;
    union {
        float scale;
        int32_t scale_10;       // times 2^10
    };
} axis_t;

typedef struct {
    axis_t y, x;
    int32_t batches;
    int32_t depth;
    uint8_t size;               // of an element
    bool align;                 // the corners' centers lie on each other
    bool half;                  // pixels have their centers in their middle
} resize_t;

static float scale_of(int32_t in, int32_t out, bool align) {
    return align && out > 1 ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
}

// ---- RESIZE_NEAREST_NEIGHBOR (tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h) ------------------

static int32_t nearest(const resize_t *r, const axis_t *axis, int32_t o) {
    float at = ((float)o + (r->half ? 0.5f : 0.0f)) * axis->scale;
    int32_t i = (int32_t)(r->align ? roundf(at) : floorf(at));
    return i < axis->in ? i : axis->in - 1;
}

static ar_status_t eval_nearest(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const resize_t *r = ar_params(rec);
    const uint8_t *in = ar_in(rec, 0);
    uint8_t *out = ar_out(rec, 0);
    uint32_t pixel = (uint32_t)r->depth * r->size;
    for (int32_t b = 0; b < r->batches; b++) {
        for (int32_t y = 0; y < r->y.out; y++) {
            const uint8_t *row = in + (uint32_t)((b * r->y.in + nearest(r, &r->y, y)) * r->x.in) * pixel;
            for (int32_t x = 0; x < r->x.out; x++, out += pixel) {
                memcpy(out, row + (uint32_t)nearest(r, &r->x, x) * pixel, pixel);
            }
        }
    }
    return AR_OK;
}

// ---- RESIZE_BILINEAR (tensorflow/lite/kernels/internal/reference/resize_bilinear.h) ----------------------------------

// Where an output lies between two inputs.
typedef struct {
    int32_t low, high;
    union {
        float part;             // of the way from low; may leave 0 to 1 at the edges
        int32_t part_10;
    };
} between_t;

// A scale that was rounded up may lead many steps past the end: there the reference reads what lies behind the tensor.
static int32_t clip(const axis_t *axis, int32_t i) {
    return i < 0 ? 0 : i < axis->in ? i : axis->in - 1;
}

static between_t between_f32(const resize_t *r, const axis_t *axis, int32_t o) {
    float at = r->half ? ((float)o + 0.5f) * axis->scale - 0.5f : (float)o * axis->scale;
    int32_t low = (int32_t)floorf(at), high = (int32_t)ceilf(at);
    between_t w = { .low = clip(axis, low), .high = clip(axis, high) };
    w.part = at - (float)w.low;
    return w;
}

// In integers, that all cores give the same.
static between_t between_s8(const resize_t *r, const axis_t *axis, int32_t o) {
    int32_t at = o * axis->scale_10 + (r->half ? axis->scale_10 / 2 - (1 << 9) : 0);
    int32_t low = at / (1 << 10), high = (at + (1 << 10) - 1) / (1 << 10);
    between_t w = { .low = clip(axis, low), .high = clip(axis, high) };
    w.part_10 = at - w.low * (1 << 10);
    return w;
}

// The four pixels around an output: offsets of elements.
typedef struct {
    int32_t at[2][2];           // [y][x]
} corners_t;

static corners_t corners(const resize_t *r, int32_t b, const between_t *y, const between_t *x) {
    int32_t low = (b * r->y.in + y->low) * r->x.in, high = (b * r->y.in + y->high) * r->x.in;
    return (corners_t) { {
        { (low + x->low) * r->depth, (low + x->high) * r->depth },
        { (high + x->low) * r->depth, (high + x->high) * r->depth },
    } };
}

static void pixel_f32(const resize_t *r, const float *in, const corners_t *c, float y, float x, float *out) {
    for (int32_t k = 0; k < r->depth; k++) {
        out[k] = in[c->at[0][0] + k] * (1 - y) * (1 - x) + in[c->at[1][0] + k] * y * (1 - x)
            + in[c->at[0][1] + k] * (1 - y) * x + in[c->at[1][1] + k] * y * x;
    }
}

static void pixel_s8(const resize_t *r, const int8_t *in, const corners_t *c, int32_t y, int32_t x, int8_t *out) {
    int32_t y0 = (1 << 10) - y, x0 = (1 << 10) - x;
    for (int32_t k = 0; k < r->depth; k++) {
        int64_t sum = (int64_t)(y0 * x0) * in[c->at[0][0] + k] + (int64_t)(y * x0) * in[c->at[1][0] + k]
            + (int64_t)(y0 * x) * in[c->at[0][1] + k] + (int64_t)(y * x) * in[c->at[1][1] + k];
        out[k] = (int8_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
    }
}

static ar_status_t eval_bilinear(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const resize_t *r = ar_params(rec);
    between_t (*between)(const resize_t *, const axis_t *, int32_t) = r->size == 1 ? between_s8 : between_f32;
    uint8_t *out = ar_out(rec, 0);
    for (int32_t b = 0; b < r->batches; b++) {
        for (int32_t oy = 0; oy < r->y.out; oy++) {
            between_t y = between(r, &r->y, oy);
            for (int32_t ox = 0; ox < r->x.out; ox++, out += (uint32_t)r->depth * r->size) {
                between_t x = between(r, &r->x, ox);
                corners_t c = corners(r, b, &y, &x);
                if (r->size == 1) {
                    pixel_s8(r, ar_in(rec, 0), &c, y.part_10, x.part_10, (int8_t *)out);
                } else {
                    pixel_f32(r, ar_in(rec, 0), &c, y.part, x.part, (float *)(void *)out);
                }
            }
        }
    }
    return AR_OK;
}

static int32_t scale_10_of(int32_t in, int32_t out, bool align) {
    int32_t from = align && out > 1 ? in - 1 : in, to = align && out > 1 ? out - 1 : out;
    return (from * (1 << 10) + to / 2) / to;
}

// ---- both ------------------------------------------------------------------------------------------------------------

static ar_status_t check_shapes(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *out) {
    int32_t size[2];
    if (in->rank != 4 || out->rank != 4 || in->dim[0] != out->dim[0] || in->dim[3] != out->dim[3]) {
        return ar_refuse(p, "%I%A%O%V4 %Ds,%A%Tsame batches%Achannels");
    }
    ar_status_t status = ar_const_ints(p, 1, "the size", 2, size);
    if (status != AR_OK) {
        return status;
    }
    if (size[0] != out->dim[1] || size[1] != out->dim[2]) {
        return ar_refuse(p, "%T%O's height%Awidth are not those asked for");
    }
    // So that neither the scale of either nor a position leaves 31 bits.
    for (unsigned i = 1; i < 3; i++) {
        if (in->dim[i] < 1 || in->dim[i] > 0x7fff || out->dim[i] < 1 || out->dim[i] > 0x7fff) {
            return ar_unsupported(p, "height%Awidth%M1 to 32767");
        }
    }
    return AR_OK;
}

static ar_status_t prepare(ar_prep_t *p, ar_eval_t eval, resize_t **made, bool align, bool half) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_status_t status = ar_move_open(p, in);
    if (status == AR_OK) {
        status = check_shapes(p, in, out);
    }
    if (status != AR_OK) {
        return status;
    }
    resize_t *r = *made = ar_record(p, eval, sizeof(*r));
    if (!r) {
        return AR_NO_MEMORY;
    }
    *r = (resize_t) {
        .y = { .in = in->dim[1], .out = out->dim[1] }, .x = { .in = in->dim[2], .out = out->dim[2] },
        .batches = in->dim[0], .depth = in->dim[3], .size = (uint8_t)ar_type_size(in->type), .align = align, .half = half,
    };
    r->y.scale = scale_of(r->y.in, r->y.out, align);
    r->x.scale = scale_of(r->x.in, r->x.out, align);
    return AR_OK;
}

ar_status_t ar_prepare_resize_nearest_neighbor(ar_prep_t *p) {
    resize_t *r;
    return prepare(p, eval_nearest, &r, ar_option_bool(p, RESIZE_NEAREST_ALIGN_CORNERS, false),
        ar_option_bool(p, RESIZE_NEAREST_HALF_PIXEL_CENTERS, false));
}

ar_status_t ar_prepare_resize_bilinear(ar_prep_t *p) {
    resize_t *r;
    bool align = ar_option_bool(p, RESIZE_BILINEAR_ALIGN_CORNERS, false);
    bool half = ar_option_bool(p, RESIZE_BILINEAR_HALF_PIXEL_CENTERS, false);
    ar_status_t status = prepare(p, eval_bilinear, &r, align, half);
    if (status != AR_OK) {
        return status;
    }
    if (align && half) {
        return ar_refuse(p, "align_corners%Ahalf_pixel_centers contradict each other");
    }
    if (p->in.type != AR_INT8 && p->in.type != AR_FLOAT32) {
        return ar_bad_type(p, p->in.type);
    }
    if (p->in.type == AR_INT8) {
        r->y.scale_10 = scale_10_of(r->y.in, r->y.out, align);
        r->x.scale_10 = scale_10_of(r->x.in, r->x.out, align);
    }
    return AR_OK;
}
