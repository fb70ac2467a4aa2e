// Which kernels there are: one tier for each kind of core, told by the compiler's target. Nothing chooses at run time.

#ifndef ARENITE_KERNELS_TIER_H
#define ARENITE_KERNELS_TIER_H

#if defined(ARENITE_PORTABLE) || !defined(__ARM_ARCH_PROFILE) || __ARM_ARCH_PROFILE != 'M'
#define AR_TIER_PORTABLE (1)
#elif defined(__ARM_FEATURE_DSP)
#define AR_TIER_DSP (1)
#else
#define AR_TIER_THUMB (1)
#endif

#ifndef AR_TIER_DSP
#define AR_TIER_DSP (0)
#endif
#ifndef AR_TIER_THUMB
#define AR_TIER_THUMB (0)
#endif
#ifndef AR_TIER_PORTABLE
#define AR_TIER_PORTABLE (0)
#endif

// Among the cores without dual multiply-adds, those of Armv7-M: long multiplications, shifted operands and all registers for
// all instructions. Armv6-M and Armv8-M's baseline have none of these.
#if AR_TIER_THUMB && __ARM_ARCH_ISA_THUMB == 2
#define AR_THUMB_FULL (1)
#else
#define AR_THUMB_FULL (0)
#endif

#endif // ARENITE_KERNELS_TIER_H
