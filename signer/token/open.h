/* SPDX-License-Identifier: ISC */
/* Opening the HSMs of a configuration, as every program with keys does. */
#ifndef SIGNER_TOKEN_OPEN_H
#define SIGNER_TOKEN_OPEN_H

#include "lib/cli/log.h"
#include "lib/config/config.h"
#include "signer/token/token.h"

/* Is a key of this label looked for? */
typedef bool keys_wanted(const void *context, const char *label);

struct keys_open_options {
	const char *hsm; /* its name in the configuration; NULL: all */
	struct token_choice
		token; /* log in to this one only, if one is named */
	bool login;
	/* Of several tokens of one module log in to those only that show,
	 * before it, a key with the label of a configured one, or that also()
	 * wants. */
	bool by_label;
	keys_wanted *also; /* NULL: none */
	const void *context;
	bool show; /* what the tokens are: on the screen, too, not the log alone
		    */
};

/*
 * Open the HSMs, say what their tokens are, and log in (which tokens are passed
 * over is said); a PIN that is not
 * configured is asked on the terminal.  ERR_USAGE for an unknown name.  On
 * success *out is new and the caller closes it.
 */
bool keys_open(const struct config *config,
	const struct keys_open_options *options, struct log *log,
	struct token_set **out, struct err *err);

#endif
