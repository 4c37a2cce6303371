/* What decoding and encoding share: libpng's structs, its messages kept instead of printed, its memory watched. */
#ifndef DP_PNG_SESSION_H
#define DP_PNG_SESSION_H

#include "png_shim.h"

#include <png.h>

typedef struct {
    png_structp png;
    png_infop info;
    int reading, no_memory;
    dp_png_status status;
    dp_png_message *message;
} session;

enum { SESSION_READ = 1, SESSION_WRITE = 0 };

/* 0 where there is no memory. */
int session_open(session *s, int reading, dp_png_message *message);

/* Frees all that the session holds; returns its status. */
dp_png_status session_close(session *s);

void session_say(dp_png_message *message, const char *text);

#endif
