/* The header as C99 to C23 and C++11 to C++20, alone and twice; and what version 0.1 fixed for ever: the layout of every
 * struct, the values of every constant. Compiling is the test. */
#include <diptych.h>
#include <diptych.h>

#define ASSERT_JOIN(a, b) a##b
#define ASSERT_NAME(line) ASSERT_JOIN(assert_, line)
/* C99 and C++98 have no static_assert: an array of negative size instead. */
#define ASSERT(condition) extern char ASSERT_NAME(__LINE__)[(condition) ? 1 : -1]

#define MEMBER(type, member, at, bytes)                                                            \
    extern char type##_##member[offsetof(type, member) == (at) && sizeof(((type *)0)->member) == (bytes) ? 1 : -1]

ASSERT(sizeof(diptych_status) == 4);

ASSERT(sizeof(diptych_model_options) == 64);
MEMBER(diptych_model_options, struct_size, 0, 4);
MEMBER(diptych_model_options, architecture, 4, 4);
MEMBER(diptych_model_options, height, 8, 4);
MEMBER(diptych_model_options, width, 12, 4);
MEMBER(diptych_model_options, classes, 16, 4);
MEMBER(diptych_model_options, channels, 20, 4);
MEMBER(diptych_model_options, fc1_width, 24, 4);
MEMBER(diptych_model_options, fc2_width, 28, 4);
MEMBER(diptych_model_options, head_width, 32, 4);
MEMBER(diptych_model_options, mlp_width1, 36, 4);
MEMBER(diptych_model_options, mlp_width2, 40, 4);
MEMBER(diptych_model_options, dropout, 44, 4);
MEMBER(diptych_model_options, decision, 48, 4);
MEMBER(diptych_model_options, views, 52, 4);
MEMBER(diptych_model_options, seed, 56, 8);

ASSERT(sizeof(diptych_image_options) == 32);
MEMBER(diptych_image_options, struct_size, 0, 4);
MEMBER(diptych_image_options, mode, 4, 4);
MEMBER(diptych_image_options, height, 8, 4);
MEMBER(diptych_image_options, width, 12, 4);
MEMBER(diptych_image_options, polarity, 16, 4);
MEMBER(diptych_image_options, background, 20, 4);
MEMBER(diptych_image_options, max_height, 24, 4);
MEMBER(diptych_image_options, max_width, 28, 4);

ASSERT(sizeof(diptych_prediction) == 32);
MEMBER(diptych_prediction, probability, 0, 4);
MEMBER(diptych_prediction, marginal, 4, 4);
MEMBER(diptych_prediction, first_digit, 8, 4);
MEMBER(diptych_prediction, second_digit, 12, 4);
MEMBER(diptych_prediction, first_confidence, 16, 4);
MEMBER(diptych_prediction, second_confidence, 20, 4);
MEMBER(diptych_prediction, less_or_equal, 24, 4);
MEMBER(diptych_prediction, agrees, 28, 4);

ASSERT(sizeof(diptych_trainer_options) == 104);
MEMBER(diptych_trainer_options, struct_size, 0, 4);
MEMBER(diptych_trainer_options, epochs, 4, 4);
MEMBER(diptych_trainer_options, batch_size, 8, 4);
MEMBER(diptych_trainer_options, optimizer, 12, 4);
MEMBER(diptych_trainer_options, schedule, 16, 4);
MEMBER(diptych_trainer_options, shuffle, 20, 4);
MEMBER(diptych_trainer_options, threads, 24, 4);
MEMBER(diptych_trainer_options, learning_rate, 28, 4);
MEMBER(diptych_trainer_options, momentum, 32, 4);
MEMBER(diptych_trainer_options, beta1, 36, 4);
MEMBER(diptych_trainer_options, beta2, 40, 4);
MEMBER(diptych_trainer_options, epsilon, 44, 4);
MEMBER(diptych_trainer_options, weight_decay, 48, 4);
MEMBER(diptych_trainer_options, loss_ratio, 52, 4);
MEMBER(diptych_trainer_options, seed, 56, 8);
MEMBER(diptych_trainer_options, redraw, 64, 4);
MEMBER(diptych_trainer_options, label_smoothing, 68, 4);
MEMBER(diptych_trainer_options, ema_decay, 72, 4);
MEMBER(diptych_trainer_options, rotation, 76, 4);
MEMBER(diptych_trainer_options, scale, 80, 4);
MEMBER(diptych_trainer_options, shear, 84, 4);
MEMBER(diptych_trainer_options, shift, 88, 4);
MEMBER(diptych_trainer_options, elastic, 92, 4);
MEMBER(diptych_trainer_options, stroke, 96, 4);
MEMBER(diptych_trainer_options, reserved, 100, 4);

