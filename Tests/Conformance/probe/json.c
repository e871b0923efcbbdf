#include "probe.h"

#include <string.h>

/* Bytes that are no printable ASCII are written as \u00XX, so that the output is valid whatever a path holds. */
void json_string(FILE *out, const char *text, size_t length) {
    fputc('"', out);
    for (size_t index = 0; index < length; index++) {
        unsigned char byte = (unsigned char)text[index];
        if (byte == '"' || byte == '\\') {
            fprintf(out, "\\%c", byte);
        } else if (byte == '\n') {
            fputs("\\n", out);
        } else if (byte == '\t') {
            fputs("\\t", out);
        } else if (byte < 0x20 || byte > 0x7e) {
            fprintf(out, "\\u%04x", byte);
        } else {
            fputc(byte, out);
        }
    }
    fputc('"', out);
}

void json_text(FILE *out, const char *text) { json_string(out, text, strlen(text)); }

void json_name(FILE *out, const char *name) {
    json_text(out, name);
    fputs(": ", out);
}

void json_separator(FILE *out, int *count) {
    if ((*count)++ > 0) fputs(", ", out);
}
