/* SPDX-License-Identifier: ISC */
#ifndef BENCH_DOCUMENTS_H
#define BENCH_DOCUMENTS_H

/*
 * Compile a RELAX NG schema and read each of count documents with it, as
 * little as libxml2 lets one do: no field is looked at.  Ends the process
 * where one is not valid.
 */
void documents_read(const char *schema, char *const *paths, int count);

#endif
