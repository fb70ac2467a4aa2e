// arenite.Arena: a block that models take their parts of, one behind another.

#include "py/gc.h"

#include "binding.h"

#ifndef ARENITE_STATIC_ARENA
#define ARENITE_STATIC_ARENA (0)
#endif

// Parts start where a pointer may.
#define PART_ALIGN (8)

#if ARENITE_STATIC_ARENA
static uint8_t static_memory[ARENITE_STATIC_ARENA] __attribute__((aligned(16)));

static arenite_arena_obj_t static_arena = {
    .base = { &arenite_arena_type }, .memory = static_memory, .size = sizeof(static_memory),
};
#endif

void arenite_arena_forget_static(void) {
    #if ARENITE_STATIC_ARENA
    static_arena.used = 0;
    static_arena.models = 0;
    static_arena.age++;
    #endif
}

static size_t next_part(const arenite_arena_obj_t *arena) {
    size_t start = (arena->used + PART_ALIGN - 1) & ~(size_t)(PART_ALIGN - 1);
    return start < arena->size ? start : arena->size;
}

uint8_t *arenite_arena_take(arenite_arena_obj_t *arena, size_t bytes) {
    size_t start = next_part(arena);
    if (bytes > arena->size - start) {
        gc_collect(); // models that nobody holds any more give their parts back
        start = next_part(arena);
    }
    if (bytes > arena->size - start) {
        arenite_raise_arena(bytes, arena->size - start);
    }
    arena->used = start + bytes;
    arena->models++;
    return arena->memory + start;
}

void arenite_arena_give(arenite_arena_obj_t *arena, uint32_t age, const uint8_t *memory, size_t bytes) {
    if (age != arena->age) {
        return;
    }
    // Parts are not moved: one in the middle stays taken until all are given back.
    if (memory + bytes == arena->memory + arena->used) {
        arena->used -= bytes;
    }
    if (--arena->models == 0) {
        arena->used = 0;
    }
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
    self->models = 0;
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
