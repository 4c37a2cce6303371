/* The kernels' table: one set of functions for each instruction set, all from Sources/DiptychKernels.
 *
 * Layouts. Floats throughout. Images are NHWC; `channels` counts are padded to a multiple of 8, the padding zero.
 * A "bordered" image is (height + 2) x (width + 2) with a border of zeros. A dense layer's weights are panels:
 * [outputs / 16][inputs][16], outputs padded to a multiple of 16. A pool window is 2 x 2; windows are
 * (height / 2) x (width / 2), and an odd last row or column has none.
 *
 * No kernel's result for one image or row depends on the others in the call. */
#ifndef DP_KERNELS_H
#define DP_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vectors.h"

/* Places behind a list of pool windows' gradients, or of windows, that may be written or read: a vector's, the most at a time. */
enum { DP_POOL_OVERRUN = 16 };

/* Whether |x| * factor < |y| in all places but those where both are +0. NaN is not below anything. */
static inline __attribute__((always_inline)) bool dp_is_far_below(dp_float16 x, dp_float16 factor, dp_float16 y)
{
    typedef int32_t int16x __attribute__((ext_vector_type(16)));
    const int16x below = __builtin_elementwise_abs(x) * factor < __builtin_elementwise_abs(y), zero = ((int16x)x | (int16x)y) == 0;
    return __builtin_reduce_and(below | zero) != 0;
}

/* Asks for the cache line at an address that is read soon. */
static inline __attribute__((always_inline)) void dp_prefetch(const void *address) { __builtin_prefetch(address); }

/* The same of one that is written soon, for this CPU alone. The compiler makes prefetchw only where it is told of it; every processor with
 * AVX2 takes it, the first with x86-64 did not. */
static inline __attribute__((always_inline)) void dp_prefetch_write(void *address)
{
#ifdef __AVX2__
    __asm__ volatile("prefetchw %0" : : "m"(*(char *)address));
#else
    __builtin_prefetch(address, 1);
#endif
}

/* A bit for each of eight columns in which one of `rows` floats, `stride` apart, is not `usual`. */
static inline __attribute__((always_inline)) uint64_t dp_differ8(const float *x, ptrdiff_t rows, ptrdiff_t stride, float usual)
{
    typedef bool bool8 __attribute__((ext_vector_type(8)));
    typedef int32_t int8x __attribute__((ext_vector_type(8)));
    int8x different = 0;
    for (ptrdiff_t row = 0; row < rows; row++) {
        dp_float8 values;
        __builtin_memcpy(&values, x + row * stride, sizeof values);
        different |= values != usual;
    }
    const bool8 columns = __builtin_convertvector(different < 0, bool8);
    uint8_t bits;
    __builtin_memcpy(&bits, &columns, sizeof bits);
    return bits;
}

static inline __attribute__((always_inline)) uint64_t dp_nonzero8(const float *x) { return dp_differ8(x, 1, 0, 0); }

/* For each set of eight, as bits: its members in their order, a byte each. */
extern const uint64_t dp_members[256];

/* Moves those of eight floats that are in `set` to the front of `values`, their places to that of `listed`; what follows them
 * is overwritten too. */
static inline __attribute__((always_inline)) void dp_compress8(const float *x, const int32_t *places, uint8_t set, float *values,
                                                               int32_t *listed)
{
    typedef int32_t int8x __attribute__((ext_vector_type(8)));
    typedef uint8_t byte8 __attribute__((ext_vector_type(8)));
    byte8 bytes;
    __builtin_memcpy(&bytes, &dp_members[set], sizeof bytes);
    const int8x index = __builtin_convertvector(bytes, int8x);
    dp_float8 value;
    int8x place;
#ifdef __AVX2__
    __builtin_memcpy(&value, x, sizeof value);
    __builtin_memcpy(&place, places, sizeof place);
    value = __builtin_ia32_permvarsf256(value, index);
    place = __builtin_ia32_permvarsi256(place, index);
#else
    for (int i = 0; i < 8; i++) value[i] = x[index[i]], place[i] = places[index[i]];
#endif
    __builtin_memcpy(values, &value, sizeof value);
    __builtin_memcpy(listed, &place, sizeof place);
}

