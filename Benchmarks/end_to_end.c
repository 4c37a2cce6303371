/* Whole runs through the shared library, one command a line on stdin, one number of seconds a line on stdout:
 *
 *   train ARCHITECTURE THREADS PAIRS EPOCHS BATCH [SHAPE]   one training run, without drawing the pairs
 *   predict ARCHITECTURE THREADS BATCH [SHAPE]              one pair of a batch with a trained network, mean over about a
 *                                                           quarter of a second
 *   process COMMAND...                                      one run of a command, from start to end; a second number is
 *                                                           its peak resident memory in KB
 *   line                                                    a cache line's way from one CPU to another
 *
 * ARCHITECTURE is 0 siamese, 1 rws, 2 mlp; SHAPE is HEIGHT WIDTH CHANNELS, the preset's 14 14 32 where it is missing.
 * "describe ARCHITECTURE SHAPE" answers with the network's description, "build" with the library's. Pairs are the bundled
 * sample's digits; more pairs than those make are the same digits in other pairings. "pairs N FILE" writes N pairs for the
 * peers: images, targets, digits, raw. */
#define _DEFAULT_SOURCE
#include "clock.h"
#include "line.h"

#include <diptych.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void check(diptych_status status)
{
    if (status == DIPTYCH_OK) return;
    fprintf(stderr, "end_to_end: %s\n", diptych_last_error());
    exit(1);
}

typedef struct {
    int height, width, channels;
} shape;

static const shape preset = {14, 14, 32};

typedef struct {
    float *images, *targets;
    int32_t *digits;
    size_t count;
} arrays;

enum { DRAWN = 2500 };

static arrays make_arrays(size_t count, shape s)
{
    size_t pixels = (size_t)s.height * (size_t)s.width;
    diptych_dataset *sample = NULL;
    diptych_pairs *drawn = NULL;
    arrays base, all;
    check(diptych_dataset_sample(DIPTYCH_SAMPLE_TRAIN, &sample));
    check(diptych_pairs_draw(sample, DRAWN, s.height, s.width, 0, &drawn));
    base.images = malloc(sizeof(float) * DRAWN * 2 * pixels);
    base.digits = malloc(sizeof(int32_t) * DRAWN * 2);
    all.images = malloc(sizeof(float) * count * 2 * pixels);
    all.targets = malloc(sizeof(float) * count);
    all.digits = malloc(sizeof(int32_t) * count * 2);
    all.count = count;
    if (!base.images || !base.digits || !all.images || !all.targets || !all.digits) exit(1);
    check(diptych_pairs_get(drawn, NULL, NULL, base.images, NULL, base.digits));
    for (size_t i = 0; i < count; i++) {
        for (size_t side = 0; side < 2; side++) {
            /* Another second image every time round. */
            size_t image = 2 * ((i + side * 7 * (i / DRAWN)) % DRAWN) + side;
            memcpy(all.images + (2 * i + side) * pixels, base.images + image * pixels, sizeof(float) * pixels);
            all.digits[2 * i + side] = base.digits[image];
        }
        all.targets[i] = all.digits[2 * i] <= all.digits[2 * i + 1];
    }
    free(base.images);
    free(base.digits);
    diptych_pairs_free(drawn);
    diptych_dataset_free(sample);
    return all;
}

static void free_arrays(arrays a)
{
    free(a.images);
    free(a.targets);
    free(a.digits);
}

static diptych_model *make_model(int architecture, shape s)
{
    diptych_model_options options;
    diptych_model *model = NULL;
    check(diptych_model_options_init(&options, sizeof options));
    options.architecture = architecture;
    options.height = s.height;
    options.width = s.width;
    options.channels = s.channels;
    check(diptych_model_create(&options, &model));
    return model;
}

/* One run by the report's recipe; returns its seconds. */
static double fit(diptych_model *model, int threads, size_t count, int epochs, int batch, shape s)
{
    arrays a = make_arrays(count, s);
    diptych_pairs *pairs = NULL;
    diptych_trainer_options options;
    double start;
    check(diptych_pairs_from_memory(a.images, a.targets, a.digits, count, s.height, s.width, &pairs));
    check(diptych_trainer_options_init(&options, sizeof options));
    options.threads = threads;
    options.epochs = epochs;
    options.batch_size = batch;
    start = seconds();
    check(diptych_train(model, pairs, &options, NULL, NULL));
    start = seconds() - start;
    diptych_pairs_free(pairs);
    free_arrays(a);
    return start;
}

