/* No heap allocation in predicting after a thread's first call, none in a training step after the first few. The
 * program's own malloc counts the calls of everything in the process, the library included. */
#include "support.h"

#include <pthread.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static long allocations;
static int counting;
static void count(void) { if (__atomic_load_n(&counting, __ATOMIC_RELAXED)) __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED); }

void *malloc(size_t size) { count(); return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { count(); return __libc_calloc(n, size); }
void *realloc(void *memory, size_t size) { count(); return __libc_realloc(memory, size); }
void *memalign(size_t alignment, size_t size) { count(); return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { count(); return __libc_memalign(alignment, size); }
void free(void *memory) { __libc_free(memory); }
int posix_memalign(void **out, size_t alignment, size_t size)
{
    count();
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : ENOMEM;
}

static void start_counting(void)
{
    allocations = 0;
    __atomic_store_n(&counting, 1, __ATOMIC_RELAXED);
}
static long stop_counting(void)
{
    __atomic_store_n(&counting, 0, __ATOMIC_RELAXED);
    return allocations;
}

static void the_counter_counts(void)
{
    start_counting();
    diptych_model *model = tiny_model();
    CHECK(stop_counting() > 0, "the library's allocations are not seen");
    diptych_model_free(model);
}

static void predicting(void)
{
    for (int32_t architecture = 0; architecture < 4; architecture++) {
        diptych_model *model = new_model(architecture % 3, 1);
        if (architecture == 3) OK(diptych_model_views_set(model, 9));
        float *images = sample_images(64, 1);
        unsigned char pixels[64 * 392] = {0};
        diptych_prediction answers[64];
        float probabilities[64 * 20];
        for (int32_t threads = 0; threads <= 2; threads++) { /* 0: the CPUs there are */
            /* Which thread gets an item is chance, so several calls until each thread has had its first. */
            for (int i = 0; i < 50; i++) OK(diptych_predict(model, images, 64, threads, answers, probabilities));
            start_counting();
            for (int i = 0; i < 50; i++) {
                OK(diptych_predict(model, images, 64, threads, answers, probabilities));
                OK(diptych_predict(model, images, 1, 1, answers, NULL));
                OK(diptych_predict_u8(model, pixels, 64, threads, answers, NULL));
            }
            long counted = stop_counting();
            CHECK(counted == 0, "architecture %d, %d threads: %ld allocations in 150 calls", (int)architecture, (int)threads, counted);
        }
        free(images);
        diptych_model_free(model);
    }
}

static void training(void)
{
    for (int32_t architecture = 0; architecture < 3; architecture++) {
        for (int32_t shuffle = 0; shuffle < 3; shuffle++) {
            diptych_model *model = new_model(architecture, 1);
            diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 120, 1);
            diptych_trainer *trainer = NULL;
            diptych_progress progress = DIPTYCH_PROGRESS_INIT;
            diptych_trainer_options options = trainer_options(4, 2, 1);
            if (shuffle == 2) { /* all that there is */
                OK(diptych_trainer_options_recipe(&options, sizeof options, DIPTYCH_RECIPE_BEST));
                options.epochs = 4, options.threads = 2;
                options.redraw = 1, options.label_smoothing = 0.1f, options.ema_decay = 0.9f;
                options.elastic = 0.5f, options.stroke = 0.2f;
            }
            options.shuffle = shuffle > 0;
            options.batch_size = 10;
            options.schedule = DIPTYCH_SCHEDULE_ONE_CYCLE;
            OK(diptych_trainer_create(model, pairs, &options, &trainer));
            for (int i = 0; i < 14; i++) OK(diptych_trainer_step(trainer, &progress));
            start_counting();
            for (int i = 0; i < 8; i++) OK(diptych_trainer_step(trainer, &progress));
            long counted = stop_counting();
            CHECK(counted == 0, "architecture %d, shuffle %d: %ld allocations in 8 steps", (int)architecture, (int)shuffle, counted);
            diptych_trainer_free(trainer);
            diptych_pairs_free(pairs);
            diptych_model_free(model);
        }
    }
}

int main(int argc, char **argv)
{
    static const test_case tests[] = {TEST(the_counter_counts), TEST(predicting), TEST(training)};
    return RUN_TESTS(tests, argc, argv);
}
