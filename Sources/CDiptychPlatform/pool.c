/* A pool of workers that spin briefly and then sleep. Which worker takes an item is left to chance: callers make
 * items whose results do not depend on it. Stages that wait for others instead of for everybody let short stages fill
 * the gaps at the end of long ones. */
#define _GNU_SOURCE
#include "platform.h"

#include <signal.h>

enum { SPINS = 4000 };

struct dp_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    int threads, started;
    pid_t process;
    pthread_t *workers;
    /* One run: written before `round` grows, read after. */
    dp_pool_body body;
    void *context;
    dp_float_mode mode;
    dp_stage *stage;
    size_t stages;
    size_t *next;    /* [stage][thread]: the next item of the thread's share */
    int running;     /* workers still in this round */
    int sleeping;    /* those among them and the caller who wait for a stage */
    unsigned round;
    bool quit;
};

typedef struct { dp_pool *pool; size_t thread; } worker_start;

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool all_taken(dp_stage *stage) { return __atomic_load_n(&stage->taken, __ATOMIC_RELAXED) >= stage->count; }

/* Sequentially consistent, because a thread that goes to sleep has counted itself just before; see item_done. */
static bool may_run(dp_pool *pool, dp_stage *stage)
{
    if (stage->after == 0) return true;
    dp_stage *before = &pool->stage[stage->after - 1];
    return __atomic_load_n(&before->done, __ATOMIC_SEQ_CST) == before->count;
}

/* The first stage with an item that may run now, or NULL; *left tells whether there are items that nobody has taken. */
static dp_stage *find_stage(dp_pool *pool, bool *left)
{
    *left = false;
    for (size_t i = 0; i < pool->stages; i++) {
        if (all_taken(&pool->stage[i])) continue;
        *left = true;
        if (may_run(pool, &pool->stage[i])) return &pool->stage[i];
    }
    return NULL;
}

