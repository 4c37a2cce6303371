/* A short visit to every function, for valgrind and for emulated old CPUs: training of all three networks, predicting with
 * threads, PNG files, checkpoints, a folder, an IDX pair, errors. */
#include "support.h"

static void networks(void)
{
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 7, 1);
    for (int32_t architecture = 0; architecture < 3; architecture++) {
        diptych_model *model = new_model(architecture, 1), *resumed = NULL;
        diptych_trainer *trainer = NULL;
        diptych_progress progress = DIPTYCH_PROGRESS_INIT;
        diptych_evaluation evaluation = DIPTYCH_EVALUATION_INIT;
        diptych_trainer_options options = trainer_options(2, 2, 1);
        diptych_prediction answers[7];
        uint64_t confusion[100];
        float images[7 * 392], probabilities[7 * 20], values[100];
        char text[8192];
        size_t length = 0;
        const char *path = temporary("checkpoint");
        options.batch_size = 4;
        options.optimizer = architecture == 1 ? DIPTYCH_SGD : DIPTYCH_ADAM;
        options.shuffle = architecture != 0;
        options.redraw = architecture == 0;
        options.rotation = 15, options.scale = 0.1f, options.shear = 0.1f, options.shift = 1, options.elastic = 0.5f, options.stroke = 0.2f;
        options.label_smoothing = 0.1f, options.ema_decay = architecture == 1 ? 0 : 0.9f;
        OK(diptych_trainer_create(model, pairs, &options, &trainer));
        OK(diptych_trainer_epoch(trainer, &progress));
        OK(diptych_trainer_step(trainer, &progress));
        OK(diptych_trainer_save(trainer, path));
        diptych_trainer_free(trainer);
        OK(diptych_trainer_resume(path, pairs, 0, 2, &resumed, &trainer));
        diptych_trainer_cancel(trainer);
        CHECK(diptych_trainer_epoch(trainer, &progress) == DIPTYCH_CANCELLED);
        OK(diptych_trainer_epoch(trainer, &progress));
        diptych_trainer_free(trainer);
        options.epochs = 1;
        options.threads = 1;
        OK(diptych_train(model, pairs, &options, NULL, NULL));
        OK(diptych_pairs_get(pairs, NULL, NULL, images, NULL, NULL));
        OK(diptych_predict(resumed, images, 7, 2, answers, probabilities));
        OK(diptych_evaluate(model, pairs, 2, &evaluation, confusion));
        OK(diptych_model_describe(model, text, sizeof text, &length));
        OK(diptych_model_tensor_get(model, "fc3.bias", values, 100, &length));
        OK(diptych_model_tensor_set(model, "fc3.bias", values, length));
        float head = 0, classes = 0;
        diptych_reliability_bin by_head[DIPTYCH_RELIABILITY_BINS], by_marginal[DIPTYCH_RELIABILITY_BINS];
        int64_t pairs_by_head = 0, pairs_by_marginal = 0;
        OK(diptych_model_calibrate(model, pairs, 2));
        OK(diptych_model_temperatures_get(model, &head, &classes));
        CHECK(head >= 0.05f && head <= 20 && classes >= 0.05f && classes <= 20 && classes != 1, "%g %g", head, classes);
        OK(diptych_model_temperatures_set(model, 2, classes));
        OK(diptych_reliability(model, pairs, 2, by_head, by_marginal));
        for (int i = 0; i < DIPTYCH_RELIABILITY_BINS; i++) {
            pairs_by_head += by_head[i].count;
            pairs_by_marginal += by_marginal[i].count;
        }
        CHECK(pairs_by_head == 7 && pairs_by_marginal == 7);
        bytes saved = model_bytes(model);
        diptych_model *loaded = NULL;
        OK(diptych_model_load_memory(saved.data, saved.size, &loaded));
        CHECK(same_model(loaded, model));
        OK(diptych_model_temperatures_get(loaded, &head, NULL));
        CHECK(head == 2, "%g", head);
        diptych_model_free(loaded);
        CHECK(diptych_model_load_memory(saved.data, saved.size - 1, &loaded) == DIPTYCH_ERROR_CORRUPT);
        free(saved.data);
        diptych_model_free(model), diptych_model_free(resumed);
        remove_temporary();
    }
    diptych_pairs_free(pairs);
}

