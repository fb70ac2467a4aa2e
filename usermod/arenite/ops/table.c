// The table of operators, in the order of table.h, or of the lines of it that a build has chosen.

#include "ops/op.h"

#ifndef AR_OPS_TABLE
#define AR_OPS_TABLE "ops/table.h"
#endif

#define AR_OP(name, options, prepare) ar_status_t prepare(ar_prep_t *p);
#define AR_OP_STATE(name, options, prepare, reset) AR_OP(name, options, prepare) \
    void reset(ar_model_t *m, const ar_rec_t *rec);
#define AR_OP_CUSTOM(name, prepare) AR_OP(name, NoOptions, prepare)
#define AR_OP_CUSTOM_STATE(name, prepare, reset) AR_OP_STATE(name, NoOptions, prepare, reset)
#include AR_OPS_TABLE
#undef AR_OP
#undef AR_OP_STATE
#undef AR_OP_CUSTOM
#undef AR_OP_CUSTOM_STATE

#define AR_OP(name, options, prepare) { name, options, #name, prepare, NULL },
#define AR_OP_STATE(name, options, prepare, reset) { name, options, #name, prepare, reset },
#define AR_OP_CUSTOM(name, prepare) { CUSTOM, NoOptions, #name, prepare, NULL },
#define AR_OP_CUSTOM_STATE(name, prepare, reset) { CUSTOM, NoOptions, #name, prepare, reset },
const ar_op_t ar_ops[] = {
    #include AR_OPS_TABLE
};
#undef AR_OP
#undef AR_OP_STATE
#undef AR_OP_CUSTOM
#undef AR_OP_CUSTOM_STATE

const unsigned ar_n_ops = sizeof(ar_ops) / sizeof(ar_ops[0]);
