// What two elements are to one another: EQUAL and its like, LOGICAL_AND, LOGICAL_OR, MAXIMUM, MINIMUM.
//
// A relation is a number from 0 to 3; an operator is the set of relations for which it holds, as a mask of four bits.

#include <string.h>

#include "kernels/requantize.h"
#include "ops/binary.h"
#include "ops/number.h"

enum { LESS_BIT = 1, EQUAL_BIT = 2, GREATER_BIT = 4, UNORDERED_BIT = 8 };

struct _compare_t;
typedef unsigned (*relation_t)(const struct _compare_t *c, const void *a, const void *b);

typedef struct _compare_t {
    relation_t relation;
    int32_t zero[2];
    ar_factor_t factor[2];
    uint8_t mask;
    uint8_t size;
    uint8_t type;
} compare_t;

static unsigned relation_f32(const compare_t *c, const void *a, const void *b) {
    (void)c;
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? 0 : x == y ? 1 : x > y ? 2 : 3;
}

static unsigned relation_int(const compare_t *c, const void *a, const void *b) {
    int32_t x = ar_load_int(a, 0, c->type), y = ar_load_int(b, 0, c->type);
    return x < y ? 0 : x == y ? 1 : 2;
}

static unsigned relation_s64(const compare_t *c, const void *a, const void *b) {
    (void)c;
    int64_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? 0 : x == y ? 1 : 2;
}

// Eight bits to spare, then each by its own scale (tensorflow/lite/kernels/internal/reference/comparisons.h).
#define SPARE_BITS (8)

static int32_t real(const compare_t *c, unsigned i, const void *x) {
    return ar_requantize((ar_load_int(x, 0, c->type) - c->zero[i]) * (1 << SPARE_BITS), c->factor[i]);
}

static unsigned relation_quantized(const compare_t *c, const void *a, const void *b) {
    int32_t x = real(c, 0, a), y = real(c, 1, b);
    return x < y ? 0 : x == y ? 1 : 2;
}

// Not an order: how many of the two are true.
static unsigned relation_logical(const compare_t *c, const void *a, const void *b) {
    (void)c;
    return (*(const uint8_t *)a ? 1u : 0u) + (*(const uint8_t *)b ? 1u : 0u);
}

static const char *run_compare(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    const compare_t *c = params;
    const uint8_t *x = a, *y = b;
    uint8_t *to = out;
    for (uint32_t i = 0; i < run->n; i++, x += run->stride[0] * c->size, y += run->stride[1] * c->size) {
        *to++ = c->mask >> c->relation(c, x, y) & 1;
    }
    return NULL;
}

static const char *run_select(const void *params, const void *a, const void *b, void *out, const ar_dim_t *run) {
    const compare_t *c = params;
    const uint8_t *x = a, *y = b;
    uint8_t *to = out;
    for (uint32_t i = 0; i < run->n; i++, x += run->stride[0] * c->size, y += run->stride[1] * c->size) {
        memcpy(to, c->mask >> c->relation(c, x, y) & 1 ? x : y, c->size);
        to += c->size;
    }
    return NULL;
}

// Factors above 1 leave no room for the spare bits; only their ratio counts.
static void scale(const ar_prep_t *p, const ar_tensor_t *b, compare_t *c) {
    c->zero[0] = p->in.zero_point;
    c->zero[1] = b->zero_point;
    c->factor[0] = ar_factor(p->in.scale, 1.0f, 1.0f);
    c->factor[1] = ar_factor(b->scale, 1.0f, 1.0f);
    int32_t excess = c->factor[0].shift > c->factor[1].shift ? c->factor[0].shift : c->factor[1].shift;
    for (unsigned i = 0; i < 2 && excess > 0; i++) {
        c->factor[i].shift -= excess;
        if (c->factor[i].shift < -31) {
            c->factor[i] = (ar_factor_t) { 0, 0 };
        }
    }
}

