// libFuzzer's mutator for .tflite files: it knows where the fields of a model lie and what one may say, so that most of
// what it makes gets past the reader and as far as the operators. One time in four libFuzzer changes any bytes it likes.
//
// A list of fields is made by walking the file; a kind is drawn, then a field of that kind, then a value. The tables are
// followed with the engine's own reader, and what does not lie inside the file is left out of the list.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/graph.h"
#include "ops/op.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

typedef enum {
    DIM, TYPE, BUFFER, SCALE, ZERO_POINT, AXIS, FLAG, INDEX, OPCODE, OPTION_BYTE, OPTION_INT, CUSTOM_BYTE, LENGTH, WORD,
    SLOT, KINDS
} kind_t;

typedef struct {
    uint32_t at;
    uint8_t kind;
} field_t;

#define MOST_FIELDS (4096)

typedef struct {
    fb_file_t file;
    uint8_t *data;
    uint32_t random;
    uint32_t n;
    uint32_t count[KINDS];
    field_t fields[MOST_FIELDS];
} walk_t;

static uint32_t draw(walk_t *w, uint32_t below) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 17;
    w->random ^= w->random << 5;
    return below ? w->random % below : 0;
}

static void put32(uint8_t *to, uint32_t v) {
    memcpy(to, &v, sizeof(v));
}

static uint32_t get32(const uint8_t *from) {
    uint32_t v;
    memcpy(&v, from, sizeof(v));
    return v;
}

// ---- where things lie ------------------------------------------------------------------------------------------------

static void add(walk_t *w, kind_t kind, uint32_t at) {
    if (w->n < MOST_FIELDS && at + 8 <= w->file.size) {
        w->fields[w->n++] = (field_t) { at, (uint8_t)kind };
        w->count[kind]++;
    }
}

static void add_field(walk_t *w, const fb_table_t *t, kind_t kind, unsigned id, uint32_t size) {
    const uint8_t *p = fb_field(t, id, size);
    if (p) {
        add(w, kind, (uint32_t)(p - w->file.data));
    }
}

static void add_slots(walk_t *w, const fb_table_t *t) {
    for (uint32_t at = 4; at + 2 <= t->vtable_size; at += 2) {
        add(w, SLOT, t->vtable + at);
    }
}

// The elements of a vector, and its length.
static bool add_vector(walk_t *w, const fb_table_t *t, kind_t kind, unsigned id, uint32_t size, fb_vector_t *v) {
    if (!fb_vector(t, id, size, v) || v->pos == 0) {
        return false;
    }
    add(w, LENGTH, v->pos - 4);
    uint32_t step = 1 + v->length / 64; // of large constants only some
    for (uint32_t i = 0; kind != KINDS && i < v->length; i += step) {
        add(w, kind, v->pos + i * size);
    }
    return true;
}

static void walk_tensor(walk_t *w, const fb_table_t *t) {
    fb_vector_t v;
    fb_table_t q;
    add_slots(w, t);
    add_vector(w, t, DIM, TENSOR_SHAPE, 4, &v);
    add_field(w, t, TYPE, TENSOR_TYPE, 1);
    add_field(w, t, BUFFER, TENSOR_BUFFER, 4);
    add_field(w, t, FLAG, TENSOR_IS_VARIABLE, 1);
    if (fb_subtable(t, TENSOR_QUANTIZATION, &q) && q.pos) {
        add_slots(w, &q);
        add_vector(w, &q, SCALE, QUANTIZATION_SCALE, 4, &v);
        add_vector(w, &q, ZERO_POINT, QUANTIZATION_ZERO_POINT, 8, &v);
        add_field(w, &q, AXIS, QUANTIZATION_QUANTIZED_DIMENSION, 4);
    }
}

static void walk_options(walk_t *w, const fb_table_t *options) {
    add_slots(w, options);
    for (unsigned id = 0; 4 + 2 * id + 2 <= options->vtable_size; id++) {
        add_field(w, options, OPTION_BYTE, id, 1);
        add_field(w, options, OPTION_INT, id, 4);
    }
}

