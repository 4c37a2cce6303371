/* libFuzzer: any bytes as a PNG file, in both modes. */
#include <diptych.h>
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    for (int32_t mode = 0; mode < 2; mode++) {
        float pixels[196];
        size_t count = 0;
        diptych_image_options options;
        if (diptych_image_options_init(&options, sizeof options) != DIPTYCH_OK) abort();
        options.mode = mode;
        options.max_height = options.max_width = 512;
        diptych_status status = diptych_image_load_png_memory(data, size, &options, pixels, 196, &count);
        if (status != DIPTYCH_OK && (count != 0 || !*diptych_last_error())) abort();
        for (size_t i = 0; i < count; i++)
            if (!isfinite(pixels[i]) || pixels[i] < 0 || pixels[i] > 255.01f) abort();
    }
    return 0;
}
