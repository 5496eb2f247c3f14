/* SPDX-License-Identifier: ISC */
/* The terminal that people read from. */
#ifndef LIB_CLI_SCREEN_H
#define LIB_CLI_SCREEN_H

#include <stddef.h>

/*
 * Columns of the terminal that fd is; 80 where it does not say (a serial
 * line); 0 where fd is no terminal: nothing is broken into lines there.
 */
size_t screen_width(int fd);

#endif
