/*
 * diptych.h: learn to compare two small images, and answer in microseconds.
 *
 * This header is the whole API and its manual; what is not here is not API.
 *
 * Classify two PNG files of handwritten digits with the built-in model:
 *
 *     #include <diptych.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         diptych_model *model = NULL;
 *         diptych_prediction answer;
 *         if (argc != 3) return 64;
 *         if (diptych_model_default(&model) != DIPTYCH_OK ||
 *             diptych_classify_png_files(model, argv[1], argv[2], NULL, &answer) != DIPTYCH_OK) {
 *             fprintf(stderr, "%s\n", diptych_last_error());
 *             diptych_model_free(model);
 *             return 1;
 *         }
 *         printf("%d %s %d\n", (int)answer.first_digit,
 *                answer.less_or_equal ? "<=" : ">", (int)answer.second_digit);
 *         diptych_model_free(model);
 *         return 0;
 *     }
 *
 *     cc compare.c -ldiptych -o compare && ./compare seven.png four.png
 *
 * Train on your own pairs: diptych_dataset_* or diptych_pairs_from_memory, then diptych_model_create,
 * diptych_train (or diptych_trainer_create and diptych_trainer_epoch, if the loop should be yours),
 * diptych_evaluate, diptych_model_save_file.
 *
 * Conventions
 *  - Calls that can fail return a diptych_status: DIPTYCH_OK (0), or a negative error whose full text,
 *    naming the argument, its value and what is allowed, is diptych_last_error() on the same thread.
 *  - Results come last, in parameters named out_*. On failure handles there are set to NULL, counts to 0;
 *    arrays, structs and other scalars are left as they were.
 *  - Inputs are borrowed for the call alone: free or change them as soon as it returns.
 *  - Every handle is freed by its own _free function; NULL may be freed. Handles hold what they need: a model,
 *    a dataset or pairs may be freed while a trainer that was made from them lives on.
 *  - Option structs: call their _init function with sizeof, set what you want, pass the address; NULL means
 *    all defaults. They only ever grow at the end, so that old programs run with new libraries.
 *  - Result structs with a struct_size member: set it to sizeof the struct before the call
 *    (DIPTYCH_PROGRESS_INIT and DIPTYCH_EVALUATION_INIT do); the library fills in no more than that.
 *  - Pixels are floats or bytes from 0 (background) to 255 (ink), rows from the top, no padding between
 *    rows. Any other unit works for a model that was trained in it. NaN and infinity are errors.
 *  - The library prints nothing, never exits, installs no signal handler, and needs no environment. The
 *    variable DIPTYCH_ISA, read once, keeps the kernels to "avx2" or to "baseline" (SSE2).
 *  - The same build, instruction set, seed and data give the same bits, for any number of threads, as long as
 *    all weights are finite. AVX-512 gives AVX2's bits.
 *  - Floating point: whatever the host's mode, the library rounds to nearest, never traps, and takes subnormal numbers for
 *    zero (on x86-64 and arm64). The host's mode is back when a call returns, and in callbacks; what a callback changes
 *    of it does not last.
 *  - Threads: every function may be called from any thread. One handle may be used by several threads at once
 *    where its type's comment says so. No thread is started before one is asked for, and forking is safe.
 */
#ifndef DIPTYCH_H
#define DIPTYCH_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define DIPTYCH_API
#else
#define DIPTYCH_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Library ------------------------------------------------------------------------------------------- */

#define DIPTYCH_VERSION_MAJOR 0
#define DIPTYCH_VERSION_MINOR 1
#define DIPTYCH_VERSION_PATCH 0
#define DIPTYCH_VERSION_STRING "0.1.0"
/* One number to compare: 10000 * major + 100 * minor + patch. */
#define DIPTYCH_VERSION (10000 * DIPTYCH_VERSION_MAJOR + 100 * DIPTYCH_VERSION_MINOR + DIPTYCH_VERSION_PATCH)

