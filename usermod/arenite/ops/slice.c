// A window of a tensor: SLICE, STRIDED_SLICE and REVERSE_V2 read one, DYNAMIC_UPDATE_SLICE writes one.

#include "ops/move.h"

// ---- SLICE, DYNAMIC_UPDATE_SLICE: where the window lies may be known only as they run --------------------------------

// Along one dimension: how large the window is, how far it can move, and the stride of the tensor that it lies in.
typedef struct {
    int32_t n;
    int32_t room;
    int32_t stride;
} side_t;

typedef struct {
    uint8_t type;               // of the indices
    uint8_t sides;
    uint8_t rank;
    uint8_t size;
    uint32_t bytes;             // of the tensor that is updated
    side_t side[AR_MAX_RANK];
    ar_dim_t dim[];
} window_t;

// The window's place and size must be in range; -1 as a size stands for all that is left.
static bool slice_start(const window_t *w, const uint8_t *begin, const uint8_t *size, int32_t *start) {
    *start = 0;
    for (unsigned i = 0; i < w->sides; i++) {
        const side_t *s = &w->side[i];
        int32_t at = ar_index_at(begin, w->type, i), n = ar_index_at(size, w->type, i);
        if (at < 0 || at > s->room || (n == -1 ? at != s->room : n != s->n)) {
            return false;
        }
        *start += at * s->stride;
    }
    return true;
}

// The window is moved to where it fits (tensorflow/lite/micro/kernels/dynamic_update_slice.cc).
static int32_t update_start(const window_t *w, const uint8_t *begin) {
    int32_t start = 0;
    for (unsigned i = 0; i < w->sides; i++) {
        const side_t *s = &w->side[i];
        int32_t at = ar_index_at(begin, w->type, i);
        start += (at < 0 ? 0 : at > s->room ? s->room : at) * s->stride;
    }
    return start;
}

static ar_status_t eval_slice(const ar_run_t *run, const ar_rec_t *rec) {
    const window_t *w = ar_params(rec);
    int32_t start;
    if (!slice_start(w, ar_in(rec, 1), ar_in(rec, 2), &start)) {
        return ar_run_fail(run, "begin%Asize are not those of a window of %T%O's %H");
    }
    const uint8_t *in = ar_in(rec, 0);
    ar_copy(w->dim, w->rank, in + start * w->size, ar_out(rec, 0), w->size);
    return AR_OK;
}

static ar_status_t eval_update(const ar_run_t *run, const ar_rec_t *rec) {
    (void)run;
    const window_t *w = ar_params(rec);
    uint8_t *out = ar_out(rec, 0);
    memcpy(out, ar_in(rec, 0), w->bytes);
    ar_copy(w->dim, w->rank, ar_in(rec, 1), out + update_start(w, ar_in(rec, 2)) * w->size, w->size);
    return AR_OK;
}

// The sides of a window in a tensor, and the space of it: strides of the tensor come first where it is read.
static ar_status_t window(ar_prep_t *p, const ar_tensor_t *whole, const ar_tensor_t *part, bool read, window_t *w,
    ar_space_t *s) {
    int32_t outer[AR_MAX_RANK], inner[AR_MAX_RANK];
    if (whole->rank != part->rank) {
        return ar_refuse(p, "a window of %d %Ds in a tensor of %d", (int)part->rank, (int)whole->rank);
    }
    ar_strides(whole->dim, whole->rank, outer);
    ar_strides(part->dim, part->rank, inner);
    s->rank = 0;
    for (unsigned i = 0; i < whole->rank; i++) {
        if (part->dim[i] > whole->dim[i]) {
            return ar_refuse(p, "%D %u: a window of %d in a tensor of %d", i, (int)part->dim[i], (int)whole->dim[i]);
        }
        w->side[i] = (side_t) { part->dim[i], whole->dim[i] - part->dim[i], outer[i] };
        ar_space_add(s, (uint32_t)part->dim[i], read ? outer[i] : inner[i], read ? inner[i] : outer[i]);
    }
    w->sides = whole->rank;
    w->rank = (uint8_t)s->rank;
    w->size = (uint8_t)ar_type_size(whole->type);
    w->bytes = whole->bytes;
    return AR_OK;
}

static ar_status_t record(ar_prep_t *p, ar_eval_t eval, const window_t *from, const ar_space_t *s) {
    window_t *w = ar_record(p, eval, sizeof(*w) + ar_space_bytes(s));
    if (!w) {
        return AR_NO_MEMORY;
    }
    *w = *from;
    memcpy(w->dim, s->dim, ar_space_bytes(s));
    return AR_OK;
}

