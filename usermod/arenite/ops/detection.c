// TFLite_Detection_PostProcess, a custom operator: boxes out of a detector's encodings and anchors, without those that
// overlap better ones (tensorflow/lite/micro/kernels/detection_postprocess.cc). float32, and int8 or uint8 that are
// dequantized first.
//
// Instead of sorting, the best box is looked for each time that one is taken: few are.

#include <string.h>

#include "kernels/requantize.h"
#include "ops/float.h"
#include "ops/number.h"

typedef struct {
    float y0, x0, y1, x1;
} box_t;

// How to read an input.
typedef struct {
    float scale;
    int32_t zero_point;
    uint8_t type;
} reader_t;

typedef struct {
    reader_t in[3];             // encodings, scores, anchors
    float scale[4];             // of y, x, h, w
    float score_threshold;
    float overlap_threshold;
    uint32_t boxes;
    uint32_t coordinates;       // of an encoding; the first four count
    uint32_t scores;            // of a box, with the background's
    uint32_t classes;           // without
    uint32_t most;              // detections
    uint32_t per_box;           // classes of a detection
    uint32_t per_class;         // detections of a class
    uint32_t room;              // detections that the outputs hold
    bool each_class;            // overlaps count within a class only
} detect_t;

// A detection of the best so far.
typedef struct {
    float score;
    uint32_t box;
    uint32_t class;
} found_t;

// The scratch: boxes, their scores, the best so far, and whether a box may still be taken.
typedef struct {
    const detect_t *d;
    const ar_rec_t *rec;
    box_t *box;
    float *score;
    found_t *found;
    uint8_t *open;
} work_t;

static float number(const work_t *w, unsigned input, uint32_t i) {
    const reader_t *r = &w->d->in[input];
    const void *data = ar_in(w->rec, input);
    if (r->type == AR_FLOAT32) {
        return ((const float *)data)[i];
    }
    return (float)(ar_load_int(data, i, r->type) - r->zero_point) * r->scale;
}

static float class_score(const work_t *w, uint32_t box, uint32_t class) {
    return number(w, 1, box * w->d->scores + (w->d->scores - w->d->classes) + class);
}

// Encodings and anchors are y, x, h, w of a center and a size. False: a box without an area.
static bool decode(const work_t *w) {
    const detect_t *d = w->d;
    for (uint32_t i = 0; i < d->boxes; i++) {
        float e[4], a[4];
        for (uint32_t k = 0; k < 4; k++) {
            e[k] = number(w, 0, i * d->coordinates + k) / d->scale[k];
            a[k] = number(w, 2, i * 4 + k);
        }
        float y = e[0] * a[2] + a[0], x = e[1] * a[3] + a[1];
        float h = 0.5f * ar_expf(e[2]) * a[2], v = 0.5f * ar_expf(e[3]) * a[3];
        w->box[i] = (box_t) { y - h, x - v, y + h, x + v };
        if (w->box[i].y0 >= w->box[i].y1 || w->box[i].x0 >= w->box[i].x1) {
            return false;
        }
    }
    return true;
}

static float area(const box_t *b) {
    return (b->y1 - b->y0) * (b->x1 - b->x0);
}

// Of two ranges: what they share.
static float shared(float a0, float a1, float b0, float b1) {
    float low = a0 > b0 ? a0 : b0, high = a1 < b1 ? a1 : b1;
    return high > low ? high - low : 0;
}

static bool overlaps(const detect_t *d, const box_t *a, const box_t *b) {
    float of_a = area(a), of_b = area(b), both = shared(a->y0, a->y1, b->y0, b->y1) * shared(a->x0, a->x1, b->x0, b->x1);
    return of_a > 0 && of_b > 0 && both / (of_a + of_b - both) > d->overlap_threshold;
}

// All boxes of a score that is high enough may be taken.
static void open_boxes(const work_t *w) {
    for (uint32_t i = 0; i < w->d->boxes; i++) {
        w->open[i] = w->score[i] >= w->d->score_threshold;
    }
}