/* A vector of a pool window's channels: the greatest of its four values plus bias through ReLU, and which it was. The first of
 * equals is chosen, as in PyTorch; a NaN in the first place stays. Swift's replace(with:where:) is too large to inline. */
typedef uint8_t dp_choices __attribute__((ext_vector_type(DP_LANES)));
static inline __attribute__((always_inline)) dp_vector dp_strongest(dp_vector v0, dp_vector v1, dp_vector v2, dp_vector v3, dp_vector bias,
                                                               dp_choices *choices)
{
    typedef int32_t integers __attribute__((ext_vector_type(DP_LANES)));
    dp_vector best = v0;
    integers which = 0, greater = v1 > best;
    best = greater ? v1 : best, which = greater ? 1 : which;
    greater = v2 > best, best = greater ? v2 : best, which = greater ? 2 : which;
    greater = v3 > best, best = greater ? v3 : best, which = greater ? 3 : which;
    *choices = __builtin_convertvector(which, dp_choices);
    return dp_relu(best + bias);
}

static inline __attribute__((always_inline)) void dp_max_pool(dp_vector v0, dp_vector v1, dp_vector v2, dp_vector v3, dp_vector bias,
                                                          float *pooled, uint8_t *choice)
{
    dp_choices choices;
    const dp_vector best = dp_strongest(v0, v1, v2, v3, bias, &choices);
    __builtin_memcpy(pooled, &best, sizeof best);
    __builtin_memcpy(choice, &choices, sizeof choices);
}

#ifdef __AVX512F__
/* Two eights zipped into one vector: a0 b0 a1 b1 and so on. */
static inline __attribute__((always_inline)) dp_vector dp_zip(dp_float8 a, dp_float8 b)
{
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
}

