/* SPDX-License-Identifier: ISC */
#include "signer/sign/family.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <string.h>

bool family_requests(const struct config_family *family,
	const char *const *operands, size_t count, const char **out,
	struct err *err)
{
	for (size_t i = 0; i < family->member_count; i++)
		out[i] = NULL;
	for (size_t i = 0; i < count; i++) {
		const char *equals = strchr(operands[i], '=');
		size_t len =
			equals != NULL ? (size_t)(equals - operands[i]) : 0;
		size_t member = config_member(family, operands[i], len);

		if (equals == NULL || equals[1] == '\0' ||
			member == family->member_count)
			return err_set(err, ERR_USAGE,
				"%s: expected MEMBER=KSR with a member of family %s",
				operands[i], family->name);
		if (out[member] != NULL)
			return err_set(err, ERR_USAGE,
				"%s: %s of family %s has two requests",
				operands[i], family->members[member].name,
				family->name);
		out[member] = equals + 1;
	}
	for (size_t i = 0; i < family->member_count; i++)
		if (out[i] == NULL)
			return err_set(err, ERR_USAGE,
				"%s of family %s has no request, expected %s=KSR",
				family->members[i].name, family->name,
				family->members[i].name);
	return true;
}

char *family_title(
	const struct config_family *family, size_t member, struct err *err)
{
	const struct config_member *one = &family->members[member];
	bool used = strncmp(one->name, "use", 3) == 0;
	struct buf text = BUF_EMPTY;
	char *copy = NULL;

	buf_format(&text, "%s of family %s, with schema %s, follows %s: %s",
		one->mark, family->name, one->schema,
		one->before == CONFIG_PREVIOUS
			? "the previous SKR"
			: family->members[one->before].mark,
		used ? "for use" : "to be sealed, not for use");
	if (buf_ok(&text, err))
		copy = text_copy(buf_string(&text), err);
	buf_free(&text);
	return copy;
}

char *family_file(const char *member, const char *request, struct err *err)
{
	const char *slash = strrchr(request, '/');
	const char *name = slash != NULL ? slash + 1 : request;
	struct buf text = BUF_EMPTY;
	char *copy = NULL;

	if (member != NULL)
		buf_format(&text, "%s-", member);
	if ((name[0] == 'k' || name[0] == 'K') &&
		strncasecmp(name, "ksr", 3) == 0)
		buf_format(&text, "%c%c%s", name[1] == 'S' ? 'S' : 's', name[0],
			name + 2);
	else
		buf_format(&text, "skr-%s", name);
	if (buf_ok(&text, err))
		copy = text_copy(buf_string(&text), err);
	buf_free(&text);
	return copy;
}
