// SVDF: float32, and int8 with a state and time weights of int8 or int16. Each filter reduces the input to one number, keeps
// the last few of these in the state, a variable tensor, and weighs them; `rank` filters add up to one output.

#include <math.h>
#include <string.h>

#include "ops/activation.h"
#include "ops/weights.h"

enum { INPUT = 0, FEATURES = 1, TIME = 2, BIAS = 3, STATE = 4 };

typedef struct {
    uint32_t batches;
    uint32_t n_in;
    uint32_t filters;
    uint32_t memory;            // numbers that a filter keeps
    uint32_t rank;              // filters of an output
    int32_t state_zero;
    ar_factor_t to_state;
    ar_factor_t to_out;
    uint8_t state_size;         // bytes of one number in the state
    bool tanh;                  // float32: the fused activation that is no range
    const ar_mac_t *mac;
    ar_quant_t q;
} svdf_t;

// One number of the state: the newest of a filter.
static void keep(const svdf_t *s, const ar_sums_t *sums, uint32_t i, uint8_t *to) {
    if (s->state_size == 4) {
        memcpy(to, &sums->f32[i], 4);
    } else if (s->state_size == 2) {
        *(int16_t *)to = (int16_t)ar_requantize_clamp((int32_t)sums->s8[i], s->to_state, s->state_zero, -32768, 32767);
    } else {
        *(int8_t *)to = (int8_t)ar_requantize_clamp((int32_t)sums->s8[i], s->to_state, s->state_zero, -128, 127);
    }
}

static void features(const svdf_t *s, const uint8_t *x, const uint8_t *weights, uint8_t *state) {
    const ar_mac_t *mac = s->mac;
    int32_t offset = mac->size == 1 ? ar_quant_offset(&s->q) : 0;
    uint8_t *newest = state + (s->memory - 1) * s->state_size;
    for (uint32_t f = 0, n; f < s->filters; f += n) {
        n = s->filters - f < AR_DOT_ROWS ? s->filters - f : AR_DOT_ROWS;
        ar_sums_t sums;
        memset(&sums, 0, AR_DOT_ROWS * sizeof(int64_t));
        mac->dot(&sums, n, x, offset, weights + f * s->n_in * mac->weight_size, s->n_in, s->n_in);
        for (uint32_t i = 0; i < n; i++, newest += s->memory * s->state_size) {
            keep(s, &sums, i, newest);
        }
    }
}

// The state of the filters of one output against their time weights, which lie as the state does.
static void remember(const svdf_t *s, const uint8_t *state, const uint8_t *weights, ar_sums_t *sum) {
    uint32_t n = s->rank * s->memory;
    if (s->state_size != 2) {
        s->mac->dot(sum, 1, state, s->state_size == 1 ? -s->state_zero : 0, weights, n, n);
        return;
    }
    const int16_t *x = (const int16_t *)state, *w = (const int16_t *)weights;
    for (uint32_t i = 0; i < n; i++) {
        sum->s8[0] += (uint32_t)(x[i] - s->state_zero) * (uint32_t)w[i];
    }
}

static void outputs(const svdf_t *s, const ar_rec_t *rec, const uint8_t *state, uint8_t *out) {
    const uint8_t *weights = ar_in(rec, TIME);
    uint32_t step = s->rank * s->memory * s->state_size;
    for (uint32_t u = 0; u < s->filters / s->rank; u++, state += step, weights += step) {
        ar_sums_t sum;
        memset(&sum, 0, sizeof(int64_t));
        remember(s, state, weights, &sum);
        s->mac->finish(&s->q, &sum, ar_in(rec, BIAS), &s->to_out, u, 1, out);
        if (s->tanh) {
            ((float *)out)[u] = tanhf(((float *)out)[u]);
        }
    }
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const svdf_t *s = ar_params(rec);
    uint8_t *state = ar_in(rec, STATE), *out = ar_out(rec, 0);
    const uint8_t *x = ar_in(rec, INPUT);
    uint32_t step = s->filters * s->memory * s->state_size;
    for (uint32_t b = 0; b < s->batches; b++, state += step) {
        // All filters move on by one; what crosses from one to the next is the place of the newest.
        memmove(state, state + s->state_size, step - s->state_size);
        features(s, x + b * s->n_in * s->mac->size, ar_in(rec, FEATURES), state);
        outputs(s, rec, state, out + b * (s->filters / s->rank) * s->mac->size);
    }
    return AR_OK;
}

// ---- preparing -----------------------------------------------------------------------------------------------------

static bool is_matrix(const ar_tensor_t *t, uint32_t rows, uint32_t columns) {
    return t->rank == 2 && (uint32_t)t->dim[0] == rows && (uint32_t)t->dim[1] == columns;
}

