// arenite.Model: a .tflite file, loaded and ready to run.

#include <string.h>

#include "py/mphal.h"
#include "py/objarray.h"
#include "py/objtuple.h"

#include "binding.h"

static MP_NORETURN void raise_state(mp_rom_error_text_t text) {
    mp_raise_msg(&mp_type_RuntimeError, text);
}

static bool has_arena_object(const arenite_model_obj_t *self) {
    return mp_obj_is_type(self->arena_owner, &arenite_arena_type);
}

static bool has_callers_buffer(const arenite_model_obj_t *self) {
    return self->arena_owner != mp_const_none && !has_arena_object(self);
}

static void check_arena(const arenite_model_obj_t *self) {
    if (has_arena_object(self)) {
        const arenite_arena_obj_t *arena = MP_OBJ_TO_PTR(self->arena_owner);
        if (arena->age != self->arena_mark) {
            raise_state(MP_ERROR_TEXT("model: its arena was reset; load it again"));
        }
    } else if (has_callers_buffer(self)) {
        if (!arenite_buffer_is_at(self->arena_owner, self->arena, self->arena_size)) {
            raise_state(MP_ERROR_TEXT("model: its arena has moved or shrunk; load it again"));
        }
        if (ar_mark(&self->model, self->arena_kept) != self->arena_mark) {
            raise_state(MP_ERROR_TEXT("model: its arena was written over; give each model its own, or an Arena"));
        }
    }
}

void arenite_model_check(arenite_model_obj_t *self) {
    if (!self->open) {
        raise_state(MP_ERROR_TEXT("model: used after deinit"));
    }
    if (self->source.owner != MP_OBJ_NULL
        && !arenite_buffer_is_at(self->source.owner, self->source.data, self->source.size)) {
        raise_state(MP_ERROR_TEXT("model: its source has moved or shrunk; load it again"));
    }
    check_arena(self);
}

void arenite_model_check_idle(arenite_model_obj_t *self) {
    arenite_model_check(self);
    if (self->running) {
        raise_state(MP_ERROR_TEXT("model: already running"));
    }
    if (has_arena_object(self)) {
        arenite_arena_check_idle(MP_OBJ_TO_PTR(self->arena_owner));
    }
}

void arenite_model_hold(arenite_model_obj_t *self) {
    if (has_arena_object(self)) {
        arenite_arena_hold(self);
    }
}

void arenite_model_check_holds(arenite_model_obj_t *self) {
    if (has_arena_object(self) && !arenite_arena_is_held(self)) {
        raise_state(MP_ERROR_TEXT("model: another of its arena was used since; read or copy outputs before"));
    }
}

// ---- loading -------------------------------------------------------------------------------------------------------

void arenite_measure(const arenite_source_t *source, bool stream, ar_needs_t *needs) {
    ar_error_t err;
    size_t work_size = 0;
    arenite_check_stack(ar_subgraphs(source->data, source->size));
    if (ar_work_size(source->data, source->size, &work_size, &err) != AR_OK) {
        arenite_raise(&err);
    }
    uint8_t *work = m_new_maybe(uint8_t, work_size);
    if (!work) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("arena: planning needs %u bytes of heap for a moment"),
            (unsigned)work_size);
    }
    ar_status_t status = ar_measure(source->data, source->size, stream, work, work_size, needs, &err);
    m_del(uint8_t, work, work_size);
    if (status != AR_OK) {
        arenite_raise(&err);
    }
}

static void arena_from_heap(arenite_model_obj_t *self, size_t bytes) {
    self->arena_size = bytes;
    self->arena = m_new_maybe(uint8_t, bytes ? bytes : 1);
    if (!self->arena) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("arena: the heap has no block of %u bytes"), (unsigned)bytes);
    }
}

