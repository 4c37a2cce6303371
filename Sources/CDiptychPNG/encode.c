#include "png_shim.h"
#include "session.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    session base;
    uint8_t *data;
    size_t size, capacity;
} encoding;

static void write_bytes(png_structp png, png_bytep bytes, size_t count)
{
    encoding *e = png_get_io_ptr(png);
    if (count > e->capacity - e->size) {
        size_t capacity = 2 * e->capacity + count + 1024;
        uint8_t *larger = capacity < count ? NULL : realloc(e->data, capacity);
        if (larger == NULL) {
            e->base.no_memory = 1;
            png_error(png, "out of memory");
        }
        e->data = larger;
        e->capacity = capacity;
    }
    memcpy(e->data + e->size, bytes, count);
    e->size += count;
}

static void flush_bytes(png_structp png) { (void)png; }

static void encode(encoding *e, const uint8_t *grey, uint32_t width, uint32_t height)
{
    png_structp png = e->base.png;
    png_set_write_fn(png, e, write_bytes, flush_bytes);
    png_set_IHDR(png, e->base.info, width, height, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, e->base.info);
    for (uint32_t y = 0; y < height; y++) png_write_row(png, grey + (size_t)y * width);
    png_write_end(png, NULL);
}

/* Where jumps land. What they must not lose lives in the caller's frame. */
static dp_png_status encode_guarded(encoding *e, const uint8_t *grey, uint32_t width, uint32_t height)
{
    if (setjmp(png_jmpbuf(e->base.png)) != 0) return e->base.no_memory ? DP_PNG_NO_MEMORY : DP_PNG_CORRUPT;
    encode(e, grey, width, height);
    return DP_PNG_OK;
}

dp_png_status dp_png_encode(const uint8_t *grey, uint32_t width, uint32_t height, uint8_t **out_data,
                            size_t *out_size, dp_png_message *out_message)
{
    encoding e = {0};
    *out_data = NULL;
    *out_size = 0;
    if (!session_open(&e.base, SESSION_WRITE, out_message)) return DP_PNG_NO_MEMORY;
    e.base.status = encode_guarded(&e, grey, width, height);
    if (e.base.status == DP_PNG_OK) {
        *out_data = e.data;
        *out_size = e.size;
    } else {
        free(e.data);
    }
    return session_close(&e.base);
}