/* The end of a stage wakes those who sleep: they count themselves before they look, it looks after it has counted. */
static void item_done(dp_pool *pool, dp_stage *stage)
{
    if (__atomic_add_fetch(&stage->done, 1, __ATOMIC_SEQ_CST) < stage->count) return;
    if (__atomic_load_n(&pool->sleeping, __ATOMIC_SEQ_CST) == 0) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

/* NULL where no item is left. */
static dp_stage *sleep_until_stage(dp_pool *pool)
{
    dp_stage *stage;
    bool left;
    pthread_mutex_lock(&pool->lock);
    __atomic_add_fetch(&pool->sleeping, 1, __ATOMIC_SEQ_CST);
    while (!(stage = find_stage(pool, &left)) && left) pthread_cond_wait(&pool->wake, &pool->lock);
    __atomic_sub_fetch(&pool->sleeping, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&pool->lock);
    return stage;
}

static size_t share(dp_pool *pool, dp_stage *stage, size_t thread) { return stage->count * thread / (size_t)pool->threads; }

/* An item of the thread's own share, or else of another's; the stage's count where none is left. Who is counted first finds one
 * in one round: a share that is empty stays empty. */
static size_t take_item(dp_pool *pool, dp_stage *stage, size_t thread)
{
    size_t *next = pool->next + (size_t)(stage - pool->stage) * (size_t)pool->threads;
    if (__atomic_fetch_add(&stage->taken, 1, __ATOMIC_RELAXED) >= stage->count) return stage->count;
    for (;; thread = (thread + 1) % (size_t)pool->threads) {
        size_t end = share(pool, stage, thread + 1);
        if (__atomic_load_n(&next[thread], __ATOMIC_RELAXED) >= end) continue;
        size_t item = __atomic_fetch_add(&next[thread], 1, __ATOMIC_RELAXED);
        if (item < end) return item;
    }
}

/* Returns when no item is left to take. */
static void take_items(dp_pool *pool, size_t thread)
{
    int spins = 0;
    for (;;) {
        bool left;
        dp_stage *stage = find_stage(pool, &left);
        if (!stage && left && ++spins < SPINS) {
            relax();
            continue;
        }
        if (!stage && left) stage = sleep_until_stage(pool);
        if (!stage) return;
        spins = 0;
        size_t item = take_item(pool, stage, thread);
        if (item >= stage->count) continue;
        pool->body(pool->context, (size_t)(stage - pool->stage), item, thread);
        item_done(pool, stage);
    }
}

static void *worker(void *argument)
{
    worker_start start = *(worker_start *)argument;
    dp_pool *pool = start.pool;
    unsigned seen = 0;
    free(argument);
    for (;;) {
        for (int i = 0; i < SPINS && __atomic_load_n(&pool->round, __ATOMIC_ACQUIRE) == seen; i++) relax();
        if (__atomic_load_n(&pool->round, __ATOMIC_ACQUIRE) == seen) {
            pthread_mutex_lock(&pool->lock);
            while (__atomic_load_n(&pool->round, __ATOMIC_ACQUIRE) == seen) pthread_cond_wait(&pool->wake, &pool->lock);
            pthread_mutex_unlock(&pool->lock);
        }
        seen++;
        if (pool->quit) return NULL;
        dp_float_mode_set(pool->mode);
        take_items(pool, start.thread);
        if (__atomic_sub_fetch(&pool->running, 1, __ATOMIC_ACQ_REL) == 0) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->done);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

static void reset(dp_pool *pool)
{
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->started = 0;
    pool->round = 0;
    pool->running = 0;
    pool->quit = false;
    pool->process = getpid();
}

dp_pool *dp_pool_create(int threads)
{
    dp_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->workers = calloc((size_t)threads, sizeof *pool->workers);
    pool->next = calloc((size_t)threads * DP_POOL_STAGES, sizeof *pool->next);
    if (!pool->workers || !pool->next) {
        free(pool->workers);
        free(pool->next);
        free(pool);
        return NULL;
    }
    pool->threads = threads;
    reset(pool);
    return pool;
}

/* With every signal blocked, so that the host's handlers run on the host's threads. */
static bool start_workers(dp_pool *pool)
{
    sigset_t all, before;
    if (pool->process != getpid()) reset(pool); /* a fork left the workers behind */
    if (pool->started == pool->threads - 1) return true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->started < pool->threads - 1) {
        worker_start *start = malloc(sizeof *start);
        if (!start) break;
        *start = (worker_start){pool, (size_t)pool->started + 1};
        if (pthread_create(&pool->workers[pool->started], NULL, worker, start) != 0) {
            free(start);
            break;
        }
        pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool->started == pool->threads - 1;
}

static void release_round(dp_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    __atomic_add_fetch(&pool->round, 1, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

bool dp_pool_run(dp_pool *pool, size_t stages, dp_stage *stage, dp_pool_body body, void *context)
{
    if (pool->threads == 1 || (stages == 1 && stage[0].count == 1)) {
        for (size_t i = 0; i < stages; i++)
            for (size_t item = 0; item < stage[i].count; item++) body(context, i, item, 0);
        return true;
    }
    if (!start_workers(pool)) return false;
    pool->body = body;
    pool->context = context;
    pool->mode = dp_float_mode_get();
    pool->stage = stage;
    pool->stages = stages;
    for (size_t i = 0; i < stages; i++) {
        stage[i].taken = stage[i].done = 0;
        for (size_t thread = 0; thread < (size_t)pool->threads; thread++)
            pool->next[i * (size_t)pool->threads + thread] = share(pool, &stage[i], thread);
    }
    pool->sleeping = 0;
    __atomic_store_n(&pool->running, pool->started, __ATOMIC_RELAXED);
    release_round(pool);
    take_items(pool, 0);
    for (int i = 0; i < SPINS && __atomic_load_n(&pool->running, __ATOMIC_ACQUIRE) != 0; i++) relax();
    if (__atomic_load_n(&pool->running, __ATOMIC_ACQUIRE) != 0) {
        pthread_mutex_lock(&pool->lock);
        while (__atomic_load_n(&pool->running, __ATOMIC_ACQUIRE) != 0) pthread_cond_wait(&pool->done, &pool->lock);
        pthread_mutex_unlock(&pool->lock);
    }
    return true;
}

void dp_pool_free(dp_pool *pool)
{
    if (!pool) return;
    if (pool->process == getpid() && pool->started > 0) {
        pool->quit = true;
        release_round(pool);
        for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i], NULL);
    }
    free(pool->workers);
    free(pool->next);
    free(pool);
}