/* The same of a vector's halves: Swift's own lowHalf and highHalf take them float by float. */
static inline __attribute__((always_inline)) dp_vector dp_zip_halves(dp_vector both)
{
    return __builtin_shufflevector(both, both, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
}

/* Two neighbouring floats, eight times. */
static inline __attribute__((always_inline)) dp_vector dp_repeat2(const float *x)
{
    typedef double double8 __attribute__((ext_vector_type(8)));
    double two;
    __builtin_memcpy(&two, x, sizeof two);
    return (dp_vector)(double8)two;
}

/* A zipped vector's two eights, one after the other; and each to its place. */
static inline __attribute__((always_inline)) dp_vector dp_unzipped(dp_vector zipped)
{
    return __builtin_shufflevector(zipped, zipped, 0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
}

static inline __attribute__((always_inline)) void dp_unzip(dp_vector zipped, float *a, float *b)
{
    dp_vector both = dp_unzipped(zipped);
    __asm__("" : "+v"(both)); /* or the compiler makes each half by itself, with twice as many shuffles */
    __builtin_memcpy(a, &both, sizeof both / 2);
    __builtin_memcpy(b, (const float *)&both + 8, sizeof both / 2);
}

/* dp_max_pool of two tiles, zipped. */
static inline __attribute__((always_inline)) void dp_max_pool_zipped(dp_vector v0, dp_vector v1, dp_vector v2, dp_vector v3, dp_vector bias,
                                                                 float *pooled_a, uint8_t *choice_a, float *pooled_b, uint8_t *choice_b)
{
    dp_choices choices;
    dp_unzip(dp_strongest(v0, v1, v2, v3, bias, &choices), pooled_a, pooled_b);
    choices = __builtin_shufflevector(choices, choices, 0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    __builtin_memcpy(choice_a, &choices, sizeof choices / 2);
    __builtin_memcpy(choice_b, (const uint8_t *)&choices + 8, sizeof choices / 2);
}
#endif

/* Where the patches of a pool window's eight channels begin, by their choices: `line` further on for the lower two positions,
 * `pixel` for the two on the right. */
static inline __attribute__((always_inline)) void dp_patches8(const uint8_t *choice, int32_t corner, int32_t line, int32_t pixel,
                                                              int32_t *patches)
{
    typedef int32_t int8x __attribute__((ext_vector_type(8)));
    typedef uint8_t byte8 __attribute__((ext_vector_type(8)));
    byte8 bytes;
    __builtin_memcpy(&bytes, choice, sizeof bytes);
    const int8x which = __builtin_convertvector(bytes, int8x);
    const int8x places = corner + (-(which >> 1 & 1) & line) + (-(which & 1) & pixel);
    __builtin_memcpy(patches, &places, sizeof places);
}

#ifdef __AVX512F__
/* Sixteen pool windows' gradients of eight channels, which are not zero, to the ends of the channels' lists: values and where their
 * patches begin, which is at the window's corner or one of `offsets` from it, by its choice. Window i's gradients and choices begin at
 * rows[i]; of the windows those in `some` count. Up to sixteen places behind a list's end are overwritten. */
static inline __attribute__((always_inline)) void dp_list_pool16(const float *gradient, const uint8_t *choice, const int32_t *rows,
                                                             const int32_t *corners, const int32_t *offsets, uint16_t some,
                                                             ptrdiff_t stride, float *values, int32_t *patches, int32_t *counts)
{
    typedef int32_t int16x __attribute__((ext_vector_type(16)));
    typedef uint64_t long8x __attribute__((ext_vector_type(8)));
    typedef uint16_t word32 __attribute__((ext_vector_type(32)));
    typedef uint8_t byte64 __attribute__((ext_vector_type(64)));
    typedef uint8_t byte16 __attribute__((ext_vector_type(16)));
    typedef bool bool16 __attribute__((ext_vector_type(16)));

    /* Both are transposed: a channel's sixteen windows become one vector. */
    long8x choices[2];
#pragma clang loop unroll(disable)
    for (int i = 0; i < 16; i++) __builtin_memcpy((uint64_t *)choices + i, choice + rows[i], 8);
    dp_float16 r[8], s[8];
    for (int i = 0; i < 8; i++) {
        dp_float8 a, b;
        __builtin_memcpy(&a, gradient + rows[i], sizeof a);
        __builtin_memcpy(&b, gradient + rows[i + 8], sizeof b);
        r[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    }
    for (int i = 0; i < 8; i += 2) {
        s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
        s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int j = 0; j < 2; j++) {
            r[i + 2 * j] = __builtin_shufflevector(s[i + j], s[i + j + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
            r[i + 2 * j + 1] = __builtin_shufflevector(s[i + j], s[i + j + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        }
    }
    for (int i = 0; i < 4; i++) {
        s[i] = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
        s[i + 4] = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    }
    for (int i = 0; i < 2; i++) {
        const byte64 bytes = (byte64)choices[i];
        word32 pairs = (word32)__builtin_shufflevector(
            bytes, bytes, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15, 16, 24, 17, 25, 18, 26, 19, 27, 20, 28, 21, 29, 22, 30, 23, 31,
            32, 40, 33, 41, 34, 42, 35, 43, 36, 44, 37, 45, 38, 46, 39, 47, 48, 56, 49, 57, 50, 58, 51, 59, 52, 60, 53, 61, 54, 62, 55, 63);
        __asm__("" : "+v"(pairs)); /* or the compiler makes one shuffle of both, for which there is no instruction */
        choices[i] = (long8x)__builtin_shufflevector(pairs, pairs, 0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27, 4, 12, 20, 28, 5,
                                                     13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31);
    }
    /* Of the even channels, then of the odd ones. */
    const long8x even = __builtin_shufflevector(choices[0], choices[1], 0, 8, 2, 10, 4, 12, 6, 14);
    const long8x odd = __builtin_shufflevector(choices[0], choices[1], 1, 9, 3, 11, 5, 13, 7, 15);
    byte16 windows[2][4];
    __builtin_memcpy(windows[0], &even, sizeof even);
    __builtin_memcpy(windows[1], &odd, sizeof odd);

    int16x corner, offset;
    __builtin_memcpy(&corner, corners, sizeof corner);
    __builtin_memcpy(&offset, offsets, sizeof offset);
#pragma clang loop unroll(disable)
    for (int i = 0; i < 8; i++) {
        const int16x which = __builtin_convertvector(windows[i % 2][i / 2], int16x);
        const int16x patch = corner + (int16x)__builtin_ia32_permvarsi512(offset, which);
        uint16_t alive;
        const bool16 different = __builtin_convertvector(s[i] != 0, bool16);
        __builtin_memcpy(&alive, &different, sizeof alive);
        alive &= some;
        const dp_float16 value = __builtin_ia32_compresssf512_mask(s[i], (dp_float16)0, alive);
        const int16x place = __builtin_ia32_compresssi512_mask(patch, (int16x)0, alive);
        const ptrdiff_t end = i * stride + counts[i];
        __builtin_memcpy(values + end, &value, sizeof value);
        __builtin_memcpy(patches + end, &place, sizeof place);
        counts[i] += __builtin_popcount(alive);
    }
}
#endif

/* A draw of random numbers, four words of 32 bits: a pure function of all four (Random.swift says of what). */
typedef struct {
    uint64_t seed, index;
    uint32_t step, purpose;
} dp_draw;

/* The words of two draws one after the other, first and the next index: Philox4x32-10 (Random.swift), a round's two
 * products and all that moves in five instructions of eight words. */
typedef uint32_t dp_word8 __attribute__((ext_vector_type(8)));
static inline __attribute__((always_inline)) dp_word8 dp_random8(dp_draw first)
{
    typedef uint64_t long4 __attribute__((ext_vector_type(4)));
    const uint64_t high = (uint64_t)first.purpose << 32 | first.step;
    const long4 factors = {0xD2511F53, 0xCD9E8D57, 0xD2511F53, 0xCD9E8D57};
    long4 counter = {first.index, high, first.index + 1, high};
    const uint32_t key0 = (uint32_t)first.seed, key1 = (uint32_t)(first.seed >> 32);
    dp_word8 key = {key0, 0, key1, 0, key0, 0, key1, 0};
    const dp_word8 step = {0x9E3779B9, 0, 0xBB67AE85, 0, 0x9E3779B9, 0, 0xBB67AE85, 0};
#pragma clang loop unroll(full)
    for (int round = 0; round < 10; round++) {
        const dp_word8 words = (dp_word8)((counter & 0xFFFFFFFF) * factors);
        counter = (long4)__builtin_shufflevector(words, words, 3, 2, 1, 0, 7, 6, 5, 4) ^ counter >> 32 ^ (long4)key;
        key += step;
    }
    return (dp_word8)counter;
}

/* Eight units' dropout: 0 where the unit's word is below threshold, or else scale * x. */
static inline __attribute__((always_inline)) void dp_drop(dp_word8 words, uint32_t threshold, float scale, float *x)
{
    dp_float8 values;
    __builtin_memcpy(&values, x, sizeof values);
    values = words < threshold ? 0 : values * scale;
    __builtin_memcpy(x, &values, sizeof values);
}

/* target = source transposed, 8 x 8 floats, source's rows at `places`, target's target_row apart: pairs, then fours, then halves. */
static inline __attribute__((always_inline)) void dp_transpose(const float *source, const int32_t *places, float *target,
                                                               ptrdiff_t target_row)
{
    dp_float8 r[8], s[8];
    for (int i = 0; i < 8; i++) __builtin_memcpy(&r[i], source + places[i], sizeof r[i]);
    for (int i = 0; i < 8; i += 2) {
        s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int j = 0; j < 2; j++) {
            r[i + 2 * j] = __builtin_shufflevector(s[i + j], s[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            r[i + 2 * j + 1] = __builtin_shufflevector(s[i + j], s[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    for (int i = 0; i < 4; i++) {
        s[i] = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        s[i + 4] = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int i = 0; i < 8; i++) __builtin_memcpy(target + i * target_row, &s[i], sizeof s[i]);
}

/* The same of integers: they are moved, never looked at. */
static inline __attribute__((always_inline)) void dp_transpose_integers(const int32_t *source, const int32_t *places, int32_t *target,
                                                                        ptrdiff_t target_row)
{
    dp_transpose((const float *)source, places, (float *)target, target_row);
}

/* The shape of the two convolutions. */
typedef struct {
    ptrdiff_t height, width;
    ptrdiff_t channels; /* of both, padded to a multiple of 8 */
} dp_conv_shape;

/* Pixels of an image: rows top ..< bottom of columns left ..< right. The first of both are even, the last are even or the image's end. */
typedef struct {
    int32_t top, bottom, left, right;
} dp_area;

/* conv_pool's tiles in one go, and the floats of its scratch memory: the tiles' places (whole cache lines), one tile's transform under
 * way, and both sides of the products at 36 points. Of each of four kinds of tiles one may be worked on twice. */
enum { DP_CONV_POOL_TILES = 32, DP_CONV_POOL_PLACES = 8 * (DP_CONV_POOL_TILES + 2) };
static inline ptrdiff_t dp_conv_pool_row(ptrdiff_t channels) /* of a tile's floats at a point, at most: whole vectors but of 8 channels */
{
    return channels > 8 ? (channels + DP_WIDEST - 1) & -DP_WIDEST : channels;
}
static inline ptrdiff_t dp_conv_pool_scratch(ptrdiff_t channels)
{
    return DP_CONV_POOL_PLACES + 36 * (DP_WIDEST + 2 * ((DP_CONV_POOL_TILES + 4) * dp_conv_pool_row(channels) + 16));
}

/* The rows of pool windows that conv_pool_backward works on at a time, at most: in the fewest bands of which 16 channels of the image and of
 * its gradient take no more than a first-level cache's 32 KB, but no less than two, a tile's. And the floats of its scratch memory. */
static inline ptrdiff_t dp_conv_pool_band(dp_conv_shape shape)
{
    const ptrdiff_t rows = shape.height / 2, width = shape.channels < 16 ? shape.channels : 16;
    const ptrdiff_t lines = 2 * 4 * (shape.width + 2) * width, fit = 32768 / lines / 2 - 1, most = fit < 2 ? 2 : fit;
    const ptrdiff_t bands = (rows + most - 1) / most;
    return (rows + bands - 1) / bands;
}
static inline ptrdiff_t dp_conv_pool_backward_scratch(dp_conv_shape shape)
{
    const ptrdiff_t windows = dp_conv_pool_band(shape) * (shape.width / 2) + DP_POOL_OVERRUN;
    return shape.channels * (2 * windows + 1) + 2 * 64 + 8 + 8 * shape.channels;
}

/* Neighbouring pool windows of a row: the first one's number, and how many they are. */
typedef struct {
    int32_t first, count;
} dp_run;
/* The most that tiles can have: every second one is listed. */
static inline ptrdiff_t dp_runs_capacity(dp_conv_shape shape) { return shape.height / 2 * (shape.width / 8 + 1); }

/* Pool windows, row by row: where each one's features begin, and the patch of its first position in the bordered image. Behind the last,
 * if there is one, it is there DP_POOL_OVERRUN times more. */
typedef struct {
    ptrdiff_t count;
    int32_t *features, *corners;
} dp_windows;
static inline ptrdiff_t dp_windows_capacity(dp_conv_shape shape) { return shape.height / 2 * (shape.width / 2) + DP_POOL_OVERRUN; }

/* Lists of the values of a row that are not zero, in their order, for matrix products that skip the zeros. They lie a little
 * further apart than they are long: 2 KB apart, all would begin in two of the first-level cache's 64 sets. */
enum { DP_LISTS = 64, DP_LIST_DEPTH = 512, DP_LIST_STRIDE = DP_LIST_DEPTH + 16 };
typedef struct {
    float *values;   /* [list][stride] */
    int32_t *places; /* the same: where what it is multiplied by begins */
    int32_t *counts; /* [list] */
    ptrdiff_t stride;
} dp_lists;

/* One step of Adam or SGD over a range of parameters (see Optimizer.swift for the formulas). */
typedef struct {
    float step_size;        /* Adam: learning rate / (1 - beta1^t); SGD: learning rate */
    float decay;            /* Adam: 1 - learning rate * weight decay; SGD: weight decay */
    float beta1, beta2;     /* SGD: beta1 is the momentum */
    float second_scale;     /* Adam: 1 / sqrt(1 - beta2^t) */
    float epsilon;
    bool streamed;          /* all but adam_idle: the parameters, aligned to 64 bytes, are written past the caches */
} dp_update;

typedef struct {
    const char *name;

    /* The share of values that are not zero, in per cent, below which a product by lists is the faster one: measured for rows of 1568 and b
     * 64 wide. */
    ptrdiff_t sparse_percent;

    /* target[rows, width] = (x - mean) * scale; both lie apart. */
    void (*standardise)(ptrdiff_t rows, ptrdiff_t width, const float *x, ptrdiff_t x_row, float mean, float scale, float *target,
                        ptrdiff_t target_row);

    /* Whether none of x[count] is infinite or NaN. */
    bool (*are_finite)(ptrdiff_t count, const float *x);

    /* act[bordered, channels] = relu(conv3x3(x) + bias), and zero on the border: x is one bordered plane, weights
     * [9][channels]. Of the pixels in `area`; what is beside them may be anything. */
    void (*conv_first)(dp_conv_shape shape, dp_area area, const float *x, const float *weights, const float *bias, float *act);

    /* Adds to weight_gradient [9][channels] and bias_gradient [channels]; gradient (bordered, like act) counts only
     * but where act <= 0, of the pixels in `area`. */
    void (*conv_first_backward)(dp_conv_shape shape, dp_area area, const float *x, const float *act, const float *gradient,
                                float *weight_gradient, float *bias_gradient);

    /* Weights [out channel][9][in channel] at the 6x6 points of Winograd.swift: [36][in channel][out channel]. Where channels are no multiple
     * of 16, conv_pool reads the 8 floats behind them, too, whatever they are. */
    void (*winograd_weights)(ptrdiff_t channels, const float *weights, float *transformed);

    /* Tiles are the 2 x 2 pool windows that conv_pool works on at a time, ceil(windows / 2) in each direction; where the
     * windows are odd in number, the first tile has one row or column of them. Lists the tiles that see anything but
     * background: those for which one of the pixels of x (a bordered plane) under cl1 and cl2, up to 2 beyond the
     * windows' own, differs from it; the border does not count. Returns their number. Images are 4 to 256 wide. */
    ptrdiff_t (*live_tiles)(dp_conv_shape shape, const float *x, float background, int32_t *list);

    /* pooled[windows, channels] = max over each window of relu(conv3x3(act) + bias), choice = which of the four it
     * was, by act in the tiles' area (dp_window_runs) and on the border, for the windows of the `count` tiles in list. Of several images
     * that follow one another, of fewer than 2^20 tiles together, the second's tiles are numbered from the first's count on.
     * shared: another thread's cache may hold what was in pooled, which is then asked for before it is written.
     * scratch: dp_conv_pool_scratch(channels) floats. */
    void (*conv_pool)(dp_conv_shape shape, ptrdiff_t count, const int32_t *list, const float *act,
                      const float *transformed, const float *bias, float *pooled, uint8_t *choice, bool shared, float *scratch);

    /* The way back from `windows`, whose patches lie in `area` or on the border: gradient is that of pooled, zero where pooled is not
     * positive. Adds to weight_gradient (as the weights: [out][9][in]) and bias_gradient; writes act_gradient (bordered) in `area`; what
     * is beside it may be anything. scratch: dp_conv_pool_backward_scratch(shape) floats. */
    void (*conv_pool_backward)(dp_conv_shape shape, dp_windows windows, dp_area area, const float *act, const float *weights,
                               const float *gradient, const uint8_t *choice, float *weight_gradient, float *bias_gradient,
                               float *act_gradient, float *scratch);

    /* c[rows, 16 * panels] = a[rows, depth] * b, whose panels [depth][16] lie b_panel apart. Each element is one chain of
     * products in the order of depth. */
    void (*multiply)(ptrdiff_t rows, ptrdiff_t panels, ptrdiff_t depth, const float *a, ptrdiff_t a_row, const float *b,
                     ptrdiff_t b_panel, float *c, ptrdiff_t c_row);

    /* How many of x[rows, width] are not zero, NaN among them; width is a multiple of 8. */
    ptrdiff_t (*count_nonzeros)(ptrdiff_t rows, ptrdiff_t width, const float *x, ptrdiff_t x_row);

    /* A bit for each column of x[rows, width] in which anything is not zero: the lowest of a byte for the first of eight. */
    void (*live_columns)(ptrdiff_t rows, ptrdiff_t width, const float *x, ptrdiff_t x_row, uint8_t *live);

    /* Lists what is not zero in x[rows, width], of each row or of each column; width is a multiple of 8. A value's place is its
     * column's in `places`, or its row times step. Up to seven places behind a row's list are overwritten. */
    void (*list_rows)(ptrdiff_t rows, ptrdiff_t width, const float *x, ptrdiff_t x_row, const int32_t *places, dp_lists lists);
    void (*list_columns)(ptrdiff_t rows, ptrdiff_t width, const float *x, ptrdiff_t x_row, ptrdiff_t step, dp_lists lists);

    /* c[count, 16 * panels] (+)= a * b, row r of a being list r, or list order[r] where order is not NULL: multiply's result to
     * the bit, but for the sign of a zero, where b is finite. Panel p of b begins at b + p * b_panel, of row r of c at
     * c + r * c_row + p * c_panel. */
    void (*multiply_lists)(ptrdiff_t count, ptrdiff_t panels, dp_lists lists, const int32_t *order, const float *b, ptrdiff_t b_panel,
                           float *c, ptrdiff_t c_row, ptrdiff_t c_panel, bool accumulate);

    /* The transpose of 16 inputs of panels: b[depth = 16 * panels][16]. Input i's weights begin at places[i] of each panel. */
    void (*transpose_panels)(ptrdiff_t panels, const float *weights, ptrdiff_t panel_stride, const int32_t *places, float *b);

    /* c[rows, width] = c + bias, then relu where asked; width is a multiple of 8. */
    void (*bias_relu)(ptrdiff_t rows, ptrdiff_t width, const float *bias, bool relu, float *c, ptrdiff_t c_row);

    /* gradient[rows, width] = act <= 0 ? 0 : scale * gradient; width is a multiple of 8. */
    void (*relu_gradient)(ptrdiff_t rows, ptrdiff_t width, const float *act, ptrdiff_t act_row, float scale,
                          float *gradient, ptrdiff_t gradient_row);

    /* sum[width] = the sum of rows, in their order; it may be one of them. width is a multiple of 8. */
    void (*sum_rows)(ptrdiff_t rows, ptrdiff_t width, const float *x, ptrdiff_t x_row, float *sum);

    /* Inverted dropout over count units (a multiple of 16): x = 0 where the unit's word is below threshold, or else scale *
     * x. The words are those of the draws from `first` on, four units a draw. */
    void (*dropout)(ptrdiff_t count, dp_draw first, uint32_t threshold, float scale, float *x);

    /* The words of the draws from `first` on; count is a multiple of 8. */
    void (*random_words)(ptrdiff_t count, dp_draw first, uint32_t *words);

    /* Optimizers over count parameters (a multiple of 16): first and second are the moments. */
    void (*adam)(ptrdiff_t count, dp_update update, const float *gradient, float *parameter, float *first,
                 float *second);
    /* Adam for `count` lines of 16 parameters, which begin at `places`; gradient is [count][16]. The moments of the lines that
     * are `next` further on are asked for: 0 if none are next. */
    void (*adam_lines)(ptrdiff_t count, const int32_t *places, ptrdiff_t next, dp_update update, const float *gradient,
                       float *parameter, float *first, float *second);
    /* The same lines' updates done[line] ..< steps without a gradient, one after another, with the bits that adam gives where parameter
     * and moments are finite and no second moment is negative. */
    void (*adam_idle)(ptrdiff_t count, const int32_t *places, const int32_t *done, ptrdiff_t steps, const dp_update *updates,
                      float *parameter, float *first, float *second);
    void (*sgd)(ptrdiff_t count, dp_update update, const float *gradient, float *parameter, float *velocity);
} dp_kernels;

/* What follows from a list of `count` tiles, in their order (WindowRuns.swift): the runs of their windows, row by row, whose number it
 * returns, and the area of act that cl2 sees in them. */
ptrdiff_t dp_window_runs(dp_conv_shape shape, ptrdiff_t count, const int32_t *list, dp_run *runs, dp_area *area);
/* The windows of `count` runs. */
void dp_run_windows(dp_conv_shape shape, ptrdiff_t count, const dp_run *runs, dp_windows *windows);
/* Of all other windows: pooled and choice become those of a blank image; gradients are added to sum [windows, channels]. */
void dp_copy_blank(dp_conv_shape shape, ptrdiff_t count, const dp_run *runs, const float *blank_pooled, const uint8_t *blank_choice,
                   float *pooled, uint8_t *choice);
void dp_add_blank(dp_conv_shape shape, ptrdiff_t count, const dp_run *runs, const float *gradient, float *sum);

/* Swift functions of the modules DiptychKernels, DiptychKernelsAVX2 and DiptychKernelsAVX512. */
const dp_kernels *dp_kernels_baseline(void);
const dp_kernels *dp_kernels_avx2(void);
const dp_kernels *dp_kernels_avx512(void); /* with AVX2's bits */

#endif
