// arenite.Arena: a block that models share.
//
//     | model 1's own | model 2's own |  gap  | model 4's own | free ...    | activations of whichever runs |
//
// What is a model's own, its records and what lasts, it has to itself. All activations end where the block ends, one model's
// over another's, and so hold what the model left there that was used last.

#include "py/gc.h"

#include "binding.h"

#ifndef ARENITE_STATIC_ARENA
#define ARENITE_STATIC_ARENA (0)
#endif

// The models that have a part, in the order of their parts' addresses, linked by pointers that the collector does not
// take for such: an Arena keeps no model alive. Each is unlinked before its memory is freed, by deinit or its finaliser.
static uintptr_t hidden(arenite_model_obj_t *model) {
    return ~(uintptr_t)model;
}

static arenite_model_obj_t *revealed(uintptr_t link) {
    return (arenite_model_obj_t *)~link;
}

#define NO_MODEL (~(uintptr_t)0)

#if ARENITE_STATIC_ARENA
static uint8_t static_memory[ARENITE_STATIC_ARENA] __attribute__((aligned(16)));

static arenite_arena_obj_t static_arena = {
    .base = { &arenite_arena_type }, .memory = static_memory, .size = sizeof(static_memory), .first = NO_MODEL,
    .holder = NO_MODEL,
};
#endif

void arenite_arena_forget_static(void) {
    #if ARENITE_STATIC_ARENA
    static_arena.first = static_arena.holder = NO_MODEL;
    static_arena.running = false;
    static_arena.age++;
    #endif
}

// Bytes of activations: those of the model that has the most.
static size_t activations_of(const arenite_arena_obj_t *arena) {
    size_t most = 0;
    for (const arenite_model_obj_t *model = revealed(arena->first); model; model = revealed(model->next_part)) {
        most = model->model.activations > most ? model->model.activations : most;
    }
    return most;
}

static size_t used(const arenite_arena_obj_t *arena) {
    size_t sum = activations_of(arena);
    for (const arenite_model_obj_t *model = revealed(arena->first); model; model = revealed(model->next_part)) {
        sum += model->model.own;
    }
    return sum;
}

// Where a model's own bytes end, as an offset.
static size_t part_end(const arenite_arena_obj_t *arena, const arenite_model_obj_t *model) {
    return (size_t)(model->arena - arena->memory) + model->model.own;
}

// Where the last part ends.
static size_t parts_end(const arenite_arena_obj_t *arena) {
    size_t end = 0;
    for (const arenite_model_obj_t *model = revealed(arena->first); model; model = revealed(model->next_part)) {
        end = part_end(arena, model);
    }
    return end;
}

// Load a model into the first gap that is large enough for what is its own, or behind all parts.
static ar_status_t load_first_fit(arenite_arena_obj_t *arena, arenite_model_obj_t *model, ar_error_t *err) {
    size_t behind = parts_end(arena), start = 0;
    ar_shared_t space = {
        .shared = arena->memory + behind, .shared_size = arena->size - behind, .taken = (uint32_t)activations_of(arena),
    };
    for (uintptr_t *link = &arena->first;; link = &revealed(*link)->next_part) {
        const arenite_model_obj_t *next = revealed(*link);
        size_t end = next ? (size_t)(next->arena - arena->memory) : arena->size;
        space.own = arena->memory + start;
        space.own_size = end - start;
        ar_status_t status = AR_NO_MEMORY;
        if (start < end) {
            status = ar_load_shared(&model->model, model->source.data, model->source.size, model->stream, &space, err);
        }
        if (status == AR_OK) {
            model->arena = space.own;
            model->next_part = *link;
            *link = hidden(model);
        }
        if (status != AR_NO_MEMORY || !next) {
            return status;
        }
        start = part_end(arena, next);
    }
}

void arenite_arena_check_idle(const arenite_arena_obj_t *arena) {
    if (arena->running) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("arena: one of its models is running"));
    }
}

