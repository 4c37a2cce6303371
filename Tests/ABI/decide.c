/* decide MODEL COUNT: the decisions for COUNT pairs of the sample, a line each, to be compared between CPUs. */
#include "support.h"

int main(int argc, char **argv)
{
    diptych_model *model = NULL;
    size_t count = argc == 3 ? (size_t)atoi(argv[2]) : 0;
    float *images = sample_images(count, 8);
    diptych_prediction *answers = calloc(count + 1, sizeof *answers);
    if (strcmp(argv[1], "-") == 0) {
        OK(diptych_model_default(&model));
    } else {
        OK(diptych_model_load_file(argv[1], &model));
    }
    OK(diptych_predict(model, images, count, 1, answers, NULL));
    fprintf(stderr, "%s\n", diptych_build_info());
    for (size_t i = 0; i < count; i++)
        printf("%d %d %d\n", (int)answers[i].less_or_equal, (int)answers[i].first_digit, (int)answers[i].second_digit);
    diptych_model_free(model);
    free(answers);
    free(images);
    return 0;
}