static void find_arena(arenite_model_obj_t *self, mp_obj_t arena) {
    self->arena_owner = mp_const_none;
    if (arena == mp_const_none) {
        ar_needs_t needs;
        arenite_measure(&self->source, self->stream, &needs);
        arena_from_heap(self, needs.arena);
    } else if (mp_obj_is_int(arena)) {
        mp_int_t bytes = mp_obj_get_int(arena);
        if (bytes < 0) {
            mp_raise_ValueError(MP_ERROR_TEXT("arena: size must not be negative"));
        }
        arena_from_heap(self, (size_t)bytes);
    } else if (!mp_obj_is_type(arena, &arenite_arena_type)) { // which finds room itself
        mp_buffer_info_t buf;
        mp_get_buffer_raise(arena, &buf, MP_BUFFER_RW);
        self->arena = buf.buf;
        self->arena_size = buf.len;
        self->arena_owner = arena;
    }
}

// Bytes of the arena behind its first address that may hold a pointer.
static size_t aligned_size(const arenite_model_obj_t *self) {
    size_t skip = -(uintptr_t)self->arena & (sizeof(void *) - 1);
    return self->arena_size > skip ? self->arena_size - skip : 0;
}

static MP_NORETURN void refuse_arena(const arenite_model_obj_t *self, mp_obj_t arena) {
    ar_needs_t needs;
    arenite_measure(&self->source, self->stream, &needs);
    if (mp_obj_is_type(arena, &arenite_arena_type)) {
        arenite_arena_refuse(MP_OBJ_TO_PTR(arena), &needs);
    }
    arenite_raise_arena(needs.arena, aligned_size(self));
}

static void load(arenite_model_obj_t *self, mp_obj_t arena) {
    ar_error_t err;
    arenite_check_stack(ar_subgraphs(self->source.data, self->source.size));
    uint32_t start = (uint32_t)mp_hal_ticks_cpu();
    ar_status_t status;
    if (mp_obj_is_type(arena, &arenite_arena_type)) {
        status = arenite_arena_load(MP_OBJ_TO_PTR(arena), self, &err);
    } else {
        status = ar_load(&self->model, self->source.data, self->source.size, self->stream, self->arena, self->arena_size, &err);
    }
    self->load_ticks = (uint32_t)mp_hal_ticks_cpu() - start;
    if (status == AR_NO_MEMORY) {
        refuse_arena(self, arena);
    }
    if (status != AR_OK) {
        arenite_raise(&err);
    }
}

static mp_obj_t make_tensors(arenite_model_obj_t *self, unsigned n, bool is_input) {
    mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(n, NULL));
    for (unsigned i = 0; i < n; i++) {
        ar_tensor_t t = { 0 };
        void *data = is_input ? ar_input_data(&self->model, i) : ar_output_data(&self->model, i);
        (is_input ? ar_input : ar_output)(&self->model, i, &t);
        tuple->items[i] = arenite_tensor_new(self, &t, is_input && self->stream ? NULL : data, is_input);
    }
    return MP_OBJ_FROM_PTR(tuple);
}

static void give_part_back(arenite_model_obj_t *self) {
    if (has_arena_object(self)) {
        arenite_arena_give(self);
    }
}

static void close_model(arenite_model_obj_t *self) {
    give_part_back(self);
    if (self->arena_owner == mp_const_none && self->arena) {
        m_del(uint8_t, self->arena, self->arena_size);
    }
    arenite_source_close(&self->source);
    self->arena = NULL;
    self->arena_owner = mp_const_none;
    self->inputs = self->outputs = mp_const_none;
    self->open = false;
}

static bool may_move(mp_obj_t owner) {
    return owner != MP_OBJ_NULL && (mp_obj_is_type(owner, &mp_type_bytearray) || mp_obj_is_type(owner, &mp_type_array));
}

static void open_model(arenite_model_obj_t *self, mp_obj_t source, mp_obj_t arena) {
    arenite_source_open(source, &self->source);
    find_arena(self, arena);
    load(self, arena);
    if (has_callers_buffer(self)) {
        self->arena_kept = ar_kept(&self->model);
        self->arena_mark = ar_mark(&self->model, self->arena_kept);
    }
    self->guarded = may_move(self->source.owner) || has_callers_buffer(self);
    self->inputs = make_tensors(self, self->model.main.n_inputs, true);
    self->outputs = make_tensors(self, self->model.main.n_outputs, false);
    self->open = true;
}

