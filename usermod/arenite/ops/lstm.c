// UNIDIRECTIONAL_SEQUENCE_LSTM: float32, and int8 or int16 with int8 weights and a cell state of int16. As in tflite-micro
// without peepholes, projection, layer normalization and coupled gates.
//
// A few units go through all four gates at once; what they yield is written to the output, and becomes the hidden state when
// the step is over: no memory is needed beside the tensors.

#include <math.h>
#include <string.h>

#include "kernels/sigmoid.h"
#include "ops/activation.h"
#include "ops/weights.h"

// Inputs of the operator; the three groups of four have the order of the gates.
enum { INPUT = 0, FROM_INPUT = 1, FROM_STATE = 5, PEEPHOLES = 9, BIASES = 12, PROJECTION = 16, STATE = 18, CELL = 19, NORMS = 20 };
enum { GATE_INPUT, GATE_FORGET, GATE_CELL, GATE_OUTPUT, GATES };

// A gate's values for a block of units.
typedef union {
    int16_t s16[AR_DOT_ROWS];
    float f32[AR_DOT_ROWS];
} gate_t;

struct _lstm_t;
typedef void (*finish_t)(const struct _lstm_t *l, unsigned g, const void *bias, ar_sums_t *x, ar_sums_t *h, uint32_t n, gate_t *out);
typedef void (*update_t)(const struct _lstm_t *l, const gate_t *gates, uint32_t n, void *cell, void *out);

typedef struct _lstm_t {
    uint32_t batches;
    uint32_t steps;
    uint32_t n_in;
    uint32_t units;
    bool time_major;
    uint8_t bias_size;
    uint8_t cell_size;
    int8_t tanh_shift;          // of the cell state to what tanh takes: to the left, or if negative to the right
    int16_t in_offset;
    int16_t state_offset;
    int16_t out_zero;
    int16_t out_low;
    int16_t out_high;
    int16_t clip;               // of the cell state, where clip_f32 is above 0
    float clip_f32;
    const ar_mac_t *mac;
    finish_t finish;
    update_t update;
    ar_factor_t from_input[GATES];
    ar_factor_t from_state[GATES];
    ar_factor_t remember;       // forget gate times cell state
    ar_factor_t add;            // input gate times cell gate
    ar_factor_t show;           // output gate times tanh
    ar_quant_t q;               // of what a gate's matrices yield, before the activation
} lstm_t;

// ---- float32 -------------------------------------------------------------------------------------------------------

static void finish_f32(const lstm_t *l, unsigned g, const void *bias, ar_sums_t *x, ar_sums_t *h, uint32_t n, gate_t *out) {
    (void)l;
    for (uint32_t i = 0; i < n; i++) {
        float v = x->f32[i] + ((const float *)bias)[i] + h->f32[i];
        out->f32[i] = g == GATE_CELL ? tanhf(v) : ar_logistic_f32(v);
    }
}

static void update_f32(const lstm_t *l, const gate_t *gates, uint32_t n, void *cell, void *out) {
    for (uint32_t i = 0; i < n; i++) {
        float *c = (float *)cell + i, clip = l->clip_f32;
        *c = gates[GATE_FORGET].f32[i] * *c + gates[GATE_INPUT].f32[i] * gates[GATE_CELL].f32[i];
        if (clip > 0) {
            *c = *c > clip ? clip : *c < -clip ? -clip : *c;
        }
        ((float *)out)[i] = gates[GATE_OUTPUT].f32[i] * tanhf(*c);
    }
}

// ---- integers ------------------------------------------------------------------------------------------------------

static __attribute__((noinline)) int32_t saturate(int32_t v) {
    return ar_clamp(v, -32768, 32767);
}

// Sums of 32 bits take the place of those of 64, which finish takes.
static void widen(ar_sums_t *sums, uint32_t n) {
    for (uint32_t i = n; i-- > 0;) {
        sums->s16[i] = sums->s8[i];
    }
}

