/* Every function with NULL for each pointer, impossible counts, unknown enum values, members out of range, wrong struct
 * sizes, images that are not finite, paths that lead nowhere: a status and a message that names the argument. */
#include "support.h"

static diptych_model *model;
static diptych_pairs *pairs;
static diptych_dataset *dataset;
static float images[2 * 196];
static diptych_prediction prediction;

/* A handle that is no handle: failure must replace it by NULL. */
#define POISON(type) ((type *)(uintptr_t)0x5a5a)
#define HANDLE_FAILS(type, call, status, what)                                                     \
    do {                                                                                           \
        type *out = POISON(type);                                                                  \
        FAILS(call, status, what);                                                                 \
        CHECK(out == NULL, "the handle is %p", (void *)out);                                       \
    } while (0)
#define HANDLE_INVALID(type, call, what) HANDLE_FAILS(type, call, DIPTYCH_ERROR_INVALID_ARGUMENT, what)

static void setup(void)
{
    model = new_model(DIPTYCH_SIAMESE, 1);
    pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 10, 1);
    OK(diptych_dataset_sample(DIPTYCH_SAMPLE_TEST, &dataset));
}

static void null_is_safe_where_it_may_be(void)
{
    diptych_model_free(NULL);
    diptych_dataset_free(NULL);
    diptych_pairs_free(NULL);
    diptych_trainer_free(NULL);
    diptych_trainer_cancel(NULL);
    CHECK(diptych_model_parameter_count(NULL) == 0);
    CHECK(diptych_dataset_count(NULL) == 0);
    CHECK(diptych_pairs_count(NULL) == 0);
    OK(diptych_dataset_get(dataset, NULL, NULL, NULL, NULL));
    OK(diptych_pairs_get(pairs, NULL, NULL, NULL, NULL, NULL));
}

static void null_model_arguments(void)
{
    size_t size = 77;
    float value = 0;
    char data[64] = {0};
    diptych_model_options o;
    INVALID(diptych_model_options_init(NULL, sizeof o), "options");
    INVALID(diptych_model_create(NULL, NULL), "out_model");
    INVALID(diptych_model_default(NULL), "out_model");
    INVALID(diptych_model_load_file("x", NULL), "out_model");
    HANDLE_INVALID(diptych_model, diptych_model_load_file(NULL, &out), "path");
    INVALID(diptych_model_load_file(NULL, NULL), "out_model");
    INVALID(diptych_model_load_memory(data, 64, NULL), "out_model");
    HANDLE_INVALID(diptych_model, diptych_model_load_memory(NULL, 64, &out), "data");
    HANDLE_INVALID(diptych_model, diptych_model_load_memory(NULL, 0, &out), "data");
    INVALID(diptych_model_load_memory(NULL, 0, NULL), "out_model");
    INVALID(diptych_model_save_file(NULL, "/tmp/x"), "model");
    INVALID(diptych_model_save_file(model, NULL), "path");
    INVALID(diptych_model_save_file(NULL, NULL), "model");
    INVALID(diptych_model_save_memory(NULL, NULL, 0, &size), "model");
    CHECK(size == 0, "%zu", size);
    INVALID(diptych_model_save_memory(model, NULL, 0, NULL), "out_size");
    INVALID(diptych_model_save_memory(model, NULL, 64, &size), "capacity");
    INVALID(diptych_model_save_memory(NULL, NULL, 0, NULL), "out_size");
    size = 77;
    INVALID(diptych_model_describe(NULL, NULL, 0, &size), "model");
    CHECK(size == 0, "%zu", size);
    INVALID(diptych_model_describe(model, NULL, 0, NULL), "out_length");
    INVALID(diptych_model_describe(model, NULL, 64, &size), "capacity");
    size = 77;
    INVALID(diptych_model_tensor_get(NULL, "fc1.weight", NULL, 0, &size), "model");
    CHECK(size == 0, "%zu", size);
    INVALID(diptych_model_tensor_get(model, NULL, NULL, 0, &size), "name");
    INVALID(diptych_model_tensor_get(model, "fc1.weight", NULL, 0, NULL), "out_count");
    INVALID(diptych_model_tensor_get(model, "fc1.weight", NULL, 5, &size), "capacity");
    INVALID(diptych_model_tensor_set(NULL, "fc1.weight", &value, 1), "model");
    INVALID(diptych_model_tensor_set(model, NULL, &value, 1), "name");
    INVALID(diptych_model_tensor_set(model, "fc1.weight", NULL, 1), "values");
    INVALID(diptych_model_temperatures_get(NULL, &value, &value), "model");
    OK(diptych_model_temperatures_get(model, NULL, NULL));
    INVALID(diptych_model_temperatures_set(NULL, 1, 1), "model");
    INVALID(diptych_model_views_set(NULL, 1), "model");
    INVALID(diptych_model_views_set(model, 2), "views is 2, but must be 1, 5 or 9");
    INVALID(diptych_model_views_set(model, INT32_MIN), "views");
    INVALID(diptych_model_calibrate(NULL, pairs, 1), "model");
    INVALID(diptych_model_calibrate(model, NULL, 1), "pairs");
    INVALID(diptych_reliability(NULL, pairs, 1, NULL, NULL), "model");
    INVALID(diptych_reliability(model, NULL, 1, NULL, NULL), "pairs");
    OK(diptych_reliability(model, pairs, 1, NULL, NULL));
}

