#include "png_shim.h"
#include "session.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_SIZE = 8, HEADER_SIZE = 24 };

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

dp_png_status dp_png_measure(const void *data, size_t size, uint32_t *out_width, uint32_t *out_height,
                             dp_png_message *out_message)
{
    static const uint8_t start[16] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
    const uint8_t *bytes = data;
    size_t signature = size < SIGNATURE_SIZE ? size : SIGNATURE_SIZE;
    *out_width = *out_height = 0;
    out_message->text[0] = 0;
    if (size == 0 || memcmp(bytes, start, signature) != 0) return DP_PNG_NOT_PNG;
    if (size < HEADER_SIZE) {
        session_say(out_message, "cut off in its header");
        return DP_PNG_CORRUPT;
    }
    uint32_t width = big_endian(bytes + 16), height = big_endian(bytes + 20);
    if (memcmp(bytes, start, sizeof start) != 0 || width == 0 || height == 0 || width > INT32_MAX ||
        height > INT32_MAX) {
        session_say(out_message, "invalid header");
        return DP_PNG_CORRUPT;
    }
    *out_width = width;
    *out_height = height;
    return DP_PNG_OK;
}

/* One decoding: where reading stands, and the memory to give back after a jump. */
typedef struct {
    session base;
    const uint8_t *data;
    size_t size, position;
    png_byte *row;
} decoding;

static void read_bytes(png_structp png, png_bytep out, size_t count)
{
    decoding *d = png_get_io_ptr(png);
    if (count > d->size - d->position) png_error(png, "the file is cut off");
    memcpy(out, d->data + d->position, count);
    d->position += count;
}

/* Inlined with `channels` a constant, so that its tests cost nothing. */
static inline void grey_pixels(const png_byte *in, unsigned channels, uint32_t count, unsigned background, uint8_t *out,
                               unsigned step)
{
    for (uint32_t x = 0; x < count; x++, in += channels, out += step) {
        /* Weights of Rec. 709 in 1/65536; they add up to 65536, so that grey stays itself. */
        unsigned shade =
            channels < 3 ? in[0] : (13933u * in[0] + 46871u * in[1] + 4732u * in[2] + 32768u) >> 16;
        if (channels == 2 || channels == 4) {
            unsigned alpha = in[channels - 1];
            shade = (shade * alpha + background * (255 - alpha) + 127) / 255;
        }
        *out = (uint8_t)shade;
    }
}

/* Grey of one row of `count` pixels in libpng's expanded 8-bit form, every `step`-th byte of out. */
static void grey_row(const png_byte *in, unsigned channels, uint32_t count, unsigned background, uint8_t *out,
                     unsigned step)
{
    if (channels == 1 && step == 1) memcpy(out, in, count);
    else if (channels == 1) grey_pixels(in, 1, count, background, out, step);
    else if (channels == 2) grey_pixels(in, 2, count, background, out, step);
    else if (channels == 3) grey_pixels(in, 3, count, background, out, step);
    else grey_pixels(in, 4, count, background, out, step);
}

static void decode(decoding *d, uint32_t width, uint32_t height, uint8_t background, uint8_t *out_grey)
{
    png_structp png = d->base.png;
    png_infop info = d->base.info;
    png_set_read_fn(png, d, read_bytes);
    png_set_user_limits(png, width, height);
    png_set_chunk_cache_max(png, 16);
    png_set_chunk_malloc_max(png, 1 << 20);
    /* All chunks but IHDR, PLTE, tRNS, IDAT and IEND are skipped unread, their checksums excepted. */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(png, info);
    if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height) {
        png_error(png, "not the size that was measured");
    }

    png_set_expand(png);
    png_set_scale_16(png);
    /* libpng's own deinterlacing is not asked for: passes come as small images, and no second copy is needed. */
    int interlaced = png_get_interlace_type(png, info) == PNG_INTERLACE_ADAM7;
    png_read_update_info(png, info);
    unsigned channels = png_get_channels(png, info);
    if (png_get_bit_depth(png, info) != 8 || channels < 1 || channels > 4) png_error(png, "unexpected row format");
    d->row = png_malloc(png, png_get_rowbytes(png, info));

    for (int pass = 0; pass < (interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1); pass++) {
        uint32_t left = interlaced ? PNG_PASS_START_COL(pass) : 0, top = interlaced ? PNG_PASS_START_ROW(pass) : 0;
        uint32_t step_x = interlaced ? 1u << PNG_PASS_COL_SHIFT(pass) : 1;
        uint32_t step_y = interlaced ? 1u << PNG_PASS_ROW_SHIFT(pass) : 1;
        if (left >= width) continue;
        uint32_t columns = (width - left + step_x - 1) / step_x;
        for (uint32_t y = top; y < height; y += step_y) {
            png_read_row(png, d->row, NULL);
            grey_row(d->row, channels, columns, background, out_grey + (size_t)y * width + left, step_x);
        }
    }
    png_read_end(png, NULL);
}

/* Where jumps land. What they must not lose lives in the caller's frame. */
static dp_png_status decode_guarded(decoding *d, uint32_t width, uint32_t height, uint8_t background,
                                    uint8_t *out_grey)
{
    if (setjmp(png_jmpbuf(d->base.png)) != 0) return d->base.no_memory ? DP_PNG_NO_MEMORY : DP_PNG_CORRUPT;
    decode(d, width, height, background, out_grey);
    return DP_PNG_OK;
}

dp_png_status dp_png_decode(const void *data, size_t size, uint32_t width, uint32_t height, uint8_t background,
                            uint8_t *out_grey, dp_png_message *out_message)
{
    decoding d = {.data = data, .size = size};
    if (!session_open(&d.base, SESSION_READ, out_message)) return DP_PNG_NO_MEMORY;
    d.base.status = decode_guarded(&d, width, height, background, out_grey);
    png_free(d.base.png, d.row);
    return session_close(&d.base);
}
