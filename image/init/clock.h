/* SPDX-License-Identifier: ISC */
/* Time since the kernel started, in ms; it never jumps. */
#ifndef INIT_CLOCK_H
#define INIT_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);
void clock_sleep(int64_t ms);

#endif