static void null_image_arguments(void)
{
    size_t count = 77;
    char data[64] = {0};
    float pixels[196];
    INVALID(diptych_image_options_init(NULL, sizeof(diptych_image_options)), "options");
    INVALID(diptych_image_load_png_file(NULL, NULL, pixels, 196, &count), "path");
    CHECK(count == 0, "%zu", count);
    INVALID(diptych_image_load_png_file("x", NULL, pixels, 196, NULL), "out_count");
    INVALID(diptych_image_load_png_file("x", NULL, NULL, 196, &count), "capacity");
    INVALID(diptych_image_load_png_memory(NULL, 64, NULL, pixels, 196, &count), "data");
    INVALID(diptych_image_load_png_memory(data, 64, NULL, pixels, 196, NULL), "out_count");
    INVALID(diptych_image_load_png_memory(data, 64, NULL, NULL, 196, &count), "capacity");
    INVALID(diptych_classify_png_files(NULL, "x", "y", NULL, &prediction), "model");
    INVALID(diptych_classify_png_files(model, NULL, "y", NULL, &prediction), "first_path");
    INVALID(diptych_classify_png_files(model, "x", "y", NULL, NULL), "out_prediction");
    bytes png = digit_png(0, NULL);
    const char *path = temporary("digit.png");
    write_bytes(path, png.data, png.size);
    INVALID(diptych_classify_png_files(model, path, NULL, NULL, &prediction), "second_path");
    INVALID(diptych_classify_png_memory(NULL, png.data, png.size, png.data, png.size, NULL, &prediction), "model");
    INVALID(diptych_classify_png_memory(model, NULL, png.size, png.data, png.size, NULL, &prediction), "first_data");
    INVALID(diptych_classify_png_memory(model, png.data, png.size, NULL, png.size, NULL, &prediction), "second_data");
    INVALID(diptych_classify_png_memory(model, png.data, png.size, png.data, png.size, NULL, NULL), "out_prediction");
    remove_temporary();
    free(png.data);
}

static void null_predict_and_data_arguments(void)
{
    static const unsigned char pixel[2 * 196];
    float target = 1;
    INVALID(diptych_predict(NULL, images, 1, 1, &prediction, NULL), "model");
    INVALID(diptych_predict(model, NULL, 1, 1, &prediction, NULL), "pairs");
    INVALID(diptych_predict(model, images, 1, 1, NULL, NULL), "out_predictions");
    INVALID(diptych_predict(NULL, NULL, 1, 1, NULL, NULL), "model");
    INVALID(diptych_predict_u8(NULL, pixel, 1, 1, &prediction, NULL), "model");
    INVALID(diptych_predict_u8(model, NULL, 1, 1, &prediction, NULL), "pairs");
    INVALID(diptych_predict_u8(model, pixel, 1, 1, NULL, NULL), "out_predictions");
    HANDLE_INVALID(diptych_dataset, diptych_dataset_open_idx(NULL, "y", &out), "images_path");
    HANDLE_INVALID(diptych_dataset, diptych_dataset_open_idx("x", NULL, &out), "labels_path");
    INVALID(diptych_dataset_open_idx("x", "y", NULL), "out_dataset");
    HANDLE_INVALID(diptych_dataset, diptych_dataset_open_folder(NULL, NULL, &out), "path");
    INVALID(diptych_dataset_open_folder("x", NULL, NULL), "out_dataset");
    HANDLE_INVALID(diptych_dataset, diptych_dataset_from_memory(NULL, NULL, 1, 14, 14, &out), "images");
    INVALID(diptych_dataset_from_memory(pixel, NULL, 1, 14, 14, NULL), "out_dataset");
    INVALID(diptych_dataset_sample(0, NULL), "out_dataset");
    INVALID(diptych_dataset_get(NULL, NULL, NULL, NULL, NULL), "dataset");
    HANDLE_INVALID(diptych_pairs, diptych_pairs_draw(NULL, 1, 14, 14, 0, &out), "dataset");
    INVALID(diptych_pairs_draw(dataset, 1, 14, 14, 0, NULL), "out_pairs");
    HANDLE_INVALID(diptych_pairs, diptych_pairs_from_memory(NULL, &target, NULL, 1, 14, 14, &out), "images");
    HANDLE_INVALID(diptych_pairs, diptych_pairs_from_memory(images, NULL, NULL, 1, 14, 14, &out), "targets");
    INVALID(diptych_pairs_from_memory(images, &target, NULL, 1, 14, 14, NULL), "out_pairs");
    INVALID(diptych_pairs_get(NULL, NULL, NULL, NULL, NULL, NULL), "pairs");
}

