/* SPDX-License-Identifier: ISC */
#include "signer/token/open.h"

#include "signer/token/pin.h"

#include <stdio.h>

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

static bool log_in(struct token_set *set, const struct token_choice *choice,
	struct err *err)
{
	struct token *token;

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
		(options->login && !log_in(set, &options->token, err)))
		goto done;
	*out = set;
	set = NULL;
	ok = true;
done:
	token_set_close(set);
	return ok;
}
