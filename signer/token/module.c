/* SPDX-License-Identifier: ISC */
/* Loading modules, finding their tokens, and the end of it all. */
#include "signer/token/cryptoki.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/cli/waiting.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool module_failed(const struct module *module, const char *function,
	CK_RV rv, struct err *err)
{
	return err_set(err, ERR_HSM, "hsm %s: %s: %s: %s (0x%lx)",
		module->hsm->name, module->hsm->module, function,
		cryptoki_rv_name(rv), rv);
}

static void format_version(char out[8], const CK_VERSION *version)
{
	snprintf(out, 8, "%u.%u", version->major, version->minor);
}

static bool set_environment(const struct config_hsm *hsm, struct err *err)
{
	for (size_t i = 0; i < hsm->env.count; i++)
		if (setenv(hsm->env.variables[i].name,
			    hsm->env.variables[i].value, 1) != 0)
			return err_set(err, ERR_HSM,
				"hsm %s: cannot set %s: %s", hsm->name,
				hsm->env.variables[i].name, strerror(errno));
	return true;
}

/* A list with a hole would be a jump to address 0 in the middle of a run. */
static bool functions_are_there(const CK_FUNCTION_LIST *f)
{
	return f->C_Initialize && f->C_Finalize && f->C_GetInfo &&
	       f->C_GetSlotList && f->C_GetTokenInfo && f->C_GetMechanismInfo &&
	       f->C_InitPIN && f->C_SetPIN && f->C_OpenSession &&
	       f->C_CloseSession && f->C_CloseAllSessions && f->C_Login &&
	       f->C_Logout && f->C_CreateObject && f->C_DestroyObject &&
	       f->C_GetAttributeValue && f->C_FindObjectsInit &&
	       f->C_FindObjects && f->C_FindObjectsFinal && f->C_SignInit &&
	       f->C_Sign && f->C_GenerateKey && f->C_GenerateKeyPair &&
	       f->C_WrapKey && f->C_UnwrapKey;
}

/* dlopen and C_GetFunctionList; nothing of the module has run before. */
static bool load_library(struct module *module, struct err *err)
{
	const struct config_hsm *hsm = module->hsm;
	CK_C_GetFunctionList get_functions = NULL;
	void *symbol;
	CK_RV rv;

	/*
	 * The loader takes a bare name from its own path: that is no path.  It
	 * may be the PIN, with the module where the PIN should be.
	 */
	if (strchr(hsm->module, '/') == NULL)
		return err_set(err, ERR_HSM,
			"hsm %s: hsm.%s.module is not a path, expected one with /",
			hsm->name, hsm->name);
	module->library = dlopen(hsm->module, RTLD_NOW | RTLD_LOCAL);
	if (module->library == NULL)
		return err_set(err, ERR_HSM, "hsm %s: cannot load module: %s",
			hsm->name, dlerror());
	symbol = dlsym(module->library, "C_GetFunctionList");
	if (symbol == NULL)
		return err_set(err, ERR_HSM,
			"hsm %s: %s is not a PKCS#11 module: it has no C_GetFunctionList",
			hsm->name, hsm->module);
	/* POSIX guarantees the conversion that ISO C does not. */
	memcpy(&get_functions, &symbol, sizeof(get_functions));
	rv = get_functions(&module->functions);
	if (rv != CKR_OK)
		return module_failed(module, "C_GetFunctionList", rv, err);
	if (module->functions == NULL || module->functions->version.major < 2 ||
		!functions_are_there(module->functions))
		return err_set(err, ERR_HSM,
			"hsm %s: %s lacks functions of PKCS#11 v2", hsm->name,
			hsm->module);
	return true;
}

/* The module finds its tokens by what was set for it: that is named. */
static bool start_failed(const struct module *module, CK_RV rv, struct err *err)
{
	const struct config_env *env = &module->hsm->env;
	struct buf names = BUF_EMPTY;

	for (size_t i = 0; i < env->count; i++)
		buf_format(&names, "%s%s", i > 0 ? ", " : "",
			env->variables[i].name);
	err_set(err, ERR_HSM,
		"hsm %s: %s: C_Initialize: %s (0x%lx); environment set for it (hsm.%s.env): %s",
		module->hsm->name, module->hsm->module, cryptoki_rv_name(rv),
		rv, module->hsm->name,
		names.len > 0 ? buf_string(&names) : "none");
	buf_free(&names);
	return false;
}

