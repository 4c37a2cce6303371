/* Threads, forks, reloading: the same bits however the work is shared out. */
#include "support.h"

#include <dlfcn.h>
#include <pthread.h>

enum { COUNT = 100 };

static diptych_model *model;
static float *images;
static diptych_prediction expected[COUNT];
static float expected_probabilities[COUNT * 20];

static void setup(void)
{
    model = trained_model(2);
    images = sample_images(COUNT, 5);
    OK(diptych_predict(model, images, COUNT, 1, expected, expected_probabilities));
}

static void same_answers(const diptych_prediction *got, const float *probabilities, const char *what, int number)
{
    CHECK(memcmp(got, expected, sizeof expected) == 0, "%s %d", what, number);
    CHECK(!probabilities || memcmp(probabilities, expected_probabilities, sizeof expected_probabilities) == 0, "%s %d", what, number);
}

static void predict_with_any_number_of_threads(void)
{
    static const int32_t threads[] = {0, 1, 2, 3, 8, 256, 5, 1};
    diptych_prediction got[COUNT];
    float probabilities[COUNT * 20];
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        memset(got, 0, sizeof got);
        OK(diptych_predict(model, images, COUNT, threads[i], got, probabilities));
        same_answers(got, probabilities, "threads", threads[i]);
    }
}

static void predict_in_any_pieces(void)
{
    static const size_t pieces[] = {1, 2, 3, 7, 11, 12, 13, 50, 99};
    diptych_prediction got[COUNT];
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (size_t at = 0; at < COUNT; at += pieces[i]) {
            size_t count = at + pieces[i] > COUNT ? COUNT - at : pieces[i];
            OK(diptych_predict(model, images + at * 392, count, at % 3 ? 1 : 2, got + at, NULL));
        }
        same_answers(got, NULL, "pieces of", (int)pieces[i]);
    }
}

static void bytes_are_as_floats(void)
{
    static unsigned char pixels[COUNT * 392];
    static float rounded[COUNT * 392];
    diptych_prediction by_bytes[COUNT], by_floats[COUNT];
    for (size_t i = 0; i < COUNT * 392; i++) rounded[i] = pixels[i] = (unsigned char)images[i];
    OK(diptych_predict_u8(model, pixels, COUNT, 2, by_bytes, NULL));
    OK(diptych_predict(model, rounded, COUNT, 1, by_floats, NULL));
    CHECK(memcmp(by_bytes, by_floats, sizeof by_bytes) == 0, "u8");
}

static void *predict_often(void *number)
{
    for (int round = 0; round < 20; round++) {
        diptych_prediction got[COUNT];
        float probabilities[COUNT * 20];
        /* Every third asks for several threads: the shared pool is used by one and found busy by others. */
        int32_t threads = (*(int *)number + round) % 3 == 0 ? 2 + *(int *)number % 3 : 1;
        OK(diptych_predict(model, images, COUNT, threads, got, probabilities));
        same_answers(got, probabilities, "thread", *(int *)number);
        /* Each thread has its own last error. */
        char wanted[32];
        snprintf(wanted, sizeof wanted, "split is %d,", -100 - *(int *)number);
        diptych_dataset *none;
        CHECK(diptych_dataset_sample(-100 - *(int *)number, &none) == DIPTYCH_ERROR_INVALID_ARGUMENT, "%d", round);
        CHECK(strstr(diptych_last_error(), wanted), "%s", diptych_last_error());
    }
    return NULL;
}

static void eight_threads_on_one_handle(void)
{
    pthread_t threads[8];
    int numbers[8];
    for (int i = 0; i < 8; i++) {
        numbers[i] = i;
        REQUIRE(pthread_create(&threads[i], NULL, predict_often, &numbers[i]) == 0, "%d", i);
    }
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
}

static diptych_model *train(int32_t architecture, int32_t threads, uint64_t seed, int32_t shuffle)
{
    diptych_model *made = new_model(architecture, 3);
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 90, 3);
    diptych_trainer_options options = trainer_options(2, threads, seed);
    options.batch_size = 40; /* 40, 40 and 10 */
    options.shuffle = shuffle;
    OK(diptych_train(made, pairs, &options, NULL, NULL));
    diptych_pairs_free(pairs);
    return made;
}