// Take the best box, the first of equals, and shut those that overlap it. False: none is left.
static bool take_best(const work_t *w, uint32_t *best) {
    const detect_t *d = w->d;
    *best = d->boxes;
    for (uint32_t i = 0; i < d->boxes; i++) {
        if (w->open[i] && (*best == d->boxes || w->score[i] > w->score[*best])) {
            *best = i;
        }
    }
    if (*best == d->boxes) {
        return false;
    }
    w->open[*best] = false;
    for (uint32_t i = 0; i < d->boxes; i++) {
        if (w->open[i] && overlaps(d, &w->box[*best], &w->box[i])) {
            w->open[i] = false;
        }
    }
    return true;
}

// The next class of a box, by falling score: behind class `after` of score `below`; the first of equals.
static uint32_t next_class(const work_t *w, uint32_t box, float below, uint32_t after) {
    uint32_t best = w->d->classes;
    float best_score = 0;
    for (uint32_t c = 0; c < w->d->classes; c++) {
        float v = class_score(w, box, c);
        bool comes = after == w->d->classes || v < below || (v <= below && c > after);
        if (comes && (best == w->d->classes || v > best_score)) {
            best = c;
            best_score = v;
        }
    }
    return best < w->d->classes ? best : 0; // all NaN
}

static void write(const work_t *w, uint32_t i, uint32_t box, uint32_t class, float score) {
    ((box_t *)ar_out(w->rec, 0))[i] = w->box[box];
    ((float *)ar_out(w->rec, 1))[i] = (float)class;
    ((float *)ar_out(w->rec, 2))[i] = score;
}

// Each box stands for its best class while boxes are taken; then its best few classes are told.
static uint32_t detect_fast(const work_t *w) {
    const detect_t *d = w->d;
    uint32_t n = 0, box;
    for (uint32_t i = 0; i < d->boxes; i++) {
        w->score[i] = class_score(w, i, next_class(w, i, 0, d->classes));
    }
    open_boxes(w);
    for (uint32_t taken = 0; taken < d->most && take_best(w, &box); taken++) {
        float score = 0;
        uint32_t class = d->classes;
        for (uint32_t k = 0; k < d->per_box; k++) {
            class = next_class(w, box, score, class);
            score = class_score(w, box, class);
            write(w, n++, box, class, score);
        }
    }
    return n;
}

// Into the best so far, behind those of the same score.
static uint32_t insert(const work_t *w, uint32_t n, const found_t *found) {
    uint32_t i = n;
    while (i > 0 && w->found[i - 1].score < found->score) {
        i--;
    }
    if (i >= w->d->most) {
        return n;
    }
    uint32_t stay = n < w->d->most ? n : w->d->most - 1;
    memmove(&w->found[i + 1], &w->found[i], (stay - i) * sizeof(*found));
    w->found[i] = *found;
    return stay + 1;
}

