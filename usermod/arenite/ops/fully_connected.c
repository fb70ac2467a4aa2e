// FULLY_CONNECTED: float32 (weights float32 or int8), int8 (weights int8 or int4) and int16 with int8 weights. Weights are
// [outputs, inputs]; whatever shape the input has, it is read as rows of that many inputs.

#include <math.h>
#include <string.h>

#include "engine/bytes.h"
#include "ops/rows.h"
#include "ops/weights.h"

enum { INPUT = 0, WEIGHTS = 1 };

typedef struct {
    uint16_t scratch;           // blocks, int8 only: int4 weights as bytes, a widened row of the input if there is room for it
    int16_t weights_offset;
    uint32_t rows;              // of the input: batches
    uint32_t n_in;
    uint32_t n_out;
    ar_factor_t factor;         // for weights with one scale
    const ar_mac_t *mac;
    ar_quant_t q;               // its own: the notes below
} dense_t;

// As in a product: of weights with one scale, of all.
enum { PLAIN = 1, ON = 2 };

// int8 with one scale for all weights, which is most of them: what its record keeps of that.
typedef struct {
    uint16_t scratch;           // as above
    uint16_t rows;
    uint32_t n_in;
    uint32_t n_out;
    int32_t mult;               // the factor
    int16_t in_offset;
    int8_t shift;
    int8_t weights_zero;
    int8_t out_zero;
    int8_t low;
    int8_t high;
    bool plain : 1;
    bool on : 1;
} one_scale_t;

// What a zero point of int8 weights adds to each sum of a row.
static uint32_t zero_point_term(const int8_t *x, uint32_t n, int32_t in_offset, int32_t weights_offset) {
    uint32_t sum = 0;
    for (uint32_t i = 0; weights_offset && i < n; i++) {
        sum += (uint32_t)(x[i] + in_offset);
    }
    return sum * (uint32_t)weights_offset;
}

static void row(const dense_t *d, const ar_rec_t *rec, const uint8_t *weights, const void *x, void *out) {
    bool integer = d->mac->size != 4;
    ar_factor_t factors[AR_DOT_ROWS] = { d->factor, d->factor, d->factor, d->factor };
    for (uint32_t o = 0, n; o < d->n_out; o += n) {
        n = d->n_out - o < AR_DOT_ROWS ? d->n_out - o : AR_DOT_ROWS;
        ar_sums_t sums;
        memset(&sums, 0, sizeof(sums));
        d->mac->dot(&sums, n, x, 0, weights + (size_t)o * d->n_in * d->mac->weight_size, d->n_in, d->n_in);
        if (integer && d->q.per_channel) {
            ar_quant_factors(&d->q, o, n, factors);
        }
        d->mac->finish(&d->q, &sums, ar_bias(rec), factors, o, n, out);
    }
}

// Channels whose factors are on the stack at a time.
#define CHANNELS (16)

static void channels_s8(const dense_t *d, ar_product_s8_t p, const int8_t *x, int8_t *out) {
    ar_channel_t channels[CHANNELS];
    p.channels = channels;
    for (uint32_t o = 0; o < d->n_out; o += CHANNELS, out += CHANNELS) {
        uint32_t n = d->n_out - o < CHANNELS ? d->n_out - o : CHANNELS;
        ar_quant_t q = d->q;
        q.scales += 4 * o;
        ar_quant_product(&q, &p);
        p.n_channels = ar_quant_channels(&q, &p, 0, n, false, channels);
        ar_product_one(&p, x, out);
        p.weights += n * d->n_in;
        p.bias = p.bias ? p.bias + n : NULL;
    }
}

static ar_status_t eval_one_scale(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const one_scale_t *d = ar_params(rec);
    const int8_t *x = ar_in(rec, INPUT);
    int8_t *out = ar_out(rec, 0);
    void *wide = ar_scratch_of(rec);
    ar_channel_t all = { d->mult, d->shift, 0 };
    ar_product_s8_t p; // not all of it is needed, and zeros take their time
    p.weights = ar_in(rec, WEIGHTS);
    p.bias = ar_bias(rec);
    p.channels = &all;
    p.n_channels = d->n_out;
    p.n = d->n_in;
    p.scratch = wide && d->scratch * (uint32_t)AR_ALIGN >= ar_product_one_scratch(d->n_in) ? wide : NULL;
    p.offset = d->in_offset;
    p.out_zero = d->out_zero;
    p.low = d->low;
    p.high = d->high;
    p.one_factor = true;
    p.gathered = false;
    p.plain = d->plain;
    p.on = d->on;
    for (uint32_t r = 0; r < d->rows; r++, x += d->n_in, out += d->n_out) {
        p.start = (int32_t)zero_point_term(x, d->n_in, d->in_offset, -d->weights_zero);
        ar_product_one(&p, x, out);
    }
    return AR_OK;
}

