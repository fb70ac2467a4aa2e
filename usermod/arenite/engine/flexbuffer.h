// A reader of FlexBuffers that trusts nothing, for the options of custom operators: numbers of one map, by their keys.
//
// The format (flatbuffers.dev, "FlexBuffers"): values, and behind them their parents; the last byte is the width of the
// root, the byte before it its type, and before that lies the root itself. Widths are 1, 2, 4 or 8 bytes, a type is the
// kind times 4 and the logarithm of a width. What is not a plain number is reached by a distance back from where that
// is stored. A map is a vector of values, behind which lie their types, one byte each; before it lie, each as wide as
// a value, the distance back to the vector of keys, the width of a key's distance, and the count.

#ifndef ARENITE_ENGINE_FLEXBUFFER_H
#define ARENITE_ENGINE_FLEXBUFFER_H

#include "engine/flatbuffer.h"

// A number: an integer or a float.
typedef struct {
    bool is_float;
    int64_t integer;
    double real;
} fx_number_t;

// The number of a key. False: there is none, or the bytes contradict themselves.
bool fx_find(const fb_file_t *f, const char *key, fx_number_t *number);

#endif // ARENITE_ENGINE_FLEXBUFFER_H
