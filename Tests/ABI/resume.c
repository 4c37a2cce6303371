/* A run that is saved and goes on later comes to the same bits as one that never stopped; saving is all or nothing. */
#include "support.h"

#include <dirent.h>
#include <sys/resource.h>

static diptych_trainer_options run_options(int32_t optimizer, int32_t schedule, int32_t shuffle)
{
    diptych_trainer_options options = trainer_options(4, 2, 6);
    options.batch_size = 20;
    options.optimizer = optimizer;
    options.schedule = schedule;
    options.shuffle = shuffle;
    options.learning_rate = optimizer == DIPTYCH_SGD ? 0.02f : 0.003f;
    options.weight_decay = 0.01f;
    return options;
}

static void one_run(int32_t architecture, const diptych_trainer_options *options, int stop, const char *what)
{
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 50, 2); /* 3 steps an epoch, the last of 10 pairs */
    diptych_model *straight = new_model(architecture, 2), *model = new_model(architecture, 2);
    diptych_trainer *whole = NULL, *trainer = NULL;
    diptych_progress expected = DIPTYCH_PROGRESS_INIT, got = DIPTYCH_PROGRESS_INIT;
    const char *path = temporary("checkpoint");
    OK(diptych_trainer_create(straight, pairs, options, &whole));
    do OK(diptych_trainer_epoch(whole, &expected)); while (!expected.finished);
    CHECK(diptych_trainer_epoch(whole, NULL) == DIPTYCH_ERROR_FINISHED);

    OK(diptych_trainer_create(model, pairs, options, &trainer));
    for (int step = 0; step < stop; step++) OK(diptych_trainer_step(trainer, &got));
    OK(diptych_trainer_save(trainer, path));
    diptych_trainer_free(trainer);
    diptych_model_free(model);

    OK(diptych_trainer_resume(path, pairs, 0, 3, &model, &trainer));
    for (int step = stop; step < 12; step = (int)got.step) OK(diptych_trainer_epoch(trainer, &got));
    CHECK(same_model(straight, model), "%s: other bits", what);
    CHECK(stop == 12 || (got.step == expected.step && got.loss == expected.loss && got.train_error == expected.train_error &&
           got.learning_rate == expected.learning_rate), "%s: loss %.17g instead of %.17g", what, got.loss, expected.loss);
    CHECK(diptych_trainer_step(trainer, NULL) == DIPTYCH_ERROR_FINISHED);
    diptych_trainer_free(trainer), diptych_trainer_free(whole);
    diptych_model_free(model), diptych_model_free(straight);
    diptych_pairs_free(pairs);
    remove_temporary();
}

static void same_bits_as_uninterrupted(void)
{
    for (int32_t optimizer = 0; optimizer < 2; optimizer++) {
        for (int32_t schedule = 0; schedule < 3; schedule++) {
            for (int32_t shuffle = 0; shuffle < 2; shuffle++) {
                char what[80];
                diptych_trainer_options options = run_options(optimizer, schedule, shuffle);
                int stop = 4 + 2 * schedule + shuffle; /* within an epoch, and at its end */
                snprintf(what, sizeof what, "optimizer %d, schedule %d, shuffle %d, stopped at %d", optimizer, schedule, shuffle, stop);
                one_run(DIPTYCH_SIAMESE, &options, stop, what);
            }
        }
    }
}

static void every_network_resumes(void)
{
    diptych_trainer_options options = run_options(DIPTYCH_ADAM, DIPTYCH_SCHEDULE_ONE_CYCLE, 1);
    one_run(DIPTYCH_RWS, &options, 5, "rws");
    one_run(DIPTYCH_MLP, &options, 5, "mlp");
    one_run(DIPTYCH_SIAMESE, &options, 0, "before the first step");
    one_run(DIPTYCH_SIAMESE, &options, 12, "after the last step");
    options.loss_ratio = 0;
    one_run(DIPTYCH_SIAMESE, &options, 5, "without auxiliary loss");
    OK(diptych_trainer_options_recipe(&options, sizeof options, DIPTYCH_RECIPE_BEST));
    options.epochs = 4, options.batch_size = 20, options.threads = 2;
    options.redraw = 1, options.ema_decay = 0.9f, options.elastic = 0.5f, options.stroke = 0.2f, options.label_smoothing = 0.1f;
    one_run(DIPTYCH_SIAMESE, &options, 5, "augmented, redrawn and averaged");
}

