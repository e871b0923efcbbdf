/* A static program that tells what a container can see and do. It judges nothing: that is for the tables of the cases. */
#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>
#include <stdio.h>

/* json.c */
void json_string(FILE *out, const char *text, size_t length);
void json_name(FILE *out, const char *name);
void json_text(FILE *out, const char *text);
/* ", " except before the first member. */
void json_separator(FILE *out, int *count);

/* facts.c: everything of this process and what surrounds it, one member of the object a line. */
void print_facts(FILE *out);

/* attempts.c: what becomes of calls that a container should not get through with, each in a process of its own. */
void print_attempts(FILE *out);

/* attackers.c */
int swap_forever(char **names);
int grab_newcomers(int is_tracer);
int overwrite_program(const char *marker);

/* names.c */
const char *error_name(int error);

#endif