/* What a call came to. The values are fixed for ever; new ones are only added. */
typedef int32_t diptych_status;
enum {
    DIPTYCH_OK = 0,
    DIPTYCH_ERROR_INVALID_ARGUMENT = -1, /* an argument is NULL, out of range, not finite, or too small */
    DIPTYCH_ERROR_OUT_OF_MEMORY = -2,
    DIPTYCH_ERROR_NOT_FOUND = -3,        /* no such file, folder or tensor */
    DIPTYCH_ERROR_IO = -4,               /* the system failed to read or write a file */
    DIPTYCH_ERROR_FORMAT = -5,           /* not the kind of file that was expected */
    DIPTYCH_ERROR_CORRUPT = -6,          /* the right kind of file, but damaged or cut off */
    DIPTYCH_ERROR_LIMIT = -7,            /* an image or file larger than its stated limit */
    DIPTYCH_ERROR_BLANK_IMAGE = -8,      /* an image without any ink */
    DIPTYCH_ERROR_MISMATCH = -9,         /* parts that do not fit together: a model and other-sized pairs */
    DIPTYCH_ERROR_DIVERGED = -10,        /* training reached a loss, or at its end a weight, that is not finite: the
                                            model's weights are lost; or weights that are not finite were to be saved */
    DIPTYCH_ERROR_FINISHED = -11,        /* a step was asked of a trainer whose last epoch is over */
    DIPTYCH_ERROR_SYSTEM = -12,          /* the system refused a resource, such as a thread */
    DIPTYCH_CANCELLED = -13              /* an outcome rather than an error: stopped as asked, all is usable */
};

/* The version of the library that runs, as DIPTYCH_VERSION and as text. */
DIPTYCH_API int32_t diptych_version(void);
DIPTYCH_API const char *diptych_version_string(void);

/* One line about the build in use: version, kind of build, kernels' instruction set, libpng and zlib. Never NULL. */
DIPTYCH_API const char *diptych_build_info(void);

/* The name of a status, such as "DIPTYCH_ERROR_CORRUPT"; "unknown status" for any other number. */
DIPTYCH_API const char *diptych_status_name(diptych_status status);

/* What the latest failure on this thread was, in a sentence; "" before any. Valid until the next failing call
 * on this thread. Never NULL. */
DIPTYCH_API const char *diptych_last_error(void);

/* ---- Model --------------------------------------------------------------------------------------------- */

/* A network with its weights and its standardisation (the mean and standard deviation of the pixels that it
 * was trained on), and its temperatures (see diptych_model_calibrate). Any number of threads may predict with,
 * evaluate, describe or save one model at once, as long as none trains or calibrates it, or sets its tensors,
 * temperatures or views meanwhile. */
typedef struct diptych_model diptych_model;

/* The three networks. Every one passes each image through a branch that ends in class logits, and both images'
 * logits through a head that ends in one probability. */
enum {
    DIPTYCH_SIAMESE = 0, /* convolutions; both images pass the same branch: 115,147 parameters */
    DIPTYCH_RWS = 1,     /* reduced weight sharing: cl2 and fc2 of their own for each image: 128,555 parameters */
    DIPTYCH_MLP = 2      /* dense layers instead of convolutions, one shared branch: 11,177,227 parameters */
};

/* Which of its two answers a model decides by. */
enum {
    DIPTYCH_DECIDE_BY_HEAD = 0,    /* the head's probability is above one half */
    DIPTYCH_DECIDE_BY_MARGINAL = 1 /* P(a <= b) from both images' class probabilities is above one half; it
                                      takes a model that was trained with digit labels (loss_ratio > 0) */
};

/* The shape of a network. The defaults are the siamese network for 14x14 digits. */
typedef struct diptych_model_options {
    uint32_t struct_size;  /* set by diptych_model_options_init */
    int32_t architecture;  /* DIPTYCH_SIAMESE, DIPTYCH_RWS or DIPTYCH_MLP; default DIPTYCH_SIAMESE */
    int32_t height;        /* of an image in pixels, 4 to 256; default 14 */
    int32_t width;         /* likewise; default 14 */
    int32_t classes;       /* 2 to 1000; default 10 */
    int32_t channels;      /* of both convolutions, 1 to 256; default 32 */
    int32_t fc1_width;     /* 1 to 4096; default 64 */
    int32_t fc2_width;     /* 1 to 4096; default 64 */
    int32_t head_width;    /* of fc4, 1 to 4096; default 16 */
    int32_t mlp_width1;    /* of the MLP's l1, 1 to 65536; 0, the default, is channels * height * width */
    int32_t mlp_width2;    /* of the MLP's l2, likewise; 0 is channels * (height / 2) * (width / 2) */
    float dropout;         /* probability of zeroing a unit in training, 0 <= dropout < 1; default 0.5 */
    int32_t decision;      /* DIPTYCH_DECIDE_BY_HEAD (default) or DIPTYCH_DECIDE_BY_MARGINAL */
    int32_t views;         /* test-time augmentation: predict averages the logits over 1 (default), 5 or 9 views of each pair,
                              as it is, then both images moved by a pixel up, down, left and right, then diagonally,
                              where pixels of value 0 come in; it takes as many times as long */
    uint64_t seed;         /* of the initial weights; default 0 */
} diptych_model_options;