static void finish_int(const lstm_t *l, unsigned g, const void *bias, ar_sums_t *x, ar_sums_t *h, uint32_t n, gate_t *out) {
    const ar_factor_t fx = l->from_input[g], fh = l->from_state[g];
    const ar_factor_t input[AR_DOT_ROWS] = { fx, fx, fx, fx }, state[AR_DOT_ROWS] = { fh, fh, fh, fh };
    int16_t a[AR_DOT_ROWS], b[AR_DOT_ROWS];
    if (l->mac->sum_size == 4) {
        widen(x, n);
        widen(h, n);
    }
    ar_mac_s16.finish(&l->q, x, bias, input, 0, n, a);
    ar_mac_s16.finish(&l->q, h, NULL, state, 0, n, b);
    for (uint32_t i = 0; i < n; i++) {
        int32_t v = 3 * saturate(a[i] + b[i]); // 12 bits behind the point, as the table wants it
        out->s16[i] = g == GATE_CELL ? ar_tanh_s16(v) : ar_logistic_s16(v);
    }
}

static int32_t tanh_of_cell(const lstm_t *l, int32_t c) {
    int32_t s = l->tanh_shift;
    return ar_tanh_s16(s >= 0 ? c * (3 << s) : (c * 3 + (1 << (-s - 1))) >> -s);
}

static void update_int(const lstm_t *l, const gate_t *gates, uint32_t n, void *cell, void *out) {
    for (uint32_t i = 0; i < n; i++) {
        int16_t *c = (int16_t *)cell + i;
        int32_t kept = saturate(ar_requantize(gates[GATE_FORGET].s16[i] * *c, l->remember));
        int32_t added = saturate(ar_requantize(gates[GATE_INPUT].s16[i] * gates[GATE_CELL].s16[i], l->add));
        int32_t v = saturate(kept + added);
        *c = (int16_t)(l->clip_f32 > 0 ? ar_clamp(v, -l->clip, l->clip) : v);
        int32_t product = tanh_of_cell(l, *c) * gates[GATE_OUTPUT].s16[i];
        int32_t y = ar_requantize_clamp(product, l->show, l->out_zero, l->out_low, l->out_high);
        if (l->mac->size == 1) {
            ((int8_t *)out)[i] = (int8_t)y;
        } else {
            ((int16_t *)out)[i] = (int16_t)y;
        }
    }
}

// ---- running -------------------------------------------------------------------------------------------------------

static void gate(const lstm_t *l, const ar_rec_t *rec, unsigned g, uint32_t u, uint32_t n, const void *x, const void *h, gate_t *out) {
    const ar_mac_t *mac = l->mac;
    const uint8_t *from_input = ar_in(rec, FROM_INPUT + g), *from_state = ar_in(rec, FROM_STATE + g);
    ar_sums_t a, b;
    memset(&a, 0, AR_DOT_ROWS * sizeof(int64_t));
    memset(&b, 0, AR_DOT_ROWS * sizeof(int64_t));
    mac->dot(&a, n, x, l->in_offset, from_input + u * l->n_in * mac->weight_size, l->n_in, l->n_in);
    mac->dot(&b, n, h, l->state_offset, from_state + u * l->units * mac->weight_size, l->units, l->units);
    l->finish(l, g, (const uint8_t *)ar_in(rec, BIASES + g) + u * l->bias_size, &a, &b, n, out);
}

static void step(const lstm_t *l, const ar_rec_t *rec, uint32_t batch, const void *x, uint8_t *out) {
    uint8_t *h = (uint8_t *)ar_in(rec, STATE) + batch * l->units * l->mac->size;
    uint8_t *cell = (uint8_t *)ar_in(rec, CELL) + batch * l->units * l->cell_size;
    for (uint32_t u = 0, n; u < l->units; u += n) {
        gate_t gates[GATES];
        n = l->units - u < AR_DOT_ROWS ? l->units - u : AR_DOT_ROWS;
        for (unsigned g = 0; g < GATES; g++) {
            gate(l, rec, g, u, n, x, h, &gates[g]);
        }
        l->update(l, gates, n, cell + u * l->cell_size, out + u * l->mac->size);
    }
    memcpy(h, out, l->units * l->mac->size);
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const lstm_t *l = ar_params(rec);
    for (uint32_t b = 0; b < l->batches; b++) {
        for (uint32_t t = 0; t < l->steps; t++) {
            uint32_t at = (l->time_major ? t * l->batches + b : b * l->steps + t) * l->mac->size;
            step(l, rec, b, (const uint8_t *)ar_in(rec, INPUT) + at * l->n_in, (uint8_t *)ar_out(rec, 0) + at * l->units);
        }
    }
    return AR_OK;
}

// ---- preparing -----------------------------------------------------------------------------------------------------

static bool any(const ar_prep_t *p, unsigned first, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        if (ar_has_input(p, first + i)) {
            return true;
        }
    }
    return false;
}

