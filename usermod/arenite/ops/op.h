// What an operator is to the engine: a prepare function that checks everything and fills a record, and an eval
// function that works from the record alone. Prepare runs at load and may refuse; eval runs at each invoke and
// finds nothing left to check, save indices that come from data.

#ifndef ARENITE_OPS_OP_H
#define ARENITE_OPS_OP_H

#include <string.h>

#include "engine/arenite.h"
#include "engine/flatbuffer.h"
#include "engine/schema.h"
#include "kernels/has.h"

struct _ar_rec_t;

// Which output rows to compute. Operators that are not spatial take the whole tensor and ignore it.
typedef struct {
    uint32_t y0;
    uint32_t y1;                // AR_ALL_ROWS: to the end
    ar_model_t *model;
    ar_hook_t hook;             // may be NULL
    void *context;
    ar_error_t *err;
} ar_run_t;

#define AR_ALL_ROWS (0x7fffffff)

// As y0: what the operator keeps from one invoke to the next is to be put back to the start, and nothing else.
#define AR_RESET (0xffffffff)

typedef ar_status_t (*ar_eval_t)(const ar_run_t *run, const struct _ar_rec_t *rec);

// A record: the inputs' data, the outputs', the scratch block if there is one, then the operator's own scalars.
// An input left out (tensor -1) is NULL. Records lie one behind another in the arena.
typedef struct _ar_rec_t {
    ar_eval_t eval;
    uint16_t size;              // bytes from this record to the next, and flags
    uint8_t n_in;
    uint8_t n_out;
    void *t[];
} ar_rec_t;

// Flags in a record's size: its scalars begin with ar_rows_t (ops/rows.h); its eval is called with AR_RESET.
#define AR_BY_ROWS (AR_HAS_ROWS ? 1u : 0u)
#define AR_KEEPS (2u)

static inline uint32_t ar_record_bytes(const ar_rec_t *rec) {
    return rec->size & ~(AR_BY_ROWS | AR_KEEPS);
}

static inline ar_rec_t *ar_next_record(const ar_rec_t *rec) {
    return (ar_rec_t *)((uint8_t *)(uintptr_t)rec + ar_record_bytes(rec));
}

struct _ar_made_t;

// What PAD leaves to the operator behind it: zeros before and after, along the height and the width.
typedef struct {
    uint8_t before[2];
    uint8_t after[2];
} ar_frame_t;

// One operator while it is prepared.
typedef struct _ar_prep_t {
    ar_tensor_t in;             // input 0 and output 0, where it has them
    ar_tensor_t out;
    ar_frame_t frame;           // around input 0, whose height and width are those inside
    ar_rec_t *rec;
    struct _ar_loader_t *loader;
    const struct _ar_op_t *op;
    struct _ar_made_t *made;    // where the subgraphs that it calls are told
    ar_error_t *err;
    uint32_t inputs;            // positions in the model of the two index vectors
    uint32_t outputs;
    uint32_t options;           // position of the options' table; 0: none, all defaults
    fb_file_t custom;           // the custom options' bytes
    uint32_t framed;            // 1 and the index of the life that it takes in place of input 0; 0: it takes that
    uint32_t scratch;           // bytes asked for
    uint32_t scratch_most;      // bytes that would be used, 0: no more than those
    uint16_t index;
    uint8_t n_in;
    uint8_t n_out;
    bool may_wait;              // it may end a run early (AR_WAITING)
    bool scratch_lasts;         // from one invoke to the next
} ar_prep_t;

// An operator in the table of those compiled in.
typedef struct _ar_op_t {
    uint32_t code : 8;          // BuiltinOperator
    uint32_t options : 8;       // BuiltinOptions type that it takes; 0: none
    uint32_t fewest : 4;        // inputs that it must have
    uint32_t most : 8;          // inputs that it may have
    uint32_t outputs : 4;       // as many, or AR_ANY
    ar_status_t (*prepare)(ar_prep_t *p);
} ar_op_t;

#define AR_ANY (15)

// ---- for prepare functions -------------------------------------------------------------------------------

// Count of inputs and outputs in range, else an error that says so. What the table says of them holds already.
ar_status_t ar_expect_io(ar_prep_t *p, unsigned fewest, unsigned most, unsigned outputs);

// Input i must be there.
ar_status_t ar_need_input(ar_prep_t *p, unsigned i);

// Input or output i. The loader has checked index, shape and sizes. An optional input that is left out, or is
// not there at all, gives false from ar_has_input and must not be asked for.
bool ar_has_input(const ar_prep_t *p, unsigned i);
void ar_get_input(const ar_prep_t *p, unsigned i, ar_tensor_t *t);
void ar_get_output(const ar_prep_t *p, unsigned i, ar_tensor_t *t);