static void resume_with_other_epochs(void)
{
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 50, 2), *others = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 50, 3);
    diptych_model *model = new_model(0, 2), *straight = new_model(0, 2), *resumed = NULL;
    diptych_trainer *trainer = NULL;
    diptych_trainer_options options = run_options(0, 0, 1), longer = options;
    const char *path = temporary("checkpoint"), *plain = temporary("model");
    longer.epochs = 6;
    OK(diptych_train(straight, pairs, &longer, NULL, NULL));
    OK(diptych_trainer_create(model, pairs, &options, &trainer));
    while (diptych_trainer_epoch(trainer, NULL) == DIPTYCH_OK) {}
    OK(diptych_trainer_save(trainer, path));
    diptych_trainer_free(trainer);
    FAILS(diptych_trainer_resume(path, others, 0, 1, &resumed, &trainer), DIPTYCH_ERROR_MISMATCH, "other pairs");
    INVALID(diptych_trainer_resume(path, pairs, 2, 1, &resumed, &trainer), "12 steps");
    INVALID(diptych_trainer_resume(path, pairs, -1, 1, &resumed, &trainer), "epochs");
    INVALID(diptych_trainer_resume(path, pairs, 2000000, 1, &resumed, &trainer), "epochs");
    INVALID(diptych_trainer_resume(path, pairs, 0, -1, &resumed, &trainer), "threads");
    INVALID(diptych_trainer_resume(path, pairs, 0, 257, &resumed, &trainer), "threads");
    CHECK(!resumed && !trainer);
    OK(diptych_trainer_resume(path, pairs, 6, 1, &resumed, &trainer));
    OK(diptych_trainer_epoch(trainer, NULL));
    OK(diptych_trainer_epoch(trainer, NULL));
    CHECK(same_model(resumed, straight), "two epochs more are other bits than six at once");
    diptych_trainer_free(trainer);
    diptych_model_free(resumed);
    /* A checkpoint is a model, but a model is no checkpoint. */
    OK(diptych_model_load_file(path, &resumed));
    CHECK(same_model(resumed, model), "checkpoint as a model");
    diptych_model_free(resumed);
    OK(diptych_model_save_file(model, plain));
    FAILS(diptych_trainer_resume(plain, pairs, 0, 1, &resumed, &trainer), DIPTYCH_ERROR_FORMAT, "no checkpoint");
    diptych_model_free(model), diptych_model_free(straight);
    diptych_pairs_free(pairs), diptych_pairs_free(others);
    remove_temporary();
}

/* ---- Saving ---- */

static void saved_and_loaded(void)
{
    for (int32_t architecture = 0; architecture < 3; architecture++) {
        diptych_model *model = new_model(architecture, 5), *file = NULL, *memory = NULL;
        const char *path = temporary("model.safetensors");
        OK(diptych_model_save_file(model, path));
        OK(diptych_model_load_file(path, &file));
        bytes saved = read_bytes(path), direct = model_bytes(model);
        CHECK(saved.size == direct.size && memcmp(saved.data, direct.data, saved.size) == 0, "architecture %d", (int)architecture);
        OK(diptych_model_load_memory(direct.data, direct.size, &memory));
        CHECK(same_model(model, file) && same_model(model, memory), "architecture %d", (int)architecture);
        free(saved.data), free(direct.data);
        diptych_model_free(model), diptych_model_free(file), diptych_model_free(memory);
        remove_temporary();
    }
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *handle = opendir(folder);
    while (handle && readdir(handle)) count++;
    if (handle) closedir(handle);
    return count - 2; /* . and .. */
}

