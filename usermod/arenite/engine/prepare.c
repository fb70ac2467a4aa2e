// What prepare functions call: inputs, outputs and options of the operator at hand, and its record.

#include "engine/bytes.h"
#include "engine/error.h"
#include "engine/flexbuffer.h"
#include "engine/loader.h"
#include "ops/rows.h"

static ar_status_t refuse(ar_prep_t *p, ar_status_t status, const char *format, va_list args) {
    // "op 7 CUMSUM: " and then the text.
    ar_error_t prefix;
    ar_fail(&prefix, status, "op %u %s: ", (unsigned)p->index, p->name);
    return ar_vfail(p->err, status, prefix.text, format, args);
}

ar_status_t ar_refuse(ar_prep_t *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    refuse(p, AR_VALUE, format, args);
    va_end(args);
    return AR_VALUE;
}

ar_status_t ar_unsupported(ar_prep_t *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    refuse(p, AR_UNSUPPORTED, format, args);
    va_end(args);
    return AR_UNSUPPORTED;
}

ar_status_t ar_bad_type(ar_prep_t *p, unsigned type) {
    return ar_unsupported(p, "%s is not supported", ar_type_name(type));
}

ar_status_t ar_expect_io(ar_prep_t *p, unsigned min_in, unsigned max_in, unsigned n_out) {
    if (p->n_in < min_in || p->n_in > max_in) {
        return ar_refuse(p, "takes %u to %u inputs, the model gives %u", min_in, max_in, (unsigned)p->n_in);
    }
    if (p->n_out != n_out) {
        return ar_refuse(p, "has %u outputs, the model takes %u", n_out, (unsigned)p->n_out);
    }
    for (unsigned i = 0; i < min_in; i++) {
        if (!ar_has_input(p, i)) {
            return ar_refuse(p, "input %u is missing", i);
        }
    }
    return AR_OK;
}

static int32_t tensor_index(const ar_prep_t *p, uint32_t vector, unsigned i) {
    return ar_i32(p->loader->g.file.data + vector + 4 * i);
}

bool ar_has_input(const ar_prep_t *p, unsigned i) {
    return i < p->n_in && tensor_index(p, p->inputs, i) >= 0;
}

void ar_get_input(const ar_prep_t *p, unsigned i, ar_tensor_t *t) {
    // The loader has read every tensor once: it cannot fail.
    ar_graph_tensor(&p->loader->g, (uint32_t)tensor_index(p, p->inputs, i), t, p->err);
}

void ar_get_output(const ar_prep_t *p, unsigned i, ar_tensor_t *t) {
    ar_graph_tensor(&p->loader->g, (uint32_t)tensor_index(p, p->outputs, i), t, p->err);
}

static const uint8_t *option(const ar_prep_t *p, unsigned field, uint32_t size) {
    fb_table_t t;
    const fb_file_t *f = &p->loader->g.file;
    return p->options && fb_table(f, p->options, &t) ? fb_field(f, &t, field, size) : NULL;
}

int32_t ar_option_int(const ar_prep_t *p, unsigned field, int32_t otherwise) {
    const uint8_t *at = option(p, field, 4);
    return at ? ar_i32(at) : otherwise;
}

int8_t ar_option_byte(const ar_prep_t *p, unsigned field, int8_t otherwise) {
    const uint8_t *at = option(p, field, 1);
    return at ? (int8_t)*at : otherwise;
}

bool ar_option_bool(const ar_prep_t *p, unsigned field, bool otherwise) {
    return ar_option_byte(p, field, otherwise) != 0;
}

float ar_option_float(const ar_prep_t *p, unsigned field, float otherwise) {
    const uint8_t *at = option(p, field, 4);
    return at ? ar_f32(at) : otherwise;
}

uint32_t ar_option_ints(const ar_prep_t *p, unsigned field, const uint8_t **start) {
    fb_table_t t;
    fb_vector_t v;
    const fb_file_t *f = &p->loader->g.file;
    *start = NULL;
    if (!p->options || !fb_table(f, p->options, &t) || !fb_vector(f, &t, field, 4, &v) || !v.length) {
        return 0;
    }
    *start = f->data + v.pos;
    return v.length;
}

static bool custom(const ar_prep_t *p, const char *key, fx_number_t *number) {
    const fb_file_t *f = &p->loader->g.file;
    // The length lies before the bytes.
    return p->custom != 0 && fx_find(&(fb_file_t) { f->data + p->custom, ar_u32(f->data + p->custom - 4) }, key, number);
}

// What int32 does not hold becomes its nearest, as flexbuffers' AsInt32 does for what C cannot cast.
int32_t ar_custom_int(const ar_prep_t *p, const char *key, int32_t otherwise) {
    fx_number_t v;
    if (!custom(p, key, &v)) {
        return otherwise;
    }
    if (v.is_float) {
        return v.real >= 2147483647.0 ? INT32_MAX : v.real > -2147483648.0 ? (int32_t)v.real : INT32_MIN;
    }
    return v.integer > INT32_MAX ? INT32_MAX : v.integer < INT32_MIN ? INT32_MIN : (int32_t)v.integer;
}

float ar_custom_float(const ar_prep_t *p, const char *key, float otherwise) {
    fx_number_t v;
    if (!custom(p, key, &v)) {
        return otherwise;
    }
    if (!v.is_float) {
        return (float)v.integer;
    }
    // A double that float does not hold must not be cast.
    return v.real > 3.4028234e38 ? 3.4028235e38f : v.real < -3.4028234e38 ? -3.4028235e38f : (float)v.real;
}