static void row_s8(const dense_t *d, const ar_rec_t *rec, const int8_t *weights, void *wide, const int8_t *x, int8_t *out) {
    ar_product_s8_t p = {
        .weights = weights, .bias = ar_bias(rec), .n_channels = d->n_out, .rows = 1, .row = d->n_in, .n = d->n_in, .scratch = wide,
        .start = (int32_t)zero_point_term(x, d->n_in, ar_quant_offset(&d->q), d->weights_offset),
    };
    if (AR_HAS_DENSE_CHANNELS && d->q.per_channel) {
        channels_s8(d, p, x, out);
        return;
    }
    ar_channel_t all = { d->factor.mult, (int16_t)d->factor.shift, 0 };
    ar_quant_product(&d->q, &p);
    p.plain = d->q.own & PLAIN;
    p.channels = &all;
    p.one_factor = true;
    ar_product_one(&p, x, out);
}

// Of weights of int4 as bytes.
static uint32_t unpacked_bytes(const dense_t *d) {
    return ar_quant_is_int4(&d->q) ? (d->n_in * d->n_out + 3) & ~3u : 0;
}

// Weights with a scale a channel, or of int4.
static ar_status_t eval_s8(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const dense_t *d = ar_params(rec);
    const int8_t *x = ar_in(rec, INPUT), *weights = ar_in(rec, WEIGHTS);
    int8_t *out = ar_out(rec, 0), *scratch = ar_scratch_of(rec), *wide = NULL;
    uint32_t unpacked = unpacked_bytes(d);
    if (unpacked) {
        weights = ar_unpack_int4(ar_in(rec, WEIGHTS), d->n_in * d->n_out, scratch);
    }
    if (AR_HAS_WIDE && scratch && !d->q.per_channel && d->scratch * (uint32_t)AR_ALIGN >= unpacked + ar_product_one_scratch(d->n_in)) {
        wide = scratch + unpacked;
    }
    for (uint32_t r = 0; r < d->rows; r++, x += d->n_in, out += d->n_out) {
        row_s8(d, rec, weights, wide, x, out);
    }
    return AR_OK;
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const dense_t *d = ar_params(rec);
    const uint8_t *x = ar_in(rec, INPUT);
    uint8_t *out = ar_out(rec, 0);
    const uint8_t *weights = ar_in(rec, WEIGHTS);
    uint32_t size = d->mac->size;
    for (uint32_t r = 0; r < d->rows; r++, x += d->n_in * size, out += d->n_out * size) {
        row(d, rec, weights, x, out);
    }
    return AR_OK;
}

// ---- of an image, by rows ----------------------------------------------------------------------------------------

typedef struct {
    ar_rows_t rows;
    dense_t d;
} image_t;

static void finish(const dense_t *d, const ar_rec_t *rec, const ar_sums_t *sums, uint32_t o, uint32_t n) {
    ar_factor_t factors[AR_DOT_ROWS] = { d->factor, d->factor, d->factor, d->factor };
    if (d->q.per_channel) {
        ar_quant_factors(&d->q, o, n, factors);
    }
    ar_mac_s8.finish(&d->q, sums, ar_bias(rec), factors, o, n, ar_out(rec, 0));
}