static bool start_module(struct module *module, struct err *err)
{
	CK_INFO info;
	CK_RV rv;

	assert(module->functions != NULL);
	memset(&info, 0, sizeof(info));
	waiting_begin("the module to start");
	rv = module->functions->C_Initialize(NULL);
	waiting_end();
	if (rv != CKR_OK)
		return start_failed(module, rv, err);
	module->initialized = true;
	rv = module->functions->C_GetInfo(&info);
	if (rv != CKR_OK)
		return module_failed(module, "C_GetInfo", rv, err);
	cryptoki_text(module->description, sizeof(module->description),
		info.libraryDescription, sizeof(info.libraryDescription));
	format_version(module->version, &info.libraryVersion);
	format_version(module->cryptoki, &info.cryptokiVersion);
	return true;
}

/* One field, byte by byte and for a person. */
static bool fill_field(struct token_field *out, char shown[TOKEN_SHOWN_MAX],
	const void *field, size_t size, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	cryptoki_raw(out, field, size);
	token_label_show(&text, out->bytes, out->len);
	ok = buf_ok(&text, err);
	if (ok)
		snprintf(shown, TOKEN_SHOWN_MAX, "%s", buf_string(&text));
	buf_free(&text);
	return ok;
}

static bool fill_info(
	struct token *token, const CK_TOKEN_INFO *raw, struct err *err)
{
	const struct module *module = token->module;
	struct token_info *info = &token->info;

	info->hsm = module->hsm->name;
	info->module = module->hsm->module;
	info->slot = token->slot;
	if (!fill_field(&info->raw_label, info->label, raw->label,
		    sizeof(raw->label), err) ||
		!fill_field(&info->raw_serial, info->serial, raw->serialNumber,
			sizeof(raw->serialNumber), err))
		return false;
	cryptoki_text(info->manufacturer, sizeof(info->manufacturer),
		raw->manufacturerID, sizeof(raw->manufacturerID));
	cryptoki_text(info->model, sizeof(info->model), raw->model,
		sizeof(raw->model));
	format_version(info->firmware, &raw->firmwareVersion);
	format_version(info->hardware, &raw->hardwareVersion);
	memcpy(info->library, module->description, sizeof(info->library));
	memcpy(info->library_version, module->version, sizeof(module->version));
	memcpy(info->cryptoki_version, module->cryptoki,
		sizeof(module->cryptoki));
	info->login_required = (raw->flags & CKF_LOGIN_REQUIRED) != 0;
	info->has_pad = (raw->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
	info->pin_low = (raw->flags & CKF_USER_PIN_COUNT_LOW) != 0;
	info->pin_final = (raw->flags & CKF_USER_PIN_FINAL_TRY) != 0;
	info->pin_locked = (raw->flags & CKF_USER_PIN_LOCKED) != 0;
	info->write_protected = (raw->flags & CKF_WRITE_PROTECTED) != 0;
	return true;
}

bool token_refresh(struct token *token, struct err *err)
{
	CK_TOKEN_INFO raw;
	CK_RV rv;

	memset(&raw, 0, sizeof(raw));
	waiting_begin("its token");
	rv = token->module->functions->C_GetTokenInfo(token->slot, &raw);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_GetTokenInfo", rv, err);
	token->flags = raw.flags;
	return fill_info(token, &raw, err);
}

bool token_info(
	struct token *token, const struct token_info **out, struct err *err)
{
	if (!token_refresh(token, err))
		return false;
	*out = &token->info;
	return true;
}

static void token_free(struct token *token)
{
	for (size_t i = 0; i < token->key_count; i++)
		key_free(token->keys[i]);
	free(token->keys);
	secret_free(token->typed);
	free(token);
}

/* text NULL: whatever it is. */
static bool is_field(const struct token_field *field, const char *text)
{
	return text == NULL ||
	       (strlen(text) == field->len &&
		       memcmp(text, field->bytes, field->len) == 0);
}

bool token_is_chosen(
	const struct token_choice *choice, const struct token_info *info)
{
	char slot[24];

	snprintf(slot, sizeof(slot), "%lu", info->slot);
	return is_field(&info->raw_label, choice->label) &&
	       is_field(&info->raw_serial, choice->serial) &&
	       (choice->slot == NULL || strcmp(choice->slot, slot) == 0);
}

/* "labelled A, with serial B, in slot C", as far as they are asked for. */
static void describe_choice(const struct token_choice *choice, struct buf *out)
{
	if (choice->label != NULL)
		buf_format(out, "labelled %s", choice->label);
	if (choice->serial != NULL)
		buf_format(out, "%swith serial %s", out->len > 0 ? ", " : "",
			choice->serial);
	if (choice->slot != NULL)
		buf_format(out, "%sin slot %s", out->len > 0 ? ", " : "",
			choice->slot);
}

/* Which token of the module the configuration means. */
static struct token_choice configured(const struct config_hsm *hsm)
{
	return (struct token_choice){
		.label = hsm->token, .serial = hsm->serial, .slot = hsm->slot};
}

/* Of a module whose tokens are looked at: there is one, and the one. */
static bool check_count(
	const struct module *module, size_t count, struct err *err)
{
	const struct token_choice choice = configured(module->hsm);
	struct buf what = BUF_EMPTY;
	bool ok;

	describe_choice(&choice, &what);
	if (count == 0 && what.len == 0)
		err_set(err, ERR_HSM,
			"hsm %s: no initialised token in any slot of %s",
			module->hsm->name, module->hsm->module);
	else if (count == 0)
		err_set(err, ERR_HSM, "hsm %s: no token is %s, as hsm.%s says",
			module->hsm->name, buf_string(&what),
			module->hsm->name);
	else if (count > 1 && what.len > 0)
		err_set(err, ERR_HSM,
			"hsm %s: %zu tokens are %s: say which with hsm.%s.serial or slot",
			module->hsm->name, count, buf_string(&what),
			module->hsm->name);
	ok = count == 1 || (count > 1 && what.len == 0);
	buf_free(&what);
	return ok;
}

/* An initialised token joins the set, with a session. */
static bool add_token(
	struct token_set *set, struct token *token, struct err *err)
{
	CK_RV rv;