static void null_trainer_arguments(void)
{
    diptych_progress progress = DIPTYCH_PROGRESS_INIT;
    diptych_evaluation evaluation = DIPTYCH_EVALUATION_INIT;
    diptych_trainer *trainer = POISON(diptych_trainer);
    diptych_model *other = POISON(diptych_model);
    INVALID(diptych_trainer_options_init(NULL, sizeof(diptych_trainer_options)), "options");
    HANDLE_INVALID(diptych_trainer, diptych_trainer_create(NULL, pairs, NULL, &out), "model");
    HANDLE_INVALID(diptych_trainer, diptych_trainer_create(model, NULL, NULL, &out), "pairs");
    INVALID(diptych_trainer_create(model, pairs, NULL, NULL), "out_trainer");
    INVALID(diptych_trainer_step(NULL, &progress), "trainer");
    INVALID(diptych_trainer_step(NULL, NULL), "trainer");
    INVALID(diptych_trainer_epoch(NULL, &progress), "trainer");
    INVALID(diptych_trainer_save(NULL, "/tmp/x"), "trainer");
    INVALID(diptych_trainer_resume(NULL, pairs, 0, 1, &other, &trainer), "path");
    CHECK(other == NULL && trainer == NULL);
    INVALID(diptych_trainer_resume("x", NULL, 0, 1, &other, &trainer), "pairs");
    trainer = POISON(diptych_trainer);
    INVALID(diptych_trainer_resume("x", pairs, 0, 1, NULL, &trainer), "out_model");
    CHECK(trainer == NULL);
    other = POISON(diptych_model);
    INVALID(diptych_trainer_resume("x", pairs, 0, 1, &other, NULL), "out_trainer");
    CHECK(other == NULL);
    OK(diptych_trainer_create(model, pairs, NULL, &trainer));
    INVALID(diptych_trainer_save(trainer, NULL), "path");
    OK(diptych_trainer_step(trainer, NULL));
    diptych_trainer_free(trainer);
    INVALID(diptych_train(NULL, pairs, NULL, NULL, NULL), "model");
    INVALID(diptych_train(model, NULL, NULL, NULL, NULL), "pairs");
    INVALID(diptych_evaluate(NULL, pairs, 1, &evaluation, NULL), "model");
    INVALID(diptych_evaluate(model, NULL, 1, &evaluation, NULL), "pairs");
    INVALID(diptych_evaluate(model, pairs, 1, NULL, NULL), "out_evaluation");
}

static void impossible_counts(void)
{
    static const size_t huge[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 4, SIZE_MAX / 1568, SIZE_MAX / 1568 + 1,
                                  (size_t)1 << 60, (size_t)1 << 48, (size_t)1 << 44, (size_t)1 << 40};
    static unsigned char data[2 * 196];
    float target = 1;
    int32_t label = 1;
    size_t size = 77;
    char text[16];
    /* None of these may be read: where it is no more than memory could hold, the copy cannot be made. */
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        size_t n = huge[i];
        INVALID(diptych_predict(model, images, n, 1, &prediction, NULL), "pair_count");
        INVALID(diptych_predict_u8(model, data, n, 1, &prediction, NULL), "pair_count");
        diptych_dataset *made = POISON(diptych_dataset);
        CHECK(diptych_dataset_from_memory(data, &label, n, 14, 14, &made) != DIPTYCH_OK && made == NULL, "%zu", n);
        CHECK(diptych_dataset_from_memory(data, NULL, n, 14, 14, &made) != DIPTYCH_OK && made == NULL, "%zu", n);
        diptych_pairs *drawn = POISON(diptych_pairs);
        CHECK(diptych_pairs_from_memory(images, &target, NULL, n, 14, 14, &drawn) != DIPTYCH_OK && drawn == NULL, "%zu", n);
        CHECK(diptych_pairs_from_memory(images, NULL, &label, n, 256, 256, &drawn) != DIPTYCH_OK && drawn == NULL, "%zu", n);
        HANDLE_INVALID(diptych_pairs, diptych_pairs_draw(dataset, n, 14, 14, 0, &out), "count");
        CHECK(diptych_model_tensor_set(model, "fc5.bias", &target, n) != DIPTYCH_OK, "%zu", n);
        if (n <= (size_t)1 << 47) continue;
        HANDLE_INVALID(diptych_model, diptych_model_load_memory(data, n, &out), "size");
        INVALID(diptych_image_load_png_memory(data, n, NULL, images, 196, &size), "size");
        INVALID(diptych_classify_png_memory(model, data, n, data, 1, NULL, &prediction), "size");
        INVALID(diptych_model_save_memory(model, data, n, &size), "capacity");
        INVALID(diptych_model_describe(model, text, n, &size), "capacity");
    }
    OK(diptych_predict(model, images, 0, 1, &prediction, NULL));
    OK(diptych_predict_u8(model, data, 0, 8, &prediction, NULL));
    HANDLE_INVALID(diptych_dataset, diptych_dataset_from_memory(data, NULL, 0, 14, 14, &out), "count");
    HANDLE_INVALID(diptych_pairs, diptych_pairs_draw(dataset, 0, 14, 14, 0, &out), "count");
    HANDLE_INVALID(diptych_pairs, diptych_pairs_draw(dataset, 1251, 14, 14, 0, &out), "count");
    HANDLE_INVALID(diptych_pairs, diptych_pairs_from_memory(images, &target, NULL, 0, 14, 14, &out), "count");
    HANDLE_FAILS(diptych_model, diptych_model_load_memory(data, 0, &out), DIPTYCH_ERROR_FORMAT, "safetensors");
    FAILS(diptych_image_load_png_memory(data, 0, NULL, images, 196, &size), DIPTYCH_ERROR_FORMAT, "PNG");
    INVALID(diptych_model_save_memory(model, data, 1, &size), "capacity");
    INVALID(diptych_model_describe(model, text, sizeof text, &size), "capacity");
    INVALID(diptych_image_load_png_memory(data, 9, NULL, images, 195, &size), "capacity");
    FAILS(diptych_model_tensor_set(model, "fc5.bias", &target, 0), DIPTYCH_ERROR_MISMATCH, "fc5.bias");
}

