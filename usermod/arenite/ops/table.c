// The table of operators, in the order of table.h.

#include "ops/op.h"

#define AR_OP(name, options, prepare) ar_status_t prepare(ar_prep_t *p);
#include "ops/table.h"
#undef AR_OP

#define AR_OP(name, options, prepare) { name, options, #name, prepare },
const ar_op_t ar_ops[] = {
    #include "ops/table.h"
};
#undef AR_OP

const unsigned ar_n_ops = sizeof(ar_ops) / sizeof(ar_ops[0]);
