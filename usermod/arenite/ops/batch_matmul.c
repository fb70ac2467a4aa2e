// BATCH_MATMUL: float32, int8 and int16; either matrix transposed, batches broadcast.
//
// The micro-kernels want both runs side by side in memory. Four columns of y at a time are copied to the scratch, and of x
// the row at hand where x is transposed: all that is needed beside the tensors is five runs.

#include <string.h>

#include "ops/walk.h"
#include "ops/weights.h"

typedef struct {
    uint32_t rows;              // of x and of the output
    uint32_t depth;
    uint32_t columns;           // of y and of the output
    int32_t y_offset;           // minus y's zero point
    bool adj_x, adj_y;
    uint8_t size;               // bytes of an element
    uint32_t rank;              // dimensions of the batches
    const ar_mac_t *mac;
    ar_dot_t dot;
    ar_factor_t factor;
    ar_quant_t q;
    ar_dim_t batches[];
} matmul_t;

// int16 by int16 into int64.
static void dot_s16_s16(void *acc, uint32_t rows, const void *x, int32_t offset, const void *w, uint32_t w_stride, uint32_t n) {
    (void)offset;
    const int16_t *a = x, *b = w;
    for (uint32_t r = 0; r < rows; r++, b += w_stride) {
        int64_t sum = 0;
        for (uint32_t i = 0; i < n; i++) {
            sum += a[i] * b[i];
        }
        ((int64_t *)acc)[r] += sum;
    }
}

// Columns of a matrix that is `width` wide, one behind another.
static void transpose(const matmul_t *m, const uint8_t *from, uint32_t width, uint32_t columns, uint8_t *to) {
    const ar_dim_t dim[2] = { { columns, { 1, (int32_t)m->depth } }, { m->depth, { (int32_t)width, 1 } } };
    ar_copy(dim, 2, from, to, m->size);
}

// What y's zero point adds to each sum of a row.
static uint32_t zero_point_term(const matmul_t *m, const int8_t *x) {
    uint32_t sum = 0;
    for (uint32_t k = 0; k < m->depth; k++) {
        sum += (uint32_t)(x[k] + ar_quant_offset(&m->q));
    }
    return sum * (uint32_t)m->y_offset;
}

// Rows of the output, columns [first, first + n) of which y holds side by side.
static void stripe(const matmul_t *m, const uint8_t *x, const uint8_t *y, uint32_t first, uint32_t n, uint8_t *out, uint8_t *scratch) {
    const ar_factor_t factors[AR_DOT_ROWS] = { m->factor, m->factor, m->factor, m->factor };
    for (uint32_t i = 0; i < m->rows; i++, out += m->columns * m->size) {
        const uint8_t *row = m->adj_x ? scratch : x + i * m->depth * m->size;
        if (m->adj_x) {
            transpose(m, x + i * m->size, m->rows, 1, scratch);
        }
        ar_sums_t sums;
        memset(&sums, 0, AR_DOT_ROWS * sizeof(int64_t));
        uint32_t start = m->y_offset ? zero_point_term(m, (const int8_t *)row) : 0;
        for (uint32_t c = 0; start && c < n; c++) {
            sums.s8[c] = start;
        }
        m->dot(&sums, n, row, m->size == 1 ? ar_quant_offset(&m->q) : 0, y, m->depth, m->depth);
        m->mac->finish(&m->q, &sums, NULL, factors, first, n, out);
    }
}

static void multiply(const matmul_t *m, const uint8_t *x, const uint8_t *y, uint8_t *out, uint8_t *scratch) {
    uint8_t *copies = scratch && m->adj_x ? scratch + m->depth * m->size : scratch;
    for (uint32_t j = 0, n; j < m->columns; j += n) {
        n = m->columns - j < AR_DOT_ROWS ? m->columns - j : AR_DOT_ROWS;
        if (!m->adj_y) {
            transpose(m, y + j * m->size, m->columns, n, copies);
        }
        stripe(m, x, m->adj_y ? y + j * m->depth * m->size : copies, j, n, out, scratch);
    }
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const matmul_t *m = ar_params(rec);
    ar_walk_t w = { .offset = { 0 } };
    const uint8_t *x = ar_in(rec, 0), *y = ar_in(rec, 1);
    // Products of nothing have no scratch: its place is pointed to all the same, and nothing is read there.
    uint8_t *out = ar_out(rec, 0), *scratch = m->depth ? ar_scratch_of(rec) : out;
    do {
        multiply(m, x + w.offset[0] * m->size, y + w.offset[1] * m->size, out, scratch);
        out += m->rows * m->columns * m->size;
    } while (ar_walk_next(&w, m->batches, m->rank));
    return AR_OK;
}

// ---- preparing -----------------------------------------------------------------------------------------------------

// Dimension i of so many, as broadcasting counts them: from the end.
static int32_t extended(const ar_tensor_t *t, unsigned i, unsigned rank) {
    return i + t->rank < rank ? 1 : t->dim[i + t->rank - rank];
}

static ar_status_t misfit(ar_prep_t *p, const char *what, int32_t a, int32_t b) {
    return ar_refuse(p, "%s: %d%A%d do not fit", what, (int)a, (int)b);
}