static mp_obj_t model_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    enum { ARG_source, ARG_arena, ARG_stream };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_source, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_obj = MP_OBJ_NULL } },
        { MP_QSTR_arena, MP_ARG_KW_ONLY | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_stream, MP_ARG_KW_ONLY | MP_ARG_BOOL, { .u_bool = false } },
    };
    mp_arg_val_t val[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all_kw_array(n_args, n_kw, args, MP_ARRAY_SIZE(allowed), allowed, val);
    arenite_model_obj_t *self = mp_obj_malloc_with_finaliser(arenite_model_obj_t, type);
    memset((uint8_t *)self + sizeof(self->base), 0, sizeof(*self) - sizeof(self->base));
    self->path = mp_obj_is_str(val[ARG_source].u_obj) ? val[ARG_source].u_obj : mp_const_none;
    self->arena_owner = mp_const_none;
    self->stream = val[ARG_stream].u_bool;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        open_model(self, val[ARG_source].u_obj, val[ARG_arena].u_obj);
        nlr_pop();
    } else {
        close_model(self);
        nlr_jump(nlr.ret_val);
    }
    return MP_OBJ_FROM_PTR(self);
}

// ---- running -------------------------------------------------------------------------------------------------------

static void fill_inputs(arenite_model_obj_t *self, size_t n, const mp_obj_t *args) {
    mp_obj_tuple_t *inputs = MP_OBJ_TO_PTR(self->inputs);
    if (n == 0) {
        return;
    }
    if (n != inputs->len) {
        mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("number of inputs: needs %u, got %u"),
            (unsigned)inputs->len, (unsigned)n);
    }
    for (size_t i = 0; i < n; i++) {
        arenite_fill(MP_OBJ_TO_PTR(inputs->items[i]), (unsigned)i, args[i]);
    }
}

static void set_running(arenite_model_obj_t *self, bool running) {
    self->running = running;
    if (has_arena_object(self)) {
        arenite_arena_obj_t *arena = MP_OBJ_TO_PTR(self->arena_owner);
        arena->running = running;
    }
}

// Another thread may want to run the model too, or another of its arena.
static void claim(arenite_model_obj_t *self) {
    arenite_model_check_idle(self);
    arenite_check_stack(self->model.n_subgraphs);
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    const arenite_arena_obj_t *arena = has_arena_object(self) ? MP_OBJ_TO_PTR(self->arena_owner) : NULL;
    bool was_running = self->running || (arena && arena->running);
    if (!was_running) {
        set_running(self, true);
    }
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
    if (was_running) {
        raise_state(MP_ERROR_TEXT("model: already running"));
    }
}

// What a run is given. Of a model that is fed: rows, or the whole input, which ends what was begun.
typedef struct {
    size_t n_args;
    const mp_obj_t *args;
    mp_map_t *kw;
    ar_hook_t hook;
    void *context;
    uint32_t *began;            // told when the inputs are there
    uint32_t ticks;             // told: what it took from then on
    bool feed;
} run_t;

static uint8_t *memory_of(const arenite_model_obj_t *self, size_t *size) {
    const arenite_arena_obj_t *arena = has_arena_object(self) ? MP_OBJ_TO_PTR(self->arena_owner) : NULL;
    *size = arena ? arena->size : self->arena_size;
    return arena ? arena->memory : self->arena;
}

static void open_rows(arenite_model_obj_t *self, const run_t *r, arenite_rows_t *rows) {
    if (self->model.waits && has_arena_object(self) && !arenite_arena_is_held(self)) {
        self->model.waits = false;
        raise_state(MP_ERROR_TEXT("model: another of its arena was used since: feed it from the first row on"));
    }
    if (r->n_args == 0 || (r->n_args != 1 && !r->feed)) {
        mp_raise_TypeError(MP_ERROR_TEXT("input 0: fed by rows: use feed(rows), or invoke(all)"));
    }
    arenite_rows_open(rows, self, !r->feed, r->n_args, r->args, r->kw);
    size_t size;
    const uint8_t *memory = memory_of(self, &size), *from = rows->buf.buf;
    if (from < memory + size && memory < from + rows->buf.len) {
        mp_raise_ValueError(MP_ERROR_TEXT("rows: they lie in the arena: copy them first"));
    }
    self->model.waits &= r->feed;
}

