// Four channels by positions in a row: kernels/packed.h, with the sums of kernels/thumb/tiles.h.

#include "kernels/packed.h"

#if AR_TIER_THUMB

#include "kernels/thumb/requantize.h"

// Weights of two channels, a tap at a time: `to` advances by four words every two elements.
static bool pack_two(ar_packed_t *k, const int8_t *a, const int8_t *b, uint32_t *to, uint32_t pair) {
    const int8_t *end = a + k->rows * k->taps * k->depth;
    uint32_t bad = 0, column = 0;
    for (uint32_t i = 0; i < k->taps; i++) {
        k->sums[pair][i].packed = k->sums[pair][i].second = 0;
    }
    for (; a < end; a += k->depth, b += k->depth, to += 2 * k->depth) {
        ar_thumb_packed_t s = { 0, 0, 0 };
        ar_thumb_pack(a, b, to, a + k->depth, &s);
        k->sums[pair][column].packed += s.packed;
        k->sums[pair][column].second += s.second;
        bad |= s.bad;
        column = column + 1 == k->taps ? 0 : column + 1;
    }
    return !AR_THUMB_FULL && (bad & AR_THUMB_BAD);
}

void ar_packed_weights(ar_packed_t *k, const ar_product_s8_t *p, uint32_t first) {
    uint32_t from = first * k->taps * k->depth;
    k->bad = false;
    for (uint32_t i = 0; i < AR_PACKED_CHANNELS / 2; i++) {
        const int8_t *a = ar_product_row(p, k->channels[2 * i]), *b = ar_product_row(p, k->channels[2 * i + 1]);
        k->bad |= pack_two(k, a + from, b + from, k->w + 2 * i, i);
    }
    for (uint32_t i = 0; i < AR_PACKED_CHANNELS; i++) {
        const ar_channel_t *c = k->channels[i];
        k->row.factor[i] = ar_thumb_factor(c->mult, c->shift, p->out_zero);
        k->row.factor[i].place = c->channel;
    }
}

// Where the sums of a pair of channels start: the zero point meets the weights inside.
static void start_at(ar_packed_t *k, const ar_product_s8_t *p, const ar_packed_positions_t *at, uint32_t i) {
    uint32_t packed = 0, second = 0, bias = k->rows * at->taps * k->depth / 2 * AR_THUMB_BIAS;
    for (uint32_t column = at->first; column < at->first + at->taps; column++) {
        packed += k->sums[i][column].packed;
        second += k->sums[i][column].second;
    }
    uint32_t first = (uint32_t)p->offset * (packed - (second << 16));
    second *= (uint32_t)p->offset;
    if (at->begins) {
        first += (uint32_t)ar_product_start(p, k->channels[2 * i]->channel);
        second += (uint32_t)ar_product_start(p, k->channels[2 * i + 1]->channel);
    }
    k->row.second[i] = second - bias;
    k->row.packed[i] = first - bias + (k->row.second[i] << 16);
}

void ar_packed_product(ar_packed_t *k, const ar_product_s8_t *p, const ar_packed_positions_t *at, int8_t *out) {
    const uint32_t of_tap = ar_packed_bytes(k->depth, 1, 1), first = ar_thumb_first(at->taps * k->depth / 2);
    ar_thumb_packed_row_t *t = &k->row;
    for (uint32_t i = 0; i < AR_PACKED_CHANNELS / 2; i++) {
        start_at(k, p, at, i);
    }
    t->x = at->x - AR_THUMB_BEFORE(first);
    t->w = k->w + at->first * of_tap / sizeof(uint32_t);
    t->rows = k->rows;
    t->turn = at->turn;
    t->row = at->taps * of_tap;
    t->x_on = at->row_step - at->taps * k->depth - AR_THUMB_BEFORE(first);
    t->w_on = (k->taps - at->taps) * of_tap;
    t->ring = at->ring;
    t->x_step = at->x_step;
    t->x_end = t->x + at->count * at->x_step;
    t->from = at->begins ? NULL : at->sums;
    t->to = at->ends ? NULL : at->sums;
    t->out = out;
    t->step = p->out_step;
    ar_thumb_packed_row(t, first);
}

#endif // AR_TIER_THUMB
