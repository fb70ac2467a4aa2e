// Arenite: TensorFlow Lite models in a static arena.
//
// The interface of the engine, for the MicroPython binding, the host library and the tests. A model is loaded
// once into an arena, which checks everything that the file says, and then run any number of times. The engine
// allocates nothing, keeps no globals, and calls nothing but memcpy and friends and libm's float functions.

#ifndef ARENITE_ENGINE_ARENITE_H
#define ARENITE_ENGINE_ARENITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The planner gives each tensor an offset that is a multiple of this; the arena itself may start anywhere.
#define AR_ALIGN (16)

static inline uint32_t ar_aligned(uint32_t bytes) {
    return (bytes + AR_ALIGN - 1) & ~(uint32_t)(AR_ALIGN - 1);
}

// TensorFlow Lite's own kernels go up to 8 dimensions (RuntimeShape, reference kernels).
#define AR_MAX_RANK (8)

typedef enum {
    AR_OK,
    AR_VALUE,       // the model is damaged or contradicts itself
    AR_UNSUPPORTED, // the model is sound, but needs what is not compiled in
    AR_NO_MEMORY,   // the arena is too small
    AR_STOPPED,     // the hook asked to stop
    AR_WAITING,     // more rows of input are to be fed; inside the engine: an operator waits for more, and the rest is not run
} ar_status_t;

typedef struct {
    ar_status_t status;
    char text[116];
} ar_error_t;

// Tensor types, as in the schema (TensorType).
typedef enum {
    AR_FLOAT32 = 0,
    AR_FLOAT16 = 1,
    AR_INT32 = 2,
    AR_UINT8 = 3,
    AR_INT64 = 4,
    AR_STRING = 5,
    AR_BOOL = 6,
    AR_INT16 = 7,
    AR_COMPLEX64 = 8,
    AR_INT8 = 9,
    AR_FLOAT64 = 10,
    AR_COMPLEX128 = 11,
    AR_UINT64 = 12,
    AR_RESOURCE = 13,
    AR_VARIANT = 14,
    AR_UINT32 = 15,
    AR_UINT16 = 16,
    AR_INT4 = 17,
} ar_type_t;

// What a model file says of one tensor. It is read from the file when asked for, not kept.
typedef struct {
    uint16_t index;
    uint8_t type;
    uint8_t rank;
    int32_t dim[AR_MAX_RANK];
    uint32_t count;             // elements
    uint32_t bytes;
    const uint8_t *data;        // constant: where it lies in the model; NULL: an activation
    const char *name;           // not terminated
    uint32_t name_len;
    const uint8_t *scales;      // n_scales floats, not aligned: ar_scale() reads them
    const uint8_t *zero_points; // n_scales int64, not aligned, or NULL
    uint32_t n_scales;          // 0: not quantized; 1: per tensor; more: per channel
    int32_t quantized_dim;
    float scale;                // the first, 0 where not quantized
    int32_t zero_point;         // the first
    bool is_variable;
} ar_tensor_t;

struct _ar_rec_t;

// A subgraph of a loaded model. The first is what invoke runs; the others are called by its operators (IF, WHILE,
// CALL_ONCE).
typedef struct {
    struct _ar_rec_t *records;  // one an operator, in the order of execution
    void **io;                  // data of the inputs, then of the outputs
    uint16_t n_ops;
    uint16_t n_inputs;
    uint16_t n_outputs;
    uint16_t first_life;        // while loading: the planner's index of its first tensor
    uint8_t state;              // while loading: not yet, now, done
    uint8_t ran;                // by CALL_ONCE; no bool, as a script may write anything there
} ar_subgraph_t;

// A loaded model. The caller keeps this, the file's bytes and the arena in place for as long as it is used.
typedef struct _ar_model_t {
    const uint8_t *data;
    uint32_t size;
    uint8_t *arena;             // aligned start
    uint32_t arena_used;        // all of what follows, and the padding that aligns it
    uint32_t own;               // of these, from the start: records, and what lasts from one invoke to the next
    uint32_t activations;       // of these, bytes of other tensors and scratch
    ar_subgraph_t main;
    ar_subgraph_t *others;      // subgraphs 1 and up
    uint16_t n_subgraphs;
    bool has_state;             // something lasts from one invoke to the next
    bool waits;                 // the run has begun, and goes on with the next rows that are fed
    struct _ar_rec_t *feed;     // of a model that is fed by rows: what takes them; else NULL
    struct _ar_feed_t *fed;     // while it runs
    const struct _ar_planner_t *by_rows; // how records are planned and run by rows; NULL: none could
} ar_model_t;

// Called after each operator of the model, and where operators run in turns, a row at a time, after each row; after one in a subgraph that it calls, with AR_INSIDE. False stops the run,
// which then returns AR_STOPPED.
typedef bool (*ar_hook_t)(void *context, unsigned op);

#define AR_INSIDE (0xffffffffu)

// How many graphs a file has, 0 where it is no model. Calls from one to another take stack.
unsigned ar_subgraphs(const void *data, size_t size);