// Not inlined: what the caller needs behind nlr_push() must not share a place with what this needs.
static MP_NOINLINE ar_status_t start(arenite_model_obj_t *self, run_t *r, ar_error_t *err) {
    arenite_rows_t rows;
    if (self->stream) {
        open_rows(self, r, &rows);
    } else {
        fill_inputs(self, r->n_args, r->args); // perhaps from outputs of another model of the Arena
    }
    arenite_model_hold(self);
    *r->began = (uint32_t)mp_hal_ticks_cpu();
    ar_status_t status = self->stream ? ar_feed(&self->model, &rows.feed, r->hook, r->context, err)
        : ar_invoke(&self->model, r->hook, r->context, err);
    r->ticks = (uint32_t)mp_hal_ticks_cpu() - *r->began;
    return status;
}

// Fill the inputs and run, with running set, whatever is raised meanwhile: Ctrl-C and scheduled functions come between
// operators. Returns whether the outputs are there.
static bool run(arenite_model_obj_t *self, run_t *r) {
    ar_error_t err;
    nlr_buf_t nlr;
    claim(self);
    if (nlr_push(&nlr) == 0) {
        ar_status_t status = start(self, r, &err);
        if (status != AR_OK && status != AR_WAITING) {
            arenite_raise(&err);
        }
        nlr_pop();
        set_running(self, false);
        return status == AR_OK;
    }
    set_running(self, false);
    nlr_jump(nlr.ret_val);
}

// Whether a scheduled function or Ctrl-C waits; or, with threads, whether one of them may have run meanwhile.
static bool is_due(void) {
    #if MICROPY_PY_THREAD
    return true;
    #elif MICROPY_ENABLE_SCHEDULER
    return MP_STATE_VM(sched_state) == MP_SCHED_PENDING;
    #else
    return MP_STATE_THREAD(mp_pending_exception) != MP_OBJ_NULL;
    #endif
}

// What a script's function may have done to the model's memory has to be seen before the next operator. To look takes thousands
// of instructions, so only where one ran.
static void look_again(arenite_model_obj_t *self) {
    if (self->guarded) {
        arenite_model_check(self);
    }
}

// Ctrl-C and scheduled functions.
static void handle_pending(arenite_model_obj_t *self) {
    if (is_due()) {
        mp_handle_pending(true);
        look_again(self);
    }
}

static bool invoke_hook(void *context, unsigned op) {
    (void)op;
    handle_pending(context);
    return true;
}

// The ticks of a run that is fed are those of all its parts.
static mp_obj_t invoke(size_t n_args, const mp_obj_t *args, mp_map_t *kw, bool feed) {
    arenite_model_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    uint32_t began, before = feed && self->model.waits ? self->invoke_ticks : 0;
    run_t r = { n_args - 1, args + 1, kw, invoke_hook, self, &began, 0, feed };
    bool done = run(self, &r);
    self->invoke_ticks = before + r.ticks;
    mp_obj_tuple_t *outputs = MP_OBJ_TO_PTR(self->outputs);
    return !done ? mp_const_none : outputs->len == 1 ? outputs->items[0] : self->outputs;
}

