// The table of operators, in the order of table.h, or of the lines of it that a build has chosen; and their names.

#include <string.h>

#include "ops/op.h"

#ifndef AR_OPS_TABLE
#define AR_OPS_TABLE "ops/table.h"
#endif

#define AR_OP(name, options, fewest, most, outputs, prepare) ar_status_t prepare(ar_prep_t *p);
#define AR_OP_CUSTOM(name, fewest, most, outputs, prepare) ar_status_t prepare(ar_prep_t *p);
#include AR_OPS_TABLE
#undef AR_OP
#undef AR_OP_CUSTOM

#define AR_OP(name, options, fewest, most, outputs, prepare) { name, options, fewest, most, outputs, prepare },
#define AR_OP_CUSTOM(name, fewest, most, outputs, prepare) { CUSTOM, NoOptions, fewest, most, outputs, prepare },
const ar_op_t ar_ops[] = {
    #include AR_OPS_TABLE
};
#undef AR_OP
#undef AR_OP_CUSTOM

const unsigned ar_n_ops = sizeof(ar_ops) / sizeof(ar_ops[0]);

// Those that no list of builtin operators has.
#if AR_HAS_NAMES
#define AR_OP(name, options, fewest, most, outputs, prepare)
#else
#define AR_OP(name, options, fewest, most, outputs, prepare) #name "\0"
#endif
#define AR_OP_CUSTOM(name, fewest, most, outputs, prepare) #name "\0"
static const char names[] =
    #include AR_OPS_TABLE
    "";
#undef AR_OP
#undef AR_OP_CUSTOM

const char *ar_op_title(const ar_op_t *op) {
    unsigned before = 0;
    if (AR_HAS_NAMES && op->code != CUSTOM) {
        return ar_builtin_name(op->code);
    }
    for (const ar_op_t *other = ar_ops; other < op; other++) {
        before += !AR_HAS_NAMES || other->code == CUSTOM;
    }
    return ar_nth_name(names, before);
}
