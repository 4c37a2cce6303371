/* Several threads predict with one model at once: a model is not changed by predicting, so no lock is needed.
 *
 *     threads [COUNT]        default: 4 threads */
#include <diptych.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAIRS = 400, PAIR = 2 * 14 * 14, MOST_THREADS = 64 };

static float images[PAIRS * PAIR];
static diptych_prediction answers[PAIRS];

typedef struct {
    const diptych_model *model;
    size_t first, count;
    diptych_status status;
    char message[256]; /* the last error belongs to the thread that failed */
} task;

static void *work(void *argument)
{
    task *t = argument;
    /* "1": on this thread. The library's own threads are for callers that have none. */
    t->status = diptych_predict(t->model, images + t->first * PAIR, t->count, 1, answers + t->first, NULL);
    if (t->status != DIPTYCH_OK) snprintf(t->message, sizeof t->message, "%s", diptych_last_error());
    return NULL;
}

int main(int argc, char **argv)
{
    static task tasks[MOST_THREADS];
    pthread_t threads[MOST_THREADS];
    float targets[PAIRS];
    int count = argc > 1 ? atoi(argv[1]) : 4, wrong = 0;
    diptych_model *model = NULL;
    diptych_dataset *digits = NULL;
    diptych_pairs *pairs = NULL;

    if (count < 1 || count > MOST_THREADS) {
        fprintf(stderr, "usage: %s [1 to %d]\n", argv[0], MOST_THREADS);
        return 64;
    }
    if (diptych_model_default(&model) != DIPTYCH_OK || diptych_dataset_sample(DIPTYCH_SAMPLE_TEST, &digits) != DIPTYCH_OK ||
        diptych_pairs_draw(digits, PAIRS, 14, 14, 1, &pairs) != DIPTYCH_OK ||
        diptych_pairs_get(pairs, NULL, NULL, images, targets, NULL) != DIPTYCH_OK) {
        fprintf(stderr, "%s\n", diptych_last_error());
        return 1;
    }
    for (int i = 0; i < count; i++) {
        size_t first = (size_t)PAIRS * (size_t)i / (size_t)count, next = (size_t)PAIRS * (size_t)(i + 1) / (size_t)count;
        tasks[i].model = model;
        tasks[i].first = first;
        tasks[i].count = next - first;
        if (pthread_create(&threads[i], NULL, work, &tasks[i]) != 0) {
            fprintf(stderr, "cannot start thread %d\n", i);
            return 1;
        }
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        if (tasks[i].status != DIPTYCH_OK) {
            fprintf(stderr, "thread %d: %s\n", i, tasks[i].message);
            return 1;
        }
    }
    for (int i = 0; i < PAIRS; i++) wrong += answers[i].less_or_equal != (int)targets[i];
    printf("%d threads, %d pairs, %d wrong\n", count, (int)PAIRS, wrong);
    diptych_pairs_free(pairs);
    diptych_dataset_free(digits);
    diptych_model_free(model);
    return 0;
}