void *ar_record(ar_prep_t *p, ar_eval_t eval, size_t bytes) {
    size_t pointers = (size_t)p->n_in + p->n_out + 1;
    size_t whole = sizeof(ar_rec_t) + pointers * sizeof(void *) + bytes;
    whole = (whole + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
    ar_rec_t *rec = ar_loader_take(p->loader, whole);
    if (!rec) {
        return NULL;
    }
    rec->eval = eval;
    rec->size = (uint16_t)whole;
    rec->n_in = p->n_in;
    rec->n_out = p->n_out;
    p->rec = rec;
    return ar_params(rec);
}

void *ar_record_wrap(ar_prep_t *p, ar_eval_t eval, size_t bytes) {
    ar_rec_t *rec = p->rec;
    uint8_t *params = ar_params(rec);
    bytes = (bytes + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
    if (!ar_loader_extend(p->loader, (uint8_t *)rec + rec->size, bytes)) {
        return NULL;
    }
    memmove(params + bytes, params, (size_t)((uint8_t *)rec + rec->size - params));
    memset(params, 0, bytes);
    rec->eval = eval;
    rec->size = (uint16_t)(rec->size + bytes);
    return params;
}

bool ar_rows_gather(const ar_prep_t *p, ar_rows_t *r) {
    ar_tensor_t in;
    ar_get_input(p, 0, &in);
    if (in.rank != 4 || in.dim[0] != 1 || in.dim[1] < 2 || in.dim[1] > 0x7fff || in.count == 0) {
        return false;
    }
    r->in_h = r->out_h = (uint16_t)in.dim[1];
    r->window = r->stride = 1;
    r->before = 0;
    r->gathers = true;
    return true;
}

void ar_by_rows(ar_prep_t *p, unsigned inputs, uint32_t batches) {
    ar_rows_t *r = ar_rows(p->rec);
    r->held[0] = r->held[1] = r->in_h;
    r->inputs = (uint8_t)inputs;
    r->out_held = r->out_h;
    p->row_inputs = batches == 1 && p->loader->g.n_subgraphs == 1 ? (uint8_t)inputs : 0;
}

void ar_scratch(ar_prep_t *p, uint32_t bytes) {
    p->scratch = bytes;
}

void ar_scratch_between(ar_prep_t *p, uint32_t least, uint32_t most) {
    p->scratch = least > AR_ALIGN ? least : AR_ALIGN;
    p->scratch_most = most;
}

void ar_state(ar_prep_t *p, uint32_t bytes) {
    p->scratch = bytes;
    p->scratch_lasts = true;
}

ar_status_t ar_run_fail(const ar_run_t *run, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ar_vfail(run->err, AR_VALUE, "", format, args);
    va_end(args);
    return AR_VALUE;
}

bool ar_alias(ar_prep_t *p, unsigned i) {
    ar_loader_t *l = p->loader;
    uint32_t in = (uint32_t)tensor_index(p, p->inputs, i);
    uint32_t out = (uint32_t)tensor_index(p, p->outputs, 0);
    ar_life_t *source = ar_loader_life(l, in);
    ar_life_t *target = ar_loader_life(l, out);
    ar_tensor_t t, to;
    ar_graph_tensor(&l->g, in, &t, p->err);
    ar_graph_tensor(&l->g, out, &to, p->err);
    if (source->first == AR_LIFE_CONSTANT || t.is_variable || to.is_variable || source->bytes != target->bytes) {
        return false;
    }
    target->first = AR_LIFE_ALIAS;
    target->offset = l->sub->first_life + in;
    return true;
}

void ar_overwrites(ar_prep_t *p, unsigned inputs) {
    ar_loader_t *l = p->loader;
    ar_life_t *target = ar_loader_life(l, (uint32_t)tensor_index(p, p->outputs, 0));
    for (unsigned i = inputs; i-- > 0 && target->first == l->time;) {
        uint32_t in = (uint32_t)tensor_index(p, p->inputs, i);
        if (ar_loader_life(l, in)->bytes == target->bytes) {
            ar_plan_offer(target, l->sub->first_life + in);
        }
    }
}

bool ar_same_shape(const ar_tensor_t *a, const ar_tensor_t *b) {
    if (a->rank != b->rank) {
        return false;
    }
    for (unsigned i = 0; i < a->rank; i++) {
        if (a->dim[i] != b->dim[i]) {
            return false;
        }
    }
    return true;
}

bool ar_is_quantized(const ar_tensor_t *t) {
    static const int32_t low[] = { [AR_INT8] = -128, [AR_INT16] = -32768 };
    static const int32_t high[] = { [AR_INT8] = 127, [AR_INT16] = 32767, [AR_UINT8] = 255 };
    bool known = t->type == AR_INT8 || t->type == AR_INT16 || t->type == AR_UINT8;
    // Normal numbers only: anything smaller is a damaged file, and the factor of two of them would be no number.
    bool normal = t->scale >= 1.17549435e-38f && t->scale <= 3.4028235e38f;
    return known && t->n_scales == 1 && normal
           && t->zero_point >= (t->type == AR_UINT8 ? 0 : low[t->type]) && t->zero_point <= high[t->type];
}
