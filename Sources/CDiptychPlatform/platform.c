#define _GNU_SOURCE
#include "platform.h"

#include <ctype.h>
#include <locale.h>
#include <sched.h>
#include <stdarg.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

int dp_open(const char *path, int flags, unsigned mode) { return open(path, flags | O_CLOEXEC, (mode_t)mode); }

static locale_t c_locale(void)
{
    static locale_t locale;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (!locale) locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    pthread_mutex_unlock(&lock);
    return locale;
}

int dp_format_double(char *buffer, size_t capacity, int digits, double value)
{
    locale_t c = c_locale(), before = c ? uselocale(c) : (locale_t)0;
    int length = snprintf(buffer, capacity, "%.*g", digits, value);
    if (c) uselocale(before);
    return length;
}

char *dp_build_text(const char *version, const char *build, const char *kernels, const char *libpng)
{
    char text[256];
    if (!version) return NULL;
    snprintf(text, sizeof text, "diptych %s, %s, kernels %s, libpng %s, zlib %s", version, build, kernels, libpng, zlibVersion());
    return strdup(text);
}

bool dp_parse_double(const char *text, double *out_value)
{
    locale_t c = c_locale();
    char *end = NULL;
    if (!*text || isspace((unsigned char)*text)) return false;
    *out_value = c ? strtod_l(text, &end, c) : strtod(text, &end);
    return *end == 0 && isfinite(*out_value);
}

void *dp_reserve(size_t size)
{
    void *memory = NULL;
    if (size == 0) size = 1;
    return size <= PTRDIFF_MAX && posix_memalign(&memory, 64, size) == 0 ? memory : NULL;
}

void *dp_allocate(size_t size)
{
    void *memory = dp_reserve(size);
    return memory ? memset(memory, 0, size) : NULL;
}

/* ---- Memory of a thread's own ---- */

typedef struct { void *memory; size_t size; } scratch;

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static bool scratch_key_made;
static __thread scratch thread_scratch;

static void scratch_release(void *unused)
{
    (void)unused;
    free(thread_scratch.memory);
    thread_scratch = (scratch){NULL, 0};
}

static void scratch_make_key(void) { scratch_key_made = pthread_key_create(&scratch_key, scratch_release) == 0; }

/* The main thread runs no key destructors at exit. */
__attribute__((destructor)) static void scratch_release_last(void) { scratch_release(NULL); }

void *dp_thread_scratch(size_t size)
{
    if (thread_scratch.size >= size) return thread_scratch.memory;
    pthread_once(&scratch_once, scratch_make_key);
    if (!scratch_key_made || pthread_setspecific(scratch_key, &thread_scratch) != 0) return NULL;
    scratch_release(NULL);
    thread_scratch.memory = dp_reserve(size);
    thread_scratch.size = thread_scratch.memory ? size : 0;
    return thread_scratch.memory;
}

static void (*close_at_exit)(void);

void dp_at_exit(void (*close)(void)) { __atomic_store_n(&close_at_exit, close, __ATOMIC_RELEASE); }

__attribute__((destructor)) static void run_at_exit(void)
{
    void (*close)(void) = __atomic_load_n(&close_at_exit, __ATOMIC_ACQUIRE);
    if (close) close();
}

static __thread char last_error[1024];

const char *dp_last_error(void) { return last_error; }

void dp_set_last_error(const char *message, size_t length)
{
    if (length >= sizeof last_error) {
        length = sizeof last_error - 1;
        while (length > 0 && ((unsigned char)message[length] & 0xC0) == 0x80) length--; /* a whole UTF-8 character */
    }
    memcpy(last_error, message, length);
    last_error[length] = 0;
}

/* ---- The machine ---- */

/* The beginning of a small file as text; false where it cannot be read. Takes no memory. */
static bool read_text(const char *path, char *text, size_t capacity)
{
    int file = dp_open(path, O_RDONLY, 0);
    ssize_t count;
    if (file < 0) return false;
    count = read(file, text, capacity - 1);
    close(file);
    text[count > 0 ? count : 0] = 0;
    return count > 0;
}