	if (set->token_count == TOKENS_MAX)
		return token_refuse(
			token, err, "more than %d tokens", TOKENS_MAX);
	waiting_begin("a session");
	rv = token->module->functions->C_OpenSession(
		token->slot, CKF_SERIAL_SESSION, NULL, NULL, &token->session);
	waiting_end();
	if (rv != CKR_OK)
		return token_failed(token, "C_OpenSession", rv, err);
	set->tokens[set->token_count++] = token;
	return true;
}

/*
 * Look at one slot; a token that was never initialised is passed over, and so
 * is one that the configuration does not mean.
 */
static bool open_slot(struct token_set *set, struct module *module,
	CK_SLOT_ID slot, struct err *err)
{
	const struct token_choice choice = configured(module->hsm);
	struct token *token = calloc(1, sizeof(*token));
	bool ok;

	if (token == NULL)
		return err_nomem(err);
	token->set = set;
	token->module = module;
	token->slot = slot;
	token->session = CK_INVALID_HANDLE;
	token->rw_session = CK_INVALID_HANDLE;
	ok = token_refresh(token, err);
	if (ok && (token->flags & CKF_TOKEN_INITIALIZED) != 0 &&
		token_is_chosen(&choice, &token->info)) {
		ok = add_token(set, token, err);
		if (ok)
			token = NULL;
	}
	if (token != NULL)
		token_free(token);
	return ok;
}

static int compare_slots(const void *a, const void *b)
{
	CK_SLOT_ID x = *(const CK_SLOT_ID *)a, y = *(const CK_SLOT_ID *)b;

	return (x > y) - (x < y);
}

static bool open_slots(
	struct token_set *set, struct module *module, struct err *err)
{
	CK_SLOT_ID slots[SLOTS_MAX] = {0};
	CK_ULONG count = 0;
	size_t before = set->token_count;
	CK_RV rv;

	/* The call without a list makes a module look for devices anew. */
	waiting_begin("its slots");
	rv = module->functions->C_GetSlotList(CK_TRUE, NULL, &count);
	waiting_end();
	if (rv != CKR_OK)
		return module_failed(module, "C_GetSlotList", rv, err);
	count = SLOTS_MAX;
	rv = module->functions->C_GetSlotList(CK_TRUE, slots, &count);
	if (rv != CKR_OK)
		return module_failed(module, "C_GetSlotList", rv, err);
	if (count > SLOTS_MAX)
		return err_set(err, ERR_HSM,
			"hsm %s: C_GetSlotList: says %lu slots where at most %d were asked for",
			module->hsm->name, count, SLOTS_MAX);
	qsort(slots, count, sizeof(*slots), compare_slots);
	for (size_t i = 0; i < count; i++)
		if (!open_slot(set, module, slots[i], err))
			return false;
	return check_count(module, set->token_count - before, err);
}

static bool open_module(
	struct token_set *set, const struct config_hsm *hsm, struct err *err)
{
	struct module *module = &set->modules[set->module_count++];

