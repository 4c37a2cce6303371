/* libFuzzer: any bytes as a model file. What is accepted must describe, save and predict. */
#include <diptych.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const float images[2 * 16 * 16];
    diptych_model *model = NULL;
    size_t length = 0;
    if (diptych_model_load_memory(data, size, &model) != DIPTYCH_OK) {
        if (model || !*diptych_last_error()) abort();
        return 0;
    }
    char *text = NULL;
    if (diptych_model_describe(model, NULL, 0, &length) != DIPTYCH_OK || !(text = malloc(length + 1)) ||
        diptych_model_describe(model, text, length + 1, &length) != DIPTYCH_OK)
        abort();
    const char *height = strstr(text, "\"height\":"), *width = strstr(text, "\"width\":");
    if (height && width && atoi(height + 9) <= 16 && atoi(width + 8) <= 16) {
        diptych_prediction answer;
        if (diptych_predict(model, images, 1, 1, &answer, NULL) != DIPTYCH_OK) abort();
    }
    free(text);
    diptych_model_free(model);
    return 0;
}
