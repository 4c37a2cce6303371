#include "session.h"

#include <stdlib.h>
#include <string.h>

void session_say(dp_png_message *message, const char *text)
{
    size_t length = strlen(text);
    if (length >= sizeof message->text) length = sizeof message->text - 1;
    memcpy(message->text, text, length);
    message->text[length] = 0;
}

static void on_error(png_structp png, png_const_charp text)
{
    session *s = png_get_error_ptr(png);
    session_say(s->message, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    session *s = png_get_mem_ptr(png);
    void *memory = malloc(size);
    if (memory == NULL) s->no_memory = 1;
    return memory;
}

static void release(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

int session_open(session *s, int reading, dp_png_message *message)
{
    s->reading = reading;
    s->no_memory = 0;
    s->status = DP_PNG_OK;
    s->message = message;
    s->info = NULL;
    message->text[0] = 0;
    s->png = reading ? png_create_read_struct_2(PNG_LIBPNG_VER_STRING, s, on_error, on_warning, s, allocate, release)
                     : png_create_write_struct_2(PNG_LIBPNG_VER_STRING, s, on_error, on_warning, s, allocate, release);
    if (s->png != NULL) s->info = png_create_info_struct(s->png);
    if (s->info != NULL) return 1;
    session_close(s);
    return 0;
}

dp_png_status session_close(session *s)
{
    if (s->reading) {
        png_destroy_read_struct(&s->png, &s->info, NULL);
    } else {
        png_destroy_write_struct(&s->png, &s->info);
    }
    return s->status;
}

const char *dp_png_library_version(void) { return png_get_libpng_ver(NULL); }
