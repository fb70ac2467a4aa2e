// Any bytes as a model: load and, if that works, invoke. Either the engine refuses or the model runs; anything else
// is for the sanitizers to say.
//
// Built with -fsanitize=fuzzer it is a libFuzzer target. Built with -DCHANGE_BYTES it is a program: it changes one
// byte of a model at a time. Its arguments: the file, how many changes, a seed (0: every byte in turn, 0xff added).

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/arenite.h"

#define LARGEST_ARENA (1 << 20)

static unsigned refused, ran;

static bool stop_early(void *context, unsigned op) {
    (void)context;
    return op < 64;
}

static void run(const uint8_t *data, size_t size, uint32_t arena_size) {
    ar_error_t err;
    ar_model_t model;
    ar_tensor_t t;
    uint8_t *arena = malloc(arena_size);
    if (ar_load(&model, data, size, arena, arena_size, &err) != AR_OK) {
        fprintf(stderr, "measured as %u bytes, but: %s\n", (unsigned)arena_size, err.text);
        abort();
    }
    for (unsigned i = 0; ar_input(&model, i, &t); i++) {
        memset(ar_input_data(&model, i), 0x5a, t.bytes);
    }
    ar_invoke(&model, stop_early, NULL, &err);
    for (unsigned i = 0; ar_output(&model, i, &t); i++) {
        volatile uint8_t last = t.bytes ? ((const uint8_t *)ar_output_data(&model, i))[t.bytes - 1] : 0;
        (void)last;
    }
    free(arena);
    ran++;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    // A block of exactly the file's size, so that a read past its end is seen.
    uint8_t *data = malloc(size ? size : 1);
    memcpy(data, bytes, size);
    ar_error_t err;
    size_t work_size;
    ar_needs_t needs;
    if (ar_work_size(data, size, &work_size, &err) != AR_OK) {
        refused++;
    } else {
        void *work = malloc(work_size);
        ar_status_t status = ar_measure(data, size, work, work_size, &needs, &err);
        if (status == AR_NO_MEMORY) {
            fprintf(stderr, "work too small\n");
            abort();
        }
        free(work);
        if (status == AR_OK && needs.arena <= LARGEST_ARENA) {
            run(data, size, needs.arena);
        }
        refused += status != AR_OK;
    }
    free(data);
    return 0;
}

#ifdef CHANGE_BYTES

static uint32_t xorshift(uint32_t *x) {
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

int main(int argc, char **argv) {
    FILE *f = argc == 4 ? fopen(argv[1], "rb") : NULL;
    if (!f) {
        fprintf(stderr, "usage: %s MODEL CHANGES SEED\n", argv[0]);
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
    for (uint32_t i = 0; i < changes; i++) {
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