/* A struct of the wrong size (first is that of the first version, below which none is), or of a newer program with members
 * that this library does not know. */
#define WRONG_SIZES(type, first, init, use, what)                                                       \
    do {                                                                                           \
        union { type options; unsigned char raw[sizeof(type) + 64]; } u;                           \
        static const uint32_t wrong[] = {0, 1, (first) - 1, (first) - 8, 4097, 0x7fffffff, 0x80000000u, UINT32_MAX}; \
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {                                \
            memset(&u, 0, sizeof u);                                                               \
            INVALID(init(&u.options, wrong[i]), what);                                             \
            OK(init(&u.options, sizeof(type)));                                                    \
            u.options.struct_size = wrong[i];                                                      \
            INVALID(use, what);                                                                    \
        }                                                                                          \
        INVALID(init(&u.options, SIZE_MAX), what);                                                 \
        INVALID(init(&u.options, (size_t)1 << 32 | sizeof(type)), what);                           \
        memset(&u, 0xff, sizeof u);                                                                \
        OK(init(&u.options, sizeof(type) + 8));                                                    \
        CHECK(u.options.struct_size == sizeof(type) + 8);                                          \
        CHECK(u.raw[sizeof(type)] == 0 && u.raw[sizeof(type) + 7] == 0 && u.raw[sizeof(type) + 8] == 0xff); \
        CHECK((use) != DIPTYCH_ERROR_INVALID_ARGUMENT, "%s", diptych_last_error());                \
        u.raw[sizeof(type) + 7] = 1;                                                               \
        INVALID(use, what);                                                                        \
    } while (0)

static void wrong_struct_sizes(void)
{
    diptych_model *made = NULL;
    diptych_trainer *trainer = NULL;
    diptych_dataset *opened = NULL;
    size_t count;
    WRONG_SIZES(diptych_model_options, 64, diptych_model_options_init, (diptych_model_free(made), diptych_model_create(&u.options, &made)),
                "options");
    diptych_model_free(made);
    WRONG_SIZES(diptych_trainer_options, 64, diptych_trainer_options_init,
                (diptych_trainer_free(trainer), diptych_trainer_create(model, pairs, &u.options, &trainer)), "options");
    WRONG_SIZES(diptych_image_options, 32, diptych_image_options_init,
                diptych_image_load_png_file("/none", &u.options, NULL, 0, &count), "options");
    WRONG_SIZES(diptych_image_options, 32, diptych_image_options_init, diptych_dataset_open_folder("/none", &u.options, &opened), "options");
    OK(diptych_trainer_create(model, pairs, NULL, &trainer));
    static const uint32_t wrong[] = {0, 1, 8, 4097, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        diptych_progress progress = DIPTYCH_PROGRESS_INIT;
        diptych_evaluation evaluation = DIPTYCH_EVALUATION_INIT;
        progress.struct_size = evaluation.struct_size = wrong[i];
        INVALID(diptych_trainer_step(trainer, &progress), "out_progress");
        INVALID(diptych_trainer_epoch(trainer, &progress), "out_progress");
        INVALID(diptych_evaluate(model, pairs, 1, &evaluation, NULL), "out_evaluation");
    }
    /* A newer program's larger structs: filled as far as this library knows. */
    struct { diptych_progress known; uint64_t newer; } progress = {DIPTYCH_PROGRESS_INIT, 42};
    struct { diptych_evaluation known; uint64_t newer; } evaluation = {DIPTYCH_EVALUATION_INIT, 42};
    progress.known.struct_size = sizeof progress;
    evaluation.known.struct_size = sizeof evaluation;
    OK(diptych_trainer_step(trainer, &progress.known));
    CHECK(progress.known.step == 1 && progress.known.struct_size == sizeof progress && progress.newer == 42);
    OK(diptych_evaluate(model, pairs, 1, &evaluation.known, NULL));
    CHECK(evaluation.known.count == 10 && evaluation.known.struct_size == sizeof evaluation && evaluation.newer == 42);
    diptych_trainer_free(trainer);
}

/* A program of the first version, whose struct ended before the calibration errors. */
static void an_older_evaluation(void)
{
    enum { OLD = 56 };
    struct { diptych_evaluation e; } filled = {DIPTYCH_EVALUATION_INIT};
    memset((char *)&filled + OLD, 0x5A, sizeof filled - OLD);
    filled.e.struct_size = OLD;
    OK(diptych_evaluate(model, pairs, 1, &filled.e, NULL));
    CHECK(filled.e.count == 10 && filled.e.struct_size == OLD && filled.e.auxiliary > 0);
    for (size_t i = OLD; i < sizeof filled; i++) CHECK(((unsigned char *)&filled)[i] == 0x5A, "byte %zu was written", i);
}

static const int32_t bad_ints[] = {-1, INT32_MIN, INT32_MAX, 1 << 30, 100000000};
static const float bad_floats[] = {-1, 1.5e9f, INFINITY, -INFINITY, NAN, -1e-30f};

#define EACH(value, values) for (size_t value = 0; value < sizeof values / sizeof *values; value++)

