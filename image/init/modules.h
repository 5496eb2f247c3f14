/* SPDX-License-Identifier: ISC */
/* Loading the kernel modules of the initramfs. */
#ifndef INIT_MODULES_H
#define INIT_MODULES_H

#include "err.h"

/*
 * Load what folder/order lists, a module a line, each with the parameters
 * after its name, in that order.  That a module finds no hardware is not a
 * failure; that the kernel refuses one is.
 */
bool modules_load(const char *folder, struct err *err);

#endif
