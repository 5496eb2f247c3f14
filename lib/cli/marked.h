/* SPDX-License-Identifier: ISC */
/* What a program does first once it knows that this is an experiment. */
#ifndef LIB_CLI_MARKED_H
#define LIB_CLI_MARKED_H

#include "lib/cli/log.h"

/* On the disc: from here on the prompt and every printed page say so. */
#define MARKED_EXPERIMENT PLACE_RUN "/experiment"

/*
 * In an experiment (lib/base/experiment.h): warn, and have the disc, if this is
 * one, say EXPERIMENT until it is switched off.  Otherwise nothing.  log may be
 * NULL.
 */
void marked_begin(struct log *log);

#endif