static ar_status_t batches(ar_prep_t *p, const ar_tensor_t *x, const ar_tensor_t *y, const ar_tensor_t *out, ar_space_t *s) {
    unsigned rank = x->rank > y->rank ? x->rank : y->rank;
    int32_t stride_x[AR_MAX_RANK], stride_y[AR_MAX_RANK];
    if (x->rank < 2 || y->rank < 2 || out->rank != rank) {
        return ar_refuse(p, "%T%Is need at least 2 %Ds each, %T%O as many as %Tlarger");
    }
    ar_strides(x->dim, x->rank, stride_x);
    ar_strides(y->dim, y->rank, stride_y);
    s->rank = 0;
    for (unsigned i = 0; i + 2 < rank; i++) {
        int32_t a = extended(x, i, rank), b = extended(y, i, rank);
        if (a != b && a != 1 && b != 1) {
            return misfit(p, "batches", a, b);
        }
        if (out->dim[i] != (a == 1 ? b : a)) {
            return misfit(p, "batches of the output", out->dim[i], a == 1 ? b : a);
        }
        ar_space_add(s, (uint32_t)out->dim[i], a == 1 ? 0 : stride_x[i + x->rank - rank], b == 1 ? 0 : stride_y[i + y->rank - rank]);
    }
    return AR_OK;
}

static ar_status_t matrices(ar_prep_t *p, matmul_t *m, const ar_tensor_t *x, const ar_tensor_t *y, const ar_tensor_t *out) {
    const int32_t *dx = x->dim + x->rank - 2, *dy = y->dim + y->rank - 2, *d = out->dim + out->rank - 2;
    m->adj_x = ar_option_bool(p, BATCH_MATMUL_ADJ_X, false);
    m->adj_y = ar_option_bool(p, BATCH_MATMUL_ADJ_Y, false);
    if (dx[!m->adj_x] != dy[m->adj_y]) {
        return misfit(p, "inner dimensions", dx[!m->adj_x], dy[m->adj_y]);
    }
    if (d[0] != dx[m->adj_x] || d[1] != dy[!m->adj_y]) {
        return ar_refuse(p, "%T%O is [.., %d, %d], %T%Is give [.., %d, %d]", (int)d[0], (int)d[1],
            (int)dx[m->adj_x], (int)dy[!m->adj_y]);
    }
    m->rows = (uint32_t)d[0];
    m->columns = (uint32_t)d[1];
    m->depth = (uint32_t)dx[!m->adj_x];
    return AR_OK;
}

static ar_status_t quantize(ar_prep_t *p, matmul_t *m, const ar_tensor_t *x, const ar_tensor_t *y, const ar_tensor_t *out) {
    if (x->type != y->type || x->type != out->type) {
        return ar_unsupported(p, "%t times %t to %t%S", x->type, y->type,
            out->type);
    }
    // int16 differs in the dot from what it has with weights of int8.
    m->mac = x->type == AR_INT8 ? &ar_mac_s8 : x->type == AR_INT16 ? &ar_mac_s16 : &ar_mac_f32;
    if (m->mac == &ar_mac_f32 && x->type != AR_FLOAT32) {
        return ar_bad_type(p, x->type);
    }
    m->size = m->mac->size;
    m->dot = m->size == 2 ? dot_s16_s16 : m->mac->dot;
    if (m->size == 4) {
        m->q.low_f32 = -3.4028235e38f;
        m->q.high_f32 = 3.4028235e38f;
        return AR_OK;
    }
    if (!ar_is_quantized(x) || !ar_is_quantized(y) || !ar_is_quantized(out)) {
        return ar_inputs_not_quantized(p);
    }
    if (m->size == 2 && (x->zero_point != 0 || y->zero_point != 0 || out->zero_point != 0)) {
        return ar_zero_points_wanted(p);
    }
    m->q.wide = true;
    if (m->size == 2) {
        m->q.low_s16 = -32768;
        m->q.high_s16 = 32767;
    } else {
        m->q.in_zero = (int8_t)x->zero_point;
        m->q.out_zero = (int8_t)out->zero_point;
        m->q.low = -128;
        m->q.high = 127;
    }
    m->y_offset = -y->zero_point;
    m->factor = ar_factor(x->scale, y->scale, out->scale);
    return AR_OK;
}

ar_status_t ar_prepare_batch_matmul(ar_prep_t *p) {
    const ar_tensor_t *x = &p->in, *out = &p->out;
    ar_tensor_t y;
    ar_space_t s;
    ar_get_input(p, 1, &y);
    ar_status_t status = batches(p, x, &y, out, &s);
    if (status != AR_OK) {
        return status;
    }
    matmul_t *m = ar_record(p, out->count ? eval : ar_nothing, sizeof(*m) + ar_space_bytes(&s));
    if (!m) {
        return AR_NO_MEMORY;
    }
    memcpy(m->batches, s.dim, ar_space_bytes(&s));
    m->rank = s.rank;
    status = matrices(p, m, x, &y, out);
    status = status == AR_OK ? quantize(p, m, x, &y, out) : status;
    ar_scratch(p, ((m->adj_x ? 1u : 0) + (m->adj_y ? 0 : AR_DOT_ROWS)) * m->depth * m->size);
    return status;
}