// One row's share of all sums.
static void gather_row(const image_t *m, const ar_rec_t *rec, uint32_t y) {
    const dense_t *d = &m->d;
    uint32_t row = d->n_in / m->rows.in_h, *sums = ar_scratch_of(rec);
    const int8_t *weights = (const int8_t *)ar_in(rec, WEIGHTS) + y * row;
    memset(sums, 0, y == 0 ? d->n_out * sizeof(*sums) : 0);
    for (uint32_t o = 0, n; o < d->n_out; o += n) {
        n = d->n_out - o < AR_DOT_ROWS ? d->n_out - o : AR_DOT_ROWS;
        ar_sums_t part;
        memcpy(&part, sums + o, n * sizeof(*sums));
        ar_mac_s8.dot(&part, n, ar_rows_in(rec, &m->rows, y, row), ar_quant_offset(&d->q), weights + (size_t)o * d->n_in, d->n_in, row);
        memcpy(sums + o, &part, n * sizeof(*sums));
    }
}

static ar_status_t eval_by_rows(const ar_run_t *run, const ar_rec_t *rec) {
    const image_t *m = ar_params(rec);
    const dense_t *d = &m->d;
    const uint32_t *sums = ar_scratch_of(rec);
    if (m->rows.role == AR_ALONE) {
        row_s8(d, rec, ar_in(rec, WEIGHTS), NULL, ar_in(rec, INPUT), ar_out(rec, 0));
        return AR_OK;
    }
    for (uint32_t y = run->y0; y < run->y1; y++) {
        gather_row(m, rec, y);
    }
    for (uint32_t o = 0, n; run->y1 >= m->rows.out_h && o < d->n_out; o += n) {
        n = d->n_out - o < AR_DOT_ROWS ? d->n_out - o : AR_DOT_ROWS;
        ar_sums_t part;
        memcpy(&part, sums + o, n * sizeof(*sums));
        finish(d, rec, &part, o, n);
    }
    return AR_OK;
}

// Where the sums take less than the image.
static bool gathers(const dense_t *d) {
    return ar_quant_is_s8(&d->q) && d->rows == 1 && !ar_quant_is_int4(&d->q) && !d->weights_offset && 2 * d->n_out * sizeof(int32_t) <= d->n_in;
}

static ar_status_t shape(ar_prep_t *p, dense_t *d, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out) {
    if (weights->rank != 2 || weights->dim[0] < 1 || weights->dim[1] < 1) {
        return ar_refuse(p, "%W%M[%Os, %Is], each at least 1");
    }
    if (ar_option_byte(p, FULLY_CONNECTED_WEIGHTS_FORMAT, 0) != 0) {
        return ar_unsupported(p, "shuffled %W are not supported");
    }
    d->n_out = (uint32_t)weights->dim[0];
    d->n_in = (uint32_t)weights->dim[1];
    d->rows = in->count / d->n_in;
    // In 64 bits: the product of two counts from the file.
    if (in->count % d->n_in != 0 || (uint64_t)d->rows * d->n_out != out->count) {
        return ar_refuse(p, "%W [%u, %u] do not fit %u %Is%A%u %Os", (unsigned)d->n_out, (unsigned)d->n_in,
            (unsigned)in->count, (unsigned)out->count);
    }
    return AR_OK;
}

// Whether its sums are plain is known before the first of them.
static bool is_plain(const dense_t *d) {
    ar_product_s8_t product = { .n = d->n_in, .start = d->weights_offset };
    ar_quant_product(&d->q, &product);
    return product.plain && ar_quant_plain(&d->q, d->n_in) && AR_SHIFT_IS_PLAIN(d->factor.shift);
}

static ar_status_t one_factor(ar_prep_t *p, dense_t *d, const ar_tensor_t *in, const ar_tensor_t *weights, const ar_tensor_t *out) {
    if (weights->zero_point < -128 || weights->zero_point > 127 || (ar_is(in, AR_INT16) && weights->zero_point != 0)) {
        return ar_refuse(p, "%P %d of %T%W is out of range", (int)weights->zero_point);
    }
    // With a scale a channel, tflite-micro takes the zero points as 0, which they must be.
    d->weights_offset = (int16_t)(d->q.per_channel ? 0 : -weights->zero_point);
    if (!d->q.per_channel && ar_has_input(p, 2)) {
        ar_tensor_t bias;
        ar_get_input(p, 2, &bias);
        // As GetQuantizedConvolutionMultipler asks. A bias that names no scale has that of the product.
        if (bias.n_scales && !(fabsf(in->scale * weights->scale - bias.scale) / out->scale <= 0.02f)) {
            return ar_refuse(p, "%Tbias%V%Tscale of %I times %W");
        }
    }
    d->factor = ar_factor(in->scale, weights->scale, out->scale);
    d->q.own |= AR_ASKS_PLAIN && ar_quant_is_s8(&d->q) && !d->q.per_channel && is_plain(d) ? PLAIN : 0;
    return AR_OK;
}

