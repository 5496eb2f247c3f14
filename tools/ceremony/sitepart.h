/* SPDX-License-Identifier: ISC */
/* Shared by the files of the public page only: its parts. */
#ifndef TOOLS_CEREMONY_SITEPART_H
#define TOOLS_CEREMONY_SITEPART_H

#include "lib/xml/markup.h"
#include "tools/ceremony/site.h"

/* Hostile text, all of it to be seen (say.h); lines stay lines. */
void part_text(struct markup *m, const char *text);
void part_lines(struct markup *m, const char *text);

/* <name class=class>text</name>; class may be NULL. */
void part_put(struct markup *m, const char *name, const char *class,
	const char *text);

/* A section with its heading; markup_close() ends it. */
void part_section(struct markup *m, const char *id, const char *title);

/* A table that can be scrolled where it is too wide, with column heads. */
void part_table(struct markup *m, const char *caption, const char *const *heads,
	size_t count);
void part_table_end(struct markup *m);

/* A link to a file of the folder, whatever its name. */
void part_link(struct markup *m, const char *path, const char *text);

/* The parts: each a section. */
bool part_timeline(const struct site *site, struct markup *m, struct err *err);
bool part_findings(const struct site *site, struct markup *m, struct err *err);
bool part_steps(const struct site *site, struct markup *m, struct err *err);
bool part_logs(const struct site *site, struct markup *m, struct err *err);
bool part_responses(const struct site *site, struct markup *m, struct err *err);
bool part_pictures(const struct site *site, struct markup *m, struct err *err);
bool part_files(const struct site *site, struct markup *m, struct err *err);

#endif