	module->hsm = hsm;
	if (!set_environment(hsm, err) || !load_library(module, err))
		return false;
	for (size_t i = 0; i + 1 < set->module_count; i++)
		if (set->modules[i].library == module->library)
			return err_set(err, ERR_HSM,
				"hsm %s: %s is the module of hsm %s as well, and one process can start it once only: choose one with --hsm",
				hsm->name, hsm->module,
				set->modules[i].hsm->name);
	return start_module(module, err) && open_slots(set, module, err);
}

bool token_set_open(const struct config_hsm *hsm, size_t count,
	struct token_set **out, struct err *err)
{
	struct token_set *set = calloc(1, sizeof(*set));
	bool ok = false;

	if (set == NULL)
		return err_nomem(err);
	if (count == 0) {
		err_set(err, ERR_USAGE, "no hsm in the configuration");
		goto done;
	}
	set->modules = calloc(count, sizeof(*set->modules));
	if (set->modules == NULL) {
		err_nomem(err);
		goto done;
	}
	for (size_t i = 0; i < count; i++)
		if (!open_module(set, &hsm[i], err))
			goto done;
	*out = set;
	set = NULL;
	ok = true;
done:
	token_set_close(set);
	return ok;
}

/* Return values are of no use here: the run is over either way. */
static void close_token(struct token *token)
{
	const CK_FUNCTION_LIST *f = token->module->functions;

	waiting_begin("the logout");
	if (token->info.logged_in)
		(void)f->C_Logout(token->session);
	(void)f->C_CloseAllSessions(token->slot);
	waiting_end();
	token_free(token);
}

/*
 * The library stays mapped: modules with threads or exit handlers of their
 * own crash when their code disappears, and the process is about to end.
 */
static void close_module(struct module *module)
{
	if (!module->initialized)
		return;
	waiting_begin("the module to end");
	(void)module->functions->C_Finalize(NULL);
	waiting_end();
}

void token_set_close(struct token_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = set->token_count; i-- > 0;)
		close_token(set->tokens[i]);
	for (size_t i = set->module_count; i-- > 0;)
		close_module(&set->modules[i]);
	free(set->modules);
	free(set);
}

size_t token_set_count(const struct token_set *set)
{
	return set->token_count;
}

size_t token_set_count_of(const struct token_set *set, const char *hsm)
{
	size_t count = 0;

	for (size_t i = 0; i < set->token_count; i++)
		if (strcmp(set->tokens[i]->info.hsm, hsm) == 0)
			count++;
	return count;
}

struct token *token_set_token(const struct token_set *set, size_t i)
{
	return set->tokens[i];
}

bool token_set_choose(const struct token_set *set,
	const struct token_choice *choice, struct token **out, struct err *err)
{
	struct token *found = NULL;
	struct buf what = BUF_EMPTY;
	size_t count = 0;

	for (size_t i = 0; i < set->token_count; i++) {
		if (!token_is_chosen(choice, &set->tokens[i]->info))
			continue;
		found = set->tokens[i];
		count++;
	}
	if (count == 1) {
		*out = found;
		return true;
	}
	describe_choice(choice, &what);
	if (count == 0)
		err_set(err, ERR_HSM, "no token is %s", buf_string(&what));
	else
		err_set(err, ERR_HSM,
			"%zu tokens are %s: say which with --serial or --slot",
			count, buf_string(&what));
	buf_free(&what);
	return false;
}

bool token_rw_session(
	struct token *token, CK_SESSION_HANDLE *out, struct err *err)
{
	CK_RV rv;

	if (token->rw_session == CK_INVALID_HANDLE) {
		waiting_begin("a session");
		rv = token->module->functions->C_OpenSession(token->slot,
			CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			&token->rw_session);
		waiting_end();
		if (rv != CKR_OK) {
			token->rw_session = CK_INVALID_HANDLE;
			return token_failed(token, "C_OpenSession", rv, err);
		}
	}
	*out = token->rw_session;
	return true;
}

bool token_has_mechanism(struct token *token, CK_MECHANISM_TYPE mechanism,
	CK_FLAGS use, struct err *err)
{
	CK_MECHANISM_INFO info;
	CK_RV rv;

	memset(&info, 0, sizeof(info));
	waiting_begin("its mechanisms");
	rv = token->module->functions->C_GetMechanismInfo(
		token->slot, mechanism, &info);
	waiting_end();
	if (rv == CKR_MECHANISM_INVALID ||
		(rv == CKR_OK && (info.flags & use) != use))
		return token_unusable(token, err,
			"the token does not have the mechanism %s (0x%lx)",
			cryptoki_mechanism_name(mechanism), mechanism);
	if (rv != CKR_OK)
		return token_failed(token, "C_GetMechanismInfo", rv, err);
	return true;
}
