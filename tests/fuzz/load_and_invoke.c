// Any bytes as a model: load and, if that works, invoke. Either the engine refuses or the model runs; anything else
// is for the sanitizers to say.
//
// Each model that runs is run twice: as it is, and once more while its bytes change under it, as those of a bytearray
// can. What it answers then means nothing, but it must stay inside the model and the arena. If it can be fed by rows, the
// same once more so.
//
// Built with -fsanitize=fuzzer, and with mutate.c, it is a libFuzzer target (`arenite fuzz`). Built with -DCHANGE_BYTES
// it is a program: it changes one byte of a model at a time. Its arguments: the file, how many changes, a seed (0: every
// byte in turn, 0xff added), which change to begin with.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/arenite.h"

#ifndef LARGEST_ARENA
#define LARGEST_ARENA (1 << 20)
#endif
#define MOST_STEPS (64)

static unsigned refused, ran;
static unsigned moving_every = 1; // run: of so many runs, one is followed by those while the model changes
static unsigned fed_every = 1;    // of so many, one is followed by those fed by rows

static uint32_t xorshift(uint32_t *x) {
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

// What a hook does: count, so that no loop of the model's runs for ever, and change the model's bytes if asked to.
typedef struct {
    unsigned steps;
    uint8_t *data;              // NULL: no changes
    size_t size;
    uint32_t random;
} run_t;

// Bytes, and words that are indices and counts which lead far away.
static void change_some(run_t *r) {
    static const uint32_t words[] = { 0xffffffff, 0x7fffffff, 0x80000000, 0, 100, 0x10000, 0xfffffff0, 3 };
    for (unsigned i = xorshift(&r->random) % 16; r->data && i; i--) {
        uint32_t at = xorshift(&r->random) % (uint32_t)r->size;
        if (i % 2) {
            r->data[at] = (uint8_t)(xorshift(&r->random) >> 24);
        } else if ((at & ~3u) + 4 <= r->size) {
            memcpy(r->data + (at & ~3u), &words[xorshift(&r->random) % 8], 4);
        }
    }
}

static bool after_operator(void *context, unsigned op) {
    (void)op;
    run_t *r = context;
    change_some(r);
    return ++r->steps < MOST_STEPS;
}

// Read what the model says of itself, and the last byte of each output while that is what it was at load.
static void ask(const ar_model_t *m, bool changed) {
    ar_tensor_t t;
    for (unsigned i = 0; i < m->main.n_outputs; i++) {
        if (ar_output(m, i, &t) && !changed) {
            volatile uint8_t last = t.bytes ? ((const uint8_t *)ar_output_data(m, i))[t.bytes - 1] : 0;
            (void)last;
        }
    }
    for (unsigned k = 0; k < m->main.n_ops; k++) {
        void *data;
        volatile char first = ar_op_name(m, k)[0];
        (void)first;
        for (unsigned i = 0; i < ar_op_n_outputs(m, k); i++) {
            ar_op_output(m, k, i, &t, &data);
        }
    }
}

static void take(ar_feed_t *feed, void *row, uint32_t bytes) {
    (void)feed;
    memset(row, 0x5a, bytes);
}

// All rows, one at first, then as many again as there were.
static void invoke(ar_model_t *m, run_t *r, ar_error_t *err) {
    uint32_t bytes;
    if (!m->feed) {
        ar_invoke(m, after_operator, r, err);
        return;
    }
    ar_status_t status = AR_WAITING;
    for (uint32_t n = 1; status == AR_WAITING; n *= 2) {
        uint32_t left = ar_feed_wants(m, &bytes);
        ar_feed_t feed = { take, n < left ? n : left };
        status = ar_feed(m, &feed, after_operator, r, err);
    }
}

static void run(uint8_t *data, size_t size, bool stream, uint32_t arena_size) {
    ar_error_t err;
    ar_model_t model;
    ar_tensor_t t;
    // A block of exactly the arena's size, and not one that malloc aligns more than it must be.
    uint8_t *arena = malloc(arena_size);
    if (ar_load(&model, data, size, stream, arena, arena_size, &err) != AR_OK) {
        fprintf(stderr, "measured as %u bytes, but: %s\n", (unsigned)arena_size, err.text);
        abort();
    }
    for (unsigned i = 0; !stream && ar_input(&model, i, &t); i++) {
        memset(ar_input_data(&model, i), 0x5a, t.bytes);
    }
    run_t still = { 0, NULL, size, 1 }, moving = { 0, data, size, (uint32_t)size * 2654435761u | 1 };
    for (size_t i = 0; i < size; i += 1 + size / 64) {
        moving.random = (moving.random ^ data[i]) * 16777619u | 1;
    }
    invoke(&model, &still, &err);
    ask(&model, false);
    bool moves = ran % moving_every == 0;
    ran += !stream;
    if (moves) {
        ar_reset(&model);
        change_some(&moving);
        invoke(&model, &moving, &err);
        ask(&model, true);
        ar_reset(&model);
        invoke(&model, &moving, &err);
    }
    free(arena);
}

static bool measure_and_run(uint8_t *data, size_t size, bool stream, size_t work_size) {
    ar_error_t err;
    ar_needs_t needs;
    void *work = malloc(work_size);
    ar_status_t status = ar_measure(data, size, stream, work, work_size, &needs, &err);
    if (status == AR_NO_MEMORY) {
        fprintf(stderr, "work too small\n");
        abort();
    }
    free(work);
    if (status == AR_OK && needs.arena <= LARGEST_ARENA) {
        run(data, size, stream, needs.arena);
    }
    return status == AR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    // A block of exactly the file's size, so that a read past its end is seen.
    uint8_t *data = malloc(size ? size : 1);
    memcpy(data, bytes, size);
    ar_error_t err;
    size_t work_size;
    if (ar_work_size(data, size, &work_size, &err) != AR_OK || !measure_and_run(data, size, false, work_size)) {
        refused++;
    } else if (ran % fed_every == 0) {
        memcpy(data, bytes, size); // where it changed while it ran
        measure_and_run(data, size, true, work_size);
    }
    free(data);
    return 0;
}

#ifndef CHANGE_BYTES

static void tell(void) {
    fprintf(stderr, "%u refused, %u ran\n", refused, ran);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    return atexit(tell);
}

#else

int main(int argc, char **argv) {
    FILE *f = argc == 4 || argc == 5 ? fopen(argv[1], "rb") : NULL;
    if (!f) {
        fprintf(stderr, "usage: %s MODEL CHANGES SEED [FIRST]\n", argv[0]);
        return 2;
    }
    fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    uint8_t *data = malloc(size);
    rewind(f);
    if (fread(data, 1, size, f) != size) {
        return 2;
    }
    uint32_t seed = (uint32_t)strtoul(argv[3], NULL, 0);
    uint32_t changes = (uint32_t)strtoul(argv[2], NULL, 0);
    moving_every = 16;
    fed_every = 4;
    uint32_t first = argc == 5 ? (uint32_t)strtoul(argv[4], NULL, 0) : 0;
    for (uint32_t i = first; i < first + changes; i++) {
        size_t at = seed ? xorshift(&seed) % size : i % size;
        uint8_t with = seed ? (uint8_t)(xorshift(&seed) >> 24) : (uint8_t)(data[at] + 0xff);
        uint8_t was = data[at];
        data[at] = with;
        LLVMFuzzerTestOneInput(data, size);
        data[at] = was;
    }
    printf("%u refused, %u ran\n", refused, ran);
    free(data);
    fclose(f);
    return 0;
}

#endif
