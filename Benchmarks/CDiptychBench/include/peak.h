/* The highest rate of float multiply-adds that one core reaches, in GFLOP/s: independent FMAs on registers alone. */
#ifndef DP_PEAK_H
#define DP_PEAK_H
double dp_fma_peak(void);
#endif
