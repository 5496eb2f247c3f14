/* SPDX-License-Identifier: ISC */
/* What nobody in the room may overlook. */
#ifndef TOOLS_EVIDENCE_ALARM_H
#define TOOLS_EVIDENCE_ALARM_H

/*
 * Show text, in red and with the bell, on every terminal: TERMINALS_TOLD of
 * terminals.h, or those that KEYROOM_TERMINALS names.  Never waits for one.
 */
void alarm_show(const char *text);

#endif