ar_status_t arenite_arena_load(arenite_arena_obj_t *arena, arenite_model_obj_t *model, ar_error_t *err) {
    arenite_arena_check_idle(arena);
    arena->holder = NO_MODEL;
    ar_status_t status = load_first_fit(arena, model, err);
    if (status == AR_NO_MEMORY) {
        gc_collect(); // models that nobody holds any more give their parts back
        status = load_first_fit(arena, model, err);
    }
    if (status == AR_OK) {
        model->arena_size = model->model.arena_used;
        model->arena_owner = MP_OBJ_FROM_PTR(arena);
        model->arena_mark = arena->age;
        arenite_arena_hold(model);
    }
    return status;
}

MP_NORETURN void arenite_arena_refuse(const arenite_arena_obj_t *arena, const ar_needs_t *needs) {
    size_t taken = activations_of(arena), shared = needs->arena - needs->own;
    arenite_raise_arena(needs->own + (shared > taken ? shared : taken), arena->size - parts_end(arena));
}

// From now on the activations are this model's.
void arenite_arena_hold(arenite_model_obj_t *model) {
    arenite_arena_obj_t *arena = MP_OBJ_TO_PTR(model->arena_owner);
    arena->holder = hidden(model);
}

bool arenite_arena_is_held(const arenite_model_obj_t *model) {
    const arenite_arena_obj_t *arena = MP_OBJ_TO_PTR(model->arena_owner);
    return revealed(arena->holder) == model;
}

// Also called by finalisers: the collector runs all of these before it frees anything, so that the Arena and the models
// in its list are still there.
void arenite_arena_give(arenite_model_obj_t *model) {
    arenite_arena_obj_t *arena = MP_OBJ_TO_PTR(model->arena_owner);
    if (model->arena_mark == arena->age) {
        uintptr_t *link = &arena->first;
        while (revealed(*link) != model) {
            link = &revealed(*link)->next_part;
        }
        *link = model->next_part;
        if (revealed(arena->holder) == model) {
            arena->holder = NO_MODEL;
        }
    }
    model->arena_owner = mp_const_none;
    model->arena = NULL;
}

static mp_obj_t arena_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    mp_int_t size = mp_obj_get_int(args[0]);
    if (size < 1) {
        mp_raise_ValueError(MP_ERROR_TEXT("arena: size must be at least 1"));
    }
    arenite_arena_obj_t *self = mp_obj_malloc(arenite_arena_obj_t, type);
    self->size = (size_t)size;
    self->first = self->holder = NO_MODEL;
    self->running = false;
    self->age = 0;
    self->memory = m_new_maybe(uint8_t, self->size);
    if (!self->memory) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("arena: the heap has no block of %u bytes"), (unsigned)size);
    }
    return MP_OBJ_FROM_PTR(self);
}

static void arena_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    arenite_arena_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "Arena(%u bytes, %u used)", (unsigned)self->size, (unsigned)used(self));
}

static void arena_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    arenite_arena_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return;
    }
    if (attr == MP_QSTR_size) {
        dest[0] = mp_obj_new_int_from_uint(self->size);
    } else if (attr == MP_QSTR_used) {
        dest[0] = mp_obj_new_int_from_uint(used(self));
    } else {
        dest[1] = MP_OBJ_SENTINEL;
    }
}

static const mp_rom_map_elem_t arena_locals_table[] = {
    #if ARENITE_STATIC_ARENA
    { MP_ROM_QSTR(MP_QSTR_static), MP_ROM_PTR(&static_arena) },
    #else
    { MP_ROM_QSTR(MP_QSTR_static), MP_ROM_NONE },
    #endif
};
static MP_DEFINE_CONST_DICT(arena_locals, arena_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    arenite_arena_type,
    MP_QSTR_Arena,
    MP_TYPE_FLAG_NONE,
    make_new, arena_make_new,
    print, arena_print,
    attr, arena_attr,
    locals_dict, &arena_locals
    );