static ar_status_t shape(ar_prep_t *p, svdf_t *s, const ar_tensor_t t[5], const ar_tensor_t *out) {
    if (t[INPUT].rank != 2 || t[TIME].rank != 2 || t[INPUT].count == 0 || t[TIME].count == 0) {
        return ar_refuse(p, "%I%Atime %W%V2 %Ds, none of them empty");
    }
    int32_t rank = ar_option_int(p, SVDF_RANK, 0);
    if (rank < 1 || t[TIME].dim[0] % rank != 0) {
        return ar_refuse(p, "rank %d does not divide %d filters", (int)rank, (int)t[TIME].dim[0]);
    }
    s->batches = (uint32_t)t[INPUT].dim[0];
    s->n_in = (uint32_t)t[INPUT].dim[1];
    s->filters = (uint32_t)t[TIME].dim[0];
    s->memory = (uint32_t)t[TIME].dim[1];
    s->rank = (uint32_t)rank;
    if (!is_matrix(&t[FEATURES], s->filters, s->n_in) || !is_matrix(&t[STATE], s->batches, t[TIME].count)
        || !is_matrix(out, s->batches, s->filters / s->rank)) {
        return ar_refuse(p, "%u %Is, %u filters of %u%Arank %u do not fit %Tother tensors", (unsigned)s->n_in,
            (unsigned)s->filters, (unsigned)s->memory, (unsigned)rank);
    }
    if (!t[STATE].is_variable || t[STATE].data) {
        return ar_refuse(p, "%Tstate (%I 4)%Ma variable tensor");
    }
    return AR_OK;
}

static ar_status_t types(ar_prep_t *p, svdf_t *s, const ar_tensor_t t[5], const ar_tensor_t *out) {
    unsigned type = t[INPUT].type, kept = t[STATE].type;
    bool fits = type == AR_FLOAT32 ? kept == AR_FLOAT32 : type == AR_INT8 && (kept == AR_INT8 || kept == AR_INT16);
    if (!fits || t[TIME].type != kept || t[FEATURES].type != type) {
        return ar_unsupported(p, "%I %t, %W %t%A%t, state %t%S", type,
            t[FEATURES].type, t[TIME].type, kept);
    }
    s->state_size = (uint8_t)ar_type_size(kept);
    ar_status_t status = ar_quant_mac(p, &t[INPUT], &t[FEATURES], out, &s->q);
    s->mac = ar_mac_of(&s->q);
    return status;
}

static ar_status_t bias(ar_prep_t *p, const svdf_t *s, const ar_tensor_t t[5]) {
    if (!ar_has_input(p, BIAS)) {
        return AR_OK;
    }
    const ar_tensor_t *b = &t[BIAS];
    if (b->type != (s->state_size == 4 ? AR_FLOAT32 : AR_INT32)) {
        return ar_unsupported(p, "a bias of %t%S", b->type);
    }
    if (b->count != s->filters / s->rank) {
        return ar_refuse(p, "%Tbias has %u elements for %u %Os", (unsigned)b->count, (unsigned)(s->filters / s->rank));
    }
    // As PrepareSvdf asks. A bias that names no scale has that of the product.
    if (s->state_size != 4 && b->n_scales && !(fabsf(b->scale - t[STATE].scale * t[TIME].scale) < 1e-5f)) {
        return ar_refuse(p, "%Tbias%V%Tscale of state times time %W");
    }
    return AR_OK;
}

static ar_status_t quantize(ar_prep_t *p, svdf_t *s, const ar_tensor_t t[5], const ar_tensor_t *out) {
    int32_t activation = ar_option_byte(p, SVDF_ACTIVATION, ACTIVATION_NONE);
    if (s->state_size == 4) {
        s->tanh = activation == ACTIVATION_TANH;
        return ar_activation_float(p, s->tanh ? ACTIVATION_NONE : activation, &s->q.low_f32, &s->q.high_f32);
    }
    for (unsigned i = 0; i < 5; i++) {
        ar_status_t status = i != BIAS ? ar_expect_quantized_input(p, i, &t[i]) : AR_OK;
        if (status != AR_OK) {
            return status;
        }
    }
    if (!ar_is_quantized(out) || t[FEATURES].zero_point != 0 || t[TIME].zero_point != 0) {
        return ar_refuse(p, "%T%O needs %Z, %W %Ps of 0");
    }
    // TensorFlow Lite leaves the activation to the output's range (svdf.cc, EvalIntegerSVDF).
    s->q.low = -128;
    s->q.high = 127;
    s->q.in_zero = (int8_t)t[INPUT].zero_point;
    s->q.out_zero = (int8_t)out->zero_point;
    s->state_zero = t[STATE].zero_point;
    s->to_state = ar_factor(t[INPUT].scale, t[FEATURES].scale, t[STATE].scale);
    s->to_out = ar_factor(t[STATE].scale, t[TIME].scale, out->scale);
    return AR_OK;
}

ar_status_t ar_prepare_svdf(ar_prep_t *p) {
    ar_tensor_t t[5];
    if (!ar_has_input(p, STATE)) {
        return ar_refuse(p, "%Tstate (%I 4) is missing");
    }
    for (unsigned i = 0; i < 5; i++) {
        if (ar_has_input(p, i)) {
            ar_get_input(p, i, &t[i]);
        }
    }
    svdf_t *s = ar_record(p, eval, sizeof(*s));
    if (!s) {
        return AR_NO_MEMORY;
    }
    ar_status_t status = types(p, s, t, &p->out);
    status = status == AR_OK ? shape(p, s, t, &p->out) : status;
    status = status == AR_OK ? bias(p, s, t) : status;
    return status == AR_OK ? quantize(p, s, t, &p->out) : status;
}
