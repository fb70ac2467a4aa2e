// A reader of FlatBuffers that trusts nothing.

#include "engine/bytes.h"
#include "engine/flatbuffer.h"

static bool inside(const fb_file_t *f, uint32_t pos, uint32_t size) {
    return pos <= f->size && size <= f->size - pos;
}

// Follow the offset stored at pos.
static bool follow(const fb_file_t *f, uint32_t pos, uint32_t *target) {
    if (!inside(f, pos, 4)) {
        return false;
    }
    uint32_t offset = ar_u32(f->data + pos);
    if (offset == 0 || !inside(f, pos, offset)) {
        return false;
    }
    *target = pos + offset;
    return true;
}

bool fb_table(const fb_file_t *f, uint32_t pos, fb_table_t *t) {
    if (!inside(f, pos, 4)) {
        return false;
    }
    // Modulo 2^32 a distance that leads out of the file on either side ends up past its end.
    uint32_t vtable = pos - ar_u32(f->data + pos);
    if (!inside(f, vtable, 4)) {
        return false;
    }
    t->file = f;
    t->pos = pos;
    t->vtable = vtable;
    t->vtable_size = ar_u16(f->data + vtable);
    t->size = ar_u16(f->data + vtable + 2);
    return t->vtable_size >= 4 && inside(f, vtable, t->vtable_size) && t->size >= 4 && inside(f, pos, t->size);
}

const uint8_t *fb_field(const fb_table_t *t, unsigned id, uint32_t size) {
    uint32_t slot = 4 + 2 * id;
    if (t->pos == 0 || slot + 2 > t->vtable_size) {
        return NULL;
    }
    uint32_t offset = ar_u16(t->file->data + t->vtable + slot);
    return offset != 0 && offset + size <= t->size ? t->file->data + t->pos + offset : NULL;
}

int32_t fb_int(const fb_table_t *t, unsigned id, int32_t otherwise) {
    const uint8_t *p = fb_field(t, id, 4);
    return p ? ar_i32(p) : otherwise;
}

uint8_t fb_byte(const fb_table_t *t, unsigned id, uint8_t otherwise) {
    const uint8_t *p = fb_field(t, id, 1);
    return p ? *p : otherwise;
}

bool fb_vector(const fb_table_t *t, unsigned id, uint32_t size, fb_vector_t *v) {
    const uint8_t *p = fb_field(t, id, 4);
    v->pos = 0;
    v->length = 0;
    if (!p) {
        return true;
    }
    uint32_t pos;
    const fb_file_t *f = t->file;
    if (!follow(f, (uint32_t)(p - f->data), &pos) || !inside(f, pos, 4)) {
        return false;
    }
    v->pos = pos + 4;
    v->length = ar_u32(f->data + pos);
    return v->length <= (f->size - v->pos) / size;
}

bool fb_subtable(const fb_table_t *t, unsigned id, fb_table_t *sub) {
    const uint8_t *p = fb_field(t, id, 4);
    uint32_t pos;
    sub->pos = 0;
    return !p || (follow(t->file, (uint32_t)(p - t->file->data), &pos) && fb_table(t->file, pos, sub));
}

bool fb_table_at(const fb_file_t *f, const fb_vector_t *v, uint32_t i, fb_table_t *t) {
    uint32_t pos;
    return i < v->length && follow(f, v->pos + 4 * i, &pos) && fb_table(f, pos, t);
}
