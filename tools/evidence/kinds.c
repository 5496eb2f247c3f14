/* SPDX-License-Identifier: ISC */
#include "tools/evidence/kinds.h"

#include "tools/evidence/steps.h"

#include <assert.h>
#include <string.h>

/*
 * What they say is in ceremony-log(1).  as_is: the text is printable already,
 * or refused.
 */
static const struct kind {
	const char *name;
	bool as_is;
} kinds[] = {
	{"note", false},
	{"file", true},
	{"script", false},
	{"after", false},
	{"early", false},
	{"step", false},
	{"except", false},
};

static const struct kind *find(const char *request)
{
	size_t len = strcspn(request, " ");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (request[len] == ' ' && strlen(kinds[i].name) == len &&
			strncmp(request, kinds[i].name, len) == 0)
			return &kinds[i];
	return NULL;
}

bool kinds_has(const char *request)
{
	return find(request) != NULL;
}

bool kinds_take(struct ledger *ledger, const char *request, struct err *err)
{
	const struct kind *kind = find(request);
	const char *text;

	assert(kind != NULL); /* kinds_has() */
	text = request + strlen(kind->name) + 1;
	return steps_check(kind->name, text, err) &&
	       (kind->as_is ? ledger_line_as_is : ledger_line)(
		       ledger, kind->name, text, err);
}
