// What convolution, depthwise convolution and pooling share: planes, windows, and ranges of output rows.

#ifndef ARENITE_OPS_SPATIAL_H
#define ARENITE_OPS_SPATIAL_H

#include "ops/rows.h"

// Rows of a tensor in memory.
typedef struct {
    uint8_t *base;
    uint32_t stride;            // bytes of a row
    uint32_t rows;              // rows held
    uint32_t h;                 // rows of the tensor
} ar_plane_t;

static inline uint8_t *ar_row(const ar_plane_t *plane, uint32_t y) {
    return plane->base + ar_rows_place(y, plane->rows) * plane->stride;
}

// The geometry of a window that slides over an NHWC tensor. In elements.
typedef struct {
    ar_rows_t rows;             // along the height; its window counts the dilation
    uint16_t in_w, in_c;
    uint16_t out_w, out_c;
    uint16_t kernel_w;
    uint16_t stride_w;
    uint16_t pad_left;
    uint8_t dilations[2];       // along the width and the height; with one tap along the height, both bytes of that along the width
} ar_window_t;

static inline uint16_t ar_dilation_h(const ar_window_t *w) {
    return !AR_HAS_DILATION || w->rows.window == 1 ? 1 : w->dilations[1];
}

static inline uint16_t ar_dilation_w(const ar_window_t *w) {
    return !AR_HAS_DILATION ? 1 : (uint16_t)(w->dilations[0] | (w->rows.window == 1 ? w->dilations[1] << 8 : 0));
}

static inline uint16_t ar_kernel_h(const ar_window_t *w) {
    uint32_t taps = w->rows.window - 1u;
    return (uint16_t)(1 + (!AR_HAS_DILATION || w->dilations[1] <= 1 ? taps : taps / w->dilations[1]));
}

// There is one input only, so where the second one's maker would be told, there is room for the batches.
static inline uint32_t ar_batches(const ar_window_t *w) {
    return w->rows.from[1];
}

// Fill w from the tensors' shapes and the options, and check it all: strides and dilations at least 1, the output's
// shape the one that TensorFlow computes for this padding. kernel, stride, dilation: h and w.
ar_status_t ar_window(ar_prep_t *p, ar_window_t *w, const ar_tensor_t *in, const ar_tensor_t *out,
    int32_t padding, const int32_t kernel[2], const int32_t stride[2], const int32_t dilation[2]);

// Tell, when the record is made, that it begins with such a window and takes rows of input 0.
void ar_window_by_rows(ar_prep_t *p, const ar_window_t *w);

// An input, its weights and output 0 must have 4 dimensions; and refuse weights of that many channels.
ar_status_t ar_expect_images(ar_prep_t *p, const ar_tensor_t *in, const ar_tensor_t *weights);
ar_status_t ar_weights_misfit(ar_prep_t *p, int32_t first, int32_t last, const ar_tensor_t *in, const ar_tensor_t *out);

// The planes of one batch; size is that of an element.
ar_plane_t ar_in_plane(const ar_window_t *w, const void *data, uint32_t batch, uint32_t size);
ar_plane_t ar_out_plane(const ar_window_t *w, void *data, uint32_t batch, uint32_t size);

// One output position: the taps that fall inside the input, and where tap (0, 0) lies, inside or not.
typedef struct {
    int32_t y0, y1;             // rows of taps: [y0, y1)
    int32_t x0, x1;
    int32_t top, left;
} ar_place_t;

// Fill in what is along y, for a row of positions; and what is along x, for one of them.
void ar_place_row(const ar_window_t *w, uint32_t y, ar_place_t *at);
void ar_place_along(const ar_window_t *w, uint32_t x, ar_place_t *at);

// What happens at one output position: all its channels. params: the record's own.
typedef void (*ar_position_t)(const void *params, const ar_rec_t *rec, const ar_plane_t *in, const ar_place_t *at, void *out);

// Every position of the rows asked for, in every batch; elements of size bytes.
ar_status_t ar_each_position(const ar_run_t *run, const ar_rec_t *rec, const ar_window_t *w, uint32_t size, ar_position_t position);

// Taps of one axis that fall inside the input: [*first, *end) for the window of output position o.
void ar_taps(int32_t o, int32_t stride, int32_t pad, int32_t dilation, int32_t kernel, int32_t in,
    int32_t *first, int32_t *end);

#endif // ARENITE_OPS_SPATIAL_H
