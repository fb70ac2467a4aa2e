// Which kernels there are: one tier for each kind of core, told by the compiler's target. Nothing chooses at run time.

#ifndef ARENITE_KERNELS_TIER_H
#define ARENITE_KERNELS_TIER_H

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define AR_TIER_DSP (1)
#define AR_TIER_PORTABLE (0)
#else
#define AR_TIER_DSP (0)
#define AR_TIER_PORTABLE (1)
#endif

#endif // ARENITE_KERNELS_TIER_H
