// Which kernels there are: one tier for each kind of core, told by the compiler's target. Nothing chooses at run time.

#ifndef ARENITE_KERNELS_TIER_H
#define ARENITE_KERNELS_TIER_H

// Helium on integers is there with or without its floats: bit 0.
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define AR_TIER_MVE (1)
#else
#define AR_TIER_MVE (0)
#endif

#if !AR_TIER_MVE && defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define AR_TIER_DSP (1)
#else
#define AR_TIER_DSP (0)
#endif

#define AR_TIER_PORTABLE (!AR_TIER_MVE && !AR_TIER_DSP)

#endif // ARENITE_KERNELS_TIER_H
