// A reader of FlatBuffers that trusts nothing: every access is checked against the bytes at hand.
//
// The format (flatbuffers.dev, "Internals"): a table starts with the signed distance back to its vtable, an array
// of uint16: bytes of the vtable, bytes of the table, then for each field id its offset in the table, 0 where the
// field is absent. Vectors, strings and sub-tables are reached by an unsigned offset from where that offset is
// stored; a vector starts with its length.

#ifndef ARENITE_ENGINE_FLATBUFFER_H
#define ARENITE_ENGINE_FLATBUFFER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data;
    uint32_t size;
} fb_file_t;

typedef struct {
    const fb_file_t *file;
    uint32_t pos;               // of the table in the file
    uint32_t vtable;
    uint16_t vtable_size;
    uint16_t size;
} fb_table_t;

typedef struct {
    uint32_t pos;               // of the first element; 0: the vector is absent
    uint32_t length;
} fb_vector_t;

// Open the table that starts at pos. False: it does not lie inside the file.
bool fb_table(const fb_file_t *f, uint32_t pos, fb_table_t *t);

// Where a scalar field of size bytes lies, NULL where it is absent.
const uint8_t *fb_field(const fb_table_t *t, unsigned id, uint32_t size);

int32_t fb_int(const fb_table_t *t, unsigned id, int32_t otherwise);
uint8_t fb_byte(const fb_table_t *t, unsigned id, uint8_t otherwise);

// The vector in a field, with elements of size bytes. An absent one is empty; false: it runs past the file.
bool fb_vector(const fb_table_t *t, unsigned id, uint32_t size, fb_vector_t *v);

// The table in a field. An absent one has pos 0; false: it runs past the file.
bool fb_subtable(const fb_table_t *t, unsigned id, fb_table_t *sub);

// Element i of a vector of tables. False: i is out of range or the table runs past the file.
bool fb_table_at(const fb_file_t *f, const fb_vector_t *v, uint32_t i, fb_table_t *t);

#endif // ARENITE_ENGINE_FLATBUFFER_H
