#include "peak.h"

#include "../clock.h"

/* Independent chains of multiply-adds, as many as registers allow. */
#define CHAINS(vector, set, fma, first)                                 \
    vector s[COUNT], a = set(0.999f), b = set(1e-6f);                   \
    for (int i = 0; i < COUNT; i++) s[i] = set((float)i);               \
    for (long r = 0; r < rounds; r++) {                                 \
        for (int i = 0; i < COUNT; i++) s[i] = fma(s[i], a, b);         \
    }                                                                   \
    float sum = 0;                                                      \
    for (int i = 0; i < COUNT; i++) sum += first(s[i]);                 \
    return sum

#if defined(__x86_64__)
#include <immintrin.h>

enum { COUNT = 12 };
__attribute__((target("avx2,fma"))) static float chains8(long rounds) { CHAINS(__m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32); }
__attribute__((target("avx512f"))) static float chains16(long rounds) { CHAINS(__m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32); }
#else
enum { COUNT = 24 };
#endif

/* Where there is no fused instruction, a product and a sum. */
typedef float vector4 __attribute__((vector_size(16)));
static vector4 all4(float x) { return (vector4){x, x, x, x}; }
static vector4 fma4(vector4 x, vector4 a, vector4 b) { return x * a + b; }
static float first4(vector4 x) { return x[0]; }
static float chains4(long rounds) { CHAINS(vector4, all4, fma4, first4); }

double dp_fma_peak(int lanes)
{
    const long rounds = 200000;
    double best = 1e9;
    volatile float sink;
#if defined(__x86_64__)
    float (*const chains)(long) = lanes == 16 ? chains16 : lanes == 8 ? chains8 : chains4;
#else
    float (*const chains)(long) = chains4;
#endif
    for (int i = 0; i < 100; i++) {
        double start = seconds();
        sink = chains(rounds);
        double time = seconds() - start;
        if (time < best) best = time;
    }
    (void)sink;
    return 2.0 * lanes * COUNT * (double)rounds / best * 1e-9;
}
