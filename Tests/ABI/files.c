/* Files cut at every byte and files with random bytes changed: a status and a message, never a crash. */
#include "support.h"

#include <sys/resource.h>

typedef diptych_status (*reader)(const void *data, size_t size);

static diptych_pairs *pairs;
static const char *labels_path;

static diptych_status read_model(const void *data, size_t size)
{
    diptych_model *model = NULL;
    diptych_status status = diptych_model_load_memory(data, size, &model);
    CHECK((status == DIPTYCH_OK) == (model != NULL));
    if (model) { /* what was accepted can be used */
        float images[2 * 64 * 64] = {0};
        char text[8192];
        diptych_prediction answer;
        size_t length = 0;
        OK(diptych_model_describe(model, NULL, 0, &length));
        if (length < sizeof text) {
            int height = 0, width = 0;
            OK(diptych_model_describe(model, text, sizeof text, &length));
            const char *h = strstr(text, "\"height\":"), *w = strstr(text, "\"width\":");
            if (h && w) height = atoi(h + 9), width = atoi(w + 8);
            if (height && width && height * width <= 64 * 64) OK(diptych_predict(model, images, 1, 1, &answer, NULL));
        }
    }
    diptych_model_free(model);
    return status;
}

static diptych_status read_checkpoint(const void *data, size_t size)
{
    const char *path = "checkpoint";
    diptych_model *model = NULL;
    diptych_trainer *trainer = NULL;
    write_bytes(path, data, size);
    diptych_status status = diptych_trainer_resume(path, pairs, 0, 1, &model, &trainer);
    CHECK((status == DIPTYCH_OK) == (model != NULL) && !model == !trainer);
    if (trainer) {
        diptych_status step = diptych_trainer_step(trainer, NULL);
        CHECK(step == DIPTYCH_OK || step == DIPTYCH_ERROR_DIVERGED || step == DIPTYCH_ERROR_FINISHED, "%d", (int)step);
    }
    diptych_trainer_free(trainer);
    diptych_model_free(model);
    return status;
}

static diptych_status read_png(const void *data, size_t size)
{
    float pixels[196];
    size_t count = 77;
    diptych_image_options options;
    OK(diptych_image_options_init(&options, sizeof options));
    options.mode = DIPTYCH_IMAGE_PLAIN;
    diptych_status status = diptych_image_load_png_memory(data, size, &options, pixels, 196, &count);
    CHECK(count == (status == DIPTYCH_OK ? 196 : 0), "%zu", count);
    return status;
}

static diptych_status read_idx(const void *data, size_t size)
{
    const char *path = "images";
    diptych_dataset *dataset = NULL;
    write_bytes(path, data, size);
    diptych_status status = diptych_dataset_open_idx(path, labels_path, &dataset);
    CHECK((status == DIPTYCH_OK) == (dataset != NULL));
    diptych_dataset_free(dataset);
    return status;
}

static void check_status(diptych_status status, const char *what, size_t at)
{
    int known = status == DIPTYCH_ERROR_FORMAT || status == DIPTYCH_ERROR_CORRUPT || status == DIPTYCH_ERROR_MISMATCH ||
                status == DIPTYCH_ERROR_LIMIT || status == DIPTYCH_ERROR_INVALID_ARGUMENT || status == DIPTYCH_ERROR_DIVERGED;
    CHECK(status == DIPTYCH_OK || (known && *diptych_last_error()), "%s at %zu: %s", what, at, diptych_status_name(status));
}

static void cut_everywhere(reader read, bytes file)
{
    CHECK(read(file.data, file.size) == DIPTYCH_OK, "whole: %s", diptych_last_error());
    for (size_t size = 0; size < file.size; size++) {
        /* At an address of its own size, so that a read beyond it is seen by valgrind and, often, by the system. */
        unsigned char *part = malloc(size ? size : 1);
        memcpy(part, file.data, size);
        diptych_status status = read(part, size);
        CHECK(status != DIPTYCH_OK, "cut at %zu of %zu", size, file.size);
        check_status(status, "cut", size);
        free(part);
    }
    unsigned char *longer = calloc(file.size + 16, 1);
    memcpy(longer, file.data, file.size);
    check_status(read(longer, file.size + 16), "longer", 16);
    free(longer);
}