// The variants that tflite-micro does not have either.
static ar_status_t variant(ar_prep_t *p) {
    const char *what = any(p, PEEPHOLES, 3) ? "peepholes"
        : any(p, PROJECTION, 2) ? "projection"
        : any(p, NORMS, 4) ? "layer normalization"
        : !ar_has_input(p, FROM_INPUT + GATE_INPUT) ? "coupled input and forget gates"
        : ar_option_bool(p, LSTM_DIAGONAL, false) ? "diagonal recurrent weights"
        : ar_option_byte(p, LSTM_ACTIVATION, ACTIVATION_NONE) != ACTIVATION_TANH ? "an activation other than tanh" : NULL;
    return what ? ar_unsupported(p, "%s%S", what) : AR_OK;
}

static ar_status_t sizes(ar_prep_t *p, lstm_t *l, const ar_tensor_t *in, const ar_tensor_t *out) {
    l->time_major = ar_option_bool(p, LSTM_TIME_MAJOR, false);
    if (in->rank != 3 || out->rank != 3 || in->dim[0] != out->dim[0] || in->dim[1] != out->dim[1] || in->dim[2] < 1 || out->dim[2] < 1) {
        return ar_refuse(p, "%I%A%O%M[batch, time, ..] alike, with at least one number each");
    }
    l->batches = (uint32_t)in->dim[l->time_major];
    l->steps = (uint32_t)in->dim[!l->time_major];
    l->n_in = (uint32_t)in->dim[2];
    l->units = (uint32_t)out->dim[2];
    return AR_OK;
}

static ar_status_t given(ar_prep_t *p, unsigned i, ar_tensor_t *t) {
    ar_status_t status = ar_need_input(p, i);
    if (status == AR_OK) {
        ar_get_input(p, i, t);
    }
    return status;
}

// Weights of [units, columns], all of one type, quantized as a whole around 0.
static ar_status_t weights(ar_prep_t *p, const lstm_t *l, unsigned i, uint32_t columns, ar_tensor_t *t) {
    ar_status_t status = given(p, i, t);
    if (status != AR_OK) {
        return status;
    }
    if (t->type != (l->mac == &ar_mac_f32 ? AR_FLOAT32 : AR_INT8)) {
        return ar_unsupported(p, "%I %u: %W of %t are not supported", i, t->type);
    }
    if (t->rank != 2 || (uint32_t)t->dim[0] != l->units || (uint32_t)t->dim[1] != columns) {
        return ar_refuse(p, "%I %u: %W%M[%u, %u]", i, (unsigned)l->units, (unsigned)columns);
    }
    if (t->type == AR_INT8 && (!ar_is_quantized(t) || t->zero_point != 0)) {
        return ar_refuse(p, "%I %u: %W need %Z%Aa %P of 0", i);
    }
    return AR_OK;
}

static ar_status_t bias(ar_prep_t *p, const lstm_t *l, unsigned i) {
    ar_tensor_t t;
    ar_status_t status = given(p, i, &t);
    if (status != AR_OK) {
        return status;
    }
    unsigned type = l->mac == &ar_mac_f32 ? AR_FLOAT32 : l->mac == &ar_mac_s8 ? AR_INT32 : AR_INT64;
    if (t.type != type || t.count != l->units) {
        return ar_refuse(p, "%I %u: %Tbias%M%u of %t", i, (unsigned)l->units, type);
    }
    return AR_OK;
}

static ar_status_t gates(ar_prep_t *p, lstm_t *l, const ar_tensor_t *in, const ar_tensor_t *state) {
    for (unsigned g = 0; g < GATES; g++) {
        ar_tensor_t a, b;
        ar_status_t status = weights(p, l, FROM_INPUT + g, l->n_in, &a);
        status = status == AR_OK ? weights(p, l, FROM_STATE + g, l->units, &b) : status;
        status = status == AR_OK ? bias(p, l, BIASES + g) : status;
        if (status != AR_OK) {
            return status;
        }
        if (l->mac != &ar_mac_f32) {
            l->from_input[g] = ar_factor(in->scale, a.scale, 1.0f / 4096);
            l->from_state[g] = ar_factor(state->scale, b.scale, 1.0f / 4096);
        }
    }
    return AR_OK;
}

