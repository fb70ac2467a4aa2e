// Error texts: a tiny formatter, so that nothing of stdio is linked.

#ifndef ARENITE_ENGINE_ERROR_H
#define ARENITE_ENGINE_ERROR_H

#include <stdarg.h>

#include "engine/arenite.h"

// Format with %d (int), %u (unsigned), %t (a type, by its name), %s, %q (length and start of a name that is not terminated),
// and return status. What does not fit is cut off. Capital letters stand for what many texts have in common (error.c): "%I" is
// "input". Macros, since a status that is known need not be returned: fewer bytes.
#define ar_fail(err, status, ...) (ar_say(err, status, __VA_ARGS__), (ar_status_t)(status))
void ar_say(ar_error_t *err, ar_status_t status, const char *format, ...);

// The same of a file that contradicts itself: AR_VALUE, and "model: " before the text.
#define ar_damaged(...) (ar_damage(__VA_ARGS__), (ar_status_t)AR_VALUE)
void ar_damage(ar_error_t *err, const char *format, ...);

ar_status_t ar_vfail(ar_error_t *err, ar_status_t status, const char *prefix, const char *format, va_list args);

#endif // ARENITE_ENGINE_ERROR_H