/* Fill *options with the defaults. size is sizeof(diptych_model_options). */
DIPTYCH_API diptych_status diptych_model_options_init(diptych_model_options *options, size_t size);

/* Sets of options for network and training, by name; each is filled in by diptych_model_options_recipe and
 * diptych_trainer_options_recipe, and every option may be changed after that. */
enum {
    DIPTYCH_RECIPE_REPORT = 0, /* all defaults: the report's */
    DIPTYCH_RECIPE_BEST = 1    /* lowest error on few labelled digits, by the marginal, which decides: 200 epochs of small
                                  batches, augmentation, loss_ratio 2, dropout 0.1, and a one-cycle learning rate, which
                                  fits any number of epochs; predicting averages 9 views */
};

/* Instead of diptych_model_options_init: the recipe's network, which is what it says of dropout, decision and views. */
DIPTYCH_API diptych_status diptych_model_options_recipe(diptych_model_options *options, size_t size, int32_t recipe);

/* A new, untrained model: weights and biases uniform within 1/sqrt(fan in), as PyTorch's layers begin.
 * A network of more than 2^28 parameters is refused with DIPTYCH_ERROR_LIMIT. */
DIPTYCH_API diptych_status diptych_model_create(const diptych_model_options *options, diptych_model **out_model);

/* A copy of the model inside the library: siamese, trained on all 60,000 of MNIST's training digits. */
DIPTYCH_API diptych_status diptych_model_default(diptych_model **out_model);

/* Load a model from a safetensors file, or from size bytes of one in memory. The tensors have PyTorch's names
 * and shapes (cl1.weight [32, 1, 3, 3], fc1.weight [64, 1568], ...); the architecture comes from the file's
 * metadata, or from the shapes where the metadata is missing (then square images of even size, standardised by
 * the caller, are taken for granted). Tensors may be F32, F64, F16 or BF16. */
DIPTYCH_API diptych_status diptych_model_load_file(const char *path, diptych_model **out_model);
DIPTYCH_API diptych_status diptych_model_load_memory(const void *data, size_t size, diptych_model **out_model);

/* Save as a safetensors file, which replaces path in one step or not at all. DIPTYCH_ERROR_DIVERGED, with nothing
 * written, where a value is not finite: no file is made that load would refuse. */
DIPTYCH_API diptych_status diptych_model_save_file(const diptych_model *model, const char *path);

/* The same bytes into memory. With buffer NULL (and capacity 0) only *out_size is set, and no value is looked at. */
DIPTYCH_API diptych_status diptych_model_save_memory(const diptych_model *model, void *buffer, size_t capacity,
                                                     size_t *out_size);

/* The number of trainable parameters; 0 for NULL. */
DIPTYCH_API uint64_t diptych_model_parameter_count(const diptych_model *model);

/* A JSON object about the model: architecture, height, width, classes, parameters, multiply_adds of a pair,
 * dropout, views, decision, mean, standard_deviation, head_temperature, class_temperature, layers[] (name, kind, input and
 * output shape, parameters, multiply_adds) and tensors[] (name, shape). Text with a closing zero; *out_length does
 * not count it. With buffer NULL (and capacity 0) only *out_length is set; otherwise capacity must be at least that
 * plus 1. */
DIPTYCH_API diptych_status diptych_model_describe(const diptych_model *model, char *buffer, size_t capacity,
                                                  size_t *out_length);

/* Read or replace one tensor by its name, such as "fc1.weight", in PyTorch's order ([out, in] for dense layers,
 * [out, in, ky, kx] for convolutions). tensor_get with out_values NULL (and capacity 0) sets only *out_count;
 * tensor_set wants exactly as many values as the tensor has, all finite. */
DIPTYCH_API diptych_status diptych_model_tensor_get(const diptych_model *model, const char *name, float *out_values,
                                                    size_t capacity, size_t *out_count);
DIPTYCH_API diptych_status diptych_model_tensor_set(diptych_model *model, const char *name, const float *values,
                                                    size_t count);