static void train_with_any_number_of_threads(void)
{
    static const int32_t threads[] = {2, 3, 8, 0};
    for (int32_t architecture = 0; architecture < 3; architecture++) {
        diptych_model *one = train(architecture, 1, 9, 1);
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            diptych_model *many = train(architecture, threads[i], 9, 1);
            CHECK(same_model(one, many), "architecture %d, %d threads", (int)architecture, (int)threads[i]);
            diptych_model_free(many);
        }
        diptych_model_free(one);
    }
}

static void seeds_differ(void)
{
    diptych_model *a = train(0, 1, 1, 0), *b = train(0, 1, 2, 0), *c = new_model(0, 1), *d = new_model(0, 2), *e = new_model(0, 1);
    CHECK(!same_model(a, b), "dropout's seed changes nothing");
    CHECK(!same_model(c, d), "the weights' seed changes nothing");
    CHECK(same_model(c, e), "the same seed differs");
    diptych_pairs *p = sample_pairs(0, 5, 1), *q = sample_pairs(0, 5, 2);
    float x[5 * 392], y[5 * 392];
    OK(diptych_pairs_get(p, NULL, NULL, x, NULL, NULL));
    OK(diptych_pairs_get(q, NULL, NULL, y, NULL, NULL));
    CHECK(memcmp(x, y, sizeof x) != 0, "the draw's seed changes nothing");
    diptych_model_free(a), diptych_model_free(b), diptych_model_free(c), diptych_model_free(d), diptych_model_free(e);
    diptych_pairs_free(p), diptych_pairs_free(q);
}

static void *cancel_soon(void *trainer)
{
    usleep(50000);
    diptych_trainer_cancel(trainer);
    return NULL;
}

static void cancel_from_another_thread(void)
{
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 200, 1);
    diptych_trainer_options options = trainer_options(1000000, 2, 1);
    diptych_trainer *trainer = NULL;
    diptych_progress progress = DIPTYCH_PROGRESS_INIT;
    diptych_status status;
    pthread_t thread;
    options.batch_size = 10;
    OK(diptych_trainer_create(model, pairs, &options, &trainer));
    diptych_pairs_free(pairs); /* the trainer holds them */
    REQUIRE(pthread_create(&thread, NULL, cancel_soon, trainer) == 0);
    do status = diptych_trainer_epoch(trainer, &progress); while (status == DIPTYCH_OK);
    CHECK(status == DIPTYCH_CANCELLED, "%s", diptych_status_name(status));
    CHECK(strstr(diptych_last_error(), "cancel"), "%s", diptych_last_error());
    pthread_join(thread, NULL);
    /* Everything is usable, and goes on. */
    diptych_prediction got[COUNT];
    OK(diptych_predict(model, images, COUNT, 2, got, NULL));
    OK(diptych_trainer_step(trainer, &progress));
    diptych_trainer_cancel(trainer);
    CHECK(diptych_trainer_step(trainer, &progress) == DIPTYCH_CANCELLED);
    OK(diptych_trainer_step(trainer, &progress));
    diptych_trainer_free(trainer);
}

static diptych_trainer *interrupted;
static void on_signal(int number)
{
    (void)number;
    diptych_trainer_cancel(interrupted);
}

static void cancel_in_a_signal_handler(void)
{
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 200, 1);
    diptych_trainer_options options = trainer_options(1000000, 2, 1);
    diptych_status status;
    OK(diptych_trainer_create(model, pairs, &options, &interrupted));
    signal(SIGALRM, on_signal);
    ualarm(30000, 0);
    do status = diptych_trainer_epoch(interrupted, NULL); while (status == DIPTYCH_OK);
    CHECK(status == DIPTYCH_CANCELLED, "%s", diptych_status_name(status));
    diptych_trainer_free(interrupted);
    diptych_pairs_free(pairs);
}

static int32_t stop_at_two(const diptych_progress *progress, void *user_data)
{
    CHECK(progress->struct_size == sizeof *progress && progress->epochs == 5, "%d", (int)progress->epochs);
    return ++*(int *)user_data == 2 ? 7 : 0;
}

static void callback_stops(void)
{
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 20, 1);
    diptych_trainer_options options = trainer_options(5, 2, 1);
    int calls = 0;
    CHECK(diptych_train(model, pairs, &options, stop_at_two, &calls) == DIPTYCH_CANCELLED);
    CHECK(calls == 2, "%d", calls);
    diptych_pairs_free(pairs);
}

