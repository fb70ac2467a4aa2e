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

// What a record keeps of an axis.
enum { BEFORE, STRIDE, DILATION, KEPT };

static bool in_range(int32_t value, int32_t low, int32_t high) {
    return low <= value && value <= high;
}

static ar_status_t check_axis(ar_prep_t *p, const char *axis, int32_t padding, int32_t in, int32_t out,
    int32_t kernel, int32_t stride, int32_t dilation, uint8_t to[KEPT]) {
    if (!in_range(kernel, 1, 0x7fff) || !in_range(stride, 1, 0x7fff) || !in_range(dilation, 1, 0x7fff)) {
        return ar_refuse(p, "%s: kernel %d, stride %d, dilation %d: each%M1 to 32767", axis, (int)kernel,
            (int)stride, (int)dilation);
    }
    int64_t window = (int64_t)(kernel - 1) * dilation + 1;
    if (window > 0x7fff) {
        return ar_unsupported(p, "%s: a window of %N32767", axis);
    }
    int32_t size = output_size(padding, in, (int32_t)window, stride);
    if (out != size) {
        return ar_refuse(p, "%s: %T%O has %d, its %I%Aoptions give %d", axis, (int)out, (int)size);
    }
    int32_t before = padding == PADDING_SAME ? padding_before(in, out, (int32_t)window, stride) : 0;
    // They do not matter where there is but one position, or one tap.
    stride = out == 1 && stride > AR_ROWS_MOST ? AR_ROWS_MOST : stride;
    dilation = kernel == 1 && dilation > AR_ROWS_MOST ? AR_ROWS_MOST : dilation;
    if ((before | stride | dilation) > AR_ROWS_MOST) {
        return ar_unsupported(p, "%s: padding, stride or dilation of more than 255", axis);
    }
    to[BEFORE] = (uint8_t)before;
    to[STRIDE] = (uint8_t)stride;
    to[DILATION] = (uint8_t)dilation;
    return AR_OK;
}

ar_status_t ar_window(ar_prep_t *p, ar_window_t *w, const ar_tensor_t *in, const ar_tensor_t *out,
    int32_t padding, const int32_t kernel[2], const int32_t stride[2], const int32_t dilation[2]) {
    if (in->rank != 4 || out->rank != 4) {
        return ar_refuse(p, "%I%A%O must have 4 %Ds (batch, height, width, channels)");
    }
    if (in->dim[0] != out->dim[0]) {
        return ar_refuse(p, "%I%A%O differ in batches");
    }
    if (padding != PADDING_SAME && padding != PADDING_VALID) {
        return ar_refuse(p, "padding %d is neither SAME nor VALID", (int)padding);
    }
    for (unsigned i = 0; i < 4; i++) {
        if (!in_range(in->dim[i], 1, 0x7fff) || !in_range(out->dim[i], 1, 0x7fff)) {
            return ar_unsupported(p, "%D %u:%M1 to 32767", i);
        }
    }
    uint8_t height[KEPT], width[KEPT];
    ar_status_t status = check_axis(p, "height", padding, in->dim[1], out->dim[1], kernel[0], stride[0], dilation[0], height);
    if (status == AR_OK) {
        status = check_axis(p, "width", padding, in->dim[2], out->dim[2], kernel[1], stride[1], dilation[1], width);
    }
    if (status != AR_OK) {
        return status; // the kernel may be anything
    }
    w->rows.from[1] = (uint16_t)in->dim[0]; // ar_batches
    w->rows.in_h = w->rows.held[0] = (uint16_t)in->dim[1];
    w->in_w = (uint16_t)in->dim[2];
    w->in_c = (uint16_t)in->dim[3];
    w->rows.out_h = w->rows.out_held = (uint16_t)out->dim[1];
    w->out_w = (uint16_t)out->dim[2];
    w->out_c = (uint16_t)out->dim[3];
    w->kernel_h = (uint16_t)kernel[0];
    w->kernel_w = (uint16_t)kernel[1];
    w->rows.stride = height[STRIDE];
    w->rows.before = height[BEFORE];
    w->rows.window = (uint16_t)((kernel[0] - 1) * dilation[0] + 1);
    w->stride_w = width[STRIDE];
    w->pad_left = width[BEFORE];
    w->dilation_h = height[DILATION];
    w->dilation_w = width[DILATION];
    return status;
}

ar_status_t ar_expect_images(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *weights) {
    bool all = in->rank == 4 && weights->rank == 4 && p->out.rank == 4;
    return all ? AR_OK : ar_refuse(p, "%I, %W%A%O must have 4 %Ds");
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

void ar_place(const ar_window_t *w, uint32_t y, uint32_t x, ar_place_t *at) {
    ar_taps((int32_t)y, w->rows.stride, w->rows.before, w->dilation_h, w->kernel_h, w->rows.in_h, &at->y0, &at->y1);
    ar_taps((int32_t)x, w->stride_w, w->pad_left, w->dilation_w, w->kernel_w, w->in_w, &at->x0, &at->x1);
    at->top = (int32_t)y * w->rows.stride - w->rows.before;
    at->left = (int32_t)x * w->stride_w - w->pad_left;
}

ar_status_t ar_each_position(const ar_run_t *run, const ar_rec_t *rec, const ar_window_t *w, uint32_t size, ar_position_t position) {
    const void *params = ar_params(rec);
    uint32_t y1 = run->y1 < w->rows.out_h ? run->y1 : w->rows.out_h;
    for (uint32_t batch = 0; batch < ar_batches(w); batch++) {
        ar_plane_t in = ar_in_plane(w, ar_in(rec, 0), batch, size);
        ar_plane_t out = ar_out_plane(w, ar_out(rec, 0), batch, size);
        for (uint32_t y = run->y0; y < y1; y++) {
            uint8_t *to = ar_row(&out, y);
            for (uint32_t x = 0; x < w->out_w; x++, to += w->out_c * size) {
                ar_place_t at;
                ar_place(w, y, x, &at);
                position(params, rec, &in, &at, to);
            }
        }
    }
    return AR_OK;
}