static void walk_operator(walk_t *w, const fb_table_t *t) {
    fb_vector_t v;
    fb_table_t options;
    add_slots(w, t);
    add_field(w, t, OPCODE, OPERATOR_OPCODE_INDEX, 4);
    add_vector(w, t, INDEX, OPERATOR_INPUTS, 4, &v);
    add_vector(w, t, INDEX, OPERATOR_OUTPUTS, 4, &v);
    add_field(w, t, OPTION_BYTE, OPERATOR_BUILTIN_OPTIONS_TYPE, 1);
    add_vector(w, t, CUSTOM_BYTE, OPERATOR_CUSTOM_OPTIONS, 1, &v);
    if (fb_subtable(t, OPERATOR_BUILTIN_OPTIONS, &options) && options.pos) {
        walk_options(w, &options);
    }
}

typedef void (*walk_one_t)(walk_t *w, const fb_table_t *t);

static void walk_tables(walk_t *w, const fb_table_t *owner, unsigned id, walk_one_t one) {
    fb_vector_t v;
    fb_table_t t;
    if (!add_vector(w, owner, KINDS, id, 4, &v)) {
        return;
    }
    for (uint32_t i = 0; i < v.length && i < 256; i++) {
        if (fb_table_at(&w->file, &v, i, &t)) {
            one(w, &t);
        }
    }
}

static void walk_buffer(walk_t *w, const fb_table_t *t) {
    fb_vector_t v;
    if (fb_vector(t, BUFFER_DATA, 1, &v) && v.pos) {
        add(w, LENGTH, v.pos - 4);
        uint32_t step = 4 * (1 + v.length / 256);
        for (uint32_t i = 0; i < v.length; i += step) {
            add(w, WORD, v.pos + i);
        }
    }
}

static void walk_code(walk_t *w, const fb_table_t *t) {
    add_slots(w, t);
    add_field(w, t, OPTION_BYTE, OPERATOR_CODE_DEPRECATED_BUILTIN_CODE, 1);
    add_field(w, t, OPTION_INT, OPERATOR_CODE_BUILTIN_CODE, 4);
}

static void walk_subgraph(walk_t *w, const fb_table_t *t) {
    fb_vector_t v;
    walk_tables(w, t, SUBGRAPH_TENSORS, walk_tensor);
    walk_tables(w, t, SUBGRAPH_OPERATORS, walk_operator);
    add_vector(w, t, INDEX, SUBGRAPH_INPUTS, 4, &v);
    add_vector(w, t, INDEX, SUBGRAPH_OUTPUTS, 4, &v);
}

static void walk_model(walk_t *w) {
    fb_table_t model;
    if (w->file.size < 8 || !fb_table(&w->file, get32(w->data), &model)) {
        return;
    }
    walk_tables(w, &model, MODEL_OPERATOR_CODES, walk_code);
    walk_tables(w, &model, MODEL_SUBGRAPHS, walk_subgraph);
    walk_tables(w, &model, MODEL_BUFFERS, walk_buffer);
}

// ---- what they may say -----------------------------------------------------------------------------------------------

static uint32_t draw_int(walk_t *w, uint32_t was) {
    static const uint32_t edges[] = {
        0, 1, 2, 3, 4, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x3fffffff, 0x40000000, 0x7ffffffe,
        0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
    };
    switch (draw(w, 4)) {
        case 0:
            return was + 1;
        case 1:
            return was - 1;
        case 2:
            return draw(w, 6);
        default:
            return edges[draw(w, sizeof(edges) / sizeof(edges[0]))];
    }
}

static uint32_t draw_float(walk_t *w, uint32_t was) {
    static const uint32_t edges[] = {
        0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x007fffff, 0x00800000, 0x7f7fffff,
        0x4f000000, 0x5f000000, 0x3f000000, 0x3b800000, 0x33800000,
    };
    return draw(w, 3) ? edges[draw(w, sizeof(edges) / sizeof(edges[0]))] : was + (draw(w, 33) << 23) - (16u << 23);
}

// A value from another field of the same kind, now and then: two shapes that agree, an index that exists.
static const field_t *another(walk_t *w, kind_t kind) {
    uint32_t at = draw(w, w->count[kind]);
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->fields[i].kind == kind && at-- == 0) {
            return &w->fields[i];
        }
    }
    return NULL;
}

static uint32_t draw_value(walk_t *w, kind_t kind, uint32_t was) {
    switch (kind) {
        case DIM:
            return draw(w, 3) ? draw(w, 9) : draw_int(w, was);
        case INDEX:
            return draw(w, 4) ? draw(w, w->count[TYPE] + 1) - draw(w, 2) : draw_int(w, was);
        case SCALE:
            return draw_float(w, was);
        case WORD:
            return draw(w, 3) == 0 ? draw_float(w, was) : draw_int(w, was);
        case OPTION_INT:
            return draw(w, 5) == 0 ? draw_float(w, was) : draw_int(w, was);
        default:
            return draw_int(w, was);
    }
}