static double train(int architecture, int threads, size_t count, int epochs, int batch, shape s)
{
    diptych_model *model = make_model(architecture, s);
    double used = fit(model, threads, count, epochs, batch, s);
    diptych_model_free(model);
    return used;
}

/* The built-in model where it fits, or else five epochs of training: how much of a network is zero, and so skipped, is
 * not what it is before any training. */
static diptych_model *trained_model(int architecture, shape s)
{
    diptych_model *model = NULL;
    if (architecture == DIPTYCH_SIAMESE && s.height == preset.height && s.width == preset.width && s.channels == preset.channels) {
        check(diptych_model_default(&model));
    } else {
        model = make_model(architecture, s);
        fit(model, 0, 1000, 5, 100, s);
    }
    return model;
}

static double predict(int architecture, int threads, size_t batch, shape s)
{
    arrays a = make_arrays(batch, s);
    diptych_model *model = trained_model(architecture, s);
    diptych_prediction *answers = malloc(batch * sizeof *answers);
    double start, used;
    size_t calls = 0;
    if (!answers) exit(1);
    for (int i = 0; i < 3; i++) check(diptych_predict(model, a.images, batch, threads, answers, NULL));
    start = seconds();
    do {
        check(diptych_predict(model, a.images, batch, threads, answers, NULL));
        calls++;
        used = seconds() - start;
    } while (used < 0.25);
    free(answers);
    diptych_model_free(model);
    free_arrays(a);
    return used / (double)(calls * batch);
}

static void describe(int architecture, shape s)
{
    diptych_model *model = make_model(architecture, s);
    size_t length;
    char *text;
    check(diptych_model_describe(model, NULL, 0, &length));
    text = malloc(length + 1);
    if (!text) exit(1);
    check(diptych_model_describe(model, text, length + 1, &length));
    puts(text);
    free(text);
    diptych_model_free(model);
}

/* From this program, because what wait4 tells of a child's memory begins with its parent's: this one's is small as long
 * as it has done nothing else. */
static void run_process(char *words)
{
    extern char **environ;
    char *arguments[16];
    int count = 0, status;
    pid_t child;
    struct rusage usage;
    posix_spawn_file_actions_t actions;
    double start;
    for (char *word = strtok(words, " \n"); word && count < 15; word = strtok(NULL, " \n")) arguments[count++] = word;
    arguments[count] = NULL;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    start = seconds();
    if (count == 0 || posix_spawn(&child, arguments[0], &actions, NULL, arguments, environ) != 0) exit(1);
    if (wait4(child, &status, 0, &usage) != child || status != 0) exit(1);
    printf("%.9g %ld\n", seconds() - start, usage.ru_maxrss);
    posix_spawn_file_actions_destroy(&actions);
}

int main(void)
{
    char line[4096], file[4000];
    while (fgets(line, sizeof line, stdin)) {
        int architecture, threads, epochs, batch;
        size_t count;
        shape s = preset;
        if (sscanf(line, "train %d %d %zu %d %d %d %d %d", &architecture, &threads, &count, &epochs, &batch, &s.height, &s.width,
                   &s.channels) >= 5) {
            printf("%.9g\n", train(architecture, threads, count, epochs, batch, s));
        } else if (sscanf(line, "predict %d %d %zu %d %d %d", &architecture, &threads, &count, &s.height, &s.width, &s.channels) >= 3) {
            printf("%.9g\n", predict(architecture, threads, count, s));
        } else if (sscanf(line, "describe %d %d %d %d", &architecture, &s.height, &s.width, &s.channels) == 4) {
            describe(architecture, s);
        } else if (strncmp(line, "process ", 8) == 0) {
            run_process(line + 8);
        } else if (sscanf(line, "pairs %zu %3999s", &count, file) == 2) {
            arrays a = make_arrays(count, preset);
            FILE *out = fopen(file, "wb");
            if (!out) return 1;
            fwrite(a.images, sizeof(float), count * 2 * 14 * 14, out);
            fwrite(a.targets, sizeof(float), count, out);
            fwrite(a.digits, sizeof(int32_t), count * 2, out);
            if (fclose(out) != 0) return 1;
            free_arrays(a);
            printf("0\n");
        } else if (strcmp(line, "line\n") == 0) {
            printf("%.9g\n", seconds_for_line());
        } else if (strcmp(line, "build\n") == 0) {
            puts(diptych_build_info());
        } else {
            fprintf(stderr, "end_to_end: what is '%s'?\n", line);
            return 64;
        }
        fflush(stdout);
    }
    return 0;
}
