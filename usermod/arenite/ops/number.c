// Elements of tensors of any integer type of up to 32 bits.

#include "ops/number.h"

int32_t ar_load_int(const void *data, uint32_t i, unsigned type) {
    switch (type) {
        case AR_INT8:
            return ((const int8_t *)data)[i];
        case AR_UINT8:
            return ((const uint8_t *)data)[i];
        case AR_BOOL:
            return ((const uint8_t *)data)[i] != 0;
        case AR_INT16:
            return ((const int16_t *)data)[i];
        case AR_UINT16:
            return ((const uint16_t *)data)[i];
        default:
            return ((const int32_t *)data)[i];
    }
}

void ar_store_int(void *data, uint32_t i, unsigned type, int32_t value) {
    switch (ar_type_size(type)) {
        case 1:
            ((uint8_t *)data)[i] = (uint8_t)value;
            break;
        case 2:
            ((uint16_t *)data)[i] = (uint16_t)value;
            break;
        default:
            ((int32_t *)data)[i] = value;
            break;
    }
}