static bool is_byte(kind_t kind) {
    return kind == TYPE || kind == FLAG || kind == OPTION_BYTE || kind == CUSTOM_BYTE;
}

static void change(walk_t *w) {
    kind_t kind = (kind_t)draw(w, KINDS);
    const field_t *field = another(w, kind), *from = another(w, kind);
    if (!field || !from) {
        return;
    }
    uint8_t *to = w->data + field->at;
    uint32_t value = draw(w, 4) == 0 ? get32(w->data + from->at) : draw_value(w, kind, get32(to));
    if (kind == TYPE) {
        *to = (uint8_t)draw(w, 18);
    } else if (is_byte(kind)) {
        *to = (uint8_t)(draw(w, 3) ? value : draw(w, 256));
    } else if (kind == SLOT) {
        uint16_t offset = (uint16_t)(draw(w, 2) ? 0 : value);
        memcpy(to, &offset, sizeof(offset));
    } else {
        put32(to, value);
        if (kind == ZERO_POINT) {
            put32(to + 4, (int32_t)value < 0 ? 0xffffffff : 0);
        }
    }
}

// Let a constant be as long as its shape says, where the file is: otherwise a changed shape is refused at once.
static void fit_constants(walk_t *w, const ar_graph_t *g) {
    ar_error_t err;
    for (uint32_t i = 0; i < g->tensors.length && i < 256; i++) {
        fb_table_t tensor, buffer;
        fb_vector_t data;
        ar_tensor_t t = { 0 };
        bool read = ar_graph_tensor(g, i, &t, &err) == AR_OK;
        if (read || !fb_table_at(&g->file, &g->tensors, i, &tensor)
            || !fb_table_at(&g->file, &g->buffers, (uint32_t)fb_int(&tensor, TENSOR_BUFFER, 0), &buffer)
            || !fb_vector(&buffer, BUFFER_DATA, 1, &data) || data.pos == 0) {
            continue;
        }
        if (t.bytes <= g->file.size - data.pos) {
            put32(w->data + data.pos - 4, t.bytes);
        }
    }
}

// Another of the operators compiled in, with the options that lie there read as its own.
static void change_operator(walk_t *w, const ar_graph_t *g) {
    const ar_op_t *op = &ar_ops[draw(w, ar_n_ops)];
    fb_table_t node, code;
    if (!fb_table_at(&g->file, &g->operators, draw(w, g->operators.length), &node)
        || !fb_table_at(&g->file, &g->operator_codes, (uint32_t)fb_int(&node, OPERATOR_OPCODE_INDEX, 0), &code)) {
        return;
    }
    const uint8_t *old = fb_field(&code, OPERATOR_CODE_DEPRECATED_BUILTIN_CODE, 1);
    const uint8_t *new = fb_field(&code, OPERATOR_CODE_BUILTIN_CODE, 4);
    const uint8_t *options = fb_field(&node, OPERATOR_BUILTIN_OPTIONS_TYPE, 1);
    if (old) {
        w->data[old - g->file.data] = op->code < 127 ? op->code : 127;
    }
    if (new) {
        put32(w->data + (new - g->file.data), op->code);
    }
    if (options) {
        w->data[options - g->file.data] = op->options;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    static walk_t walk; // too large for a stack
    walk_t *w = &walk;
    memset(w, 0, offsetof(walk_t, fields));
    w->random = seed | 1;
    draw(w, 1);
    if (size < 16 || draw(w, 4) == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    ar_graph_t g;
    ar_error_t err;
    w->data = data;
    w->file = (fb_file_t) { data, (uint32_t)size };
    walk_model(w);
    bool open = ar_graph_open(&g, data, size, 0, &err) == AR_OK;
    if (open && draw(w, 8) == 0) {
        change_operator(w, &g);
    }
    for (uint32_t changes = 1 + draw(w, 4); changes; changes--) {
        change(w);
    }
    if (ar_graph_open(&g, data, size, 0, &err) == AR_OK && draw(w, 4)) {
        fit_constants(w, &g);
    }
    return size;
}