/* Nine rounds of ten change one byte, the tenth up to eight; half of the changes lie in the first `head` bytes. */
static void change_bytes(reader read, bytes file, size_t head, int rounds)
{
    unsigned char *changed = malloc(file.size);
    for (int round = 0; round < rounds; round++) {
        memcpy(changed, file.data, file.size);
        int changes = round % 10 ? 1 : 1 + (int)(next_random() % 8);
        for (int i = 0; i < changes; i++) {
            size_t limit = next_random() % 2 ? head : file.size;
            changed[next_random() % limit] ^= (unsigned char)(1 + next_random() % 255);
        }
        check_status(read(changed, file.size), "changed, round", (size_t)round);
    }
    free(changed);
}

static void model_file(void)
{
    diptych_model *model = tiny_model();
    OK(diptych_model_temperatures_set(model, 0.5f, 2));
    bytes file = model_bytes(model);
    cut_everywhere(read_model, file);
    change_bytes(read_model, file, file.size / 2, 20000);
    free(file.data);
    diptych_model_free(model);
}

/* The digits in a number of the header replaced by others: sizes, shapes and offsets that contradict each other. */
static void model_numbers(void)
{
    static const char *const numbers[] = {"0", "-1", "3", "4096", "65535", "99999", "2147483647", "2147483648", "4294967296",
                                          "9223372036854775807", "9223372036854775808", "18446744073709551616",
                                          "99999999999999999999999999", "1e9", "1.5", "1e999", "nan", "null", "[]"};
    diptych_model *model = tiny_model();
    OK(diptych_model_temperatures_set(model, 0.5f, 2));
    bytes file = model_bytes(model);
    uint64_t header = 0;
    memcpy(&header, file.data, 8);
    size_t end = 8 + (size_t)header, tried = 0;
    unsigned char *changed = malloc(file.size + 64);
    for (size_t start = 8; start < end; start++) {
        if (file.data[start] < '0' || file.data[start] > '9' || (file.data[start - 1] >= '0' && file.data[start - 1] <= '9')) continue;
        size_t stop = start;
        while (file.data[stop] >= '0' && file.data[stop] <= '9') stop++;
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            size_t length = strlen(numbers[i]);
            uint64_t longer = header + length - (stop - start);
            memcpy(changed, file.data, start);
            memcpy(changed, &longer, 8);
            memcpy(changed + start, numbers[i], length);
            memcpy(changed + start + length, file.data + stop, file.size - stop);
            check_status(read_model(changed, file.size + length - (stop - start)), numbers[i], start);
            tried++;
        }
    }
    CHECK(tried > 500, "%zu", tried);
    free(changed);
    free(file.data);
    diptych_model_free(model);
}

/* A small file that claims a network of a gigabyte is refused before memory for it is asked for. */
static void model_that_claims_much(void)
{
    static const char header[] =
        "{\"__metadata__\":{\"architecture\":\"mlp\",\"height\":\"256\",\"width\":\"256\",\"classes\":\"10\",\"channels\":\"1\","
        "\"fc1_width\":\"64\",\"fc2_width\":\"64\",\"head_width\":\"16\",\"mlp_width1\":\"3072\",\"mlp_width2\":\"16384\","
        "\"dropout\":\"0.5\",\"decision\":\"head\",\"mean\":\"0\",\"standard_deviation\":\"1\"},"
        "\"l1.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    unsigned char file[8 + sizeof header - 1 + 4] = {0};
    uint64_t length = sizeof header - 1;
    diptych_model *model = NULL;
    struct rlimit limit = {400 << 20, 400 << 20};
    memcpy(file, &length, 8);
    memcpy(file + 8, header, sizeof header - 1);
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
    FAILS(diptych_model_load_memory(file, sizeof file, &model), DIPTYCH_ERROR_MISMATCH, "l1.weight");
}