static mp_obj_t model_invoke(size_t n_args, const mp_obj_t *args) {
    return invoke(n_args, args, (mp_map_t *)&mp_const_empty_map, false);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(model_invoke_obj, 1, model_invoke);

static mp_obj_t model_feed(size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    const arenite_model_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    arenite_model_check(MP_OBJ_TO_PTR(args[0]));
    if (!self->stream) {
        raise_state(MP_ERROR_TEXT("feed: load the model with stream=True"));
    }
    return invoke(n_args, args, kw, true);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(model_feed_obj, 1, model_feed);

typedef struct {
    arenite_model_obj_t *model;
    mp_obj_t rows;
    mp_obj_t each;
    uint32_t start;
} profile_t;

// Output i of an operator that has just run, or None where it never lies in the arena as a whole. The file is read again for it: where that was written to meanwhile, what
// it says now must not lead out of the arena.
static mp_obj_t op_output(arenite_model_obj_t *self, unsigned op, unsigned i) {
    ar_tensor_t t = { 0 };
    void *data = NULL;
    size_t size;
    const uint8_t *end = memory_of(self, &size);
    end += size;
    size = (size_t)(end - self->model.arena);
    if (!ar_op_output(&self->model, op, i, &t, &data)) {
        arenite_raise_changed();
    }
    if (!data) {
        return mp_const_none;
    }
    size_t offset = (size_t)((uint8_t *)data - self->model.arena);
    if (offset > size || t.bytes > size - offset) {
        arenite_raise_changed();
    }
    return arenite_tensor_new(self, &t, data, false);
}

static mp_obj_t op_outputs(arenite_model_obj_t *self, unsigned op) {
    unsigned n = ar_op_n_outputs(&self->model, op);
    mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(n, NULL));
    for (unsigned i = 0; i < n; i++) {
        tuple->items[i] = op_output(self, op, i);
    }
    return MP_OBJ_FROM_PTR(tuple);
}

// The list's entry of an operator: it, and what comes before it, are made as they are needed.
static mp_obj_t *profile_entry(profile_t *profile, unsigned op) {
    mp_obj_list_t *rows = MP_OBJ_TO_PTR(profile->rows);
    while (rows->len <= op) {
        unsigned k = (unsigned)rows->len;
        ar_tensor_t t = { 0 };
        void *data;
        ar_op_output(&profile->model->model, k, 0, &t, &data);
        const char *name = ar_op_name(&profile->model->model, k);
        mp_obj_t row[3] = { mp_obj_new_str(name, strlen(name)), arenite_tensor_name(&t, SIZE_MAX), MP_OBJ_NEW_SMALL_INT(0) };
        mp_obj_list_append(profile->rows, mp_obj_new_tuple(3, row));
    }
    mp_obj_tuple_t *entry = MP_OBJ_TO_PTR(rows->items[op]);
    return entry->items;
}

// Operators that run in turns, a row at a time, come here after each row.
static bool profile_hook(void *context, unsigned op) {
    profile_t *profile = context;
    if (op == AR_INSIDE) {
        handle_pending(profile->model);
        return true;
    }
    uint32_t ticks = (uint32_t)mp_hal_ticks_cpu() - profile->start;
    mp_obj_t *entry = profile_entry(profile, op);
    entry[2] = mp_obj_new_int_from_uint((mp_uint_t)mp_obj_int_get_truncated(entry[2]) + ticks);
    if (profile->each != mp_const_none && ar_op_done(&profile->model->model, op)) {
        mp_obj_t args[3] = { MP_OBJ_NEW_SMALL_INT(op), entry[0], op_outputs(profile->model, op) };
        mp_call_function_n_kw(profile->each, 3, 0, args);
        look_again(profile->model);
    }
    handle_pending(profile->model);
    profile->start = (uint32_t)mp_hal_ticks_cpu();
    return true;
}

static mp_obj_t model_profile(size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    arenite_model_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    static const mp_arg_t allowed[] = {
        { MP_QSTR_each, MP_ARG_KW_ONLY | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t val[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(0, NULL, kw, MP_ARRAY_SIZE(allowed), allowed, val);
    profile_t profile = { .model = self, .rows = mp_obj_new_list(0, NULL), .each = val[0].u_obj };
    kw = (mp_map_t *)&mp_const_empty_map;
    run(self, &(run_t) { n_args - 1, args + 1, kw, profile_hook, &profile, &profile.start, 0, false });
    return profile.rows;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(model_profile_obj, 1, model_profile);

static mp_obj_t model_reset(mp_obj_t self_in) {
    arenite_model_obj_t *self = MP_OBJ_TO_PTR(self_in);
    arenite_model_check_idle(self);
    arenite_check_stack(1);
    ar_reset(&self->model);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(model_reset_obj, model_reset);

static mp_obj_t model_deinit(mp_obj_t self_in) {
    arenite_model_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->running) {
        raise_state(MP_ERROR_TEXT("model: already running"));
    }
    if (self->open) {
        close_model(self);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(model_deinit_obj, model_deinit);

// Blocks of the heap are the collector's own business.
static mp_obj_t model_del(mp_obj_t self_in) {
    arenite_model_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (!self->running) {
        self->open = false;
        give_part_back(self);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(model_del_obj, model_del);

static mp_obj_t model_exit(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return model_deinit(args[0]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(model_exit_obj, 4, 4, model_exit);

// ---- the object ----------------------------------------------------------------------------------------------------

static void model_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    arenite_model_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (!self->open) {
        mp_print_str(print, "Model(closed)");
        return;
    }
    mp_print_str(print, "Model(");
    if (self->path != mp_const_none) {
        mp_obj_print_helper(print, self->path, PRINT_REPR);
    } else {
        mp_printf(print, "<%u bytes>", (unsigned)self->source.size);
    }
    mp_printf(print, ", %u ops, arena %u of %u bytes)", (unsigned)self->model.main.n_ops, (unsigned)self->model.arena_used,
        (unsigned)self->arena_size);
}

static mp_obj_t ticks_of(const arenite_model_obj_t *self) {
    mp_obj_t ticks[2] = { mp_obj_new_int_from_uint(self->load_ticks), mp_obj_new_int_from_uint(self->invoke_ticks) };
    return mp_obj_new_tuple(2, ticks);
}

static mp_obj_t rows_of(arenite_model_obj_t *self) {
    arenite_model_check(self);
    if (!self->stream) {
        return mp_const_none;
    }
    uint32_t bytes, left = ar_feed_wants(&self->model, &bytes);
    mp_obj_t rows[2] = { mp_obj_new_int_from_uint(left), mp_obj_new_int_from_uint(bytes) };
    return mp_obj_new_tuple(2, rows);
}

static mp_obj_t model_property(arenite_model_obj_t *self, qstr attr) {
    switch (attr) {
        case MP_QSTR_rows:
            return rows_of(self);
        case MP_QSTR_inputs:
            return self->inputs;
        case MP_QSTR_outputs:
            return self->outputs;
        case MP_QSTR_arena_size:
            return mp_obj_new_int_from_uint(self->arena_size);
        case MP_QSTR_arena_used:
            return mp_obj_new_int_from_uint(self->model.arena_used);
        case MP_QSTR_activations:
            return mp_obj_new_int_from_uint(self->model.activations);
        case MP_QSTR_ticks:
            return ticks_of(self);
        default:
            return MP_OBJ_NULL;
    }
}

static void model_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    arenite_model_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return;
    }
    mp_obj_t value = model_property(self, attr);
    if (value == MP_OBJ_NULL) {
        dest[1] = MP_OBJ_SENTINEL; // a method
        return;
    }
    arenite_model_check(self);
    dest[0] = value;
}

static const mp_rom_map_elem_t model_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_invoke), MP_ROM_PTR(&model_invoke_obj) },
    { MP_ROM_QSTR(MP_QSTR_profile), MP_ROM_PTR(&model_profile_obj) },
    { MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&model_reset_obj) },
    { MP_ROM_QSTR(MP_QSTR_feed), MP_ROM_PTR(&model_feed_obj) },
    { MP_ROM_QSTR(MP_QSTR_deinit), MP_ROM_PTR(&model_deinit_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&model_del_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mp_identity_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&model_exit_obj) },
};
static MP_DEFINE_CONST_DICT(model_locals, model_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    arenite_model_type,
    MP_QSTR_Model,
    MP_TYPE_FLAG_NONE,
    make_new, model_make_new,
    print, model_print,
    attr, model_attr,
    locals_dict, &model_locals
    );
