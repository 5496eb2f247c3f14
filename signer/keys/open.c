/* SPDX-License-Identifier: ISC */
#include "keys/open.h"

#include "token/pin.h"

static void log_token(struct log *log, const struct token_info *info)
{
	log_write(log, LOG_LEVEL_INFO,
		"HSM Information:\n"
		"  Module:          %s\n"
		"  Library:         %s %s, PKCS#11 v%s\n"
		"  Slot:            %lu\n"
		"  Label:           %s\n"
		"  ManufacturerID:  %s\n"
		"  Model:           %s\n"
		"  Serial:          %s\n"
		"  Firmware:        %s",
		info->module, info->library, info->library_version,
		info->cryptoki_version, info->slot, info->label,
		info->manufacturer, info->model, info->serial, info->firmware);
}

bool keys_open(const struct config *config, const char *name, bool login,
	struct log *log, struct token_set **out, struct err *err)
{
	const struct config_hsm *hsm = config->hsm;
	size_t count = config->hsm_count;
	struct token_set *set = NULL;

	if (name != NULL) {
		hsm = config_hsm(config, name);
		count = 1;
	}
	if (hsm == NULL)
		return err_set(err, ERR_USAGE, "no hsm %s in the configuration",
			name != NULL ? name : "at all");
	if (!token_set_open(hsm, count, &set, err))
		return false;
	for (size_t i = 0; i < token_set_count(set); i++) {
		const struct token_info *info = NULL;

		if (!token_info(token_set_token(set, i), &info, err))
			goto fail;
		log_token(log, info);
	}
	if (login && !token_set_login(set, pin_ask, NULL, err))
		goto fail;
	*out = set;
	return true;
fail:
	token_set_close(set);
	return false;
}
