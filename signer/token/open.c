/* SPDX-License-Identifier: ISC */
#include "signer/token/open.h"

#include "signer/token/pin.h"

#include <stdio.h>
#include <string.h>

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

/* The lines that auditors compare from ceremony to ceremony. */
static void tell_token(
	struct log *log, bool show, const struct token_info *info)
{
	char slot[24];
	const char *const lines[][2] = {{"Module:", info->module},
		{"Slot:", slot}, {"Label:", info->label},
		{"ManufacturerID:", info->manufacturer},
		{"Model:", info->model}, {"Serial:", info->serial},
		{"Firmware:", info->firmware}};

	snprintf(slot, sizeof(slot), "%lu", info->slot);
	if (show)
		log_say(log, "HSM Information:");
	else
		log_write(log, LOG_LEVEL_INFO, "HSM Information:");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (show)
			log_say(log, "    %-16s %s", lines[i][0], lines[i][1]);
		else
			log_write(log, LOG_LEVEL_INFO, "    %-16s %s",
				lines[i][0], lines[i][1]);
	}
	log_write(log, LOG_LEVEL_DEBUG,
		"library %s %s, PKCS#11 v%s, hardware %s, login %s, write-protected %s, wrong PIN before %s, last try %s, locked %s",
		info->library, info->library_version, info->cryptoki_version,
		info->hardware, yes_no(info->login_required),
		yes_no(info->write_protected), yes_no(info->pin_low),
		yes_no(info->pin_final), yes_no(info->pin_locked));
}

static bool is_wanted(const struct config *config,
	const struct keys_open_options *options, struct buf *label)
{
	const char *text = buf_string(label);

	if (strlen(text) != label->len)
		return false;
	for (size_t i = 0; i < config->key_count; i++)
		if (strcmp(config->keys[i].label, text) == 0)
			return true;
	return options->also != NULL && options->also(options->context, text);
}

/* Is there a wanted key in the token, as far as is seen now? */
static bool shows_wanted(const struct config *config,
	const struct keys_open_options *options, struct token *token, bool *out,
	struct err *err)
{
	struct token_labels labels = {.count = 0};
	size_t unlabelled;

	if (!token_labels(token, &labels, &unlabelled, err))
		return false;
	*out = false;
	for (size_t i = 0; i < labels.count && !*out; i++)
		*out = is_wanted(config, options, &labels.list[i]);
	token_labels_free(&labels);
	return true;
}

/* A PIN is tried only where a key that is wanted can be. */
static bool log_in_by_label(const struct config *config,
	const struct keys_open_options *options, struct log *log,
	struct token_set *set, struct err *err)
{
	for (size_t i = 0; i < token_set_count(set); i++) {
		struct token *token = token_set_token(set, i);
		const struct token_info *info = NULL;
		bool wanted;

		if (!token_info(token, &info, err))
			return false;
		if (!info->login_required)
			continue;
		wanted = token_set_count_of(set, info->hsm) == 1;
		if (!wanted &&
			!shows_wanted(config, options, token, &wanted, err))
			return false;
		if (wanted && !token_login(token, pin_ask, NULL, err))
			return false;
		if (!wanted)
			log_say(log,
				"token %s in slot %lu of hsm %s shows no key that is wanted: not logged in (hsm.%s.serial would choose it)",
				info->label, info->slot, info->hsm, info->hsm);
	}
	return log_ok(log, err);
}

static bool log_in(const struct config *config,
	const struct keys_open_options *options, struct log *log,
	struct token_set *set, struct err *err)
{
	const struct token_choice *choice = &options->token;
	struct token *token;

	if (options->by_label)
		return log_in_by_label(config, options, log, set, err);
	if (choice->label == NULL && choice->serial == NULL &&
		choice->slot == NULL)
		return token_set_login(set, pin_ask, NULL, err);
	return token_set_choose(set, choice, &token, err) &&
	       token_login(token, pin_ask, NULL, err);
}

bool keys_open(const struct config *config,
	const struct keys_open_options *options, struct log *log,
	struct token_set **out, struct err *err)
{
	const struct config_hsm *hsm = config->hsm;
	size_t count = config->hsm_count;
	struct token_set *set = NULL;
	bool ok = false;

	if (options->hsm != NULL) {
		hsm = config_hsm(config, options->hsm);
		count = 1;
	}
	if (hsm == NULL)
		return err_set(err, ERR_USAGE, "no hsm %s in the configuration",
			options->hsm != NULL ? options->hsm : "at all");
	if (!token_set_open(hsm, count, &set, err))
		return false;
	for (size_t i = 0; i < token_set_count(set); i++) {
		const struct token_info *info = NULL;

		if (!token_info(token_set_token(set, i), &info, err))
			goto done;
		tell_token(log, options->show, info);
	}
	if (options->show)
		log_say(log, "%s", "");
	/* What stands on the screen is in the file before a PIN is tried. */
	if (!log_ok(log, err) ||
		(options->login && !log_in(config, options, log, set, err)))
		goto done;
	*out = set;
	set = NULL;
	ok = true;
done:
	token_set_close(set);
	return ok;
}