/* The least quota in CPUs of this process's cgroup and those around it, rounded up; 0 where there is none. */
static int cgroup_quota(void)
{
    char path[1024] = "/sys/fs/cgroup", text[1024], *line;
    size_t root = strlen(path);
    double least = 0;
    if (read_text("/proc/self/cgroup", text, sizeof text) && (line = strstr(text, "0::/"))) {
        size_t length = strcspn(line += 3, "\n");
        if (length > 1 && root + length + sizeof "/cpu.max" < sizeof path) {
            memcpy(path + root, line, length);
            path[root + length] = 0;
        }
    }
    for (;;) {
        size_t end = strlen(path);
        long long quota, period;
        memcpy(path + end, "/cpu.max", sizeof "/cpu.max");
        /* "max 100000" has no number to read first. */
        if (read_text(path, text, sizeof text) && sscanf(text, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0) {
            double cpus = (double)quota / (double)period;
            if (least == 0 || cpus < least) least = cpus;
        }
        path[end] = 0;
        if (end <= root) break;
        *strrchr(path, '/') = 0;
    }
    if (least == 0) { /* the older hierarchy */
        long long quota, period;
        if (read_text("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text, sizeof text) && sscanf(text, "%lld", &quota) == 1 && quota > 0 &&
            read_text("/sys/fs/cgroup/cpu/cpu.cfs_period_us", text, sizeof text) && sscanf(text, "%lld", &period) == 1 && period > 0)
            least = (double)quota / (double)period;
    }
    return least > 0 && least < 4096 ? (int)ceil(least) : 0;
}

int dp_available_cpus(void)
{
    cpu_set_t set;
    int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    int quota = cgroup_quota();
    if (quota > 0 && quota < cpus) cpus = quota;
    return cpus < 1 ? 1 : cpus;
}

double dp_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

enum { LINE = 16 }; /* floats */

double dp_seconds_to_write(float *start, size_t count)
{
    const double before = dp_seconds();
    for (size_t i = 0; i < count; i += LINE) *(volatile float *)(start + i) = 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return dp_seconds() - before;
}

bool dp_can_flush(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_CLFLUSHOPT) != 0;
#else
    return false;
#endif
}

void dp_flush(const float *start, size_t count)
{
#if defined(__x86_64__)
    for (size_t i = 0; i < count; i += LINE) __asm__ volatile("clflushopt %0" : : "m"(start[i]) : "memory");
#else
    (void)start;
    (void)count;
#endif
}

#if defined(__x86_64__)
/* MXCSR and, above it, the x87 unit's control word, by which glibc's conversions of numbers and text round. */
enum { FLUSH_TO_ZERO = 1 << 15, SUBNORMALS_ARE_ZERO = 1 << 6, NO_TRAPS = 0x3f << 7, X87_DEFAULT = 0x37f };
static const dp_float_mode library_mode = (dp_float_mode)X87_DEFAULT << 32 | FLUSH_TO_ZERO | SUBNORMALS_ARE_ZERO | NO_TRAPS;
dp_float_mode dp_float_mode_get(void)
{
    uint16_t x87;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (dp_float_mode)x87 << 32 | __builtin_ia32_stmxcsr();
}
void dp_float_mode_set(dp_float_mode mode)
{
    uint16_t x87 = (uint16_t)(mode >> 32);
    __asm__ volatile("fldcw %0" : : "m"(x87));
    __builtin_ia32_ldmxcsr((unsigned)mode);
}
#elif defined(__aarch64__)
static const dp_float_mode library_mode = 1 << 24; /* FZ */
dp_float_mode dp_float_mode_get(void)
{
    dp_float_mode mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}
void dp_float_mode_set(dp_float_mode mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
/* Not known here: the host's mode stays. */
static const dp_float_mode library_mode = 0;
dp_float_mode dp_float_mode_get(void) { return 0; }
void dp_float_mode_set(dp_float_mode mode) { (void)mode; }
#endif

dp_float_mode dp_float_mode_enter(void)
{
    dp_float_mode before = dp_float_mode_get();
    dp_float_mode_set(library_mode);
    return before;
}

#if defined(__x86_64__)
/* What the CPU has, where the system keeps the registers. __builtin_cpu_supports would bring 3 KB along, for every other feature. */
static dp_isa cpu_isa(void)
{
    unsigned a, b, c, d, kept, high;
    const unsigned needed = bit_FMA | bit_OSXSAVE | bit_AVX, wide = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & needed) != needed) return DP_BASELINE;
    __asm__("xgetbv" : "=a"(kept), "=d"(high) : "c"(0));
    /* SSE's and AVX's registers, and for AVX-512 masks, the registers' upper halves and the upper registers. */
    if ((kept & 6) != 6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2)) return DP_BASELINE;
    return (kept & 0xE0) == 0xE0 && (b & wide) == wide ? DP_AVX512 : DP_AVX2;
}
#endif

bool dp_is_amd_family_19h(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d, amd = __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx && c == signature_AMD_ecx && d == signature_AMD_edx;
    return amd && __get_cpuid(1, &a, &b, &c, &d) && (a >> 8 & 0xF) + (a >> 20 & 0xFF) == 0x19;
#else
    return false;
#endif
}

dp_isa dp_instruction_set(void)
{
    static int answer = -1; /* racing threads find the same */
    int known = __atomic_load_n(&answer, __ATOMIC_RELAXED);
    if (known < 0) {
        known = DP_BASELINE;
#if defined(__x86_64__)
        const char *most = getenv("DIPTYCH_ISA");
        known = most && strcmp(most, "baseline") == 0 ? DP_BASELINE : cpu_isa();
        if (known > DP_AVX2 && most && strcmp(most, "avx2") == 0) known = DP_AVX2;
#endif
        __atomic_store_n(&answer, known, __ATOMIC_RELAXED);
    }
    return (dp_isa)known;
}

/* ---- Assets ---- */

#if __has_embed("assets/default.safetensors")
static const _Alignas(64) unsigned char default_model[] = {
#embed "assets/default.safetensors"
};
dp_asset dp_asset_default_model(void) { return (dp_asset){default_model, sizeof default_model}; }
#else
dp_asset dp_asset_default_model(void) { return (dp_asset){NULL, 0}; }
#endif

#if __has_embed("assets/sample.bin")
static const unsigned char sample[] = {
#embed "assets/sample.bin"
};
dp_asset dp_asset_sample(void) { return (dp_asset){sample, sizeof sample}; }
#else
dp_asset dp_asset_sample(void) { return (dp_asset){NULL, 0}; }
#endif
