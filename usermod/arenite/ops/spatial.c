// Windows that slide over NHWC tensors.

#include "ops/spatial.h"

// TensorFlow's output size (ComputeOutSize in tensorflow/lite/kernels/padding.h): SAME covers every input position,
// VALID only what the window fits into.
static int32_t output_size(int32_t padding, int32_t in, int32_t window, int32_t stride) {
    int32_t covered = padding == PADDING_SAME ? in : in - window + 1;
    return covered <= 0 ? 0 : (covered + stride - 1) / stride;
}

// Half of what is missing goes before, the odd one after.
static int32_t padding_before(int32_t in, int32_t out, int32_t window, int32_t stride) {
    int32_t missing = (out - 1) * stride + window - in;
    return missing > 0 ? missing / 2 : 0;
}

// What there is along an axis.
typedef struct {
    int32_t in, out;
    int32_t kernel, stride, dilation;
    int32_t before;             // padding
} axis_t;

static bool in_range(int32_t value, int32_t low, int32_t high) {
    return low <= value && value <= high;
}

static ar_status_t check_axis(ar_prep_t *p, const char *name, int32_t padding, axis_t *a) {
    if (!in_range(a->kernel, 1, 0x7fff) || !in_range(a->stride, 1, 0x7fff) || !in_range(a->dilation, 1, 0x7fff)) {
        return ar_refuse(p, "%s: kernel %d, stride %d, dilation %d: each%M1 to 32767", name, (int)a->kernel,
            (int)a->stride, (int)a->dilation);
    }
    int64_t window = (int64_t)(a->kernel - 1) * a->dilation + 1;
    if (window > 0x7fff) {
        return ar_unsupported(p, "%s: a window of %N32767", name);
    }
    int32_t size = output_size(padding, a->in, (int32_t)window, a->stride);
    if (a->out != size) {
        return ar_refuse(p, "%s: %T%O has %d, its %I%Aoptions give %d", name, (int)a->out, (int)size);
    }
    a->before = padding == PADDING_SAME ? padding_before(a->in, a->out, (int32_t)window, a->stride) : 0;
    a->dilation = a->kernel == 1 ? 1 : a->dilation;
    return AR_HAS_DILATION || a->dilation == 1 ? AR_OK : ar_left_out(p, "dilation");
}

static bool fits_bytes(const axis_t *a) {
    return a->before <= AR_ROWS_MOST && a->dilation <= AR_ROWS_MOST && (a->stride <= AR_ROWS_MOST || a->out == 1);
}

// A record has bytes for what is along the height. An axis of one position changes places with the other: nothing lies elsewhere.
static ar_status_t keep_axes(ar_prep_t *p, ar_window_t *w, const axis_t *y, const axis_t *x) {
    if (!fits_bytes(y) && x->in == 1 && x->kernel == 1) {
        const axis_t *other = x;
        x = y;
        y = other;
    }
    if (!fits_bytes(y) || (y->kernel > 1 && x->dilation > AR_ROWS_MOST)) {
        return ar_unsupported(p, "%N255 of padding, stride or dilation beside another axis");
    }
    w->rows.in_h = w->rows.held[0] = (uint16_t)y->in;
    w->rows.out_h = w->rows.out_held = (uint16_t)y->out;
    w->rows.stride = (uint8_t)(y->stride <= AR_ROWS_MOST ? y->stride : 1);
    w->rows.before = (uint8_t)y->before;
    w->rows.window = (uint16_t)((y->kernel - 1) * y->dilation + 1);
    w->in_w = (uint16_t)x->in;
    w->out_w = (uint16_t)x->out;
    w->kernel_w = (uint16_t)x->kernel;
    w->stride_w = (uint16_t)x->stride;
    w->pad_left = (uint16_t)x->before;
    w->dilations[0] = (uint8_t)x->dilation;
    w->dilations[1] = (uint8_t)(y->kernel > 1 ? y->dilation : x->dilation >> 8);
    return AR_OK;
}