// Input i must be an index for each dimension.
static ar_status_t check_indices(ar_prep_t *p, unsigned i, unsigned rank, ar_tensor_t *t) {
    ar_get_input(p, i, t);
    if ((t->type != AR_INT32 && t->type != AR_INT64) || t->count != rank) {
        return ar_refuse(p, "%I %u%Mint32 or int64, one for each of %u %Ds", i, rank);
    }
    return AR_OK;
}

ar_status_t ar_prepare_slice(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_tensor_t begin, size;
    ar_space_t s;
    window_t w;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = check_indices(p, 1, in->rank, &begin);
    }
    if (status == AR_OK) {
        status = check_indices(p, 2, in->rank, &size);
    }
    if (status == AR_OK) {
        status = window(p, in, out, true, &w, &s);
    }
    if (status != AR_OK) {
        return status;
    }
    if (begin.type != size.type) {
        return ar_refuse(p, "types of begin%Asize differ");
    }
    w.type = begin.type;
    if ((!begin.data || !size.data) && in->rank) {
        return record(p, eval_slice, &w, &s);
    }
    int32_t start;
    if (!slice_start(&w, begin.data, size.data, &start)) {
        return ar_refuse(p, "begin%Asize are not those of a window of %T%O's %H");
    }
    return ar_move_record(p, &s, 0, start);
}

ar_status_t ar_prepare_dynamic_update_slice(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_tensor_t update, begin;
    ar_space_t s;
    window_t w;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = check_indices(p, 2, in->rank, &begin);
    }
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 1, &update);
    if (update.type != in->type || !ar_same_shape(in, out)) {
        return ar_refuse(p, "%Tupdate has another type, or %T%O another %H");
    }
    w.type = begin.type;
    status = window(p, in, &update, false, &w, &s);
    return status == AR_OK ? record(p, eval_update, &w, &s) : status;
}

// ---- STRIDED_SLICE, REVERSE_V2: with strides, and constant -----------------------------------------------------------

// What STRIDED_SLICE asks for: an entry a dimension, of the input or new, and the masks that change their meaning.
typedef struct {
    uint32_t n;
    int32_t begin[AR_MAX_RANK * 2];
    int32_t end[AR_MAX_RANK * 2];
    int32_t stride[AR_MAX_RANK * 2];
    uint32_t begin_mask;
    uint32_t end_mask;
    uint32_t ellipsis;          // this entry stands for all dimensions that the others leave
    uint32_t new_axis;          // a dimension of 1, not in the input
    uint32_t shrink;            // one element, and no dimension in the output
    bool offset;                // the end counts from the beginning
} spec_t;

// The window as it grows, dimension by dimension of the input.
typedef struct {
    const ar_tensor_t *in;
    const ar_tensor_t *out;
    int32_t from[AR_MAX_RANK];  // strides
    int32_t to[AR_MAX_RANK];
    int32_t start;
    unsigned next_in;
    unsigned next_out;
    ar_space_t s;
} view_t;

static void open_view(view_t *v, const ar_tensor_t *in, const ar_tensor_t *out) {
    *v = (view_t) { .in = in, .out = out };
    ar_strides(in->dim, in->rank, v->from);
    ar_strides(out->dim, out->rank, v->to);
}

// The next dimension of the input: n elements of it, every stride-th, from first on.
static bool take(view_t *v, int32_t first, int32_t stride, int32_t n) {
    if (v->next_in == v->in->rank || v->next_out == v->out->rank || v->out->dim[v->next_out] != n) {
        return false;
    }
    ar_space_add(&v->s, (uint32_t)n, n > 1 ? stride * v->from[v->next_in] : 0, v->to[v->next_out]);
    v->start += n ? first * v->from[v->next_in] : 0;
    v->next_in++;
    v->next_out++;
    return true;
}

static bool take_all(view_t *v) {
    return v->next_in < v->in->rank && take(v, 0, 1, v->in->dim[v->next_in]);
}

// No dimension of the output, one index of the input.
static bool take_one(view_t *v, int32_t at) {
    if (at < 0 || at >= v->in->dim[v->next_in]) {
        return false;
    }
    v->start += at * v->from[v->next_in++];
    return true;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high) {
    return v < low ? low : v > high ? high : v;
}

