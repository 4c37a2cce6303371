/* The host's floating-point mode (rounding, traps, subnormal numbers) does not reach the results, and is left as it was. */
#include "support.h"

#include <fenv.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Rounds upwards, traps, and on x86-64 makes zero of subnormal results: what a host may have set. */
static void set_odd_mode(void)
{
    fesetround(FE_UPWARD);
    feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW);
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | _MM_FLUSH_ZERO_ON);
#endif
}

/* All of the mode, without the flags of what has happened. */
static unsigned mode(void)
{
    unsigned result = (unsigned)fegetround() << 16;
#if defined(__x86_64__)
    result |= _mm_getcsr() & ~0x3fu;
#endif
    return result;
}

static void set_plain_mode(void) { fesetenv(FE_DFL_ENV); }

typedef struct { bytes model; diptych_prediction predictions[40]; float pixels[196]; diptych_evaluation evaluation; } results;

static results make_results(void)
{
    results all;
    diptych_model *model = trained_model(2);
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TEST, 40, 3);
    bytes png = digit_png(7, NULL);
    float *images = sample_images(40, 3);
    size_t count = 0;
    memset(&all, 0, sizeof all);
    all.evaluation.struct_size = sizeof all.evaluation;
    OK(diptych_predict(model, images, 40, 2, all.predictions, NULL));
    OK(diptych_evaluate(model, pairs, 1, &all.evaluation, NULL));
    OK(diptych_model_calibrate(model, pairs, 1));
    OK(diptych_image_load_png_memory(png.data, png.size, NULL, all.pixels, 196, &count));
    all.model = model_bytes(model);
    free(images), free(png.data);
    diptych_pairs_free(pairs);
    diptych_model_free(model);
    return all;
}

static void host_mode_does_not_matter(void)
{
    results plain = make_results();
    set_odd_mode();
    results odd = make_results();
    set_plain_mode();
    CHECK(plain.model.size == odd.model.size && memcmp(plain.model.data, odd.model.data, plain.model.size) == 0, "trained otherwise");
    CHECK(memcmp(plain.predictions, odd.predictions, sizeof plain.predictions) == 0, "predicted otherwise");
    CHECK(memcmp(plain.pixels, odd.pixels, sizeof plain.pixels) == 0, "loaded otherwise");
    CHECK(memcmp(&plain.evaluation, &odd.evaluation, sizeof plain.evaluation) == 0, "evaluated otherwise");
    free(plain.model.data), free(odd.model.data);
}

typedef struct { unsigned mode; int same; } seen;

static int32_t look_at_mode(const diptych_progress *progress, void *user_data)
{
    seen *host = user_data;
    (void)progress;
    host->same += mode() == host->mode;
    return 0;
}

static void host_mode_is_left_alone(void)
{
    diptych_pairs *pairs = tiny_pairs();
    diptych_model *model = tiny_model();
    diptych_trainer_options options = trainer_options(3, 2, 1);
    for (int odd = 0; odd < 2; odd++) {
        if (odd) set_odd_mode();
        seen host = {mode(), 0};
        OK(diptych_train(model, pairs, &options, look_at_mode, &host));
        CHECK(host.same == 3, "the callback saw the host's mode %d times of 3", host.same);
        CHECK(mode() == host.mode, "after a call, odd %d", odd);
        CHECK(diptych_train(model, NULL, &options, NULL, NULL) == DIPTYCH_ERROR_INVALID_ARGUMENT);
        CHECK(mode() == host.mode, "after a failure, odd %d", odd);
    }
    set_plain_mode();
    diptych_pairs_free(pairs);
    diptych_model_free(model);
}

/* Counts the zeros and the subnormal values in a checkpoint of so many epochs. */
static void count_small(int32_t epochs, size_t *zeros, size_t *subnormal)
{
    diptych_pairs *pairs = tiny_pairs();
    diptych_model *model = NULL;
    diptych_model_options o;
    diptych_trainer *trainer = NULL;
    diptych_trainer_options options = trainer_options(epochs, 2, 1);
    diptych_progress progress = DIPTYCH_PROGRESS_INIT;
    const char *path = temporary("checkpoint");
    OK(diptych_model_options_init(&o, sizeof o));
    o.height = o.width = 4;
    o.classes = 2;
    o.channels = 8;
    options.learning_rate = 0.1f; /* units die */
    OK(diptych_model_create(&o, &model));
    OK(diptych_trainer_create(model, pairs, &options, &trainer));
    do OK(diptych_trainer_epoch(trainer, &progress)); while (!progress.finished);
    OK(diptych_trainer_save(trainer, path));
    bytes file = read_bytes(path);
    uint64_t header;
    memcpy(&header, file.data, sizeof header);
    *zeros = *subnormal = 0;
    for (size_t i = 8 + header; i + 4 <= file.size; i += 4) {
        float value;
        memcpy(&value, file.data + i, sizeof value);
        *zeros += value == 0;
        *subnormal += fpclassify(value) == FP_SUBNORMAL;
    }
    free(file.data);
    diptych_trainer_free(trainer);
    diptych_model_free(model);
    diptych_pairs_free(pairs);
    remove_temporary();
}

/* Without a gradient Adam's first moment falls by a tenth a step: below the smallest normal number after some 800. */
static void moments_at_rest_become_zero(void)
{
    size_t early, late, subnormal;
    count_small(100, &early, &subnormal);
    CHECK(subnormal == 0, "%zu values after 100 steps", subnormal);
    count_small(1500, &late, &subnormal);
    CHECK(subnormal == 0, "%zu values after 1500 steps", subnormal);
    CHECK(late > early + 1000, "%zu zeros after 100 steps, %zu after 1500", early, late);
}

int main(int argc, char **argv)
{
    static const test_case tests[] = {TEST(host_mode_does_not_matter), TEST(host_mode_is_left_alone), TEST(moments_at_rest_become_zero)};
    return RUN_TESTS(tests, argc, argv);
}