static void checkpoint_file(int32_t optimizer)
{
    diptych_model *model = tiny_model();
    diptych_trainer *trainer = NULL;
    diptych_trainer_options options = trainer_options(3, 1, 1);
    pairs = tiny_pairs();
    REQUIRE(chdir(temporary("")) == 0);
    options.batch_size = 4;
    options.optimizer = optimizer;
    options.learning_rate = 0.001f;
    OK(diptych_trainer_create(model, pairs, &options, &trainer));
    OK(diptych_trainer_step(trainer, NULL));
    OK(diptych_trainer_save(trainer, "saved"));
    bytes file = read_bytes("saved");
    cut_everywhere(read_checkpoint, file);
    change_bytes(read_checkpoint, file, file.size / 2, 5000);
    free(file.data);
    diptych_trainer_free(trainer);
    diptych_model_free(model);
    diptych_pairs_free(pairs);
    remove_temporary();
}
static void checkpoint_file_adam(void) { checkpoint_file(DIPTYCH_ADAM); }
static void checkpoint_file_sgd(void) { checkpoint_file(DIPTYCH_SGD); }

static void png_file(void)
{
    bytes png = digit_png(3, NULL);
    cut_everywhere(read_png, png);
    change_bytes(read_png, png, 60, 20000);
    free(png.data);
}

/* With check sums set right again, so that the damage reaches what they protect. */
static void png_with_right_checks(void)
{
    bytes png = digit_png(3, NULL);
    unsigned char *changed = malloc(png.size);
    for (int round = 0; round < 20000; round++) {
        memcpy(changed, png.data, png.size);
        changed[8 + next_random() % (png.size - 8)] ^= (unsigned char)(1 + next_random() % 255);
        for (size_t at = 8; at + 12 <= png.size;) {
            size_t size = (size_t)changed[at] << 24 | (size_t)changed[at + 1] << 16 | (size_t)changed[at + 2] << 8 | changed[at + 3];
            if (size > png.size - at - 12) break;
            uLong check = crc32(0, changed + at + 4, (uInt)(size + 4));
            for (int i = 0; i < 4; i++) changed[at + 8 + size + (size_t)i] = (unsigned char)(check >> (24 - 8 * i));
            at += size + 12;
        }
        check_status(read_png(changed, png.size), "round", (size_t)round);
    }
    free(changed);
    free(png.data);
}

static void idx_file(void)
{
    static const unsigned char labels[8 + 3] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3};
    static unsigned char images[16 + 3 * 16] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4};
    REQUIRE(chdir(temporary("")) == 0);
    labels_path = "labels";
    write_bytes(labels_path, labels, sizeof labels);
    bytes plain = {images, sizeof images};
    cut_everywhere(read_idx, plain);
    change_bytes(read_idx, plain, 16, 5000);

    z_stream stream;
    unsigned char packed[512];
    memset(&stream, 0, sizeof stream);
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    for (int i = 16; i < 64; i++) images[i] = (unsigned char)(i * i);
    stream.next_in = images;
    stream.avail_in = sizeof images;
    stream.next_out = packed;
    stream.avail_out = sizeof packed;
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    bytes gzip = {packed, sizeof packed - stream.avail_out};
    deflateEnd(&stream);
    cut_everywhere(read_idx, gzip);
    change_bytes(read_idx, gzip, gzip.size, 5000);

    /* Labels that are cut off, more or fewer than the images, or no labels. */
    diptych_dataset *dataset = NULL;
    write_bytes("images", images, sizeof images);
    for (size_t size = 0; size < sizeof labels; size++) {
        write_bytes(labels_path, labels, size);
        CHECK(diptych_dataset_open_idx("images", labels_path, &dataset) != DIPTYCH_OK && !dataset, "%zu", size);
    }
    FAILS(diptych_dataset_open_idx("images", "images", &dataset), DIPTYCH_ERROR_FORMAT, "rank");
    remove_temporary();
}

int main(int argc, char **argv)
{
    static const test_case tests[] = {
        TEST(model_file), TEST(model_numbers), TEST(model_that_claims_much), TEST(checkpoint_file_adam), TEST(checkpoint_file_sgd), TEST(png_file),
        TEST(png_with_right_checks), TEST(idx_file),
    };
    return RUN_TESTS(tests, argc, argv);
}