/* Read or set the temperatures: predicting divides the head's logit by *head, and all class logits by *classes,
 * before they become probabilities. 1, the default, leaves them as the network answers; above 1 makes the answers less
 * sure, below 1 surer. Each is from 0.05 to 20. Saved with the model. Decisions by the head, and digits, stay as they
 * are; a marginal near one half may cross it. Either out parameter may be NULL. */
DIPTYCH_API diptych_status diptych_model_temperatures_get(const diptych_model *model, float *out_head,
                                                          float *out_classes);
DIPTYCH_API diptych_status diptych_model_temperatures_set(diptych_model *model, float head, float classes);

/* Set over how many views predicting averages: 1, 5 or 9, as diptych_model_options.views says. Saved with the model.
 * Temperatures stay as they are, though they were fitted to the answers from as many views as there were then. */
DIPTYCH_API diptych_status diptych_model_views_set(diptych_model *model, int32_t views);

DIPTYCH_API void diptych_model_free(diptych_model *model);

/* ---- Images -------------------------------------------------------------------------------------------- */

enum {
    DIPTYCH_IMAGE_DIGIT = 0, /* MNIST's own recipe, for a photo or drawing of one digit: grey, ink found and made
                                high, paper removed, cropped to the ink, fitted into 20x20 with its aspect kept,
                                centre of mass put into the middle of 28x28, then averaged to height x width */
    DIPTYCH_IMAGE_PLAIN = 1  /* grey, resampled by area to height x width, nothing else */
};

enum {
    DIPTYCH_POLARITY_AUTO = 0,       /* digit: the border's shade is paper; plain: as DIPTYCH_POLARITY_LIGHT_INK */
    DIPTYCH_POLARITY_DARK_INK = 1,   /* dark on light: the shades are inverted */
    DIPTYCH_POLARITY_LIGHT_INK = 2   /* light on dark, as MNIST: the shades are kept */
};

/* How a PNG becomes a network's input. */
typedef struct diptych_image_options {
    uint32_t struct_size;  /* set by diptych_image_options_init */
    int32_t mode;          /* DIPTYCH_IMAGE_DIGIT (default) or DIPTYCH_IMAGE_PLAIN */
    int32_t height;        /* of the result, 1 to 256; default 14. diptych_classify_* use the model's size instead */
    int32_t width;         /* likewise */
    int32_t polarity;      /* DIPTYCH_POLARITY_*; default DIPTYCH_POLARITY_AUTO */
    int32_t background;    /* grey that transparent pixels are composited on, 0 to 255; default 255, white */
    int32_t max_height;    /* a larger image is refused before it is decoded, 1 to 32768; default 4096 */
    int32_t max_width;     /* likewise */
} diptych_image_options;

DIPTYCH_API diptych_status diptych_image_options_init(diptych_image_options *options, size_t size);

/* Read a PNG (any colour type, depth, interlacing, transparency) into height * width floats, 0 to 255.
 * With out_pixels NULL (and capacity 0) only *out_count is set, from the options, and nothing is read. Errors:
 * DIPTYCH_ERROR_FORMAT where it is no PNG,
 * _CORRUPT where it is damaged or cut off, _LIMIT where it is too large, _BLANK_IMAGE where digit mode finds
 * no ink. */
DIPTYCH_API diptych_status diptych_image_load_png_file(const char *path, const diptych_image_options *options,
                                                       float *out_pixels, size_t capacity, size_t *out_count);
DIPTYCH_API diptych_status diptych_image_load_png_memory(const void *data, size_t size,
                                                         const diptych_image_options *options, float *out_pixels,
                                                         size_t capacity, size_t *out_count);

/* ---- Predict ------------------------------------------------------------------------------------------- */

/* The answer for one pair. "Digit" means class wherever the images are of something else. 32 bytes, for ever. */
typedef struct diptych_prediction {
    float probability;       /* the head's P(first <= second) (or of what the targets meant in training) */
    float marginal;          /* sum over i <= j of P(first = i) P(second = j); it and agrees are about the order of
                                classes, whatever the targets meant in training */
    int32_t first_digit;     /* the most probable class of the first image */
    int32_t second_digit;
    float first_confidence;  /* that class's probability, 1/classes to 1 */
    float second_confidence;
    int32_t less_or_equal;   /* 1 or 0: the decision, by the model's rule (diptych_model_options.decision) */
    int32_t agrees;          /* 1 where head and marginal decide alike; 0 warns of images unlike the training's */
} diptych_prediction;

