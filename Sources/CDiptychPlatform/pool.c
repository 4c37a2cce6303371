/* A pool of workers that spin briefly and then sleep. Which worker takes an item is left to chance: callers make
 * items whose results do not depend on it. Stages that wait for others instead of for everybody let short stages fill
 * the gaps at the end of long ones, and a thread whose share of some stages follows from itself goes through them without waiting. */
#define _GNU_SOURCE
#include "platform.h"

#include <signal.h>

enum { SPINS = 4000 };

/* A thread's share of a stage. Threads count what they take and do here, in lines of their own, and in the stage only whole shares. */
typedef struct { size_t next, done, end; } pool_share;

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
    pool_share *shares; /* [thread][stage] */
    int running;        /* workers still in this round */
    int sleeping;       /* those among them and the caller who wait for an item */
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

static pool_share *share_of(dp_pool *pool, size_t stage, size_t thread) { return &pool->shares[thread * DP_POOL_STAGES + stage]; }

/* Whether a count has come to its end. Sequentially consistent, because a thread that goes to sleep has counted itself just before; see
 * item_done. */
static bool is_full(const size_t *count, size_t end) { return __atomic_load_n(count, __ATOMIC_SEQ_CST) == end; }

static bool all_taken(dp_pool *pool, size_t stage) { return is_full(&pool->stage[stage].taken, (size_t)pool->threads); }

/* Whether the stages that the stage comes after are done. */
static bool stage_may_run(dp_pool *pool, size_t stage)
{
    for (uint32_t after = pool->stage[stage].after; after != 0; after &= after - 1)
        if (!is_full(&pool->stage[__builtin_ctz(after)].done, (size_t)pool->threads)) return false;
    return true;
}

/* The same of a share. */
static bool share_may_run(dp_pool *pool, size_t stage, size_t thread)
{
    if (!pool->stage[stage].by_share) return stage_may_run(pool, stage);
    pool_share *before = share_of(pool, stage - 1, thread);
    return is_full(&before->done, before->end);
}

typedef struct { size_t stage, share, number; } pool_item;

/* Takes an item of the share, if it may run now. */
static bool take_of(dp_pool *pool, size_t stage, size_t thread, pool_item *item)
{
    pool_share *share = share_of(pool, stage, thread);
    if (__atomic_load_n(&share->next, __ATOMIC_RELAXED) >= share->end || !share_may_run(pool, stage, thread)) return false;
    *item = (pool_item){stage, thread, __atomic_fetch_add(&share->next, 1, __ATOMIC_RELAXED)};
    if (item->number + 1 == share->end) __atomic_fetch_add(&pool->stage[stage].taken, 1, __ATOMIC_SEQ_CST);
    return item->number < share->end;
}

/* Takes the first item of another thread's share of stages `first` ..< `end`. */
static bool take_others(dp_pool *pool, size_t first, size_t end, size_t thread, pool_item *item)
{
    for (size_t stage = first; stage < end; stage++) {
        if (all_taken(pool, stage) || (!pool->stage[stage].by_share && !stage_may_run(pool, stage))) continue;
        for (size_t i = 1; i < (size_t)pool->threads; i++)
            if (take_of(pool, stage, (thread + i) % (size_t)pool->threads, item)) return true;
    }
    return false;
}

/* Takes the first item that may run now. Among stages that follow each other by shares the thread's own shares come first, then the others';
 * otherwise earlier stages come first. *left tells whether there are items that nobody has taken. */
static bool take_item(dp_pool *pool, size_t thread, pool_item *item, bool *left)
{
    size_t chain = 0;
    *left = false;
    for (size_t stage = 0; stage < pool->stages; stage++) {
        if (!pool->stage[stage].by_share) {
            if (*left && take_others(pool, chain, stage, thread, item)) return true;
            chain = stage;
        }
        if (all_taken(pool, stage)) continue;
        *left = true;
        if (take_of(pool, stage, thread, item)) return true;
    }
    return *left && take_others(pool, chain, pool->stages, thread, item);
}

/* The end of what somebody may wait for wakes those who sleep: they count themselves before they look, it looks after it has counted. */
static void item_done(dp_pool *pool, pool_item item)
{
    pool_share *share = share_of(pool, item.stage, item.share);
    if (__atomic_add_fetch(&share->done, 1, __ATOMIC_SEQ_CST) < share->end) return;
    const bool whole = __atomic_add_fetch(&pool->stage[item.stage].done, 1, __ATOMIC_SEQ_CST) == (size_t)pool->threads;
    const bool by_share = item.stage + 1 < pool->stages && pool->stage[item.stage + 1].by_share;
    if (!whole && !by_share) return;
    if (__atomic_load_n(&pool->sleeping, __ATOMIC_SEQ_CST) == 0) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

/* False where no item is left. */
static bool sleep_until_item(dp_pool *pool, size_t thread, pool_item *item)
{
    bool left, taken;
    pthread_mutex_lock(&pool->lock);
    __atomic_add_fetch(&pool->sleeping, 1, __ATOMIC_SEQ_CST);
    while (!(taken = take_item(pool, thread, item, &left)) && left) pthread_cond_wait(&pool->wake, &pool->lock);
    __atomic_sub_fetch(&pool->sleeping, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

/* Returns when no item is left to take. */
static void take_items(dp_pool *pool, size_t thread)
{
    int spins = 0;
    for (;;) {
        bool left;
        pool_item item;
        if (!take_item(pool, thread, &item, &left)) {
            if (!left) return;
            if (++spins < SPINS) {
                relax();
                continue;
            }
            if (!sleep_until_item(pool, thread, &item)) return;
        }
        spins = 0;
        pool->body(pool->context, item.stage, item.number, thread);
        item_done(pool, item);
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
    pool->shares = calloc((size_t)threads * DP_POOL_STAGES, sizeof *pool->shares);
    if (!pool->workers || !pool->shares) {
        free(pool->workers);
        free(pool->shares);
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
        for (size_t thread = 0; thread < (size_t)pool->threads; thread++) {
            const size_t start = stage[i].count * thread / (size_t)pool->threads, end = stage[i].count * (thread + 1) / (size_t)pool->threads;
            *share_of(pool, i, thread) = (pool_share){start, start, end};
            if (start == end) stage[i].taken++, stage[i].done++;
        }
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
    free(pool->shares);
    free(pool);
}
