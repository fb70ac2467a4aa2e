// The Python objects of the arenite module. Only the files of this folder include MicroPython's headers.

#ifndef ARENITE_BINDING_BINDING_H
#define ARENITE_BINDING_BINDING_H

#include "py/obj.h"
#include "py/runtime.h"

#include "engine/arenite.h"

#if !MICROPY_PY_BUILTINS_FLOAT
#error arenite needs MICROPY_FLOAT_IMPL
#endif

// Bytes of stack that loading or running a model of one graph takes at most on any core, and what calls of subgraphs add:
// the tests hold them against the compiler's own figures. A board's configuration says how much stack there is below
// MicroPython's limit.
#define ARENITE_STACK (2432)
#define ARENITE_STACK_CALLS (1152)
#ifndef ARENITE_STACK_BELOW_LIMIT
#define ARENITE_STACK_BELOW_LIMIT (MICROPY_STACK_CHECK_MARGIN)
#endif

// A model file in memory. Either owner is the object that it belongs to, asked again before each use whether the
// bytes are still where they were (a bytearray moves when it grows), or block is a copy in the heap.
typedef struct {
    mp_obj_t owner;
    uint8_t *block;
    const uint8_t *data;
    size_t size;
} arenite_source_t;

// Memory for several models that do not run at once: see arena.c. The static arena begins a new age with each reset; what a model
// of an earlier age held is not its own any more.
typedef struct {
    mp_obj_base_t base;
    uint8_t *memory;
    size_t size;
    uintptr_t first;            // of the models with a part
    uintptr_t holder;           // the model whose activations are there
    uint32_t age;
    bool running;               // one of the models
} arenite_arena_obj_t;

typedef struct {
    mp_obj_base_t base;
    ar_model_t model;
    arenite_source_t source;
    mp_obj_t path;              // None where the source is a buffer
    mp_obj_t arena_owner;       // an Arena, the caller's buffer, or None for a block of our own
    uint8_t *arena;
    size_t arena_size;
    uintptr_t next_part;        // in an Arena: the model behind this one
    uint32_t arena_kept;        // of the caller's buffer: bytes that must stay as they are
    uint32_t arena_mark;        // of an Arena: its age; of the caller's buffer: what the engine left in it
    mp_obj_t inputs;            // tuples, made once so that invoke allocates nothing
    mp_obj_t outputs;
    uint32_t load_ticks;
    uint32_t invoke_ticks;
    bool running;
    bool open;
    bool stream;                // its input is fed by rows
    bool guarded;               // source or arena may move, or be written over, while a callback runs
} arenite_model_obj_t;

// Type and size are kept, since a model in a bytearray may be written to, and memory is not measured by what it says
// then.
typedef struct {
    mp_obj_base_t base;
    arenite_model_obj_t *model;
    void *data;                 // NULL: an input that is fed by rows, which is nowhere
    uint32_t bytes;
    uint16_t index;             // of the tensor in the model
    uint8_t type;
    bool is_input;
} arenite_tensor_obj_t;

extern const mp_obj_type_t arenite_model_type;
extern const mp_obj_type_t arenite_tensor_type;
extern const mp_obj_type_t arenite_arena_type;

// source.c
void arenite_source_open(mp_obj_t from, arenite_source_t *source);
void arenite_source_close(arenite_source_t *source);
bool arenite_buffer_is_at(mp_obj_t owner, const void *data, size_t size);

// arena.c
ar_status_t arenite_arena_load(arenite_arena_obj_t *arena, arenite_model_obj_t *model, ar_error_t *err);
MP_NORETURN void arenite_arena_refuse(const arenite_arena_obj_t *arena, const ar_needs_t *needs);
void arenite_arena_check_idle(const arenite_arena_obj_t *arena);
void arenite_arena_hold(arenite_model_obj_t *model);
bool arenite_arena_is_held(const arenite_model_obj_t *model);
void arenite_arena_give(arenite_model_obj_t *model);
void arenite_arena_forget_static(void);

// model.c
void arenite_measure(const arenite_source_t *source, bool stream, ar_needs_t *needs);
void arenite_model_check(arenite_model_obj_t *model);   // RuntimeError where it is closed or its memory has moved
void arenite_model_check_idle(arenite_model_obj_t *model);  // the same, and where it runs, or another that has its memory
void arenite_model_hold(arenite_model_obj_t *model);    // what lies in an Arena is this model's from now on
void arenite_model_check_holds(arenite_model_obj_t *model); // RuntimeError where it is another's

// tensor.c
mp_obj_t arenite_tensor_new(arenite_model_obj_t *model, const ar_tensor_t *t, void *data, bool is_input);
mp_obj_t arenite_tensor_name(const ar_tensor_t *t, size_t longest);
void arenite_tensor_describe(const arenite_tensor_obj_t *tensor, ar_tensor_t *t);
void arenite_tensor_describe_data(const arenite_tensor_obj_t *tensor, ar_tensor_t *t); // where what it holds is asked for
char arenite_typecode(unsigned type);

// convert.c
float arenite_sample(char typecode, const void *data, size_t i);    // as a float
bool arenite_typecode_known(char typecode);
uint32_t arenite_channel(const ar_tensor_t *t, size_t i);    // of element i, which may have a scale of its own
void arenite_store(const ar_tensor_t *t, void *data, size_t i, float real);
void arenite_fill(arenite_tensor_obj_t *tensor, unsigned number, mp_obj_t from);
void arenite_set(arenite_tensor_obj_t *tensor, mp_obj_t from, float scale, float offset);

// The next rows of an input that is fed, in a buffer: what the engine takes them from.
typedef struct {
    ar_feed_t feed;
    ar_tensor_t t;
    mp_obj_t from;
    mp_buffer_info_t buf;
    size_t at;                  // of the buffer, taken so far; and of a row: bytes where raw, else samples
    uint32_t row;
    float scale, offset;
    bool raw;                   // as they stand
} arenite_rows_t;

// ValueError: no whole rows, or more than are left; TypeError: not of its type. Nothing is taken before. All: of the whole input.
void arenite_rows_open(arenite_rows_t *rows, arenite_model_obj_t *model, bool all, size_t n_args, const mp_obj_t *args, mp_map_t *kw);

// What Tensor.set and Model.feed are given: a buffer, a scale and an offset; false: without a scale.
bool arenite_parse_samples(size_t n_args, const mp_obj_t *args, mp_map_t *kw, mp_obj_t *from, float *scale, float *offset);

// errors.c
void arenite_check_stack(unsigned n_subgraphs);  // RuntimeError where too little is left
MP_NORETURN void arenite_raise(const ar_error_t *err);
MP_NORETURN void arenite_raise_changed(void);
MP_NORETURN void arenite_raise_arena(size_t needed, size_t has);

#endif // ARENITE_BINDING_BINDING_H