/* Killed at any moment of a save, the old file or the new one is there, whole. */
static void killed_while_saving(void)
{
    diptych_model *first = new_model(0, 1), *second = new_model(0, 2);
    const char *path = temporary("model.safetensors");
    int seen[2] = {0, 0};
    OK(diptych_model_save_file(first, path));
    for (int round = 0; round < 60; round++) {
        pid_t child = fork();
        if (child == 0) {
            for (int i = 0;; i++) diptych_model_save_file(i % 2 ? first : second, path);
        }
        usleep((useconds_t)(500 + next_random() % 8000));
        kill(child, SIGKILL);
        REQUIRE(waitpid(child, NULL, 0) == child);
        diptych_model *loaded = NULL;
        OK(diptych_model_load_file(path, &loaded));
        CHECK(same_model(loaded, first) || same_model(loaded, second), "round %d", round);
        seen[same_model(loaded, second)]++;
        diptych_model_free(loaded);
    }
    CHECK(seen[1] > 0, "no save was ever finished, so nothing was tested");
    /* What a killed save leaves beside the file does not hinder the next one. */
    OK(diptych_model_save_file(first, path));
    diptych_model_free(first), diptych_model_free(second);
    remove_temporary();
}

static void failed_save_leaves_the_old_file(void)
{
    diptych_model *first = new_model(0, 1), *second = new_model(0, 2), *loaded = NULL;
    diptych_pairs *pairs = sample_pairs(0, 5, 1);
    diptych_trainer *trainer = NULL;
    const char *path = temporary("model.safetensors");
    OK(diptych_model_save_file(first, path));
    OK(diptych_trainer_create(second, pairs, NULL, &trainer));
    struct rlimit limit = {10000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    FAILS(diptych_model_save_file(second, path), DIPTYCH_ERROR_IO, path);
    FAILS(diptych_trainer_save(trainer, path), DIPTYCH_ERROR_IO, path);
    limit.rlim_cur = RLIM_INFINITY;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(entries(temporary("")) == 1, "%d files in the folder", entries(temporary("")));
    OK(diptych_model_load_file(path, &loaded));
    CHECK(same_model(first, loaded), "the old file is gone");
    diptych_trainer_free(trainer);
    diptych_pairs_free(pairs);
    diptych_model_free(loaded), diptych_model_free(first), diptych_model_free(second);
    remove_temporary();
}

static void links_and_permissions_stay(void)
{
    diptych_model *model = tiny_model(), *loaded = NULL;
    const char *target = temporary("target"), *link = temporary("link"), *fresh = temporary("fresh");
    struct stat status;
    write_bytes(target, "old", 3);
    REQUIRE(chmod(target, 0640) == 0 && symlink(target, link) == 0);
    OK(diptych_model_save_file(model, link));
    REQUIRE(lstat(link, &status) == 0);
    CHECK(S_ISLNK(status.st_mode), "the link was replaced");
    OK(diptych_model_load_file(target, &loaded));
    REQUIRE(stat(target, &status) == 0);
    CHECK((status.st_mode & 07777) == 0640, "%o", (unsigned)status.st_mode);
    umask(027);
    OK(diptych_model_save_file(model, fresh));
    REQUIRE(stat(fresh, &status) == 0);
    CHECK((status.st_mode & 07777) == 0640, "%o", (unsigned)status.st_mode);
    diptych_model_free(loaded), diptych_model_free(model);
    remove_temporary();
}

int main(int argc, char **argv)
{
    static const test_case tests[] = {
        TEST(same_bits_as_uninterrupted), TEST(every_network_resumes), TEST(resume_with_other_epochs), TEST(saved_and_loaded),
        TEST(killed_while_saving), TEST(failed_save_leaves_the_old_file), TEST(links_and_permissions_stay),
    };
    return RUN_TESTS(tests, argc, argv);
}