static relation_t relation_of(unsigned type) {
    switch (type) {
        case AR_FLOAT32:
            return relation_f32;
        case AR_INT64:
            return relation_s64;
        case AR_INT8:
        case AR_UINT8:
        case AR_INT16:
        case AR_INT32:
        case AR_BOOL:
            return relation_int;
        default:
            return NULL;
    }
}

static ar_status_t compare(ar_prep_t *p, uint8_t mask) {
    ar_tensor_t b;
    ar_status_t status = ar_binary_open(p, &b);
    if (status != AR_OK) {
        return status;
    }
    compare_t c = { .relation = relation_of(p->in.type), .mask = mask, .size = (uint8_t)ar_type_size(p->in.type), .type = p->in.type };
    if (!c.relation || p->out.type != AR_BOOL) {
        return ar_unsupported(p, "%t to %t%S", p->in.type, p->out.type);
    }
    if (c.relation == relation_int && p->in.type != AR_INT32 && (p->in.n_scales || b.n_scales)) {
        if (!ar_is_quantized(&p->in) || !ar_is_quantized(&b)) {
            return ar_refuse(p, "both %Is need %Z%Aa %P in range, or none");
        }
        scale(p, &b, &c);
        c.relation = relation_quantized;
    }
    return ar_binary_record(p, &b, run_compare, &c, sizeof(c));
}

static ar_status_t logical(ar_prep_t *p, uint8_t mask) {
    ar_tensor_t b;
    ar_status_t status = ar_binary_open(p, &b);
    if (status != AR_OK) {
        return status;
    }
    compare_t c = { .relation = relation_logical, .mask = mask, .size = 1 };
    if (p->in.type != AR_BOOL || p->out.type != AR_BOOL) {
        return ar_bad_type(p, p->in.type != AR_BOOL ? p->in.type : p->out.type);
    }
    return ar_binary_record(p, &b, run_compare, &c, sizeof(c));
}

// The first where the relation is in the mask, else the second. Quantized numbers as they stand: the converter gives
// all three tensors one scale.
static ar_status_t extremum(ar_prep_t *p, uint8_t mask) {
    ar_tensor_t b;
    ar_status_t status = ar_binary_open(p, &b);
    if (status != AR_OK) {
        return status;
    }
    compare_t c = { .relation = relation_of(p->in.type), .mask = mask, .size = (uint8_t)ar_type_size(p->in.type), .type = p->in.type };
    if (!c.relation || p->in.type == AR_BOOL || p->out.type != p->in.type) {
        return ar_unsupported(p, "%t to %t%S", p->in.type, p->out.type);
    }
    return ar_binary_record(p, &b, run_select, &c, sizeof(c));
}

ar_status_t ar_prepare_equal(ar_prep_t *p) {
    return compare(p, EQUAL_BIT);
}

ar_status_t ar_prepare_not_equal(ar_prep_t *p) {
    return compare(p, LESS_BIT | GREATER_BIT | UNORDERED_BIT);
}

ar_status_t ar_prepare_less(ar_prep_t *p) {
    return compare(p, LESS_BIT);
}

ar_status_t ar_prepare_less_equal(ar_prep_t *p) {
    return compare(p, LESS_BIT | EQUAL_BIT);
}

ar_status_t ar_prepare_greater(ar_prep_t *p) {
    return compare(p, GREATER_BIT);
}

ar_status_t ar_prepare_greater_equal(ar_prep_t *p) {
    return compare(p, GREATER_BIT | EQUAL_BIT);
}

ar_status_t ar_prepare_logical_and(ar_prep_t *p) {
    return logical(p, 1 << 2);
}

ar_status_t ar_prepare_logical_or(ar_prep_t *p) {
    return logical(p, 1 << 1 | 1 << 2);
}

ar_status_t ar_prepare_maximum(ar_prep_t *p) {
    return extremum(p, GREATER_BIT);
}

ar_status_t ar_prepare_minimum(ar_prep_t *p) {
    return extremum(p, LESS_BIT);
}
