// arenite.Arena: a block that models take their parts of.

#include "py/gc.h"

#include "binding.h"

#ifndef ARENITE_STATIC_ARENA
#define ARENITE_STATIC_ARENA (0)
#endif

// Parts start where a pointer may.
#define PART_ALIGN (8)

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
};
#endif

void arenite_arena_forget_static(void) {
    #if ARENITE_STATIC_ARENA
    static_arena.used = 0;
    static_arena.first = NO_MODEL;
    static_arena.age++;
    #endif
}

typedef struct {
    uintptr_t *link;    // to the model behind it
    size_t start;
    size_t size;
} gap_t;

// The first gap that holds so many bytes, or else the largest there is.
static gap_t find_gap(arenite_arena_obj_t *arena, size_t bytes) {
    gap_t best = { NULL, 0, 0 };
    size_t start = 0;
    for (uintptr_t *link = &arena->first;; link = &revealed(*link)->next_part) {
        const arenite_model_obj_t *next = revealed(*link);
        size_t end = next ? (size_t)(next->arena - arena->memory) : arena->size;
        if (start < end && end - start > best.size) {
            best = (gap_t) { link, start, end - start };
        }
        if (!next || (best.link && best.size >= bytes)) {
            return best;
        }
        start = (end + next->arena_size + PART_ALIGN - 1) & ~(size_t)(PART_ALIGN - 1);
    }
}

void arenite_arena_take(arenite_arena_obj_t *arena, arenite_model_obj_t *model, size_t bytes) {
    gap_t gap = find_gap(arena, bytes);
    if (gap.size < bytes) {
        gc_collect(); // models that nobody holds any more give their parts back
        gap = find_gap(arena, bytes);
    }
    if (gap.size < bytes || !gap.link) {
        arenite_raise_arena(bytes, gap.size);
    }
    model->arena = arena->memory + gap.start;
    model->arena_size = bytes;
    model->arena_owner = MP_OBJ_FROM_PTR(arena);
    model->arena_mark = arena->age;
    model->next_part = *gap.link;
    *gap.link = hidden(model);
    arena->used += bytes;
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
        arena->used -= model->arena_size;
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
    self->used = 0;
    self->first = NO_MODEL;
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
    mp_printf(print, "Arena(%u bytes, %u used)", (unsigned)self->size, (unsigned)self->used);
}

static void arena_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    arenite_arena_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return;
    }
    if (attr == MP_QSTR_size) {
        dest[0] = mp_obj_new_int_from_uint(self->size);
    } else if (attr == MP_QSTR_used) {
        dest[0] = mp_obj_new_int_from_uint(self->used);
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
