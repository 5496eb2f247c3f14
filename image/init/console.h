/* SPDX-License-Identifier: ISC */
/* What a person in front of the machine sees. */
#ifndef INIT_CONSOLE_H
#define INIT_CONSOLE_H

#include "err.h"

/* Write to the console that /dev/console stands for. */
void console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Show what failed on every console, then wait for Enter on any; for ever. */
void console_show_failure(const char *phase, const struct err *err);
void console_wait_for_enter(void);

#endif