/* Classify pair_count pairs; pairs is [pair_count][2][height][width]. threads: 1 runs on the calling thread, 0
 * takes the CPUs that the process may use, more takes that many, up to 256. out_predictions has pair_count
 * elements. out_class_probabilities is NULL or receives [pair_count][2][classes]. No memory is allocated after
 * a thread's first call. The answer for a pair does not depend on the others in the call, or on threads. */
DIPTYCH_API diptych_status diptych_predict(const diptych_model *model, const float *pairs, size_t pair_count,
                                           int32_t threads, diptych_prediction *out_predictions,
                                           float *out_class_probabilities);
DIPTYCH_API diptych_status diptych_predict_u8(const diptych_model *model, const uint8_t *pairs, size_t pair_count,
                                              int32_t threads, diptych_prediction *out_predictions,
                                              float *out_class_probabilities);

/* Read two PNGs and compare them. The result's height and width in options are ignored: the model's are used. */
DIPTYCH_API diptych_status diptych_classify_png_files(const diptych_model *model, const char *first_path,
                                                      const char *second_path, const diptych_image_options *options,
                                                      diptych_prediction *out_prediction);
DIPTYCH_API diptych_status diptych_classify_png_memory(const diptych_model *model, const void *first_data,
                                                       size_t first_size, const void *second_data,
                                                       size_t second_size, const diptych_image_options *options,
                                                       diptych_prediction *out_prediction);

/* ---- Data ---------------------------------------------------------------------------------------------- */

/* Labelled images, all of one size, as bytes. Immutable: any number of threads may use one at once. */
typedef struct diptych_dataset diptych_dataset;

/* An IDX pair, as MNIST comes; each file plain or gzip-compressed. At most 4 GiB of pixels. */
DIPTYCH_API diptych_status diptych_dataset_open_idx(const char *images_path, const char *labels_path,
                                                    diptych_dataset **out_dataset);

/* A folder with one folder of PNGs for each class, named by its number: 0/x.png, 1/y.png, ... Files are taken
 * in the order of their names; hidden files, Thumbs.db and files beside the class folders are passed over. In digit
 * mode images are kept as 28x28; in plain mode as options' height x width.
 * An image that cannot be read fails the call and is named. */
DIPTYCH_API diptych_status diptych_dataset_open_folder(const char *path, const diptych_image_options *options,
                                                       diptych_dataset **out_dataset);

/* A copy of the host's arrays: images [count][height][width], labels [count], each 0 to 999, or NULL. */
DIPTYCH_API diptych_status diptych_dataset_from_memory(const uint8_t *images, const int32_t *labels, size_t count,
                                                       int32_t height, int32_t width, diptych_dataset **out_dataset);

enum {
    DIPTYCH_SAMPLE_TRAIN = 0, /* 5,000 of MNIST's training digits, 28x28, in 8 shades of grey */
    DIPTYCH_SAMPLE_TEST = 1   /* 2,500 of MNIST's test digits */
};

/* The digits inside the library. MNIST: Yann LeCun, Corinna Cortes, Christopher J. C. Burges; CC BY-SA 3.0. */
DIPTYCH_API diptych_status diptych_dataset_sample(int32_t split, diptych_dataset **out_dataset);

/* The number of images; 0 for NULL. */
DIPTYCH_API size_t diptych_dataset_count(const diptych_dataset *dataset);

/* Copy out what a dataset holds: images [count][height][width] and labels [count] (-1 where it has none). Any
 * out parameter may be NULL. */
DIPTYCH_API diptych_status diptych_dataset_get(const diptych_dataset *dataset, int32_t *out_height,
                                               int32_t *out_width, uint8_t *out_images, int32_t *out_labels);

DIPTYCH_API void diptych_dataset_free(diptych_dataset *dataset);

/* Pairs of images to train on or to test with. Immutable: any number of threads may use one at once. */
typedef struct diptych_pairs diptych_pairs;

/* Draw count pairs without replacement: 2 * count different images in random order by seed, taken two by two,
 * averaged by area to height x width (28x28 to 14x14 is a 2x2 mean). The target is 1 where the first label is
 * less than or equal to the second. The dataset must have labels. */
DIPTYCH_API diptych_status diptych_pairs_draw(const diptych_dataset *dataset, size_t count, int32_t height,
                                              int32_t width, uint64_t seed, diptych_pairs **out_pairs);