// Bytes of memory that ar_measure needs for a while.
ar_status_t ar_work_size(const void *data, size_t size, size_t *bytes, ar_error_t *err);

// Bytes of arena.
typedef struct {
    uint32_t arena;             // all that a model needs
    uint32_t own;               // of these, what no other model may use: records, and what lasts from one invoke to the next
    uint32_t activations;       // of these, what models may share that do not run at once
    uint32_t shared;            // what there must be beside its own: activations, or before them, while it is loaded, more
} ar_needs_t;

// Check a model and say exactly how many bytes of arena it needs. Work must be aligned as malloc aligns.
// Stream: it will be fed by rows.
ar_status_t ar_measure(const void *data, size_t size, bool stream, void *work, size_t work_size, ar_needs_t *needs, ar_error_t *err);

// Check a model, prepare its operators and plan the arena.
// AR_NO_MEMORY: ask ar_measure how much it wants.
ar_status_t ar_load(ar_model_t *m, const void *data, size_t size, bool stream, void *arena, size_t arena_size, ar_error_t *err);

// Memory of several models: a part of it is one model's own; the activations of all lie at the end of the rest, one model's over
// another's. The own part lies below the rest, or begins where that begins.
typedef struct {
    void *own;
    size_t own_size;
    void *shared;
    size_t shared_size;
    uint32_t taken;             // the most bytes of activations that the others have
} ar_shared_t;

// Load a model beside others, over whose tensors it writes. It takes as many bytes of activations as the others have, if that
// helps, and more only where it needs them.
ar_status_t ar_load_shared(ar_model_t *m, const void *data, size_t size, bool stream, const ar_shared_t *space, ar_error_t *err);

// Run the model on what its input tensors hold. Inputs may be overwritten by what is computed from them.
ar_status_t ar_invoke(ar_model_t *m, ar_hook_t hook, void *context, ar_error_t *err);

// The next rows of the input of a model that was loaded to stream: `take` writes one to where it belongs.
typedef struct _ar_feed_t {
    void (*take)(struct _ar_feed_t *feed, void *row, uint32_t bytes);
    uint32_t rows;              // not taken so far
} ar_feed_t;

// How many rows the run still wants, and how many bytes each has.
uint32_t ar_feed_wants(const ar_model_t *m, uint32_t *bytes);

// Run with so many rows more, no more than it wants. AR_WAITING: for more; AR_OK: the outputs are there, and the next row is the
// first of another run; else, or where the hook does not return, the run is dropped.
ar_status_t ar_feed(ar_model_t *m, ar_feed_t *feed, ar_hook_t hook, void *context, ar_error_t *err);

// What a loaded model keeps in the arena and never changes holds addresses. Right after loading: how many bytes these are,
// from main.io on; later: a sum over them, by which a caller sees whether somebody has written there.
uint32_t ar_kept(const ar_model_t *m);
uint32_t ar_mark(const ar_model_t *m, uint32_t kept);

// Variable tensors back to their initial values, and no rows fed.
void ar_reset(ar_model_t *m);

// Describe input or output i, or any tensor by its index; ar_*_data is where it lies.
bool ar_input(const ar_model_t *m, unsigned i, ar_tensor_t *t);
bool ar_output(const ar_model_t *m, unsigned i, ar_tensor_t *t);
bool ar_tensor(const ar_model_t *m, uint32_t index, ar_tensor_t *t);

static inline void *ar_input_data(const ar_model_t *m, unsigned i) {
    return m->main.io[i];
}

static inline void *ar_output_data(const ar_model_t *m, unsigned i) {
    return m->main.io[m->main.n_inputs + i];
}

// Scale and zero point of channel i (0 for tensors quantized as a whole).
float ar_scale(const ar_tensor_t *t, uint32_t i);
int32_t ar_zero_point(const ar_tensor_t *t, uint32_t i);

// Operator k of the model: its name ("CONV_2D"), how many outputs it has, and these, for as long as they are
// intact: until the next operator has run. NULL data where the operator leaves the tensor out, or where it never lies in the
// arena as a whole. Done: in a hook, whether the operator has made all its rows.
const char *ar_op_name(const ar_model_t *m, unsigned k);
unsigned ar_op_n_outputs(const ar_model_t *m, unsigned k);
bool ar_op_done(const ar_model_t *m, unsigned k);
bool ar_op_output(const ar_model_t *m, unsigned k, unsigned i, ar_tensor_t *t, void **data);

// Of an operator that makes one row at a time: the rows of its output, how many of them the arena holds, the last that was made;
// row y lies in place y % held from what is returned on. NULL: it makes all of them at once.
typedef struct {
    uint32_t h;
    uint32_t held;
    uint32_t last;
} ar_op_rows_t;

const void *ar_op_rows(const ar_model_t *m, unsigned k, ar_op_rows_t *rows);

// Operators compiled in: the name of the i-th, NULL after the last.
const char *ar_op_compiled(unsigned i);

// Bytes of one element and a name ("int8"); 0 and "?" for types that Arenite does not keep.
unsigned ar_type_size(unsigned type);
const char *ar_type_name(unsigned type);

#endif // ARENITE_ENGINE_ARENITE_H
