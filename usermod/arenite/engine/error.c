// Error texts.

#include <string.h>

#include "engine/error.h"

// What many texts have in common: a capital letter behind the %, and what it stands for.
static const char phrases[] =
    "A and \0C is not compiled in\0Ddimension\0Hshape\0Iinput\0M must be \0Nmore than \0Ooutput\0Pzero point\0"
    "S is not supported\0Tthe \0V must have \0Wweights\0X differ in \0Zone scale above 0\0";

typedef struct {
    char *at;
    char *end;
} writer_t;

static void put_char(writer_t *w, char c) {
    if (w->at < w->end) {
        *w->at++ = c;
    }
}

static void put_string(writer_t *w, const char *s) {
    while (*s) {
        put_char(w, *s++);
    }
}

static void put_phrase(writer_t *w, char letter) {
    for (const char *s = phrases; *s; s += strlen(s) + 1) {
        if (*s == letter) {
            put_string(w, s + 1);
        }
    }
}

static void put_unsigned(writer_t *w, unsigned value) {
    char digits[10];
    unsigned n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (n) {
        put_char(w, digits[--n]);
    }
}

static void put_name(writer_t *w, unsigned length, const char *name) {
    // Names come from the file: only what can be printed, and not too much of it.
    for (unsigned i = 0; i < length && i < 32; i++) {
        put_char(w, name[i] >= ' ' && name[i] <= '~' ? name[i] : '?');
    }
}

static void put_format(writer_t *w, const char *format, va_list args) {
    for (; *format; format++) {
        if (*format != '%') {
            put_char(w, *format);
            continue;
        }
        switch (*++format) {
            case 'd': {
                int value = va_arg(args, int);
                if (value < 0) {
                    put_char(w, '-');
                }
                put_unsigned(w, value < 0 ? 0u - (unsigned)value : (unsigned)value);
                break;
            }
            case 'u':
                put_unsigned(w, va_arg(args, unsigned));
                break;
            case 't':
                put_string(w, ar_type_name(va_arg(args, unsigned)));
                break;
            case 's':
                put_string(w, va_arg(args, const char *));
                break;
            case 'q': {
                unsigned length = va_arg(args, unsigned);
                put_name(w, length, va_arg(args, const char *));
                break;
            }
            default:
                put_phrase(w, *format);
                break;
        }
    }
}

ar_status_t ar_vfail(ar_error_t *err, ar_status_t status, const char *prefix, const char *format, va_list args) {
    writer_t w = { err->text, err->text + sizeof(err->text) - 1 };
    put_string(&w, prefix);
    put_format(&w, format, args);
    *w.at = 0;
    err->status = status;
    return status;
}

void ar_say(ar_error_t *err, ar_status_t status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ar_vfail(err, status, "", format, args);
    va_end(args);
}

void ar_damage(ar_error_t *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ar_vfail(err, AR_VALUE, "model: ", format, args);
    va_end(args);
}
