// Requantization factors of many channels, for cores with long multiplications: where there is little scratch, all channels ask
// for theirs once a row of output.

#include "kernels/product.h"

#if AR_TIER_DSP || AR_THUMB_FULL

// As ar_ratio_quick, in 22 instructions, or 25. What needs a second look has a mult below 0.
bool ar_ratio_list(const ar_ratio_t *r, const uint8_t *scales, uint32_t first, ar_channel_t *channels, const ar_channel_t *end) {
    uint32_t worst = 0, sign = 0, place = first << 16; // of -1 - shift the bits; of mult; a channel and, below it, its shift
    uint32_t bits, mb, low, high, exponent = (uint32_t)r->exponent - 125;
    __asm volatile (
        "1: ldr %[bits], [%[scales]], #4\n"
        "lsl %[mb], %[bits], #8\n"
        "orr %[mb], %[mb], #0x80000000\n"
        "umull %[high], %[low], %[mb], %[q_low]\n"
        "mov %[high], #0\n"
        "umlal %[low], %[high], %[mb], %[q_high]\n"
        "ubfx %[bits], %[bits], #23, #8\n"
        "add %[bits], %[bits], %[exponent]\n"
        "cmp %[high], #0\n"
        "bmi 2f\n"
        "adds %[low], %[low], %[low]\n"
        "adc %[high], %[high], %[high]\n"
        "sub %[bits], %[bits], #1\n"
        "2: add %[low], %[low], #0x4000\n"
        "cmp %[low], #0x8000\n"
        "blo 4f\n"
        "3: lsrs %[high], %[high], #1\n"
        "adc %[high], %[high], #0\n"
        "bfi %[place], %[bits], #0, #16\n"
        "strd %[high], %[place], [%[c]], #8\n"
        "add %[place], %[place], #0x10000\n"
        "orn %[worst], %[worst], %[bits]\n"
        "orr %[sign], %[sign], %[high]\n"
        "cmp %[c], %[end]\n"
        "bne 1b\n"
        "b 5f\n"
        "4: lsr %[mb], %[low], #14\n" // near one half, or near nothing
        "eor %[mb], %[mb], %[high]\n"
        "tst %[mb], #1\n"
        "it eq\n"
        "mvneq %[high], #0\n"
        "b 3b\n"
        "5:\n"
        : [scales] "+r" (scales), [c] "+r" (channels), [place] "+r" (place), [worst] "+r" (worst), [sign] "+r" (sign),
        [bits] "=&r" (bits), [mb] "=&r" (mb), [low] "=&r" (low), [high] "=&r" (high)
        : [q_low] "r" ((uint32_t)r->quotient), [q_high] "r" ((uint32_t)(r->quotient >> 32)), [exponent] "r" (exponent), [end] "r" (end)
        : "cc", "memory");
    return !(sign >> 31) && AR_SHIFT_IS_PLAIN((int32_t)~worst);
}

#endif // AR_TIER_DSP || AR_THUMB_FULL
