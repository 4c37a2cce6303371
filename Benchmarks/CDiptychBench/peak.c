#include "peak.h"

#include <time.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2,fma"))) static float chains(long rounds)
{
    __m256 s[12], a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-6f);
    for (int i = 0; i < 12; i++) s[i] = _mm256_set1_ps((float)i);
    for (long r = 0; r < rounds; r++) {
        for (int i = 0; i < 12; i++) s[i] = _mm256_fmadd_ps(s[i], a, b);
    }
    float sum = 0;
    for (int i = 0; i < 12; i++) sum += _mm256_cvtss_f32(s[i]);
    return sum;
}
enum { LANES = 8 };
#else
static float chains(long rounds)
{
    typedef float vector __attribute__((vector_size(16)));
    vector s[24], a = {0.999f, 0.999f, 0.999f, 0.999f}, b = a * 1e-6f;
    for (int i = 0; i < 24; i++) s[i] = b * (float)i;
    for (long r = 0; r < rounds; r++) {
        for (int i = 0; i < 24; i++) s[i] = s[i] * a + b;
    }
    float sum = 0;
    for (int i = 0; i < 24; i++) sum += s[i][0];
    return sum / 2;
}
enum { LANES = 8 };
#endif

double dp_fma_peak(void)
{
    const long rounds = 200000;
    double best = 1e9;
    volatile float sink;
    for (int i = 0; i < 100; i++) {
        double start = seconds();
        sink = chains(rounds);
        double time = seconds() - start;
        if (time < best) best = time;
    }
    (void)sink;
    return 2.0 * LANES * 12 * (double)rounds / best * 1e-9;
}