/* The parent has predicted and trained with threads; the child does both, with the parent's trainer, too. */
static void fork_after_use(void)
{
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 100, 1);
    diptych_trainer_options options = trainer_options(3, 3, 1);
    diptych_trainer *trainer = NULL, *twin = NULL;
    diptych_model *a = new_model(0, 4), *b = new_model(0, 4);
    diptych_prediction got[COUNT];
    int status = 1;
    options.batch_size = 25;
    OK(diptych_predict(model, images, COUNT, 3, got, NULL));
    OK(diptych_trainer_create(a, pairs, &options, &trainer));
    OK(diptych_trainer_create(b, pairs, &options, &twin));
    OK(diptych_trainer_epoch(trainer, NULL));
    OK(diptych_trainer_epoch(twin, NULL));
    for (int child = 0; child < 3; child++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(60);
            OK(diptych_trainer_epoch(trainer, NULL));
            diptych_trainer_free(trainer);
            OK(diptych_predict(model, images, COUNT, 3, got, NULL));
            same_answers(got, NULL, "child", child);
            char path[200];
            snprintf(path, sizeof path, "%s-of-child", temporary("model"));
            OK(diptych_model_save_file(a, path));
            diptych_model *again = NULL;
            OK(diptych_model_load_file(path, &again));
            CHECK(same_model(a, again), "saved");
            remove(path);
            remove_temporary();
            /* Free what never ran here: the twin's pool. */
            diptych_trainer_free(twin);
            fflush(stdout);
            exit(check_failures ? 1 : 0);
        }
        REQUIRE(waitpid(pid, &status, 0) == pid, "%d", (int)pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child %d: %x", child, (unsigned)status);
    }
    OK(diptych_trainer_epoch(trainer, NULL));
    OK(diptych_trainer_epoch(twin, NULL));
    CHECK(same_model(a, b), "parent");
    diptych_trainer_free(trainer), diptych_trainer_free(twin);
    diptych_model_free(a), diptych_model_free(b);
    diptych_pairs_free(pairs);
}

static int thread_count(void)
{
    char line[256];
    int threads = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "Threads: %d", &threads);
    if (file) fclose(file);
    return threads;
}

static void no_thread_before_one_is_asked_for(void)
{
    diptych_prediction got[COUNT];
    int before = thread_count();
    OK(diptych_predict(model, images, COUNT, 1, got, NULL));
    diptych_model *made = train(0, 1, 1, 0);
    CHECK(thread_count() == before, "%d instead of %d", thread_count(), before);
    diptych_model_free(made);
    made = train(0, 4, 1, 0);
    /* A joined thread may be listed a moment longer. */
    for (int i = 0; i < 100 && thread_count() != before; i++) usleep(10000);
    CHECK(thread_count() == before, "%d instead of %d after training", thread_count(), before);
    diptych_model_free(made);
}

#ifndef DIPTYCH_TEST_STATIC
static void load_and_unload(void)
{
    const char *path = getenv("DIPTYCH_TEST_LIBRARY");
    REQUIRE(path, "DIPTYCH_TEST_LIBRARY names no library");
    for (int round = 0; round < 50; round++) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        REQUIRE(library, "%s", dlerror());
        int32_t (*version)(void) = (int32_t (*)(void))(uintptr_t)dlsym(library, "diptych_version");
        CHECK(version && version() == DIPTYCH_VERSION, "%d", round);
        CHECK(dlclose(library) == 0, "%s", dlerror());
    }
}
#endif

int main(int argc, char **argv)
{
    static const test_case tests[] = {
        TEST(predict_with_any_number_of_threads), TEST(predict_in_any_pieces), TEST(bytes_are_as_floats),
        TEST(eight_threads_on_one_handle), TEST(train_with_any_number_of_threads), TEST(seeds_differ),
        TEST(cancel_from_another_thread), TEST(cancel_in_a_signal_handler), TEST(callback_stops), TEST(fork_after_use),
        TEST(no_thread_before_one_is_asked_for),
#ifndef DIPTYCH_TEST_STATIC
        TEST(load_and_unload),
#endif
    };
    setup();
    return RUN_TESTS(tests, argc, argv);
}
