/* SPDX-License-Identifier: ISC */
#include "keys/open.h"

#include "base/hex.h"
#include "show/words.h"
#include "token/pin.h"

bool keys_read_config(
	const char *path, struct log *log, struct config **out, struct err *err)
{
	uint8_t hash[CONFIG_SHA256_SIZE];
	struct config *config = NULL;
	struct buf text = BUF_EMPTY;

	if (path == NULL)
		path = CONFIG_FILE_DEFAULT;
	if (!config_read(path, hash, &config, err))
		return false;
	hex_encode(&text, hash, sizeof(hash));
	log_write(log, LOG_LEVEL_INFO, "SHA256 hash of configuration %s: %s",
		path, buf_string(&text));
	buf_clear(&text);
	words_write(&text, hash, sizeof(hash), 0);
	log_write(log, LOG_LEVEL_INFO, ">> %s <<", buf_string(&text));
	buf_free(&text);
	*out = config;
	return true;
}

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

static void log_token(struct log *log, const struct token_info *info)
{
	const enum log_level level = LOG_LEVEL_INFO;

	log_write(log, level, "HSM Information:");
	log_write(log, level, "  Module:          %s", info->module);
	log_write(log, level, "  Library:         %s %s, PKCS#11 v%s",
		info->library, info->library_version, info->cryptoki_version);
	log_write(log, level, "  Slot:            %lu", info->slot);
	log_write(log, level, "  Label:           %s", info->label);
	log_write(log, level, "  ManufacturerID:  %s", info->manufacturer);
	log_write(log, level, "  Model:           %s", info->model);
	log_write(log, level, "  Serial:          %s", info->serial);
	log_write(log, level, "  Firmware:        %s", info->firmware);
	log_write(log, LOG_LEVEL_DEBUG,
		"  Hardware %s, login %s, write-protected %s, wrong PIN before "
		"%s, last try %s, locked %s",
		info->hardware, yes_no(info->login_required),
		yes_no(info->write_protected), yes_no(info->pin_low),
		yes_no(info->pin_final), yes_no(info->pin_locked));
}

bool keys_open(const struct config *config, const char *name, bool login,
	struct log *log, struct token_set **out, struct err *err)
{
	const struct config_hsm *hsm = config->hsm;
	size_t count = config->hsm_count;
	struct token_set *set = NULL;
	bool ok = false;

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
			goto done;
		log_token(log, info);
	}
	if (login && !token_set_login(set, pin_ask, NULL, err))
		goto done;
	*out = set;
	set = NULL;
	ok = true;
done:
	token_set_close(set);
	return ok;
}
