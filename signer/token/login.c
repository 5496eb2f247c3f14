/* SPDX-License-Identifier: ISC */
/* PINs: one attempt at a time, and none that could lock the token unseen. */
#include "signer/token/cryptoki.h"

#include "lib/cli/waiting.h"

/* May a PIN be tried at all?  A person was told of the last try, or not. */
static bool check_tries(const struct token *token, bool typed, struct err *err)
{
	if ((token->flags & CKF_USER_PIN_INITIALIZED) == 0)
		return token_refuse(
			token, err, "the token has no user PIN yet");
	if ((token->flags & CKF_USER_PIN_LOCKED) != 0)
		return token_refuse(token, err,
			"the PIN is locked: the security officer must set a new one");
	if ((token->flags & CKF_USER_PIN_FINAL_TRY) != 0 && !typed)
		return token_refuse(token, err,
			"one try is left for the PIN: the configured PIN is not tried, leave it out to type it");
	return true;
}

/* After a wrong PIN: what the next one would do. */
static bool refuse_pin(struct token *token, const char *function,
	CK_USER_TYPE user, CK_RV rv, struct err *err)
{
	bool officer = user == CKU_SO;
	struct err ignored = ERR_EMPTY;
	const char *hint = "";

	if (token_refresh(token, &ignored)) {
		if ((token->flags & (officer ? CKF_SO_PIN_LOCKED
					     : CKF_USER_PIN_LOCKED)) != 0)
			hint = "; the PIN is locked now";
		else if ((token->flags & (officer ? CKF_SO_PIN_FINAL_TRY
						  : CKF_USER_PIN_FINAL_TRY)) !=
			 0)
			hint = "; one try is left";
	}
	return token_refuse(token, err, "%s: %s (0x%lx)%s", function,
		cryptoki_rv_name(rv), rv, hint);
}

/* PKCS#11 takes what it only reads without const. */
static CK_UTF8CHAR *pin_bytes(const struct secret *pin)
{
	return pin != NULL ? (CK_UTF8CHAR *)pin->bytes : NULL;
}

static CK_ULONG pin_length(const struct secret *pin)
{
	return pin != NULL ? pin->length : 0;
}

static bool try_pin(
	struct token *token, const struct secret *pin, struct err *err)
{
	CK_RV rv;

	waiting_begin("the login");
	rv = token->module->functions->C_Login(
		token->session, CKU_USER, pin_bytes(pin), pin_length(pin));
	waiting_end();
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
		return refuse_pin(token, "C_Login", CKU_USER, rv, err);
	token->info.logged_in = true;
	return true;
}

bool token_login(
	struct token *token, token_ask_pin *ask, void *context, struct err *err)
{
	const struct secret *configured = token->module->hsm->pin;
	struct secret *typed = NULL;
	bool has_pad, ok;

	token->set->ask = ask;
	token->set->ask_context = context;
	if (token->info.logged_in)
		return true;
	if (!token_refresh(token, err))
		return false;
	/* With a PIN pad or cards the token asks, not we. */
	has_pad = (token->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
	if (!check_tries(token, has_pad || configured == NULL, err))
		return false;
	if (has_pad)
		return try_pin(token, NULL, err);
	if (configured != NULL)
		return try_pin(token, configured, err);
	if (ask == NULL)
		return token_refuse(token, err,
			"no PIN is configured and none can be asked");
	if (!ask(context, &token->info, TOKEN_USER, &typed, err))
		return false;
	ok = try_pin(token, typed, err);
	if (ok) {
		secret_free(token->typed);
		token->typed = typed;
	} else {
		secret_free(typed);
	}
	return ok;
}

bool token_context_pin(struct token *token, struct err *err)
{
	struct token_set *set = token->set;

	if ((token->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0 ||
		token->module->hsm->pin != NULL || token->typed != NULL)
		return true;
	if (set->ask == NULL)
		return token_unusable(token, err,
			"the key wants the PIN with each signature: none is configured and none can be asked");
	return set->ask(
		set->ask_context, &token->info, TOKEN_USER, &token->typed, err);
}

bool token_context_login(
	struct token *token, CK_SESSION_HANDLE session, struct err *err)
{
	const struct secret *pin = token->module->hsm->pin;
	bool has_pad = (token->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
	CK_RV rv;

	if (!token_refresh(token, err) ||
		!check_tries(token, has_pad || pin == NULL, err))
		return false;
	if (has_pad)
		pin = NULL;
	else if (pin == NULL)
		pin = token->typed;
	waiting_begin("the login");
	rv = token->module->functions->C_Login(
		session, CKU_CONTEXT_SPECIFIC, pin_bytes(pin), pin_length(pin));
	waiting_end();
	if (rv == CKR_OK)
		return true;
	refuse_pin(token, "C_Login", CKU_USER, rv, err);
	/* There is no such login, whatever the PIN: the key cannot sign. */
	err->about_key = rv == CKR_USER_TYPE_INVALID ||
			 rv == CKR_OPERATION_NOT_INITIALIZED;
	return false;
}

bool token_set_login(struct token_set *set, token_ask_pin *ask, void *context,
	struct err *err)
{
	set->ask = ask;
	set->ask_context = context;
	for (size_t i = 0; i < set->token_count; i++) {
		struct token *token = set->tokens[i];

		if (token->info.login_required &&
			!token_login(token, ask, context, err))
			return false;
	}
	return true;
}

bool token_change_pin(struct token *token, const struct secret *old_pin,
	const struct secret *new_pin, struct err *err)
{
	CK_SESSION_HANDLE session;
	CK_RV rv;

	if (!token_refresh(token, err) || !check_tries(token, true, err) ||
		!token_rw_session(token, &session, err))
		return false;
	waiting_begin("the new PIN");
	rv = token->module->functions->C_SetPIN(session, pin_bytes(old_pin),
		pin_length(old_pin), pin_bytes(new_pin), pin_length(new_pin));
	waiting_end();
	return rv == CKR_OK || refuse_pin(token, "C_SetPIN", CKU_USER, rv, err);
}

bool token_reset_pin(struct token *token, const struct secret *so_pin,
	const struct secret *new_pin, struct err *err)
{
	const CK_FUNCTION_LIST *f = token->module->functions;
	CK_SESSION_HANDLE session;
	CK_RV rv;

	if (!token_refresh(token, err))
		return false;
	if ((token->flags & (CKF_SO_PIN_LOCKED | CKF_SO_PIN_FINAL_TRY)) != 0)
		return token_refuse(token, err,
			"the security officer's PIN is locked, or one try is left: a wrong one would make the token useless");
	/* The security officer does not log in beside a read-only session. */
	(void)f->C_CloseAllSessions(token->slot);
	token->session = CK_INVALID_HANDLE;
	token->rw_session = CK_INVALID_HANDLE;
	if (!token_rw_session(token, &session, err))
		return false;
	waiting_begin("the login");
	rv = f->C_Login(session, CKU_SO, pin_bytes(so_pin), pin_length(so_pin));
	waiting_end();
	if (rv != CKR_OK)
		return refuse_pin(
			token, "C_Login as security officer", CKU_SO, rv, err);
	waiting_begin("the new PIN");
	rv = f->C_InitPIN(session, pin_bytes(new_pin), pin_length(new_pin));
	waiting_end();
	(void)f->C_Logout(session);
	if (rv != CKR_OK)
		return token_failed(token, "C_InitPIN", rv, err);
	return true;
}
