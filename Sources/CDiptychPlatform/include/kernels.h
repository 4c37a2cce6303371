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

/* The square roots of eight floats: SIMD8's own squareRoot takes them one by one. */
typedef float dp_float8 __attribute__((ext_vector_type(8)));
static inline __attribute__((always_inline)) dp_float8 dp_sqrt(dp_float8 x) { return __builtin_elementwise_sqrt(x); }

/* target = source transposed, 8 x 8 floats, rows source_row and target_row apart: pairs, then fours, then halves. */
static inline __attribute__((always_inline)) void dp_transpose(const float *source, ptrdiff_t source_row, float *target,
                                                               ptrdiff_t target_row)
{
    dp_float8 r[8], s[8];
    for (int i = 0; i < 8; i++) __builtin_memcpy(&r[i], source + i * source_row, sizeof r[i]);
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

/* The shape of the two convolutions. */
typedef struct {
    ptrdiff_t height, width;
    ptrdiff_t channels; /* of both, padded to a multiple of 8 */
} dp_conv_shape;

/* Floats of scratch memory for each channel that conv_pool needs: both domains of its 18 windows, 16 values each. */
enum { DP_CONV_POOL_SCRATCH = 2 * 16 * 18 };

/* One step of Adam or SGD over a range of parameters (see Optimizer.swift for the formulas). */
typedef struct {
    float step_size;        /* Adam: learning rate / (1 - beta1^t); SGD: learning rate */
    float decay;            /* Adam: 1 - learning rate * weight decay; SGD: weight decay */
    float beta1, beta2;     /* SGD: beta1 is the momentum */
    float second_scale;     /* Adam: 1 / sqrt(1 - beta2^t) */
    float epsilon;
} dp_update;

typedef struct {
    const char *name;

    /* act[bordered, channels] = relu(conv3x3(x) + bias), and zero on the border: x is one bordered plane, weights
     * [9][channels]. */
    void (*conv_first)(dp_conv_shape shape, const float *x, const float *weights, const float *bias, float *act);

    /* Adds to weight_gradient [9][channels] and bias_gradient [channels]; gradient (bordered, like act) counts only
     * where act > 0. */
    void (*conv_first_backward)(dp_conv_shape shape, const float *x, const float *act, const float *gradient,
                                float *weight_gradient, float *bias_gradient);

    /* Weights [out channel][9][in channel] to Winograd's F(2x2, 3x3) domain: [16][in channel][out channel]. */
    void (*winograd_weights)(ptrdiff_t channels, const float *weights, float *transformed);

    /* Lists the pool windows that see anything but background: those for which one of the 6 x 6 pixels of x (a
     * bordered plane) under cl1 and cl2 differs from it; the border does not count. Returns their number. */
    ptrdiff_t (*live_windows)(dp_conv_shape shape, const float *x, float background, int32_t *list);

    /* pooled[windows, channels] = max over each window of relu(conv3x3(act) + bias), choice = which of the four it
     * was, for the `count` windows in list; a window of the second of several images that follow one another is
     * numbered from `windows` on. scratch:
     * DP_CONV_POOL_SCRATCH * channels floats. */
    void (*conv_pool)(dp_conv_shape shape, ptrdiff_t count, const int32_t *list, const float *act,
                      const float *transformed, const float *bias, float *pooled, uint8_t *choice, float *scratch);

    /* The way back: gradient is that of pooled, zero where pooled is not positive. Adds to weight_gradient (as the
     * weights: [out][9][in]) and bias_gradient; writes act_gradient (bordered). scratch: (2 * windows + 11) *
     * channels floats. */
    void (*conv_pool_backward)(dp_conv_shape shape, const float *act, const float *weights, const float *gradient,
                               const uint8_t *choice, float *weight_gradient, float *bias_gradient,
                               float *act_gradient, float *scratch);

    /* c[rows, 16 * panels] (+)= a[rows, depth] * b. a's element (r, k) is at a[r * a_row + k * a_step]; b's panels of
     * 16 columns lie b_panel apart, its rows b_row. Each element is one chain of products in the order of k. */
    void (*multiply)(ptrdiff_t rows, ptrdiff_t panels, ptrdiff_t depth, const float *a, ptrdiff_t a_row,
                     ptrdiff_t a_step, const float *b, ptrdiff_t b_row, ptrdiff_t b_panel, float *c, ptrdiff_t c_row,
                     bool accumulate);

    /* The transpose of 16 inputs of panels: b[depth = 16 * panels][16] from weights of those inputs. */
    void (*transpose_panels)(ptrdiff_t panels, const float *weights, ptrdiff_t panel_stride, float *b);

    /* c[rows, width] = c + bias, then relu where asked; width is a multiple of 8. */
    void (*bias_relu)(ptrdiff_t rows, ptrdiff_t width, const float *bias, bool relu, float *c, ptrdiff_t c_row);

    /* gradient[rows, width] = act > 0 ? scale * gradient : 0; width is a multiple of 8. */
    void (*relu_gradient)(ptrdiff_t rows, ptrdiff_t width, const float *act, ptrdiff_t act_row, float scale,
                          float *gradient, ptrdiff_t gradient_row);

    /* sum[width] = the sum of rows, in their order; width is a multiple of 8. */
    void (*sum_rows)(ptrdiff_t rows, ptrdiff_t width, const float *x, ptrdiff_t x_row, float *sum);

    /* Optimizers over count parameters (a multiple of 8): first and second are the moments. */
    void (*adam)(ptrdiff_t count, dp_update update, const float *gradient, float *parameter, float *first,
                 float *second);
    void (*sgd)(ptrdiff_t count, dp_update update, const float *gradient, float *parameter, float *velocity);
} dp_kernels;

/* Swift functions of the modules DiptychKernels and DiptychKernelsAVX2. */
const dp_kernels *dp_kernels_baseline(void);
const dp_kernels *dp_kernels_avx2(void);

#endif
