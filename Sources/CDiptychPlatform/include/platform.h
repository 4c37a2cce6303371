/* What the Swift core needs of libc and zlib: Embedded Swift has no Glibc overlay, so this is it. */
#ifndef DP_PLATFORM_H
#define DP_PLATFORM_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

/* errno, which Swift cannot import. */
static inline int dp_errno(void) { return errno; }
static inline void dp_set_errno(int value) { errno = value; }

/* open(), which is variadic; mode is used where flags create. */
int dp_open(const char *path, int flags, unsigned mode);

/* A folder entry's name: an array of its own size to Swift on every system. */
static inline const char *dp_entry_name(const struct dirent *entry) { return entry->d_name; }

/* "%.*g" into buffer; returns the length. */
int dp_format_double(char *buffer, size_t capacity, int digits, double value);

/* What diptych_build_info says, freed with free(); NULL where there is no memory. */
char *dp_build_text(const char *version, const char *build, const char *kernels, const char *libpng);

/* The number in text, which must be all of it; false otherwise, or where it is not finite. Ignores the locale. */
bool dp_parse_double(const char *text, double *out_value);

/* size bytes aligned to 64, zeroed or (reserve) not; NULL where there is no memory. Freed with free(). */
void *dp_allocate(size_t size);
void *dp_reserve(size_t size);

/* This thread's scratch memory of at least size bytes, aligned to 64, not zeroed (pages that nobody touches cost nothing), kept until
 * the thread ends; NULL where there is no memory. The contents do not survive a call that asks for more. */
void *dp_thread_scratch(size_t size);

/* Calls `close` when the process exits or the library is unloaded. One function for the process. */
void dp_at_exit(void (*close)(void));

/* This thread's last error message. */
const char *dp_last_error(void);
void dp_set_last_error(const char *message, size_t length);

/* CPUs that this process may use: affinity and cgroup quota. At least 1. */
int dp_available_cpus(void);

/* Seconds on the monotonic clock. */
double dp_seconds(void);

/* How this thread's floating-point instructions round, trap and treat subnormal numbers (control registers). All of the library's
 * arithmetic is done in one mode, whatever the host's: to nearest, without traps, and subnormal numbers are zero.
 * On Intel's processors an operation on one takes some 150 cycles, and the first moments of weights without a gradient become subnormal.
 * The C API and the command set it; on processors other than x86-64 and arm64 the host's stays. */
typedef uint64_t dp_float_mode;
dp_float_mode dp_float_mode_get(void);
void dp_float_mode_set(dp_float_mode mode);
dp_float_mode dp_float_mode_enter(void); /* sets the library's, returns the one before */

/* Which kernels to use: the widest for which this CPU and system have the instructions (AVX2 and FMA; AVX-512 F, BW, DQ and VL) and
 * which DIPTYCH_ISA, "baseline" or "avx2", does not forbid. Looked up once. */
typedef enum { DP_BASELINE, DP_AVX2, DP_AVX512 } dp_isa;
dp_isa dp_instruction_set(void);
/* Whether this is of AMD's family 19h, of which those with AVX-512 (Zen 4) do its instructions in two halves. Other such processors are not
 * looked for. */
bool dp_is_amd_family_19h(void);

/* A worker pool. A run has stages, a stage has items: body(context, stage, item, thread) is called once for each, on the
 * calling thread (thread 0) and threads - 1 others, in the caller's floating-point mode, and the run returns when all are
 * done. Of each stage's items share t, of `threads` equal ones, is thread t's, so that what it reads lies in its cache. Among stages
 * that follow each other by shares a thread takes items of its own shares first, then of others'; otherwise earlier stages come first.
 * One caller at a time. Safe after fork(). */
typedef struct dp_pool dp_pool;
enum { DP_POOL_STAGES = 32 }; /* at most, in one run */
typedef struct {
    size_t count;       /* items, at least 1 */
    uint32_t after;     /* a bit for each stage before this one that must be done first, the lowest for the first */
    bool by_share;      /* or instead, but not of the first: only the same share of the stage just before, which may be empty only where
                         * this one is, too */
    size_t taken, done; /* the pool's own: shares */
} dp_stage;
typedef void (*dp_pool_body)(void *context, size_t stage, size_t item, size_t thread);
dp_pool *dp_pool_create(int threads); /* NULL where there is no memory; threads start at the first run with more than one item */
bool dp_pool_run(dp_pool *pool, size_t stages, dp_stage *stage, dp_pool_body body, void *context); /* false: no thread could start */
void dp_pool_free(dp_pool *pool);

/* Memory that threads share (SharedLines.swift). flush sends lines to memory, out of every CPU's caches; only where can_flush says so, elsewhere
 * it is no instruction. seconds_to_write writes a zero into each line of `count` floats, and takes the time until every CPU sees them. */
bool dp_can_flush(void);
void dp_flush(const float *start, size_t count);
double dp_seconds_to_write(float *start, size_t count);

/* Flags that threads share: set and taken back (cancellation), or held like a lock that nobody waits for. */
static inline void dp_flag_set(int *flag, int value) { __atomic_store_n(flag, value, __ATOMIC_RELAXED); }
static inline int dp_flag_take(int *flag) { return __atomic_exchange_n(flag, 0, __ATOMIC_RELAXED); }
static inline bool dp_flag_acquire(int *flag) { return __atomic_exchange_n(flag, 1, __ATOMIC_ACQUIRE) == 0; }
static inline void dp_flag_release(int *flag) { __atomic_store_n(flag, 0, __ATOMIC_RELEASE); }

/* Files inside the library. */
typedef struct { const unsigned char *bytes; size_t size; } dp_asset;
dp_asset dp_asset_default_model(void);   /* safetensors */
dp_asset dp_asset_sample(void);          /* see scripts/make_sample.py */

#endif
