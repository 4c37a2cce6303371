/* Train a siamese network from scratch on the digits inside the library, with progress and Ctrl-C; save it, load it,
 * predict with it.
 *
 *     train [EPOCHS [PAIRS [MODEL.safetensors]]]        defaults: 25, 1000, digits.safetensors
 *
 * Ctrl-C ends the training early; what has been learned is kept. */
#include <diptych.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAIR = 2 * 14 * 14 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* Called after every epoch; anything but 0 stops the training. */
static int32_t show_progress(const diptych_progress *progress, void *user_data)
{
    FILE *out = user_data;
    fprintf(out, "epoch %2d of %d: loss %.3f, training error %4.1f %%, %.1f s\n", (int)progress->epoch, (int)progress->epochs,
            progress->loss, 100 * progress->train_error, progress->seconds);
    return interrupted;
}

static diptych_status draw(int32_t split, size_t count, uint64_t seed, diptych_pairs **out_pairs)
{
    diptych_dataset *digits = NULL;
    diptych_status status = diptych_dataset_sample(split, &digits);
    if (status == DIPTYCH_OK) status = diptych_pairs_draw(digits, count, 14, 14, seed, out_pairs);
    diptych_dataset_free(digits); /* the pairs are a copy */
    return status;
}

static diptych_status run(int32_t epochs, size_t count, const char *path)
{
    diptych_pairs *train = NULL, *test = NULL;
    diptych_model *model = NULL, *loaded = NULL;
    diptych_trainer_options options;
    diptych_evaluation result = DIPTYCH_EVALUATION_INIT;
    diptych_prediction answers[3];
    float *images = malloc(count * PAIR * sizeof *images);
    int32_t *digits = malloc(count * 2 * sizeof *digits);
    diptych_status status = images && digits ? DIPTYCH_OK : DIPTYCH_ERROR_OUT_OF_MEMORY;

#define TRY(call) if (status == DIPTYCH_OK) status = (call)
    TRY(draw(DIPTYCH_SAMPLE_TRAIN, count, 1, &train));
    TRY(draw(DIPTYCH_SAMPLE_TEST, count, 1, &test));
    TRY(diptych_model_create(NULL, &model)); /* NULL: the siamese network for 14x14 digits */
    TRY(diptych_trainer_options_init(&options, sizeof options));
    if (status == DIPTYCH_OK) {
        options.epochs = epochs;
        options.shuffle = 1;
        status = diptych_train(model, train, &options, show_progress, stdout);
        if (status == DIPTYCH_CANCELLED) {
            printf("stopped\n");
            status = DIPTYCH_OK;
        }
    }
    TRY(diptych_evaluate(model, test, 0, &result, NULL));
    TRY(diptych_model_save_file(model, path));
    TRY(diptych_model_load_file(path, &loaded));
    TRY(diptych_pairs_get(test, NULL, NULL, images, NULL, digits));
    TRY(diptych_predict(loaded, images, 3, 1, answers, NULL));
#undef TRY
    if (status == DIPTYCH_OK) {
        printf("%d test pairs: %.1f %% wrong by the head, %.1f %% by the digits, %.1f %% of digits wrong\n", (int)result.count,
               100 * result.error, 100 * result.marginal_error, 100 * result.digit_error);
        printf("saved as %s and loaded again; three of the test pairs:\n", path);
        for (int i = 0; i < 3; i++)
            printf("  %d and %d: %d %s %d\n", (int)digits[2 * i], (int)digits[2 * i + 1], (int)answers[i].first_digit,
                   answers[i].less_or_equal ? "<=" : ">", (int)answers[i].second_digit);
    }
    free(images);
    free(digits);
    diptych_model_free(loaded);
    diptych_model_free(model);
    diptych_pairs_free(train);
    diptych_pairs_free(test);
    return status;
}

int main(int argc, char **argv)
{
    int epochs = argc > 1 ? atoi(argv[1]) : 25, pairs = argc > 2 ? atoi(argv[2]) : 1000;
    signal(SIGINT, on_interrupt);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (pairs < 3) {
        fprintf(stderr, "usage: %s [EPOCHS [PAIRS, at least 3 [MODEL.safetensors]]]\n", argv[0]);
        return 64;
    }
    if (run(epochs, (size_t)pairs, argc > 3 ? argv[3] : "digits.safetensors") != DIPTYCH_OK) {
        fprintf(stderr, "%s\n", diptych_last_error());
        return 1;
    }
    return 0;
}
