/* Vectors of floats, and their arithmetic in whole instructions (VectorArithmetic.swift). Swift's own operators take the floats one by
 * one, and the compiler makes vectors of them again as it can: now and then of halves, or of two operations blended. */
#ifndef DP_VECTORS_H
#define DP_VECTORS_H

#include <stdbool.h>

typedef float dp_float4 __attribute__((ext_vector_type(4)));
typedef float dp_float8 __attribute__((ext_vector_type(8)));
typedef float dp_float16 __attribute__((ext_vector_type(16)));

/* The kernels' vector (Vector.swift), and the most floats that one has in any instruction set. */
enum { DP_WIDEST = 16 };
#if defined __AVX512F__
enum { DP_LANES = 16 };
#elif defined __AVX2__
enum { DP_LANES = 8 };
#else
enum { DP_LANES = 4 };
#endif
typedef float dp_vector __attribute__((ext_vector_type(DP_LANES)));

#if defined __FMA__ || defined __aarch64__
enum { DP_FUSED = 1 };
#else
enum { DP_FUSED = 0 };
#endif

/* fused_add: a * b + sum with one rounding; without the instruction a call of fmaf for each float. fma: the same where the CPU has the
 * instruction, two roundings elsewhere. relu: max(x, 0), but NaN stays NaN, so that a training that diverges is seen. pass: 0 where
 * gate <= 0, x where it is above, or NaN. least, greatest: b where both are 0, or one NaN. is_zero: whether all are, of either sign.
 * stream: writes past the caches, to an address that is a multiple of the vector's size. */
#define DP_OVERLOADED static inline __attribute__((always_inline, overloadable))
#define DP_ARITHMETIC(floats)                                                                                                                   \
    DP_OVERLOADED floats dp_add(floats a, floats b) { return a + b; }                                                                           \
    DP_OVERLOADED floats dp_subtract(floats a, floats b) { return a - b; }                                                                      \
    DP_OVERLOADED floats dp_multiply(floats a, floats b) { return a * b; }                                                                      \
    DP_OVERLOADED floats dp_divide(floats a, floats b) { return a / b; }                                                                        \
    DP_OVERLOADED floats dp_fused_add(floats sum, floats a, floats b) { return __builtin_elementwise_fma(a, b, sum); }                          \
    DP_OVERLOADED floats dp_fma(floats sum, floats a, floats b) { return DP_FUSED ? dp_fused_add(sum, a, b) : dp_add(sum, dp_multiply(a, b)); } \
    DP_OVERLOADED floats dp_square_root(floats x) { return __builtin_elementwise_sqrt(x); }                                                     \
    DP_OVERLOADED floats dp_relu(floats x) { return x < 0 ? 0 : x; }                                                                            \
    DP_OVERLOADED floats dp_pass(floats x, floats gate) { return gate <= 0 ? 0 : x; }                                                           \
    DP_OVERLOADED floats dp_least(floats a, floats b) { return a < b ? a : b; }                                                                 \
    DP_OVERLOADED floats dp_greatest(floats a, floats b) { return a > b ? a : b; }                                                              \
    DP_OVERLOADED void dp_stream(floats x, float *target) { __builtin_nontemporal_store(x, (floats *)target); }                                 \
    DP_OVERLOADED bool dp_is_zero(floats x) { return __builtin_reduce_and(x == 0) != 0; }
DP_ARITHMETIC(dp_float4)
DP_ARITHMETIC(dp_float8)
DP_ARITHMETIC(dp_float16)
#undef DP_ARITHMETIC
#undef DP_OVERLOADED

/* After dp_stream, which writes past the caches: other threads see what it wrote when they see what is written next. */
static inline __attribute__((always_inline)) void dp_stream_end(bool streamed)
{
#ifdef __SSE2__
    if (streamed) __builtin_ia32_sfence();
#else
    (void)streamed;
#endif
}

#endif