// Outputs that make a widened copy of the input worth its scratch.
#define WIDE_OUTPUTS (16)

static void ask_scratch(ar_prep_t *p, const dense_t *d) {
    bool wide = AR_HAS_WIDE && !d->q.per_channel && d->n_out >= WIDE_OUTPUTS;
    uint32_t weights = unpacked_bytes(d), most = weights + (wide ? ar_product_one_scratch(d->n_in) : 0);
    if (most > 0) {
        ar_scratch_between(p, weights, most);
    }
}

// ---- records -----------------------------------------------------------------------------------------------------

static ar_status_t keep_image(ar_prep_t *p, const dense_t *d, const ar_rows_t *rows) {
    image_t *m = ar_record(p, eval_by_rows, sizeof(*m));
    if (!m) {
        return AR_NO_MEMORY;
    }
    m->rows = *rows;
    m->d = *d;
    ar_scratch(p, d->n_out * (uint32_t)sizeof(int32_t));
    ar_by_rows(p, 1, 1);
    return AR_OK;
}

static ar_status_t keep_one_scale(ar_prep_t *p, const dense_t *d) {
    one_scale_t *one = ar_record(p, eval_one_scale, sizeof(*one));
    if (!one) {
        return AR_NO_MEMORY;
    }
    *one = (one_scale_t) {
        .n_in = d->n_in, .n_out = d->n_out, .mult = d->factor.mult, .rows = (uint16_t)d->rows, .in_offset = (int16_t)ar_quant_offset(&d->q),
        .weights_zero = (int8_t)-d->weights_offset, .shift = (int8_t)d->factor.shift, .out_zero = d->q.out_zero,
        .low = d->q.low, .high = d->q.high, .plain = d->q.own & PLAIN, .on = (d->q.own & ON) != 0,
    };
    ask_scratch(p, d);
    return AR_OK;
}

static ar_status_t keep(ar_prep_t *p, const dense_t *d) {
    ar_rows_t rows = { .in_h = 0 };
    bool int8 = ar_quant_is_s8(&d->q);
    if (AR_HAS_ROWS && AR_HAS_DENSE_ROWS && gathers(d) && ar_rows_gather(p, &rows)) {
        return keep_image(p, d, &rows);
    }
    if (int8 && !ar_quant_is_int4(&d->q) && !d->q.per_channel && d->rows <= 0xffff) {
        return keep_one_scale(p, d);
    }
    if (!AR_HAS_DENSE_CHANNELS && int8 && !ar_quant_is_int4(&d->q)) {
        return ar_left_out(p, "a scale for each channel, or so many rows,");
    }
    dense_t *rec = ar_record(p, int8 ? eval_s8 : eval, sizeof(*d));
    if (!rec) {
        return AR_NO_MEMORY;
    }
    *rec = *d;
    if (int8) {
        ask_scratch(p, d);
    }
    return AR_OK;
}

ar_status_t ar_prepare_fully_connected(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_tensor_t weights;
    dense_t d;
    memset(&d, 0, sizeof(d));
    ar_get_input(p, WEIGHTS, &weights);
    ar_status_t status = ar_quant_mac(p, in, &weights, out, &d.q);
    if (status == AR_OK) {
        d.mac = AR_HAS_FLOAT32 || AR_HAS_INT16 ? ar_mac_of(&d.q) : NULL; // there are other ways for int8
        status = shape(p, &d, in, &weights, out);
    }
    if (status == AR_OK) {
        status = ar_quant(p, &d.q, in, &weights, out, ar_option_byte(p, FULLY_CONNECTED_ACTIVATION, ACTIVATION_NONE), d.n_out);
    }
    if (status == AR_OK && !ar_is(in, AR_FLOAT32)) {
        status = one_factor(p, &d, in, &weights, out);
        d.q.own |= ar_read_on(p, &weights, 3) ? ON : 0;
    }
    return status == AR_OK ? keep(p, &d) : status;
}