ar_status_t ar_window(ar_prep_t *p, ar_window_t *w, const ar_tensor_t *in, const ar_tensor_t *out,
    int32_t padding, const int32_t kernel[2], const int32_t stride[2], const int32_t dilation[2]) {
    if (in->rank != 4 || out->rank != 4) {
        return ar_refuse(p, "%I%A%O%V4 %Ds (batch, height, width, channels)");
    }
    if (in->dim[0] != out->dim[0]) {
        return ar_refuse(p, "%I%A%O%Xbatches");
    }
    if (padding != PADDING_SAME && padding != PADDING_VALID) {
        return ar_refuse(p, "padding %d is neither SAME nor VALID", (int)padding);
    }
    for (unsigned i = 0; i < 4; i++) {
        if (!in_range(in->dim[i], 1, 0x7fff) || !in_range(out->dim[i], 1, 0x7fff)) {
            return ar_unsupported(p, "%D %u:%M1 to 32767", i);
        }
    }
    axis_t axes[2];
    ar_status_t status = AR_OK;
    for (unsigned i = 0; i < 2 && status == AR_OK; i++) {
        int32_t before = AR_HAS_FRAMES ? p->frame.before[i] : 0, around = AR_HAS_FRAMES ? before + p->frame.after[i] : 0;
        axes[i] = (axis_t) { in->dim[1 + i] + around, out->dim[1 + i], kernel[i], stride[i], dilation[i], 0 };
        status = check_axis(p, i ? "width" : "height", padding, &axes[i]);
        axes[i].in -= around;
        axes[i].before += before;
    }
    if (status != AR_OK) {
        return status; // the kernel may be anything
    }
    w->rows.from[1] = (uint16_t)in->dim[0]; // ar_batches
    w->in_c = (uint16_t)in->dim[3];
    w->out_c = (uint16_t)out->dim[3];
    return keep_axes(p, w, &axes[0], &axes[1]);
}

void ar_window_by_rows(ar_prep_t *p, const ar_window_t *w) {
    ar_by_rows(p, 1, w->rows.in_h == p->in.dim[1] ? ar_batches(w) : 0);
}

ar_status_t ar_expect_images(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *weights) {
    bool all = in->rank == 4 && weights->rank == 4 && p->out.rank == 4;
    return all ? AR_OK : ar_refuse(p, "%I, %W%A%O%V4 %Ds");
}

ar_status_t ar_weights_misfit(ar_prep_t *p, int32_t first, int32_t last, const ar_tensor_t *in, const ar_tensor_t *out) {
    return ar_refuse(p, "%W [%d, .., %d] do not fit %d %I%A%d %O channels", (int)first, (int)last,
        (int)in->dim[3], (int)out->dim[3]);
}

static ar_plane_t plane(uint8_t *data, uint32_t batch, uint32_t h, uint32_t rows, uint32_t stride) {
    return (ar_plane_t) { data + batch * rows * stride, stride, rows, h };
}

ar_plane_t ar_in_plane(const ar_window_t *w, const void *data, uint32_t batch, uint32_t size) {
    return plane((uint8_t *)data, batch, w->rows.in_h, w->rows.held[0], (uint32_t)w->in_w * w->in_c * size);
}

ar_plane_t ar_out_plane(const ar_window_t *w, void *data, uint32_t batch, uint32_t size) {
    return plane(data, batch, w->rows.out_h, w->rows.out_held, (uint32_t)w->out_w * w->out_c * size);
}

void ar_taps(int32_t o, int32_t stride, int32_t pad, int32_t dilation, int32_t kernel, int32_t in,
    int32_t *first, int32_t *end) {
    int32_t start = o * stride - pad;
    // Most windows lie inside: no division for them.
    *first = start >= 0 ? 0 : (dilation - 1 - start) / dilation;
    *end = start + (kernel - 1) * dilation < in ? kernel : start >= in ? 0 : (in - start + dilation - 1) / dilation;
    if (*end < *first) {
        *end = *first;
    }
}

void ar_place_row(const ar_window_t *w, uint32_t y, ar_place_t *at) {
    ar_taps((int32_t)y, w->rows.stride, w->rows.before, ar_dilation_h(w), ar_kernel_h(w), w->rows.in_h, &at->y0, &at->y1);
    at->top = (int32_t)y * w->rows.stride - w->rows.before;
}

void ar_place_along(const ar_window_t *w, uint32_t x, ar_place_t *at) {
    ar_taps((int32_t)x, w->stride_w, w->pad_left, ar_dilation_w(w), w->kernel_w, w->in_w, &at->x0, &at->x1);
    at->left = (int32_t)x * w->stride_w - w->pad_left;
}

static uint8_t *out_row(const ar_rec_t *rec, const ar_window_t *w, uint32_t batch, uint32_t size, uint32_t y) {
    ar_plane_t out = ar_out_plane(w, ar_out(rec, 0), batch, size);
    return ar_row(&out, y);
}

ar_status_t ar_each_position(const ar_run_t *run, const ar_rec_t *rec, const ar_window_t *w, uint32_t size, ar_position_t position) {
    for (uint32_t batch = 0; batch < ar_batches(w); batch++) {
        ar_plane_t in = ar_in_plane(w, ar_in(rec, 0), batch, size);
        for (uint32_t y = run->y0; y < run->y1 && y < w->rows.out_h; y++) {
            uint8_t *to = out_row(rec, w, batch, size, y);
            ar_place_t at;
            ar_place_row(w, y, &at);
            for (uint32_t x = 0; x < w->out_w; x++, to += w->out_c * size) {
                ar_place_along(w, x, &at);
                position(ar_params(rec), rec, &in, &at, to);
            }
        }
    }
    return AR_OK;
}
