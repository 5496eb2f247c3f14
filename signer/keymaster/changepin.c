/* SPDX-License-Identifier: ISC */
/* A new PIN; typed, for a PIN in a file would not be one for long. */
#include "signer/keymaster/commands.h"

#include "signer/token/pin.h"

/*
 * The present PIN: the configuration's, or typed.  The last try is for a
 * person, who is told: a PIN that stands in a file may be an old one.
 */
static bool present_pin(const struct secret *configured,
	const struct token_info *info, enum token_user user,
	struct secret **out, struct err *err)
{
	if (configured != NULL && (user == TOKEN_SO || !info->pin_final))
		return secret_copy(
			configured->bytes, configured->length, out, err);
	return pin_ask(NULL, info, user, out, err);
}

/* Both PINs from a person; where the token has a pad it asks, not we. */
static bool ask_pins(struct keys_run *run, const struct token_info *info,
	struct secret **present, struct secret **next, struct err *err)
{
	const struct config_hsm *hsm = config_hsm(run->config, info->hsm);
	bool officer = run->options->officer;

	if (info->has_pad) {
		log_say(run->log,
			"token %s asks for the %s and for the new PIN itself: type them there",
			info->label,
			officer ? "security officer's PIN" : "present PIN");
		return true;
	}
	return present_pin(officer ? hsm->so_pin : hsm->pin, info,
		       officer ? TOKEN_SO : TOKEN_USER, present, err) &&
	       pin_ask_new(info, next, err);
}

bool keys_changepin(struct keys_run *run, struct err *err)
{
	const struct token_info *info = NULL;
	struct secret *present = NULL, *next = NULL;
	struct token *token;
	bool is_old, ok = false;

	if (!keys_token(run, &token, err) || !token_info(token, &info, err))
		return false;
	if (!ask_pins(run, info, &present, &next, err) ||
		!log_ok(run->log, err))
		goto done;
	is_old = !info->has_pad &&
		 config_hsm(run->config, info->hsm)->pin != NULL;
	ok = run->options->officer
		     ? token_reset_pin(token, present, next, err)
		     : token_change_pin(token, present, next, err);
	if (ok)
		log_say(run->log, "the PIN of token %s is changed%s",
			info->label,
			is_old ? "; the configuration has the old one" : "");
done:
	secret_free(present);
	secret_free(next);
	return ok && keys_told(run, "the PIN is changed", err);
}
