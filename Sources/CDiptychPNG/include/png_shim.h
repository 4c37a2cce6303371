/* PNG in memory, over libpng's row API. libpng reports errors by longjmp, which must not cross Swift frames: every
 * jump begins and ends inside these functions. Nothing is ever printed. */
#ifndef DP_PNG_SHIM_H
#define DP_PNG_SHIM_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    DP_PNG_OK = 0,
    DP_PNG_NOT_PNG,  /* the signature is missing */
    DP_PNG_CORRUPT,  /* damaged or cut off; also what is not allowed by the format */
    DP_PNG_NO_MEMORY
} dp_png_status;

/* What went wrong, in libpng's words; "" where it had none. */
typedef struct {
    char text[96];
} dp_png_message;

/* The size that a PNG's header states, before anything is decoded or allocated. */
dp_png_status dp_png_measure(const void *data, size_t size, uint32_t *out_width, uint32_t *out_height,
                             dp_png_message *out_message);

/* Decode every colour type, depth and interlacing into out_grey, width * height bytes, rows from the top; width
 * and height are those of dp_png_measure. A shade is Rec. 709 luma of the stored sRGB values, 0.2126 R +
 * 0.7152 G + 0.0722 B, not linear light; transparent pixels are composited on the shade background. Needs the
 * whole file, up to its IEND chunk, with every checksum right. */
dp_png_status dp_png_decode(const void *data, size_t size, uint32_t width, uint32_t height, uint8_t background,
                            uint8_t *out_grey, dp_png_message *out_message);

/* Encode width * height grey bytes, as 8-bit greyscale. *out_data is freed with free(). */
dp_png_status dp_png_encode(const uint8_t *grey, uint32_t width, uint32_t height, uint8_t **out_data,
                            size_t *out_size, dp_png_message *out_message);

/* The version of the libpng that runs, such as "1.6.39". */
const char *dp_png_library_version(void);

#endif
