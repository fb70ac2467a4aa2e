// Functions of float32 that give the same on every libm.

#ifndef ARENITE_OPS_FLOAT_H
#define ARENITE_OPS_FLOAT_H

#include <math.h>

// MicroPython's expf gives 0 for a NaN whose sign is set.
static inline float ar_expf(float x) {
    return isnan(x) ? x : expf(x);
}

#endif // ARENITE_OPS_FLOAT_H