static void images(void)
{
    diptych_model *model = NULL;
    diptych_prediction answer, same;
    int32_t label = -1;
    OK(diptych_model_default(&model));
    bytes png = digit_png(11, &label);
    char first[512];
    snprintf(first, sizeof first, "%s", temporary("digit.png"));
    write_bytes(first, png.data, png.size);
    OK(diptych_classify_png_files(model, first, first, NULL, &answer));
    OK(diptych_classify_png_memory(model, png.data, png.size, png.data, png.size, NULL, &same));
    CHECK(memcmp(&answer, &same, sizeof same) == 0);
    CHECK(answer.first_digit == label && answer.second_digit == label, "%d for %d", (int)answer.first_digit, (int)label);
    for (size_t size = 0; size < png.size; size += 7)
        CHECK(diptych_classify_png_memory(model, png.data, size, png.data, png.size, NULL, &answer) != DIPTYCH_OK);

    unsigned char blank[400] = {0};
    bytes empty = png_bytes(blank, 20, 20);
    FAILS(diptych_classify_png_memory(model, empty.data, empty.size, png.data, png.size, NULL, &answer),
          DIPTYCH_ERROR_BLANK_IMAGE, "first image");

    diptych_dataset *folder = NULL;
    unsigned char pixels[784];
    int32_t labels[1];
    char root[512];
    snprintf(root, sizeof root, "%s", temporary("classes"));
    char place[600];
    REQUIRE(mkdir(root, 0700) == 0, "%s", root);
    snprintf(place, sizeof place, "%s/4", root);
    REQUIRE(mkdir(place, 0700) == 0, "%s", place);
    snprintf(place, sizeof place, "%s/4/x.png", root);
    write_bytes(place, png.data, png.size);
    OK(diptych_dataset_open_folder(root, NULL, &folder));
    CHECK(diptych_dataset_count(folder) == 1);
    OK(diptych_dataset_get(folder, NULL, NULL, pixels, labels));
    CHECK(labels[0] == 4, "%d", (int)labels[0]);
    diptych_dataset_free(folder);
    FAILS(diptych_dataset_open_folder(first, NULL, &folder), DIPTYCH_ERROR_NOT_FOUND, "digit.png");
    free(png.data), free(empty.data);
    diptych_model_free(model);
    remove_temporary();
}

static void data(void)
{
    static const unsigned char images[16 + 4 * 16] = {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 9, 9, 9};
    static const unsigned char labels[8 + 4] = {0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 0};
    diptych_dataset *dataset = NULL;
    diptych_pairs *pairs = NULL;
    char images_path[512], labels_path[512];
    snprintf(images_path, sizeof images_path, "%s", temporary("images"));
    snprintf(labels_path, sizeof labels_path, "%s", temporary("labels"));
    write_bytes(images_path, images, sizeof images);
    write_bytes(labels_path, labels, sizeof labels);
    OK(diptych_dataset_open_idx(images_path, labels_path, &dataset));
    OK(diptych_pairs_draw(dataset, 2, 4, 4, 0, &pairs));
    CHECK(diptych_pairs_count(pairs) == 2);
    diptych_pairs_free(pairs);
    diptych_dataset_free(dataset);
    CHECK(diptych_dataset_open_idx(labels_path, images_path, &dataset) == DIPTYCH_ERROR_FORMAT);
    OK(diptych_dataset_from_memory(images, NULL, 1, 4, 4, &dataset));
    CHECK(diptych_pairs_draw(dataset, 1, 4, 4, 0, &pairs) == DIPTYCH_ERROR_MISMATCH);
    diptych_dataset_free(dataset);
    pairs = tiny_pairs();
    diptych_pairs_free(pairs);
    remove_temporary();
}

/* models FOLDER: writes a file of each kind of network, of a few weights, for the fuzzer to begin with. */
static int small_models(const char *folder)
{
    for (int32_t architecture = 0; architecture < 3; architecture++) {
        char path[512];
        diptych_model *model = NULL;
        diptych_model_options o;
        OK(diptych_model_options_init(&o, sizeof o));
        o.architecture = architecture;
        o.height = 4, o.width = 5, o.classes = 3, o.channels = 1, o.fc1_width = 2, o.fc2_width = 2, o.head_width = 2;
        OK(diptych_model_create(&o, &model));
        OK(diptych_model_temperatures_set(model, 2, 0.5f));
        snprintf(path, sizeof path, "%s/%d", folder, (int)architecture);
        OK(diptych_model_save_file(model, path));
        diptych_model_free(model);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const test_case tests[] = {TEST(networks), TEST(images), TEST(data)};
    if (argc == 4 && strcmp(argv[1], "digit") == 0) { /* digit INDEX FILE: writes one of the sample's digits */
        bytes png = digit_png((size_t)atoi(argv[2]), NULL);
        write_bytes(argv[3], png.data, png.size);
        free(png.data);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "models") == 0) return small_models(argv[2]);
    fprintf(stderr, "%s\n", diptych_build_info());
    return RUN_TESTS(tests, argc, argv);
}