/* A copy of the host's own pairs: images [count][2][height][width]; targets [count], each 0 or 1, meaning
 * whatever the host wants learned; digits [count][2], classes from 0 to 999 for the auxiliary loss, or NULL. With
 * targets NULL and digits given, the target is first <= second. */
DIPTYCH_API diptych_status diptych_pairs_from_memory(const float *images, const float *targets,
                                                     const int32_t *digits, size_t count, int32_t height,
                                                     int32_t width, diptych_pairs **out_pairs);

/* The number of pairs; 0 for NULL. */
DIPTYCH_API size_t diptych_pairs_count(const diptych_pairs *pairs);

/* Copy out what pairs hold: images [count][2][height][width], targets [count], digits [count][2] (-1 where they
 * have none). Any out parameter may be NULL. */
DIPTYCH_API diptych_status diptych_pairs_get(const diptych_pairs *pairs, int32_t *out_height, int32_t *out_width,
                                             float *out_images, float *out_targets, int32_t *out_digits);

DIPTYCH_API void diptych_pairs_free(diptych_pairs *pairs);

/* ---- Train --------------------------------------------------------------------------------------------- */

enum {
    DIPTYCH_ADAM = 0, /* Kingma and Ba, 2015; weight_decay is decoupled (Loshchilov and Hutter, 2019) */
    DIPTYCH_SGD = 1   /* with momentum; weight_decay is added to the gradient */
};

enum {
    DIPTYCH_SCHEDULE_CONSTANT = 0,
    DIPTYCH_SCHEDULE_COSINE = 1,   /* half a cosine from learning_rate to 0 */
    DIPTYCH_SCHEDULE_ONE_CYCLE = 2 /* cosine from learning_rate / 25 up to learning_rate over the first 30 % of the
                                      steps, then down to learning_rate / 250,000 (Smith and Topin, 2018) */
};

/* The defaults are the report's recipe. */
typedef struct diptych_trainer_options {
    uint32_t struct_size;  /* set by diptych_trainer_options_init */
    int32_t epochs;        /* 1 to 1,000,000; default 25 */
    int32_t batch_size;    /* pairs a step, 1 to 65536; default 100; the last batch of an epoch may be smaller */
    int32_t optimizer;     /* DIPTYCH_ADAM (default) or DIPTYCH_SGD */
    int32_t schedule;      /* DIPTYCH_SCHEDULE_*; default DIPTYCH_SCHEDULE_CONSTANT */
    int32_t shuffle;       /* 1: new batches every epoch; 0, the default: the same ones, in the pairs' order */
    int32_t threads;       /* 0, the default: the CPUs that the process may use; at most 256 */
    float learning_rate;   /* above 0, at most 100; default 0.005 */
    float momentum;        /* SGD's, 0 <= momentum < 1; default 0.9 */
    float beta1;           /* Adam's, 0 <= beta < 1; default 0.9 */
    float beta2;           /* default 0.999 */
    float epsilon;         /* Adam's, above 0, at most 1; default 1e-8 */
    float weight_decay;    /* 0 to 10; default 0 */
    float loss_ratio;      /* r in loss = BCE(p, target) + r * (CE(first, digit) + CE(second, digit)); 0 to 1000;
                              default 0.7. 0 is training without auxiliary loss, and needs no digits */
    uint64_t seed;         /* of dropout, shuffling and augmentation; default 0 */
    int32_t redraw;        /* 1: new pairs every epoch, of all training images, each in one of them (includes shuffle);
                              takes pairs with digits whose target is first <= second; default 0 */
    float label_smoothing; /* s, 0 <= s < 1: a class's target becomes 1 - s plus s / classes for all, the head's
                              1 - s / 2 or s / 2 (Szegedy et al., 2016); default 0 */
    float ema_decay;       /* d, 0 <= d < 1; above 0 the model holds, after every step, not the weights but their
                              exponential moving average, to which step t (0, 1, ...) adds them by
                              1 - min(d, (1 + t) / (10 + t)); diptych_model_tensor_set between steps changes the
                              average only; default 0 */
    /* Augmentation, anew for each image in every step. Each value is the largest: what happens is uniform from minus
     * to plus that. 0, the default, is off. What comes in from outside an image is 0, background. */
    float rotation;        /* degrees about the centre, 0 to 180 */
    float scale;           /* share by which the image grows or shrinks, 0 to 0.9 */
    float shear;           /* pixels sideways for each pixel above the centre: slant, 0 to 10 */
    float shift;           /* pixels, down and to the right each of its own, 0 to 256 */
    float elastic;         /* pixels by which each node of a 4x4 grid over the image moves, down and to the right each
                              of its own, smoothly interpolated (after Simard et al., 2003), 0 to 256 */
    float stroke;          /* share of the way to the 3x3 maximum (thicker) or minimum (thinner), 0 to 1 */
    int32_t reserved;      /* 0 */
} diptych_trainer_options;