// Whether so many bytes behind a constant may be read: they are the model's.
bool ar_read_on(const ar_prep_t *p, const ar_tensor_t *t, uint32_t bytes);

// Whether there are ways for a type; whether a tensor has a type that there are ways for.
static inline bool ar_has_type(unsigned type) {
    return type == AR_FLOAT32 ? AR_HAS_FLOAT32 : type == AR_INT16 ? AR_HAS_INT16 : type == AR_INT4 ? AR_HAS_INT4 : true;
}

static inline bool ar_is(const ar_tensor_t *t, unsigned type) {
    return ar_has_type(type) && t->type == type;
}

// A field of the operator's options, by the schema's field id.
int32_t ar_option_int(const ar_prep_t *p, unsigned field, int32_t otherwise);
int8_t ar_option_byte(const ar_prep_t *p, unsigned field, int8_t otherwise);
bool ar_option_bool(const ar_prep_t *p, unsigned field, bool otherwise);
float ar_option_float(const ar_prep_t *p, unsigned field, float otherwise);
// A vector of int32 in the options: its length, and where it starts (read it with ar_i32), or 0 and NULL.
uint32_t ar_option_ints(const ar_prep_t *p, unsigned field, const uint8_t **start);

// A number in the custom options, a FlexBuffer with a map: by its key.
int32_t ar_custom_int(const ar_prep_t *p, const char *key, int32_t otherwise);
float ar_custom_float(const ar_prep_t *p, const char *key, float otherwise);

// The record: sets eval, makes room for the scalars and returns them zeroed; NULL where the arena is too
// small (then return AR_NO_MEMORY). Call it once, after ar_scratch.
void *ar_record(ar_prep_t *p, ar_eval_t eval, size_t bytes);

// The same, the scalars being a copy of these.
ar_status_t ar_keep(ar_prep_t *p, ar_eval_t eval, const void *scalars, size_t bytes);

// Make room for more scalars before those of the record, and set another eval; NULL where the arena is too small.
void *ar_record_wrap(ar_prep_t *p, ar_eval_t eval, size_t bytes);

// Ask for memory that eval may use while it runs: rec->t[n_in + n_out].
void ar_scratch(ar_prep_t *p, uint32_t bytes);

// The same, where more of it makes the operator quicker: it gets what the arena has free while it runs, at most `most`. How
// many blocks of AR_ALIGN bytes they are is told in the first of the record's scalars, a uint16_t.
void ar_scratch_between(ar_prep_t *p, uint32_t least, uint32_t most);

// Ask for memory that lasts from one invoke to the next, in the place of scratch. It starts as zeros.
void ar_state(ar_prep_t *p, uint32_t bytes);

// Tell, when the record is made, that eval is to be called with AR_RESET to put back what the operator keeps.
void ar_keeps(ar_prep_t *p);

// Call subgraphs: tell the loader which, with what inputs from the operator's input `from` on, and ask for their
// tensors. The subgraph's inputs and outputs are set and read through ar_subgraph_*_data.
ar_status_t ar_calls(ar_prep_t *p, int32_t subgraph, unsigned from);
unsigned ar_subgraph_count(const ar_prep_t *p, int32_t subgraph, bool outputs);
void ar_subgraph_tensor(const ar_prep_t *p, int32_t subgraph, bool output, unsigned i, ar_tensor_t *t);

// Let output 0, a resource, stand for the variable of these names, and say how many bytes the variable of a handle has.
ar_status_t ar_variable(ar_prep_t *p);
ar_status_t ar_variable_bytes(ar_prep_t *p, uint32_t bytes);

// Let the output lie where input i lies (same bytes): RESHAPE and the like. False where it cannot (a constant,
// a variable, an input that is needed later): then eval must copy.
bool ar_alias(ar_prep_t *p, unsigned i);

// Tell that the inputs join to output 0, one behind the other. They may lie there already when eval is called, so that their
// address is that of their place.
void ar_joins(ar_prep_t *p);

// The operator behind this, and what it can be asked for its inputs and options; NULL: it does not take output 0 as the first of two
// inputs or more, or others take that too.
const ar_op_t *ar_behind(const ar_prep_t *p, ar_prep_t *next);

// Let that take input 0, which is neither constant nor a variable, in place of output 0, with a frame around it.
void ar_leave(ar_prep_t *p, ar_frame_t frame);

// Let output 0 lie where one of the first inputs lies that nothing needs later, if it has as many bytes: eval reads each element
// before it writes in its place.
void ar_overwrites(ar_prep_t *p, unsigned inputs);

