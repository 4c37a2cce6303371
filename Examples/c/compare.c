/* Classify two PNG files of handwritten digits: is the first at most the second?
 *
 *     compare A.png B.png [MODEL.safetensors]
 *
 * Without a model file the library's own model is used. */
#include <diptych.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    diptych_model *model = NULL;
    diptych_prediction answer;
    diptych_status status;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s A.png B.png [MODEL.safetensors]\n", argv[0]);
        return 64;
    }
    status = argc == 4 ? diptych_model_load_file(argv[3], &model) : diptych_model_default(&model);
    if (status == DIPTYCH_OK) status = diptych_classify_png_files(model, argv[1], argv[2], NULL, &answer);
    diptych_model_free(model);

    switch (status) {
    case DIPTYCH_OK:
        break;
    case DIPTYCH_ERROR_BLANK_IMAGE: /* a program can tell errors apart, a person reads the message */
        fprintf(stderr, "%s: is there a digit on it?\n", diptych_last_error());
        return 1;
    default:
        fprintf(stderr, "%s (%s)\n", diptych_last_error(), diptych_status_name(status));
        return 1;
    }

    printf("%d %s %d\n", (int)answer.first_digit, answer.less_or_equal ? "<=" : ">", (int)answer.second_digit);
    printf("first digit %.1f %% sure, second %.1f %%; P(first <= second) is %.3f by the head, %.3f by the digits\n",
           100 * answer.first_confidence, 100 * answer.second_confidence, answer.probability, answer.marginal);
    if (!answer.agrees) printf("the two answers disagree: these images may be unlike the digits that were learned\n");
    return 0;
}
