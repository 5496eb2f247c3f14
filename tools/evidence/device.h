/* SPDX-License-Identifier: ISC */
/* The kernel's announcements of devices that come and go. */
#ifndef TOOLS_EVIDENCE_DEVICE_H
#define TOOLS_EVIDENCE_DEVICE_H

#include "lib/base/buf.h"

/* The socket they arrive on, to be polled; -1 where there is none. */
int device_open(void);

/*
 * Read one announcement and append a line's text, such as
 * "add usb bus/usb/001/004 SanDisk Ultra 4C53"; nothing for one that is of
 * no interest (not a USB device, drive or serial line) or not the kernel's.
 */
void device_read(int fd, struct buf *out);

#endif
