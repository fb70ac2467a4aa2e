// Elements of tensors of any integer type of up to 32 bits, for operators that choose by type as they run.

#ifndef ARENITE_OPS_NUMBER_H
#define ARENITE_OPS_NUMBER_H

#include "ops/op.h"

// Element i. BOOL counts as 0 and 1, UINT32 as the int32 of the same bits.
int32_t ar_load_int(const void *data, uint32_t i, unsigned type);

// Element i becomes value, cut to the type's bits.
void ar_store_int(void *data, uint32_t i, unsigned type, int32_t value);

#endif // ARENITE_OPS_NUMBER_H
