/* The library prints nothing, whatever happens, and neither the locale nor errno reaches it. */
#include "support.h"

#include <locale.h>

static void everything(void)
{
    diptych_model *model = trained_model(1), *loaded = NULL;
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TEST, 20, 1);
    diptych_evaluation evaluation = DIPTYCH_EVALUATION_INIT;
    const char *path = temporary("model");
    size_t count;
    float pixels[196];
    diptych_prediction answer;
    bytes png = digit_png(7, NULL);
    OK(diptych_model_save_file(model, path));
    OK(diptych_model_load_file(path, &loaded));
    OK(diptych_evaluate(loaded, pairs, 2, &evaluation, NULL));
    OK(diptych_classify_png_memory(model, png.data, png.size, png.data, png.size, NULL, &answer));
    for (size_t i = 0; i < png.size; i++) { /* libpng has warnings and errors of its own for these */
        png.data[i] ^= 0x55;
        diptych_image_load_png_memory(png.data, png.size, NULL, pixels, 196, &count);
        png.data[i] ^= 0x55;
    }
    diptych_model_free(loaded);
    loaded = NULL;
    CHECK(diptych_model_load_file("/none", &loaded) == DIPTYCH_ERROR_NOT_FOUND);
    CHECK(diptych_model_load_memory(png.data, png.size, &loaded) == DIPTYCH_ERROR_FORMAT);
    CHECK(diptych_train(model, NULL, NULL, NULL, NULL) == DIPTYCH_ERROR_INVALID_ARGUMENT);
    free(png.data);
    diptych_pairs_free(pairs);
    diptych_model_free(model);
    remove_temporary();
}

static void nothing_is_printed(void)
{
    const char *path = temporary("output");
    char kept[512];
    struct stat status;
    snprintf(kept, sizeof kept, "%s-kept", path);
    fflush(stdout);
    int out = dup(1), err = dup(2), file = open(kept, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    REQUIRE(out >= 0 && err >= 0 && file >= 0);
    dup2(file, 1);
    dup2(file, 2);
    char folder[512];
    snprintf(folder, sizeof folder, "%s", temporary(""));
    temporary_owner = 0; /* another folder for what comes next */
    everything();
    fflush(stdout);
    dup2(out, 1);
    dup2(err, 2);
    REQUIRE(stat(kept, &status) == 0);
    CHECK(status.st_size == 0, "%lld bytes on stdout and stderr", (long long)status.st_size);
    remove(kept);
    rmdir(folder);
}

static void locale_does_not_matter(void)
{
    diptych_model *model = trained_model(1), *loaded = NULL;
    bytes plain = model_bytes(model);
    size_t length = 0;
    char before[8192], after[8192], number[32];
    const char *name = getenv("DIPTYCH_TEST_LOCALE");
    OK(diptych_model_describe(model, before, sizeof before, &length));
    if (!name || !setlocale(LC_ALL, name)) {
        printf("SKIPPED locale_does_not_matter: there is no locale with a decimal comma here\n");
    } else {
        snprintf(number, sizeof number, "%.1f", 1.5);
        REQUIRE(strcmp(number, "1,5") == 0, "%s writes %s", name, number);
    }
    bytes other = model_bytes(model);
    CHECK(plain.size == other.size && memcmp(plain.data, other.data, plain.size) == 0, "saved otherwise");
    OK(diptych_model_load_memory(plain.data, plain.size, &loaded));
    CHECK(same_model(model, loaded), "loaded otherwise");
    OK(diptych_model_describe(loaded, after, sizeof after, &length));
    CHECK(strcmp(before, after) == 0, "described otherwise");
    everything();
    free(plain.data), free(other.data);
    diptych_model_free(model), diptych_model_free(loaded);
}

static void old_errno_does_not_matter(void)
{
    bytes png = digit_png(7, NULL);
    const char *path = temporary("digit.png");
    size_t count;
    float pixels[196];
    diptych_model *model = tiny_model(), *loaded = NULL;
    static const int numbers[] = {ENOENT, EINTR, ENOMEM, EEXIST, EAGAIN};
    write_bytes(path, png.data, png.size);
    const char *saved = temporary("model");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        errno = numbers[i];
        OK(diptych_image_load_png_file(path, NULL, pixels, 196, &count));
        errno = numbers[i];
        OK(diptych_model_save_file(model, saved));
        errno = numbers[i];
        OK(diptych_model_load_file(saved, &loaded));
        diptych_model_free(loaded);
    }
    free(png.data);
    diptych_model_free(model);
    remove_temporary();
}

static void the_environment_is_left_alone(void)
{
    char before[512], after[512];
    struct sigaction pipe_before, pipe_after;
    REQUIRE(getcwd(before, sizeof before) && sigaction(SIGPIPE, NULL, &pipe_before) == 0);
    mode_t mask = umask(022);
    umask(mask);
    everything();
    REQUIRE(getcwd(after, sizeof after) && sigaction(SIGPIPE, NULL, &pipe_after) == 0);
    CHECK(strcmp(before, after) == 0, "%s", after);
    CHECK(pipe_before.sa_handler == pipe_after.sa_handler, "a signal handler was installed");
    CHECK(umask(mask) == mask, "the umask was changed");
}

int main(int argc, char **argv)
{
    static const test_case tests[] = {TEST(nothing_is_printed), TEST(locale_does_not_matter), TEST(old_errno_does_not_matter),
                                      TEST(the_environment_is_left_alone)};
    return RUN_TESTS(tests, argc, argv);
}
