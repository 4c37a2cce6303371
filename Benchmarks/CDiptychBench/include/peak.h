/* The highest rate of float multiply-adds that one core reaches, in GFLOP/s: independent FMAs on registers alone, of 16 floats (AVX-512),
 * 8 (AVX2) or 4. */
#ifndef DP_PEAK_H
#define DP_PEAK_H
double dp_fma_peak(int lanes);
#endif