DIPTYCH_API diptych_status diptych_trainer_options_init(diptych_trainer_options *options, size_t size);

/* Instead of _init: the training options of a DIPTYCH_RECIPE_*. */
DIPTYCH_API diptych_status diptych_trainer_options_recipe(diptych_trainer_options *options, size_t size,
                                                          int32_t recipe);

/* Where training stands, after a step or an epoch. */
typedef struct diptych_progress {
    uint32_t struct_size;  /* see DIPTYCH_PROGRESS_INIT */
    int32_t epoch;         /* epochs begun, 1 to epochs */
    int32_t epochs;
    int32_t finished;      /* 1 after the last step of the last epoch */
    int64_t step;          /* steps done */
    int64_t steps;         /* steps in all */
    double loss;           /* the whole loss: mean over the step's pairs, or over the epoch's */
    double bce;            /* its binary cross entropy */
    double auxiliary;      /* its cross entropies, before loss_ratio; 0 without digits or with loss_ratio 0 */
    double train_error;    /* share of those pairs that the head decided wrongly, as trained (with dropout) */
    double learning_rate;  /* of the last step */
    double seconds;        /* spent in this trainer's steps so far */
} diptych_progress;
#define DIPTYCH_PROGRESS_INIT { (uint32_t)sizeof(diptych_progress), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* A training run. One thread at a time may use a trainer, except that diptych_trainer_cancel may be called from
 * any thread at any time before diptych_trainer_free. The model may predict between the calls, not during them. */
typedef struct diptych_trainer diptych_trainer;

/* Begin to train model on pairs. A fresh run sets the model's standardisation to the pairs' mean and standard
 * deviation, and its temperatures to 1; training itself knows no temperature. DIPTYCH_ERROR_MISMATCH where the sizes
 * differ, where a digit is not below the model's classes, where loss_ratio is not 0 and the pairs have no
 * digits, or where redraw is 1 and they have none, or a target other than first digit <= second. */
DIPTYCH_API diptych_status diptych_trainer_create(diptych_model *model, const diptych_pairs *pairs,
                                                  const diptych_trainer_options *options,
                                                  diptych_trainer **out_trainer);

/* Train one batch, or to the end of the current epoch. out_progress may be NULL. DIPTYCH_CANCELLED after
 * diptych_trainer_cancel: call again to go on. When either returns, every weight is up to date; within an epoch weights of
 * wide layers that a batch does not need may wait, so an MLP trains faster by epochs than by steps, to the same bits. */
DIPTYCH_API diptych_status diptych_trainer_step(diptych_trainer *trainer, diptych_progress *out_progress);
DIPTYCH_API diptych_status diptych_trainer_epoch(diptych_trainer *trainer, diptych_progress *out_progress);

/* Make a running or the next diptych_trainer_epoch or _step stop between two steps, with DIPTYCH_CANCELLED.
 * Safe in a signal handler. NULL is ignored. */
DIPTYCH_API void diptych_trainer_cancel(diptych_trainer *trainer);

/* Write all that a run needs to go on: weights, moments, options, position; and read it back, with the same
 * pairs. The run goes on to the same bits as if it had never stopped. epochs: a new number of epochs, or 0 for the
 * saved one; under a cosine or one-cycle schedule another number means another learning rate from there on. threads: as
 * in the options. What is not finite is not saved: DIPTYCH_ERROR_DIVERGED, and the file at path stays as it was. */
DIPTYCH_API diptych_status diptych_trainer_save(const diptych_trainer *trainer, const char *path);
DIPTYCH_API diptych_status diptych_trainer_resume(const char *path, const diptych_pairs *pairs, int32_t epochs,
                                                  int32_t threads, diptych_model **out_model,
                                                  diptych_trainer **out_trainer);

DIPTYCH_API void diptych_trainer_free(diptych_trainer *trainer);

