// A reader of FlexBuffers that trusts nothing, for the options of custom operators: numbers of one map, by their keys.
//
// The format (flatbuffers.dev, "FlexBuffers"): values, and behind them their parents; the last byte is the width of the
// root, the byte before it its type, and before that lies the root itself. Widths are 1, 2, 4 or 8 bytes, a type is the
// kind times 4 and the logarithm of a width. What is not a plain number is reached by a distance back from where that
// is stored. A map is a vector of values, behind which lie their types, one byte each; before it lie, each as wide as
// a value, the distance back to the vector of keys, the width of a key's distance, and the count.

#include <string.h>

#include "engine/bytes.h"
#include "ops/op.h"

enum {
    FX_INT = 1, FX_UINT = 2, FX_FLOAT = 3, FX_INDIRECT_INT = 6, FX_INDIRECT_UINT = 7, FX_INDIRECT_FLOAT = 8, FX_MAP = 9,
    FX_BOOL = 26,
};

// A number: an integer or a float.
typedef struct {
    bool is_float;
    int64_t integer;
    double real;
} number_t;

typedef struct {
    uint32_t values;            // positions
    uint32_t keys;
    uint32_t types;
    uint32_t n;
    uint32_t width;             // of a value
    uint32_t key_width;
} map_t;

static bool inside(const fb_file_t *f, uint32_t pos, uint32_t bytes) {
    return pos <= f->size && bytes <= f->size - pos;
}

static bool is_width(uint32_t width) {
    return width == 1 || width == 2 || width == 4 || width == 8;
}

// Little-endian, of a width that is checked to lie inside.
static uint64_t unsigned_at(const fb_file_t *f, uint32_t pos, uint32_t width) {
    uint64_t v = 0;
    memcpy(&v, f->data + pos, width);
    return v;
}

static int64_t signed_at(const fb_file_t *f, uint32_t pos, uint32_t width) {
    unsigned above = 64 - 8 * width;
    return (int64_t)(unsigned_at(f, pos, width) << above) >> above;
}

// Follow the distance that is stored at pos.
static bool follow(const fb_file_t *f, uint32_t pos, uint32_t width, uint32_t *to) {
    if (!inside(f, pos, width)) {
        return false;
    }
    uint64_t back = unsigned_at(f, pos, width);
    *to = pos - (uint32_t)back;
    return back <= pos;
}

static bool open_map(const fb_file_t *f, map_t *m) {
    if (f->size < 3) {
        return false;
    }
    uint32_t root_width = f->data[f->size - 1], type = f->data[f->size - 2];
    m->width = 1u << (type & 3);
    if (type >> 2 != FX_MAP || !is_width(root_width) || f->size < 2 + root_width
        || !follow(f, f->size - 2 - root_width, root_width, &m->values) || m->values < 3 * m->width
        || !follow(f, m->values - 3 * m->width, m->width, &m->keys)) {
        return false;
    }
    uint64_t key_width = unsigned_at(f, m->values - 2 * m->width, m->width);
    uint64_t n = unsigned_at(f, m->values - m->width, m->width);
    m->key_width = (uint32_t)key_width;
    m->n = (uint32_t)n;
    m->types = m->values + m->n * m->width;
    // At most 2^16 keys: then nothing overflows.
    return key_width <= 8 && is_width(m->key_width) && n <= 0xffff && inside(f, m->values, m->n * (m->width + 1))
           && inside(f, m->keys, m->n * m->key_width);
}

static bool is_key(const fb_file_t *f, const map_t *m, uint32_t i, const char *key) {
    uint32_t pos, size = (uint32_t)strlen(key) + 1;
    return follow(f, m->keys + i * m->key_width, m->key_width, &pos) && inside(f, pos, size)
           && memcmp(f->data + pos, key, size) == 0;
}

static bool read_float(const fb_file_t *f, uint32_t pos, uint32_t width, number_t *number) {
    number->is_float = true;
    if (width == 8) {
        memcpy(&number->real, f->data + pos, 8);
    } else if (width == 4) {
        number->real = (double)ar_f32(f->data + pos);
    }
    return width >= 4;
}

// The number of a key. False: there is none, or the bytes contradict themselves.
static bool find(const fb_file_t *f, const char *key, number_t *number) {
    map_t m;
    uint32_t i = 0;
    if (!open_map(f, &m)) {
        return false;
    }
    while (i < m.n && !is_key(f, &m, i, key)) {
        i++;
    }
    if (i == m.n) {
        return false;
    }
    uint32_t type = f->data[m.types + i], kind = type >> 2, pos = m.values + i * m.width, width = m.width;
    if (kind >= FX_INDIRECT_INT && kind <= FX_INDIRECT_FLOAT) {
        width = 1u << (type & 3);
        if (!follow(f, pos, m.width, &pos) || !inside(f, pos, width)) {
            return false;
        }
        kind -= FX_INDIRECT_INT - FX_INT;
    }
    number->is_float = false;
    if (kind == FX_FLOAT) {
        return read_float(f, pos, width, number);
    }
    number->integer = kind == FX_INT ? signed_at(f, pos, width) : (int64_t)unsigned_at(f, pos, width);
    return kind == FX_INT || kind == FX_UINT || kind == FX_BOOL;
}

// ---- the options of a custom operator ------------------------------------------------------------------------------

// What int32 does not hold becomes its nearest, as flexbuffers' AsInt32 does for what C cannot cast.
int32_t ar_custom_int(const ar_prep_t *p, const char *key, int32_t otherwise) {
    number_t v;
    if (!find(&p->custom, key, &v)) {
        return otherwise;
    }
    if (v.is_float) {
        return v.real >= 2147483647.0 ? INT32_MAX : v.real > -2147483648.0 ? (int32_t)v.real : INT32_MIN;
    }
    return v.integer > INT32_MAX ? INT32_MAX : v.integer < INT32_MIN ? INT32_MIN : (int32_t)v.integer;
}

float ar_custom_float(const ar_prep_t *p, const char *key, float otherwise) {
    number_t v;
    if (!find(&p->custom, key, &v)) {
        return otherwise;
    }
    if (!v.is_float) {
        return (float)v.integer;
    }
    // A double that float does not hold must not be cast.
    return v.real > 3.4028234e38 ? 3.4028235e38f : v.real < -3.4028234e38 ? -3.4028235e38f : (float)v.real;
}