// A state that is a variable, of that type, as many numbers as there are units in all batches.
static ar_status_t state(ar_prep_t *p, const lstm_t *l, unsigned i, unsigned type, ar_tensor_t *t) {
    ar_status_t status = given(p, i, t);
    if (status != AR_OK) {
        return status;
    }
    if (!t->is_variable || t->data || t->type != type || t->count / l->units != l->batches || t->count % l->units != 0) {
        return ar_refuse(p, "%I %u: %Tstate%Ma variable of [%u, %u] %t", i, (unsigned)l->batches, (unsigned)l->units,
            type);
    }
    return AR_OK;
}

// log2(scale), an integer but for a thousandth (CheckedLog2); 99 where it is none.
static int32_t power_of_two(float scale) {
    int exponent;
    float fraction = frexpf(scale, &exponent);
    return fraction < 0.50034663f ? exponent - 1 : fraction > 0.99930709f ? exponent : 99;
}

static ar_status_t quantize(ar_prep_t *p, lstm_t *l, const ar_tensor_t *in, const ar_tensor_t *h, const ar_tensor_t *cell,
    const ar_tensor_t *out) {
    if (!ar_is_quantized(in) || !ar_is_quantized(h) || !ar_is_quantized(cell) || !ar_is_quantized(out)) {
        return ar_not_quantized(p, "input, states and output need");
    }
    bool wide = in->type == AR_INT16;
    if (cell->zero_point != 0 || (wide && (in->zero_point != 0 || h->zero_point != 0))) {
        return ar_zero_points_wanted(p);
    }
    if (out->scale < h->scale || out->scale > h->scale || out->zero_point != h->zero_point) {
        return ar_refuse(p, "%O%Ahidden state%Mquantized alike");
    }
    int32_t power = power_of_two(cell->scale);
    if (power < -26 || power > 2) {
        return ar_refuse(p, "%Tcell state's scale%Ma power of two, 2^-26 to 4");
    }
    l->tanh_shift = (int8_t)(power + 12);
    float clip = l->clip_f32 / cell->scale;
    l->clip = (int16_t)(clip < 32767.0f ? clip : 32767.0f);
    l->in_offset = (int16_t)-in->zero_point;
    l->state_offset = (int16_t)-h->zero_point;
    l->out_zero = (int16_t)h->zero_point;
    l->out_low = wide ? -32768 : -128;
    l->out_high = wide ? 32767 : 127;
    l->q.low_s16 = -32768;
    l->q.high_s16 = 32767;
    l->q.wide = wide;
    l->remember = ar_factor(1.0f / 32768, cell->scale, cell->scale);
    l->add = ar_factor(1.0f / 32768, 1.0f / 32768, cell->scale);
    l->show = ar_factor(1.0f / 32768, 1.0f / 32768, h->scale);
    return AR_OK;
}

static ar_status_t types(ar_prep_t *p, lstm_t *l, const ar_tensor_t *in, const ar_tensor_t *out) {
    if (out->type != in->type || (in->type != AR_FLOAT32 && in->type != AR_INT8 && in->type != AR_INT16)) {
        return ar_bad_types(p);
    }
    bool real = in->type == AR_FLOAT32;
    l->mac = real ? &ar_mac_f32 : in->type == AR_INT8 ? &ar_mac_s8 : &ar_mac_s16;
    l->bias_size = in->type == AR_INT16 ? 8 : 4;
    l->cell_size = real ? 4 : 2;
    l->finish = real ? finish_f32 : finish_int;
    l->update = real ? update_f32 : update_int;
    l->clip_f32 = ar_option_float(p, LSTM_CELL_CLIP, 0);
    return l->clip_f32 >= 0 ? AR_OK : ar_refuse(p, "%Tcell's clip%M0 or more");
}

ar_status_t ar_prepare_unidirectional_sequence_lstm(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_tensor_t h, cell;
    ar_status_t status = variant(p);
    if (status != AR_OK) {
        return status;
    }
    lstm_t *l = ar_record(p, eval, sizeof(*l));
    if (!l) {
        return AR_NO_MEMORY;
    }
    status = types(p, l, in, out);
    status = status == AR_OK ? sizes(p, l, in, out) : status;
    status = status == AR_OK ? state(p, l, STATE, in->type, &h) : status;
    status = status == AR_OK ? state(p, l, CELL, in->type == AR_FLOAT32 ? AR_FLOAT32 : AR_INT16, &cell) : status;
    status = status == AR_OK ? gates(p, l, in, &h) : status;
    return status == AR_OK && in->type != AR_FLOAT32 ? quantize(p, l, in, &h, &cell, out) : status;
}
