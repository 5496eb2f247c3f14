/* SPDX-License-Identifier: ISC */
#include "tools/evidence/watch.h"

#include "lib/base/array.h"

#include <stdlib.h>
#include <string.h>

#define EVERY_S 5

bool watch_is_due(struct watch *watch, int64_t now)
{
	if (now < watch->due)
		return false;
	watch->due = now + EVERY_S;
	return true;
}

/* What was known of it; process is 0 once it has been told. */
static const struct terminal *find(
	const struct terminals *known, const char *name)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->all[i].name, name) == 0)
			return &known->all[i];
	return NULL;
}

static void add(struct terminals *list, const struct terminal *terminal)
{
	struct err discarded = ERR_EMPTY;
	struct terminal *slot =
		array_grow(&list->all, &list->count, sizeof(*slot), &discarded);

	if (slot != NULL)
		*slot = *terminal;
}

void watch_look(struct watch *watch, const pid_t *recording, size_t count,
	struct terminals *out)
{
	struct terminals now = {.all = NULL}, open = {.all = NULL};
	struct err discarded = ERR_EMPTY;

	*out = (struct terminals){.all = NULL};
	if (!terminals_read(recording, count, &now, &discarded))
		return;
	for (size_t i = 0; i < now.count; i++) {
		struct terminal terminal = now.all[i];
		const struct terminal *before =
			find(&watch->known, terminal.name);

		if (terminal.state != TERMINAL_NOT_RECORDED)
			continue;
		if (before != NULL && before->process != 0)
			add(out, &terminal);
		if (before != NULL)
			terminal.process = 0;
		add(&open, &terminal);
	}
	free(now.all);
	free(watch->known.all);
	watch->known = open;
}

void watch_free(struct watch *watch)
{
	free(watch->known.all);
	watch->known = (struct terminals){.all = NULL};
}