// Refuse: "op 7 CUMSUM: ..." with what ar_fail formats in the text. They return the status, to be returned.
#define ar_refuse(...) (ar_refuse_so(__VA_ARGS__), (ar_status_t)AR_VALUE)         // not returned: fewer bytes
void ar_refuse_so(ar_prep_t *p, const char *format, ...);
ar_status_t ar_unsupported(ar_prep_t *p, const char *format, ...);   // AR_UNSUPPORTED
ar_status_t ar_bad_type(ar_prep_t *p, unsigned type);                // "int16 is not supported"
ar_status_t ar_bad_types(ar_prep_t *p);                              // "input int16, output int8 is not supported"
// Refuse what this build has left out: "groups of channels is not compiled in: build for this model".
ar_status_t ar_left_out(ar_prep_t *p, const char *what);
ar_status_t ar_types_differ(ar_prep_t *p, unsigned a, unsigned b);   // "types differ: int8, int16"

// Shapes and quantization that many operators ask about.
bool ar_same_shape(const ar_tensor_t *a, const ar_tensor_t *b);
// A number that can be a scale; and the range of an integer type of up to 32 bits, false where it is none.
static inline bool ar_is_normal(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits - 0x00800000 < 0x7f000000; // as integers, for the cores without floats
}
bool ar_type_range(unsigned type, int32_t *low, int32_t *high);
// Both quantized per tensor with a positive finite scale, zero points in the type's range.
bool ar_is_quantized(const ar_tensor_t *t);
// Refuse what is not: "inputs and output need one scale above 0 ..."
ar_status_t ar_not_quantized(ar_prep_t *p, const char *who_needs);
ar_status_t ar_inputs_not_quantized(ar_prep_t *p);
// This input, and output 0.
ar_status_t ar_expect_quantized(ar_prep_t *p, const ar_tensor_t *in);
ar_status_t ar_expect_quantized_input(ar_prep_t *p, unsigned i, const ar_tensor_t *t);
// Output 0 must have this scale, nearly, and zero point.
ar_status_t ar_expect_output(ar_prep_t *p, float scale, int32_t zero);
// Input 0 and output 0 must have the same shape, or as many elements.
ar_status_t ar_expect_shape(ar_prep_t *p);
ar_status_t ar_expect_size(ar_prep_t *p);
// Refuse: the scales of input and output, or these and their zero points; zero points of int16.
ar_status_t ar_too_far_apart(ar_prep_t *p);
ar_status_t ar_quantized_otherwise(ar_prep_t *p);
ar_status_t ar_zero_points_wanted(ar_prep_t *p);

// An eval function that does nothing: the output is empty, or made otherwise.
ar_status_t ar_nothing(const ar_run_t *run, const ar_rec_t *rec);

// ---- for eval functions ----------------------------------------------------------------------------------

static inline void *ar_params(const ar_rec_t *rec) {
    // What lies between the pointers and the end of the record; ar_record says how many pointers there are.
    return (void *)((const uint8_t *)rec + sizeof(ar_rec_t) + (rec->n_in + rec->n_out + 1u) * sizeof(void *));
}

static inline void *ar_in(const ar_rec_t *rec, unsigned i) {
    return rec->t[i];
}

static inline void *ar_out(const ar_rec_t *rec, unsigned i) {
    return rec->t[rec->n_in + i];
}

static inline void *ar_scratch_of(const ar_rec_t *rec) {
    return rec->t[rec->n_in + rec->n_out];
}

// Run a subgraph on what its inputs hold.
ar_status_t ar_run_subgraph(const ar_run_t *run, unsigned subgraph);
uint8_t *ar_subgraph_ran(const ar_run_t *run, unsigned subgraph);
void *ar_subgraph_input_data(const ar_run_t *run, unsigned subgraph, unsigned i);
void *ar_subgraph_output_data(const ar_run_t *run, unsigned subgraph, unsigned i);

// Fail while running: AR_VALUE, with a text, before which the interpreter puts "op 7 GATHER: ".
ar_status_t ar_run_fail(const ar_run_t *run, const char *format, ...);

// ---- the table -------------------------------------------------------------------------------------------

extern const ar_op_t ar_ops[];
extern const unsigned ar_n_ops;

// The name of an operator in the table; the schema's name of a BuiltinOperator, "" where this version has none for it; and
// name n of a list of such, one after another, which ends with an empty one.
const char *ar_op_title(const ar_op_t *op);
const char *ar_builtin_name(int32_t code);
const char *ar_nth_name(const char *names, unsigned n);

#endif // ARENITE_OPS_OP_H