// Entry i, on the next dimension of the input (tensorflow/lite/kernels/internal/strided_slice_logic.h).
static bool take_entry(view_t *v, const spec_t *q, unsigned i) {
    if (v->next_in == v->in->rank) {
        return false;
    }
    int64_t n = v->in->dim[v->next_in], stride = q->stride[i];
    int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? n : n - 1;
    int64_t begin = q->begin[i] < 0 ? q->begin[i] + n : q->begin[i];
    begin = q->begin_mask >> i & 1 ? (stride > 0 ? low : high) : clamp(begin, low, high);
    if (q->shrink >> i & 1) {
        return stride > 0 && take_one(v, (int32_t)begin);
    }
    int64_t end = q->offset ? q->end[i] + begin : q->end[i];
    end = end < 0 ? end + n : end;
    end = q->end_mask >> i & 1 ? (stride > 0 ? high : low) : clamp(end, low, high);
    int64_t steps = (end - begin + stride + (stride > 0 ? -1 : 1)) / stride;
    return take(v, (int32_t)begin, (int32_t)clamp(stride, -n, n), steps > 0 ? (int32_t)steps : 0);
}

static bool walk_entries(view_t *v, const spec_t *q) {
    bool fits = true;
    for (unsigned i = 0; fits && i < q->n; i++) {
        if (q->ellipsis >> i & 1) {
            unsigned behind = 0; // dimensions of the input that are left to the entries behind this one
            for (unsigned k = i + 1; k < q->n; k++) {
                behind += !(q->new_axis >> k & 1);
            }
            while (fits && v->next_in + behind < v->in->rank) {
                fits = take_all(v);
            }
        } else if (q->new_axis >> i & 1) {
            fits = v->next_out < v->out->rank && v->out->dim[v->next_out++] == 1;
        } else {
            fits = q->stride[i] != 0 && take_entry(v, q, i);
        }
    }
    while (fits && v->next_in < v->in->rank) {
        fits = take_all(v);
    }
    return fits && v->next_out == v->out->rank;
}

static ar_status_t read_spec(ar_prep_t *p, spec_t *q) {
    ar_tensor_t begin;
    ar_get_input(p, 1, &begin);
    if (begin.count > AR_MAX_RANK * 2) {
        return ar_refuse(p, "%N16 entries");
    }
    q->n = begin.count;
    q->begin_mask = (uint32_t)ar_option_int(p, STRIDED_SLICE_BEGIN_MASK, 0);
    q->end_mask = (uint32_t)ar_option_int(p, STRIDED_SLICE_END_MASK, 0);
    q->ellipsis = (uint32_t)ar_option_int(p, STRIDED_SLICE_ELLIPSIS_MASK, 0);
    q->new_axis = (uint32_t)ar_option_int(p, STRIDED_SLICE_NEW_AXIS_MASK, 0);
    q->shrink = (uint32_t)ar_option_int(p, STRIDED_SLICE_SHRINK_AXIS_MASK, 0);
    q->offset = ar_option_bool(p, STRIDED_SLICE_OFFSET, false);
    ar_status_t status = ar_const_ints(p, 1, "begin", q->n, q->begin);
    if (status == AR_OK) {
        status = ar_const_ints(p, 2, "end", q->n, q->end);
    }
    return status == AR_OK ? ar_const_ints(p, 3, "strides", q->n, q->stride) : status;
}

ar_status_t ar_prepare_strided_slice(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    spec_t q;
    view_t v;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status == AR_OK) {
        status = read_spec(p, &q);
    }
    if (status != AR_OK) {
        return status;
    }
    open_view(&v, in, out);
    if (!walk_entries(&v, &q)) {
        return ar_refuse(p, "begin, end%Astrides do not give %T%O's %H, or leave %T%I");
    }
    return ar_move_record(p, &v.s, 0, v.start);
}

ar_status_t ar_prepare_reverse_v2(ar_prep_t *p) {
    const ar_tensor_t *in = &p->in, *out = &p->out;
    ar_tensor_t axes;
    int32_t given[AR_MAX_RANK];
    uint32_t mask = 0;
    ar_status_t status = ar_move_open(p, &p->in);
    if (status != AR_OK) {
        return status;
    }
    ar_get_input(p, 1, &axes);
    if (axes.count > in->rank || !ar_same_shape(in, out)) {
        return ar_refuse(p, "more axes than %Ds, or an %O of another %H");
    }
    status = ar_const_ints(p, 1, "the axes", axes.count, given);
    for (unsigned i = 0; status == AR_OK && i < axes.count; i++) {
        unsigned axis = 0;
        status = ar_axis(p, given[i], in->rank, &axis);
        mask |= 1u << axis;
    }
    if (status != AR_OK) {
        return status;
    }
    view_t v;
    open_view(&v, in, out);
    for (unsigned i = 0; i < in->rank; i++) {
        bool back = mask >> i & 1;
        take(&v, back ? in->dim[i] - 1 : 0, back ? -1 : 1, in->dim[i]);
    }
    return ar_move_record(p, &v.s, 0, v.start);
}