static uint32_t detect_each_class(const work_t *w) {
    const detect_t *d = w->d;
    uint32_t n = 0, box;
    for (uint32_t class = 0; class < d->classes; class++) {
        for (uint32_t i = 0; i < d->boxes; i++) {
            w->score[i] = class_score(w, i, class);
        }
        open_boxes(w);
        for (uint32_t taken = 0; taken < d->per_class && take_best(w, &box); taken++) {
            n = insert(w, n, &(found_t) { w->score[box], box, class });
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        write(w, i, w->found[i].box, w->found[i].class, w->found[i].score);
    }
    return n;
}

static ar_status_t eval(const ar_run_t *run, const ar_rec_t *rec) {
    const detect_t *d = ar_params(rec);
    work_t w = { .d = d, .rec = rec, .box = ar_scratch_of(rec) };
    w.score = (float *)(w.box + d->boxes);
    w.found = (found_t *)(w.score + d->boxes);
    w.open = (uint8_t *)(w.found + (d->each_class ? d->most : 0));
    if (!decode(&w)) {
        return ar_run_fail(run, "a box has no area");
    }
    memset(ar_out(rec, 0), 0, d->room * sizeof(box_t));
    memset(ar_out(rec, 1), 0, d->room * sizeof(float));
    memset(ar_out(rec, 2), 0, d->room * sizeof(float));
    *(float *)ar_out(rec, 3) = (float)(d->each_class ? detect_each_class(&w) : detect_fast(&w));
    return AR_OK;
}

static ar_status_t read_inputs(ar_prep_t *p, detect_t *d) {
    ar_tensor_t t[3];
    for (unsigned i = 0; i < 3; i++) {
        ar_get_input(p, i, &t[i]);
        if (t[i].type != AR_FLOAT32 && t[i].type != AR_INT8 && t[i].type != AR_UINT8) {
            return ar_bad_type(p, t[i].type);
        }
        ar_status_t status = t[i].type != AR_FLOAT32 ? ar_expect_quantized_input(p, i, &t[i]) : AR_OK;
        if (status != AR_OK) {
            return status;
        }
        d->in[i] = (reader_t) { t[i].scale, t[i].zero_point, t[i].type };
    }
    int32_t n = t[0].rank == 3 ? t[0].dim[1] : 0;
    if (n < 1 || n > 0xffff || t[0].dim[0] != 1 || t[0].dim[2] < 4 || t[1].rank != 3 || t[1].dim[0] != 1
        || t[1].dim[1] != n || t[2].rank != 2 || t[2].dim[0] != n || t[2].dim[1] != 4) {
        return ar_refuse(p, "%Is%M[1, n, 4], [1, n, scores]%A[n, 4], n at most 65535");
    }
    d->boxes = (uint32_t)n;
    d->coordinates = (uint32_t)t[0].dim[2];
    d->scores = (uint32_t)t[1].dim[2];
    return AR_OK;
}

static bool in_range(int32_t v, int32_t low, int32_t high) {
    return low <= v && v <= high;
}

static ar_status_t read_options(ar_prep_t *p, detect_t *d) {
    static const char *const scales[] = { "y_scale", "x_scale", "h_scale", "w_scale" };
    int32_t most = ar_custom_int(p, "max_detections", 0), classes = ar_custom_int(p, "num_classes", 0);
    int32_t per_box = ar_custom_int(p, "max_classes_per_detection", 0);
    int32_t per_class = ar_custom_int(p, "detections_per_class", 100);
    d->each_class = ar_custom_int(p, "use_regular_nms", 0) != 0;
    d->score_threshold = ar_custom_float(p, "nms_score_threshold", 0);
    d->overlap_threshold = ar_custom_float(p, "nms_iou_threshold", 0);
    for (unsigned k = 0; k < 4; k++) {
        d->scale[k] = ar_custom_float(p, scales[k], 0);
    }
    if (!in_range(most, 1, 0xffff) || (d->each_class ? per_class : per_box) < 1) {
        return ar_refuse(p, "max_detections (at most 65535)%Awhat else limits them%M1 or more");
    }
    if (classes < 1 || ((uint32_t)classes != d->scores && (uint32_t)classes + 1 != d->scores)) {
        return ar_refuse(p, "num_classes %d,%Aa box has %d scores", (int)classes, (int)d->scores);
    }
    if (!(d->overlap_threshold > 0 && d->overlap_threshold <= 1)) {
        return ar_refuse(p, "nms_iou_threshold%Mabove 0,%Aat most 1");
    }
    d->most = (uint32_t)most;
    d->classes = (uint32_t)classes;
    d->per_box = (uint32_t)ar_clamp(per_box, 0, classes);
    d->per_class = (uint32_t)per_class;
    return AR_OK;
}

static ar_status_t check_outputs(ar_prep_t *p, detect_t *d) {
    ar_tensor_t t[4];
    for (unsigned i = 0; i < 4; i++) {
        ar_get_output(p, i, &t[i]);
        if (t[i].type != AR_FLOAT32) {
            return ar_bad_type(p, t[i].type);
        }
    }
    uint64_t needed = (uint64_t)d->most * (d->each_class ? 1 : d->per_box);
    d->room = t[1].count;
    if (t[1].count < needed || t[0].count != 4 * t[1].count || t[2].count != t[1].count || t[3].count != 1) {
        return ar_refuse(p, "%Os%Mfixed: [1, n, 4], [1, n], [1, n]%A[1], n at least %u", (unsigned)needed);
    }
    return AR_OK;
}

ar_status_t ar_prepare_detection_postprocess(ar_prep_t *p) {
    detect_t d = { 0 };
    ar_status_t status = read_inputs(p, &d);
    if (status == AR_OK) {
        status = read_options(p, &d);
    }
    if (status == AR_OK) {
        status = check_outputs(p, &d);
    }
    if (status != AR_OK) {
        return status;
    }
    size_t found = d.each_class ? d.most * sizeof(found_t) : 0;
    ar_scratch(p, (uint32_t)(d.boxes * (sizeof(box_t) + sizeof(float) + 1) + found));
    return ar_keep(p, eval, &d, sizeof(detect_t));
}
