/* What the tests share: the sample's pairs, quickly trained models, files in a folder of their own, PNG files. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "check.h"

#include <diptych.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <sys/stat.h>
#include <zlib.h>

#define UNUSED __attribute__((unused))

#define OK(call)                                                                                  \
    do {                                                                                          \
        diptych_status ok_status = (call);                                                        \
        REQUIRE(ok_status == DIPTYCH_OK, "%s: %s", diptych_status_name(ok_status), diptych_last_error()); \
    } while (0)

/* The call fails with this status, and the message names `what` and is new. */
#define FAILS(call, expected, what)                                                               \
    do {                                                                                          \
        forget_last_error();                                                                      \
        diptych_status got_status = (call);                                                       \
        CHECK(got_status == (expected), "%s instead of %s: %s", diptych_status_name(got_status),  \
              diptych_status_name(expected), got_status ? diptych_last_error() : "");             \
        CHECK(got_status == DIPTYCH_OK || strstr(diptych_last_error(), what), "no '%s' in '%s'",  \
              what, diptych_last_error());                                                        \
    } while (0)
#define INVALID(call, what) FAILS(call, DIPTYCH_ERROR_INVALID_ARGUMENT, what)

/* Leaves a message that no other failure has. */
static UNUSED void forget_last_error(void)
{
    diptych_dataset *none;
    diptych_dataset_sample(-77777777, &none);
}

/* A path in this process's temporary folder; a few may be in use at once. */
static pid_t temporary_owner;
static UNUSED const char *temporary(const char *name)
{
    static char folder[64], paths[8][512];
    static int next;
    if (temporary_owner != getpid()) {
        temporary_owner = getpid();
        snprintf(folder, sizeof folder, "%s", "/tmp/diptych-test-XXXXXX");
        REQUIRE(mkdtemp(folder), "%s", folder);
    }
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static UNUSED void remove_temporary(void)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", temporary(""));
    if (system(command) != 0) printf("cannot remove %s\n", temporary(""));
    temporary_owner = 0;
}

static UNUSED diptych_pairs *sample_pairs(int32_t split, size_t count, uint64_t seed)
{
    diptych_dataset *dataset = NULL;
    diptych_pairs *pairs = NULL;
    OK(diptych_dataset_sample(split, &dataset));
    OK(diptych_pairs_draw(dataset, count, 14, 14, seed, &pairs));
    diptych_dataset_free(dataset);
    return pairs;
}

/* [count][2][14][14], to be freed. */
static UNUSED float *sample_images(size_t count, uint64_t seed)
{
    float *images = malloc(count * 2 * 196 * sizeof *images);
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TEST, count, seed);
    OK(diptych_pairs_get(pairs, NULL, NULL, images, NULL, NULL));
    diptych_pairs_free(pairs);
    return images;
}

static UNUSED diptych_model *new_model(int32_t architecture, uint64_t seed)
{
    diptych_model *model = NULL;
    diptych_model_options options;
    OK(diptych_model_options_init(&options, sizeof options));
    options.architecture = architecture;
    options.seed = seed;
    if (architecture == DIPTYCH_MLP) {
        options.mlp_width1 = 128;
        options.mlp_width2 = 96;
    }
    OK(diptych_model_create(&options, &model));
    return model;
}

static UNUSED diptych_trainer_options trainer_options(int32_t epochs, int32_t threads, uint64_t seed)
{
    diptych_trainer_options options;
    OK(diptych_trainer_options_init(&options, sizeof options));
    options.epochs = epochs;
    options.threads = threads;
    options.seed = seed;
    return options;
}

/* Better than chance after a second: 300 pairs, a few epochs. */
static UNUSED diptych_model *trained_model(int32_t epochs)
{
    diptych_model *model = new_model(DIPTYCH_SIAMESE, 1);
    diptych_pairs *pairs = sample_pairs(DIPTYCH_SAMPLE_TRAIN, 300, 1);
    diptych_trainer_options options = trainer_options(epochs, 2, 1);
    options.batch_size = 20;
    options.learning_rate = 0.003f;
    OK(diptych_train(model, pairs, &options, NULL, NULL));
    diptych_pairs_free(pairs);
    return model;
}

/* A model of a few parameters: its file is about two kilobytes. */
static UNUSED diptych_model *tiny_model(void)
{
    diptych_model *model = NULL;
    diptych_model_options o;
    OK(diptych_model_options_init(&o, sizeof o));
    o.height = o.width = 4;
    o.classes = 2;
    o.channels = o.fc1_width = o.fc2_width = o.head_width = 1;
    OK(diptych_model_create(&o, &model));
    return model;
}

