/* SPDX-License-Identifier: ISC */
/* Asking for PINs on the terminal, without echo. */
#ifndef SIGNER_TOKEN_PIN_H
#define SIGNER_TOKEN_PIN_H

#include "signer/token/token.h"

/*
 * A token_ask_pin (context is not used): names the token and, where it is so,
 * warns that this is the last try, then reads one line from the controlling
 * terminal (/dev/tty), never from standard input.
 *
 * ERR_USAGE without a terminal, ERR_REFUSED for an empty line, one over
 * SECRET_MAX, end of file, or a signal (call stop_catch() before, so that the
 * echo comes back on all paths).
 */
bool pin_ask(void *context, const struct token_info *info, enum token_user user,
	struct secret **pin, struct err *err);

/*
 * A new PIN for the token, typed twice.  ERR_REFUSED where the two differ;
 * else as above.
 */
bool pin_ask_new(
	const struct token_info *info, struct secret **pin, struct err *err);

#endif
