/* SPDX-License-Identifier: ISC */
/*
 * The way out.  systemd, when it has ended every process, runs
 * /run/initramfs/shutdown as process 1 with the old root at /oldroot (see
 * https://systemd.io/INITRD_INTERFACE).  This program is put there too: from
 * memory, it can undo what the way in has set up, which nothing that runs
 * from the disc can.
 */
#ifndef INIT_LEAVE_H
#define INIT_LEAVE_H

#include "err.h"

/* Copy this program, running as /init, to where systemd looks for it. */
bool leave_prepare(struct err *err);

/*
 * Let go of the root, so that the memory that was written to is given back
 * (and overwritten by the kernel: init_on_free=1); open the tray; empty /run
 * and /dev/shm, whose memory is nobody's root; then do what verb says
 * ("poweroff", "reboot" or "halt").  Goes on after what fails:
 * the machine must go off in any case.
 */
_Noreturn void leave(const char *verb);

/*
 * The same without process 1, which does not answer: end every other process,
 * so that their memory is given back; remove what was written to the root, /run
 * and /dev/shm; write out what is on its way to the drives; switch off.  Each
 * has a limit of time.  What process 1 itself and the kernel hold stays in
 * memory, and the tray stays shut.
 */
_Noreturn void leave_alone(void);

#endif
