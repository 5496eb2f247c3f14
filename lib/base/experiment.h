/* SPDX-License-Identifier: ISC */
/*
 * An experiment: a run whose configuration asks for algorithms that no zone
 * uses.  Nothing that it makes is for production, and everything that it says
 * says so: each line of a screen, a log and a page begins with the mark.
 *
 * That is file-scope state, beside the log and the signal that arrived: whoever
 * writes a line or looks an algorithm up would have to be told otherwise, and
 * one of them would be forgotten.  It is off until a configuration (or an
 * option of a program that has none) says so, and each that is read says it
 * anew.
 */
#ifndef LIB_BASE_EXPERIMENT_H
#define LIB_BASE_EXPERIMENT_H

#include <stdbool.h>

#define EXPERIMENT_MARK "EXPERIMENT "

void experiment_set(bool on);
bool experiment_is_on(void);

/* What a line begins with: the mark, or "" where this is no experiment. */
const char *experiment_mark(void);

#endif