static UNUSED diptych_pairs *tiny_pairs(void)
{
    float images[6][2][16];
    int32_t digits[6][2];
    diptych_pairs *pairs = NULL;
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 2; k++) {
            digits[i][k] = (i >> k) & 1;
            for (int p = 0; p < 16; p++) images[i][k][p] = (float)((i * 37 + k * 11 + p * 5) % 256);
        }
    }
    OK(diptych_pairs_from_memory(&images[0][0][0], NULL, &digits[0][0], 6, 4, 4, &pairs));
    return pairs;
}

typedef struct { unsigned char *data; size_t size; } bytes;

static UNUSED bytes model_bytes(const diptych_model *model)
{
    bytes result = {NULL, 0};
    OK(diptych_model_save_memory(model, NULL, 0, &result.size));
    result.data = malloc(result.size);
    OK(diptych_model_save_memory(model, result.data, result.size, &result.size));
    return result;
}

static UNUSED int same_model(const diptych_model *a, const diptych_model *b)
{
    bytes x = model_bytes(a), y = model_bytes(b);
    int same = x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    free(x.data);
    free(y.data);
    return same;
}

static UNUSED bytes read_bytes(const char *path)
{
    bytes result = {NULL, 0};
    FILE *file = fopen(path, "rb");
    REQUIRE(file, "%s", path);
    result.data = malloc(1 << 22);
    result.size = fread(result.data, 1, 1 << 22, file);
    fclose(file);
    return result;
}

static UNUSED void write_bytes(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    REQUIRE(file && fwrite(data, 1, size, file) == size && fclose(file) == 0, "%s", path);
}

/* ---- PNG ---- */

static UNUSED unsigned char *png_chunk(unsigned char *out, const char *kind, const void *data, size_t size)
{
    uLong check = crc32(0, (const Bytef *)kind, 4);
    if (size) check = crc32(check, data, (uInt)size);
    for (int i = 0; i < 4; i++) *out++ = (unsigned char)(size >> (24 - 8 * i));
    memcpy(out, kind, 4);
    if (size) memcpy(out + 4, data, size);
    out += 4 + size;
    for (int i = 0; i < 4; i++) *out++ = (unsigned char)(check >> (24 - 8 * i));
    return out;
}

/* An 8-bit grey PNG in memory. */
static UNUSED bytes png_bytes(const unsigned char *grey, unsigned height, unsigned width)
{
    static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    size_t raw_size = (size_t)height * (width + 1);
    uLongf packed_size = compressBound(raw_size);
    unsigned char *raw = calloc(raw_size, 1), *packed = malloc(packed_size);
    unsigned char header[13] = {0, 0, (unsigned char)(width >> 8), (unsigned char)width,
                                0, 0, (unsigned char)(height >> 8), (unsigned char)height, 8, 0, 0, 0, 0};
    for (unsigned y = 0; y < height; y++) memcpy(raw + y * (width + 1) + 1, grey + (size_t)y * width, width);
    compress2(packed, &packed_size, raw, raw_size, 9);
    bytes result = {malloc(packed_size + 100), 0};
    unsigned char *end = result.data;
    memcpy(end, signature, sizeof signature);
    end = png_chunk(end + sizeof signature, "IHDR", header, sizeof header);
    end = png_chunk(end, "IDAT", packed, packed_size);
    end = png_chunk(end, "IEND", NULL, 0);
    result.size = (size_t)(end - result.data);
    free(raw);
    free(packed);
    return result;
}

/* The sample's test digit `index` as a PNG; its label into *out_label. */
static UNUSED bytes digit_png(size_t index, int32_t *out_label)
{
    diptych_dataset *dataset = NULL;
    OK(diptych_dataset_sample(DIPTYCH_SAMPLE_TEST, &dataset));
    size_t count = diptych_dataset_count(dataset);
    unsigned char *images = malloc(count * 784);
    int32_t *labels = malloc(count * sizeof *labels);
    OK(diptych_dataset_get(dataset, NULL, NULL, images, labels));
    REQUIRE(index < count, "%zu", index);
    if (out_label) *out_label = labels[index];
    bytes png = png_bytes(images + 784 * index, 28, 28);
    free(images);
    free(labels);
    diptych_dataset_free(dataset);
    return png;
}

/* A fixed stream of random numbers (xorshift64*). */
static uint64_t random_state UNUSED = 88172645463325252u;
static UNUSED uint64_t next_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

#endif
