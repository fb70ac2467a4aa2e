// What there is beside the operators of the table: all of it, unless the header that a build has chosen (AR_OPS_TABLE) says 0.
// `arenite build --for` writes what the models need. What is asked with these is a constant to the compiler, and what is called
// behind a 0 is left out.

#ifndef ARENITE_KERNELS_HAS_H
#define ARENITE_KERNELS_HAS_H

#ifdef AR_OPS_TABLE
#define AR_OP(...)
#define AR_OP_CUSTOM(...)
#include AR_OPS_TABLE
#undef AR_OP
#undef AR_OP_CUSTOM
#endif

// ---- what a model is refused without -------------------------------------------------------------------------------

// Types of what an operator reads and writes: of those with weights, pools and SOFTMAX.
#ifndef AR_HAS_FLOAT32
#define AR_HAS_FLOAT32 (1)
#endif
#ifndef AR_HAS_INT16
#define AR_HAS_INT16 (1)
#endif

// Weights of int4; and of int8 between activations of float32.
#ifndef AR_HAS_INT4
#define AR_HAS_INT4 (1)
#endif
#ifndef AR_HAS_HYBRID
#define AR_HAS_HYBRID (1)
#endif

// CONV_2D: groups of channels; and dilation, there and in DEPTHWISE_CONV_2D.
#ifndef AR_HAS_GROUPS
#define AR_HAS_GROUPS (1)
#endif
#ifndef AR_HAS_DILATION
#define AR_HAS_DILATION (1)
#endif

// DEPTHWISE_CONV_2D of int8: with one input channel; of all kinds that have no way of their own.
#ifndef AR_HAS_DEPTHWISE_ONE
#define AR_HAS_DEPTHWISE_ONE (1)
#endif
#ifndef AR_HAS_DEPTHWISE_ANY
#define AR_HAS_DEPTHWISE_ANY (1)
#endif

// FULLY_CONNECTED of int8: a scale for each channel.
#ifndef AR_HAS_DENSE_CHANNELS
#define AR_HAS_DENSE_CHANNELS (1)
#endif

// What lasts from one invoke to the next; and models of more than one graph.
#ifndef AR_HAS_STATE
#define AR_HAS_STATE (1)
#endif
#ifndef AR_HAS_SUBGRAPHS
#define AR_HAS_SUBGRAPHS (1)
#endif

// ---- what only makes it quicker, or take less of the arena ---------------------------------------------------------

// What is rare has a quicker way of its own.
#ifdef ARENITE_SMALL
#define AR_QUICK (0)
#else
#define AR_QUICK (1)
#endif

// DEPTHWISE_CONV_2D of int8: one input channel by pairs of output channels.
#ifndef AR_HAS_PAIRS
#define AR_HAS_PAIRS (1)
#endif

// CONV_2D of int8: three taps a row without patches.
#ifndef AR_HAS_COLUMNS
#define AR_HAS_COLUMNS (1)
#endif

// Products of few patches at a time, or of none but a row of positions, where there is little scratch; and of one by many rows of
// weights, widened before.
#ifndef AR_HAS_FEW
#define AR_HAS_FEW (1)
#endif
#ifndef AR_HAS_WIDE
#define AR_HAS_WIDE (1)
#endif

// FULLY_CONNECTED of int8: an image by rows.
#ifndef AR_HAS_DENSE_ROWS
#define AR_HAS_DENSE_ROWS (1)
#endif

// Channels without weights, or with nothing but the zero point, are left out.
#ifndef AR_HAS_DEAD
#define AR_HAS_DEAD (1)
#endif

// Chains of operators run a row at a time where whole tensors do not fit.
#ifndef AR_HAS_ROWS
#define AR_HAS_ROWS (1)
#endif

// PAD leaves its zeros to the convolution behind it.
#ifndef AR_HAS_FRAMES
#define AR_HAS_FRAMES (AR_QUICK)
#endif

// A plan in the file is read.
#ifndef AR_HAS_PLAN
#define AR_HAS_PLAN (1)
#endif

// The names of operators that are not compiled in; without them they are told by their numbers.
#ifndef AR_HAS_NAMES
#define AR_HAS_NAMES (1)
#endif

#endif // ARENITE_KERNELS_HAS_H