ASSERT(sizeof(diptych_progress) == 80);
MEMBER(diptych_progress, struct_size, 0, 4);
MEMBER(diptych_progress, epoch, 4, 4);
MEMBER(diptych_progress, epochs, 8, 4);
MEMBER(diptych_progress, finished, 12, 4);
MEMBER(diptych_progress, step, 16, 8);
MEMBER(diptych_progress, steps, 24, 8);
MEMBER(diptych_progress, loss, 32, 8);
MEMBER(diptych_progress, bce, 40, 8);
MEMBER(diptych_progress, auxiliary, 48, 8);
MEMBER(diptych_progress, train_error, 56, 8);
MEMBER(diptych_progress, learning_rate, 64, 8);
MEMBER(diptych_progress, seconds, 72, 8);

ASSERT(sizeof(diptych_evaluation) == 72);
MEMBER(diptych_evaluation, struct_size, 0, 4);
MEMBER(diptych_evaluation, reserved, 4, 4);
MEMBER(diptych_evaluation, count, 8, 8);
MEMBER(diptych_evaluation, error, 16, 8);
MEMBER(diptych_evaluation, marginal_error, 24, 8);
MEMBER(diptych_evaluation, digit_error, 32, 8);
MEMBER(diptych_evaluation, bce, 40, 8);
MEMBER(diptych_evaluation, auxiliary, 48, 8);
MEMBER(diptych_evaluation, ece, 56, 8);
MEMBER(diptych_evaluation, marginal_ece, 64, 8);

ASSERT(sizeof(diptych_reliability_bin) == 24);
MEMBER(diptych_reliability_bin, count, 0, 8);
MEMBER(diptych_reliability_bin, mean_probability, 8, 8);
MEMBER(diptych_reliability_bin, frequency, 16, 8);
ASSERT(DIPTYCH_RELIABILITY_BINS == 15);

ASSERT(DIPTYCH_OK == 0);
ASSERT(DIPTYCH_ERROR_INVALID_ARGUMENT == -1);
ASSERT(DIPTYCH_ERROR_OUT_OF_MEMORY == -2);
ASSERT(DIPTYCH_ERROR_NOT_FOUND == -3);
ASSERT(DIPTYCH_ERROR_IO == -4);
ASSERT(DIPTYCH_ERROR_FORMAT == -5);
ASSERT(DIPTYCH_ERROR_CORRUPT == -6);
ASSERT(DIPTYCH_ERROR_LIMIT == -7);
ASSERT(DIPTYCH_ERROR_BLANK_IMAGE == -8);
ASSERT(DIPTYCH_ERROR_MISMATCH == -9);
ASSERT(DIPTYCH_ERROR_DIVERGED == -10);
ASSERT(DIPTYCH_ERROR_FINISHED == -11);
ASSERT(DIPTYCH_ERROR_SYSTEM == -12);
ASSERT(DIPTYCH_CANCELLED == -13);
ASSERT(DIPTYCH_SIAMESE == 0 && DIPTYCH_RWS == 1 && DIPTYCH_MLP == 2);
ASSERT(DIPTYCH_DECIDE_BY_HEAD == 0 && DIPTYCH_DECIDE_BY_MARGINAL == 1);
ASSERT(DIPTYCH_IMAGE_DIGIT == 0 && DIPTYCH_IMAGE_PLAIN == 1);
ASSERT(DIPTYCH_POLARITY_AUTO == 0 && DIPTYCH_POLARITY_DARK_INK == 1 && DIPTYCH_POLARITY_LIGHT_INK == 2);
ASSERT(DIPTYCH_SAMPLE_TRAIN == 0 && DIPTYCH_SAMPLE_TEST == 1);
ASSERT(DIPTYCH_ADAM == 0 && DIPTYCH_SGD == 1);
ASSERT(DIPTYCH_RECIPE_REPORT == 0 && DIPTYCH_RECIPE_BEST == 1);
ASSERT(DIPTYCH_SCHEDULE_CONSTANT == 0 && DIPTYCH_SCHEDULE_COSINE == 1 && DIPTYCH_SCHEDULE_ONE_CYCLE == 2);
ASSERT(DIPTYCH_VERSION == 10000 * DIPTYCH_VERSION_MAJOR + 100 * DIPTYCH_VERSION_MINOR + DIPTYCH_VERSION_PATCH);

static const diptych_progress progress = DIPTYCH_PROGRESS_INIT;
static const diptych_evaluation evaluation = DIPTYCH_EVALUATION_INIT;
unsigned diptych_layout_test(void);
unsigned diptych_layout_test(void) { return progress.struct_size + evaluation.struct_size; }