static void model_members_out_of_range(void)
{
#define MODEL_MEMBER(member)                                                                       \
    EACH(i, bad_ints) {                                                                            \
        diptych_model_options o;                                                                   \
        OK(diptych_model_options_init(&o, sizeof o));                                              \
        o.member = bad_ints[i];                                                                    \
        HANDLE_INVALID(diptych_model, diptych_model_create(&o, &out), #member);                    \
    }
    MODEL_MEMBER(architecture) MODEL_MEMBER(height) MODEL_MEMBER(width) MODEL_MEMBER(classes) MODEL_MEMBER(channels)
    MODEL_MEMBER(fc1_width) MODEL_MEMBER(fc2_width) MODEL_MEMBER(head_width) MODEL_MEMBER(mlp_width1) MODEL_MEMBER(mlp_width2)
    MODEL_MEMBER(decision) MODEL_MEMBER(views)
    diptych_model_options o;
    OK(diptych_model_options_init(&o, sizeof o));
    static const int32_t no_views[] = {0, 2, 4, 8, 10};
    EACH(i, no_views) {
        o.views = no_views[i];
        HANDLE_INVALID(diptych_model, diptych_model_create(&o, &out), "must be 1, 5 or 9");
    }
    o.views = 9;
    EACH(i, bad_floats) {
        o.dropout = bad_floats[i];
        HANDLE_INVALID(diptych_model, diptych_model_create(&o, &out), "dropout");
    }
    o.dropout = 1;
    HANDLE_INVALID(diptych_model, diptych_model_create(&o, &out), "dropout");
    OK(diptych_model_options_init(&o, sizeof o));
    o.architecture = DIPTYCH_MLP;
    o.height = o.width = 256;
    o.channels = 256;
    HANDLE_FAILS(diptych_model, diptych_model_create(&o, &out), DIPTYCH_ERROR_LIMIT, "parameters");
    o.mlp_width1 = o.mlp_width2 = 65536;
    HANDLE_FAILS(diptych_model, diptych_model_create(&o, &out), DIPTYCH_ERROR_LIMIT, "parameters");
    /* The ends of the ranges are allowed. */
    diptych_model *made = NULL;
    OK(diptych_model_options_init(&o, sizeof o));
    o.height = 4, o.width = 256, o.classes = 1000, o.channels = 1, o.fc1_width = 1, o.head_width = 4096, o.dropout = 0;
    OK(diptych_model_create(&o, &made));
    diptych_model_free(made);
}

static void trainer_members_out_of_range(void)
{
#define TRAINER_CHECK(member)                                                                      \
    HANDLE_INVALID(diptych_trainer, diptych_trainer_create(model, pairs, &o, &out), #member);      \
    INVALID(diptych_train(model, pairs, &o, NULL, NULL), #member);
#define TRAINER_INT(member)                                                                        \
    EACH(i, bad_ints) {                                                                            \
        diptych_trainer_options o = trainer_options(1, 1, 0);                                      \
        o.member = bad_ints[i];                                                                    \
        TRAINER_CHECK(member)                                                                      \
    }
#define TRAINER_FLOAT(member)                                                                      \
    EACH(i, bad_floats) {                                                                          \
        diptych_trainer_options o = trainer_options(1, 1, 0);                                      \
        o.member = bad_floats[i];                                                                  \
        TRAINER_CHECK(member)                                                                      \
    }
    TRAINER_INT(epochs) TRAINER_INT(batch_size) TRAINER_INT(optimizer) TRAINER_INT(schedule) TRAINER_INT(shuffle)
    TRAINER_INT(threads)
    TRAINER_FLOAT(learning_rate) TRAINER_FLOAT(momentum) TRAINER_FLOAT(beta1) TRAINER_FLOAT(beta2) TRAINER_FLOAT(epsilon)
    TRAINER_FLOAT(weight_decay) TRAINER_FLOAT(loss_ratio)
    TRAINER_INT(redraw) TRAINER_INT(reserved)
    TRAINER_FLOAT(label_smoothing) TRAINER_FLOAT(ema_decay)
    TRAINER_FLOAT(rotation) TRAINER_FLOAT(scale) TRAINER_FLOAT(shear) TRAINER_FLOAT(shift) TRAINER_FLOAT(elastic)
    TRAINER_FLOAT(stroke)
    diptych_trainer_options o = trainer_options(0, 1, 0);
    TRAINER_CHECK(epochs)
    o = trainer_options(1, 257, 0);
    TRAINER_CHECK(threads)
    o = trainer_options(1, 1, 0);
    o.learning_rate = 0;
    TRAINER_CHECK(learning_rate)
    EACH(i, bad_ints) {
        diptych_evaluation evaluation = DIPTYCH_EVALUATION_INIT;
        INVALID(diptych_predict(model, images, 1, bad_ints[i], &prediction, NULL), "threads");
        INVALID(diptych_evaluate(model, pairs, bad_ints[i], &evaluation, NULL), "threads");
        INVALID(diptych_reliability(model, pairs, bad_ints[i], NULL, NULL), "threads");
        INVALID(diptych_model_calibrate(model, pairs, bad_ints[i]), "threads");
    }
}

static void temperatures_out_of_range(void)
{
    static const float values[] = {0, -1, 0.049f, 20.1f, 1e30f, INFINITY, -INFINITY, NAN};
    float head = 0, classes = 0;
    OK(diptych_model_temperatures_set(model, 0.05f, 20));
    EACH(i, values) {
        INVALID(diptych_model_temperatures_set(model, values[i], 1), "head_temperature");
        INVALID(diptych_model_temperatures_set(model, 1, values[i]), "class_temperature");
    }
    OK(diptych_model_temperatures_get(model, &head, &classes));
    CHECK(head == 0.05f && classes == 20, "%g %g", head, classes);
    OK(diptych_model_temperatures_set(model, 1, 1));
}

static void image_members_out_of_range(void)
{
    size_t count;
    diptych_dataset *opened;
    bytes png = digit_png(0, NULL);
#define IMAGE_MEMBER(member)                                                                       \
    EACH(i, bad_ints) {                                                                            \
        diptych_image_options o;                                                                   \
        OK(diptych_image_options_init(&o, sizeof o));                                              \
        o.member = bad_ints[i];                                                                    \
        INVALID(diptych_image_load_png_memory(png.data, png.size, &o, images, 196, &count), #member); \
        INVALID(diptych_image_load_png_file("/none", &o, NULL, 0, &count), #member);               \
        INVALID(diptych_dataset_open_folder("/none", &o, &opened), #member);                       \
    }
    IMAGE_MEMBER(mode) IMAGE_MEMBER(height) IMAGE_MEMBER(width) IMAGE_MEMBER(polarity) IMAGE_MEMBER(background)
    IMAGE_MEMBER(max_height) IMAGE_MEMBER(max_width)
    diptych_image_options o;
    OK(diptych_image_options_init(&o, sizeof o));
    o.max_width = 27;
    FAILS(diptych_image_load_png_memory(png.data, png.size, &o, images, 196, &count), DIPTYCH_ERROR_LIMIT, "28");
    free(png.data);
}

static void data_members_out_of_range(void)
{
    static unsigned char data[784];
    float target = 1;
    int32_t digits[2] = {1, 2};
    EACH(i, bad_ints) {
        HANDLE_INVALID(diptych_dataset, diptych_dataset_sample(bad_ints[i], &out), "split");
        HANDLE_INVALID(diptych_dataset, diptych_dataset_from_memory(data, NULL, 1, bad_ints[i], 14, &out), "height");
        HANDLE_INVALID(diptych_dataset, diptych_dataset_from_memory(data, NULL, 1, 14, bad_ints[i], &out), "width");
        HANDLE_INVALID(diptych_dataset, diptych_dataset_from_memory(data, &bad_ints[i], 1, 14, 14, &out), "labels[0]");
        HANDLE_INVALID(diptych_pairs, diptych_pairs_draw(dataset, 1, bad_ints[i], 14, 0, &out), "height");
        HANDLE_INVALID(diptych_pairs, diptych_pairs_draw(dataset, 1, 14, bad_ints[i], 0, &out), "width");
        HANDLE_INVALID(diptych_pairs, diptych_pairs_from_memory(images, &target, NULL, 1, bad_ints[i], 14, &out), "height");
        HANDLE_INVALID(diptych_pairs, diptych_pairs_from_memory(images, &target, NULL, 1, 14, bad_ints[i], &out), "width");
        digits[1] = bad_ints[i];
        HANDLE_INVALID(diptych_pairs, diptych_pairs_from_memory(images, &target, digits, 1, 14, 14, &out), "digits[0][1]");
    }
    EACH(i, bad_floats) {
        target = bad_floats[i];
        HANDLE_INVALID(diptych_pairs, diptych_pairs_from_memory(images, &target, NULL, 1, 14, 14, &out), "targets[0]");
    }
    target = 0.5f;
    HANDLE_INVALID(diptych_pairs, diptych_pairs_from_memory(images, &target, NULL, 1, 14, 14, &out), "targets[0]");
}

static void numbers_that_are_not_finite(void)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    float target = 1, *values = malloc(100352 * sizeof *values), before;
    size_t count;
    EACH(i, bad) {
        images[200] = bad[i];
        INVALID(diptych_predict(model, images, 1, 1, &prediction, NULL), "pixel 4 of image 1 of pair 0");
        HANDLE_INVALID(diptych_pairs, diptych_pairs_from_memory(images, &target, NULL, 1, 14, 14, &out), "images");
        images[200] = 0;
        OK(diptych_model_tensor_get(model, "fc1.weight", values, 100352, &count));
        before = values[77];
        values[77] = bad[i];
        values[0] += 1;
        INVALID(diptych_model_tensor_set(model, "fc1.weight", values, 100352), "fc1.weight");
        OK(diptych_model_tensor_get(model, "fc1.weight", values, 100352, &count));
        CHECK(values[77] == before, "a failed set changed the tensor");
    }
    /* Finite, but beyond what can be computed: an answer or an error, no crash. */
    for (int i = 0; i < 392; i++) images[i] = i % 2 ? 3e38f : -3e38f;
    diptych_status status = diptych_predict(model, images, 1, 1, &prediction, NULL);
    CHECK(status == DIPTYCH_OK || *diptych_last_error());
    if (status == DIPTYCH_OK) {
        CHECK(prediction.first_digit >= 0 && prediction.first_digit < 10, "%d", (int)prediction.first_digit);
        CHECK(prediction.second_digit >= 0 && prediction.second_digit < 10, "%d", (int)prediction.second_digit);
    }
    diptych_pairs *extreme = NULL;
    diptych_trainer_options options = trainer_options(1, 1, 0);
    options.loss_ratio = 0;
    if (diptych_pairs_from_memory(images, &target, NULL, 1, 14, 14, &extreme) == DIPTYCH_OK) {
        status = diptych_train(model, extreme, &options, NULL, NULL);
        CHECK(status == DIPTYCH_OK || status == DIPTYCH_ERROR_DIVERGED || status == DIPTYCH_ERROR_INVALID_ARGUMENT, "%d", (int)status);
        diptych_pairs_free(extreme);
    }
    /* Diverging is a status. */
    options = trainer_options(50, 1, 0);
    options.optimizer = DIPTYCH_SGD;
    options.learning_rate = 100;
    FAILS(diptych_train(model, pairs, &options, NULL, NULL), DIPTYCH_ERROR_DIVERGED, "learning_rate");
    free(values);
}

static void strange_paths(void)
{
    static char endless[10000];
    memset(endless, 'x', sizeof endless - 1);
    const char *not_png = temporary("not.png");
    write_bytes(not_png, "hello, world: no image, no model", 32);
    const struct { const char *path; diptych_status load, save; } cases[] = {
        {"", DIPTYCH_ERROR_INVALID_ARGUMENT, DIPTYCH_ERROR_INVALID_ARGUMENT},
        {"\xff\xfe/x", DIPTYCH_ERROR_INVALID_ARGUMENT, DIPTYCH_ERROR_INVALID_ARGUMENT},
        {"/none/such/file", DIPTYCH_ERROR_NOT_FOUND, DIPTYCH_ERROR_NOT_FOUND},
        {"/etc/passwd/x", DIPTYCH_ERROR_NOT_FOUND, DIPTYCH_ERROR_NOT_FOUND},
        {"/", DIPTYCH_ERROR_IO, DIPTYCH_ERROR_IO},
        {"/tmp", DIPTYCH_ERROR_IO, DIPTYCH_ERROR_IO},
        {"/proc/self/nothing", DIPTYCH_ERROR_NOT_FOUND, DIPTYCH_ERROR_NOT_FOUND},
        {endless, DIPTYCH_ERROR_IO, DIPTYCH_ERROR_IO},
        {"/dev/null", DIPTYCH_ERROR_FORMAT, DIPTYCH_OK},
        {"/dev/full", 1, DIPTYCH_ERROR_IO},
        {not_png, DIPTYCH_ERROR_FORMAT, 1},
    };
    diptych_trainer *trainer = NULL;
    diptych_evaluation evaluation = DIPTYCH_EVALUATION_INIT;
    OK(diptych_trainer_create(model, pairs, NULL, &trainer));
    EACH(i, cases) {
        const char *path = cases[i].path, *what = *path && (unsigned char)*path < 128 ? path : "path";
        size_t count;
        char shown[64];
        snprintf(shown, sizeof shown, "%.20s", what);
        if (cases[i].load != 1) {
            HANDLE_FAILS(diptych_model, diptych_model_load_file(path, &out), cases[i].load, shown);
            HANDLE_FAILS(diptych_dataset, diptych_dataset_open_idx(path, path, &out), cases[i].load, shown);
            FAILS(diptych_image_load_png_file(path, NULL, images, 196, &count), cases[i].load, shown);
            FAILS(diptych_classify_png_files(model, path, path, NULL, &prediction), cases[i].load, shown);
            diptych_model *other = POISON(diptych_model);
            HANDLE_FAILS(diptych_trainer, diptych_trainer_resume(path, pairs, 0, 1, &other, &out), cases[i].load, shown);
            CHECK(other == NULL);
            diptych_dataset *opened = POISON(diptych_dataset);
            CHECK(diptych_dataset_open_folder(path, NULL, &opened) != DIPTYCH_OK && opened == NULL, "%s", path);
        }
        if (cases[i].save != 1 && cases[i].save != DIPTYCH_OK) {
            FAILS(diptych_model_save_file(model, path), cases[i].save, shown);
            FAILS(diptych_trainer_save(trainer, path), cases[i].save, shown);
        }
    }
    OK(diptych_model_save_file(model, "/dev/null"));
    FAILS(diptych_model_tensor_set(model, "no such", images, 1), DIPTYCH_ERROR_NOT_FOUND, "no such");
    INVALID(diptych_model_tensor_set(model, "\xc3(", images, 1), "name");
    INVALID(diptych_model_tensor_set(model, "", images, 1), "name");
    OK(diptych_evaluate(model, pairs, 1, &evaluation, NULL));
    diptych_trainer_free(trainer);
    remove_temporary();
}

static void parts_that_do_not_fit(void)
{
    diptych_model *tiny = tiny_model();
    diptych_pairs *small = tiny_pairs(), *plain = NULL, *high = NULL, *low = NULL;
    diptych_dataset *unlabelled = NULL;
    static unsigned char data[784];
    static float small_images[2][2][16];
    float target[2] = {1, 0};
    int32_t digits[2][2] = {{0, 1}, {1, 2}};
    uint64_t confusion[4] = {9, 9, 9, 9};
    diptych_evaluation evaluation = DIPTYCH_EVALUATION_INIT;
    HANDLE_FAILS(diptych_trainer, diptych_trainer_create(tiny, pairs, NULL, &out), DIPTYCH_ERROR_MISMATCH, "14x14");
    HANDLE_FAILS(diptych_trainer, diptych_trainer_create(model, small, NULL, &out), DIPTYCH_ERROR_MISMATCH, "4x4");
    FAILS(diptych_evaluate(tiny, pairs, 1, &evaluation, NULL), DIPTYCH_ERROR_MISMATCH, "14x14");
    OK(diptych_dataset_from_memory(data, NULL, 2, 14, 14, &unlabelled));
    HANDLE_FAILS(diptych_pairs, diptych_pairs_draw(unlabelled, 1, 14, 14, 0, &out), DIPTYCH_ERROR_MISMATCH, "labels");
    OK(diptych_pairs_from_memory(&small_images[0][0][0], target, NULL, 2, 4, 4, &plain));
    HANDLE_FAILS(diptych_trainer, diptych_trainer_create(tiny, plain, NULL, &out), DIPTYCH_ERROR_MISMATCH, "digits");
    OK(diptych_evaluate(tiny, plain, 1, &evaluation, NULL));
    CHECK(isnan(evaluation.marginal_error) && isnan(evaluation.digit_error) && isnan(evaluation.auxiliary));
    FAILS(diptych_evaluate(tiny, plain, 1, &evaluation, confusion), DIPTYCH_ERROR_MISMATCH, "digits");
    OK(diptych_pairs_from_memory(&small_images[0][0][0], target, &digits[0][0], 2, 4, 4, &high));
    HANDLE_FAILS(diptych_trainer, diptych_trainer_create(tiny, high, NULL, &out), DIPTYCH_ERROR_MISMATCH, "classes 0 to 1");
    FAILS(diptych_evaluate(tiny, high, 1, &evaluation, confusion), DIPTYCH_ERROR_MISMATCH, "classes 0 to 1");
    digits[1][1] = 0;
    OK(diptych_pairs_from_memory(&small_images[0][0][0], target, &digits[0][0], 2, 4, 4, &low));
    FAILS(diptych_evaluate(tiny, low, -1, &evaluation, confusion), DIPTYCH_ERROR_INVALID_ARGUMENT, "threads");
    CHECK(confusion[0] == 9 && confusion[3] == 9, "a failed call changed the array");
    diptych_pairs_free(plain);
    diptych_pairs_free(high);
    diptych_pairs_free(low);
    diptych_pairs_free(small);
    diptych_dataset_free(unlabelled);
    diptych_model_free(tiny);
}

static void names_and_numbers(void)
{
    CHECK(diptych_version() == DIPTYCH_VERSION);
    CHECK(strcmp(diptych_version_string(), DIPTYCH_VERSION_STRING) == 0);
    CHECK(strstr(diptych_build_info(), DIPTYCH_VERSION_STRING) && strstr(diptych_build_info(), "libpng"), "%s", diptych_build_info());
    CHECK(strcmp(diptych_status_name(0), "DIPTYCH_OK") == 0);
    for (int32_t status = -13; status <= 0; status++) CHECK(strncmp(diptych_status_name(status), "DIPTYCH_", 8) == 0, "%d", (int)status);
    EACH(i, bad_ints) {
        if (bad_ints[i] != -1) CHECK(strcmp(diptych_status_name(bad_ints[i]), "unknown status") == 0, "%d", (int)bad_ints[i]);
    }
    CHECK(strcmp(diptych_status_name(1), "unknown status") == 0);
    CHECK(diptych_model_parameter_count(model) == 115147);
    CHECK(diptych_dataset_count(dataset) == 2500);
    CHECK(diptych_pairs_count(pairs) == 10);
}

static void default_model_is_there(void)
{
    diptych_model *standard = NULL;
    diptych_pairs *test = sample_pairs(DIPTYCH_SAMPLE_TEST, 1000, 3);
    diptych_evaluation evaluation = DIPTYCH_EVALUATION_INIT;
    OK(diptych_model_default(&standard));
    CHECK(diptych_model_parameter_count(standard) == 115147);
    OK(diptych_evaluate(standard, test, 0, &evaluation, NULL));
    /* 1 % is promised on all of MNIST's test pairs; 1000 pairs of the sample may do a little worse by chance. */
    CHECK(evaluation.marginal_error <= 0.02, "%g", evaluation.marginal_error);
    diptych_pairs_free(test);
    diptych_model_free(standard);
}

int main(int argc, char **argv)
{
    static const test_case tests[] = {
        TEST(null_is_safe_where_it_may_be), TEST(null_model_arguments), TEST(null_image_arguments),
        TEST(null_predict_and_data_arguments), TEST(null_trainer_arguments), TEST(impossible_counts), TEST(wrong_struct_sizes), TEST(an_older_evaluation),
        TEST(model_members_out_of_range), TEST(trainer_members_out_of_range), TEST(temperatures_out_of_range), TEST(image_members_out_of_range),
        TEST(data_members_out_of_range), TEST(numbers_that_are_not_finite), TEST(strange_paths), TEST(parts_that_do_not_fit),
        TEST(names_and_numbers), TEST(default_model_is_there),
    };
    setup();
    return RUN_TESTS(tests, argc, argv);
}