/* Called after every epoch; anything but 0 stops the training. */
typedef int32_t (*diptych_progress_callback)(const diptych_progress *progress, void *user_data);

/* The whole run in one call. callback may be NULL. DIPTYCH_CANCELLED where the callback stopped it: the model
 * keeps what it has learned. */
DIPTYCH_API diptych_status diptych_train(diptych_model *model, const diptych_pairs *pairs,
                                         const diptych_trainer_options *options,
                                         diptych_progress_callback callback, void *user_data);

/* How well a model does on pairs, by what diptych_predict answers (the model's temperatures applied). Errors are
 * shares, 0 to 1; what cannot be known without digits is NaN. */
typedef struct diptych_evaluation {
    uint32_t struct_size;   /* see DIPTYCH_EVALUATION_INIT */
    int32_t reserved;
    int64_t count;          /* pairs */
    double error;           /* pairs that the head decides wrongly */
    double marginal_error;  /* pairs that the marginal decides wrongly (only with digits) */
    double digit_error;     /* images whose digit is wrong (only with digits) */
    double bce;             /* mean binary cross entropy of the head */
    double auxiliary;       /* mean sum of both digits' cross entropies (only with digits) */
    double ece;             /* expected calibration error of the head's probability, 0 to 1; see diptych_reliability */
    double marginal_ece;    /* of the marginal (only with digits) */
} diptych_evaluation;
#define DIPTYCH_EVALUATION_INIT { (uint32_t)sizeof(diptych_evaluation), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* Measure. out_confusion is NULL or receives [classes][classes] counts, true digit by predicted digit. threads:
 * as in diptych_predict. */
DIPTYCH_API diptych_status diptych_evaluate(const diptych_model *model, const diptych_pairs *pairs, int32_t threads,
                                            diptych_evaluation *out_evaluation, uint64_t *out_confusion);

/* ---- Calibrate ----------------------------------------------------------------------------------------- */

/* Fit the model's temperatures to pairs that it was not trained on, such as some held out of the training pairs, and
 * set them (Guo, Pleiss, Sun and Weinberger, 2017, "On Calibration of Modern Neural Networks"): each is the one from
 * 0.05 to 20 with the least negative log likelihood, the head's of the targets, the classes' of the digits. Without
 * digits the classes' stays. A temperature is 1 where the likelihood still grows at 0.05, as on pairs that the model
 * answers without one mistake: they do not tell how sure it may be. The fit takes the bare logits, so that earlier
 * temperatures do not matter. On pairs that it was trained on a model is surer than it may be on others, and they
 * confirm it in that. A few hundred pairs tell the classes' temperature well, the head's only roughly, as each pair
 * has one target. threads: as in diptych_predict. DIPTYCH_ERROR_MISMATCH where the sizes differ or where a digit
 * is not below the model's classes, DIPTYCH_ERROR_INVALID_ARGUMENT where a logit is not finite; the model is then as
 * it was. */
DIPTYCH_API diptych_status diptych_model_calibrate(diptych_model *model, const diptych_pairs *pairs, int32_t threads);

#define DIPTYCH_RELIABILITY_BINS 15

/* The pairs whose probability lies in one bin: bin i of 15 holds those from i/15 to (i+1)/15. 24 bytes, for ever. */
typedef struct diptych_reliability_bin {
    int64_t count;            /* pairs */
    double mean_probability;  /* mean of their predicted probabilities; NaN where count is 0 */
    double frequency;         /* share of them whose target is 1; NaN where count is 0 */
} diptych_reliability_bin;

/* How far probabilities can be believed: the reliability diagrams of the head's probability and of the marginal, over
 * the targets of pairs. The expected calibration error in diptych_evaluation is the mean of |frequency -
 * mean_probability| over the bins, weighted by count (Naeini, Cooper and Hauskrecht, 2015, "Obtaining Well Calibrated
 * Probabilities Using Bayesian Binning"). out_head and out_marginal are NULL or receive DIPTYCH_RELIABILITY_BINS bins;
 * without digits the marginal's are empty. threads: as in diptych_predict. */
DIPTYCH_API diptych_status diptych_reliability(const diptych_model *model, const diptych_pairs *pairs, int32_t threads,
                                               diptych_reliability_bin *out_head,
                                               diptych_reliability_bin *out_marginal);

#ifdef __cplusplus
}
#endif

#endif /* DIPTYCH_H */
