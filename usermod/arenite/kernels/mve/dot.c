// int8 by int8, 16 elements at a time: what the offset adds is summed up beside the products.

#include "kernels/dot.h"
#include "kernels/tier.h"

#if AR_TIER_MVE

void ar_dot_s8(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n) {
    uint32_t *sum = acc;
    for (const int8_t *row = w; rows > 0; rows--, row += w_stride, sum++) {
        const int8_t *a = x, *b = row;
        register uint32_t products __asm("r0") = *sum;
        register uint32_t weights __asm("r2") = 0;
        __asm volatile (
            "wlstp.8    lr, %4, 2f\n"
            "1:\n"
            "vldrb.8    q0, [%2], #16\n"
            "vldrb.8    q1, [%3], #16\n"
            "vmladava.s8 %0, q0, q1\n"
            "vaddva.s8  %1, q1\n"
            "letp       lr, 1b\n"
            "2:\n"
            : "+r" (products), "+r" (weights), "+r" (a), "+r" (b) : "r" (n) : "lr", "q0", "q1", "memory");
        *sum = products + (uint32_t)offset * weights;
    }
}

#endif // AR_TIER_MVE
