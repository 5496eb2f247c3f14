/* SPDX-License-Identifier: ISC */
/*
 * keymaster's commands: each does one thing with the open HSMs of the run and
 * says what it did.  Errors: ERR_USAGE for options that are missing or do not
 * go together, ERR_REFUSED for a no, ERR_HSM, ERR_INPUT and ERR_OUTPUT as
 * everywhere.
 */
#ifndef SIGNER_KEYMASTER_COMMANDS_H
#define SIGNER_KEYMASTER_COMMANDS_H

#include "signer/keymaster/run.h"

typedef bool keys_command(struct keys_run *run, struct err *err);

keys_command keys_inventory; /* every key of every token, and what is missing */
keys_command keys_keygen;    /* make a pair, prove it, say its records */
keys_command keys_keydelete; /* destroy a pair, after a question */
keys_command keys_csr;       /* PKCS#10 of a key, with its DS in the subject */
keys_command keys_transport; /* make or show the key that receives backups */
keys_command keys_backup;    /* wrap a key for a transport key */
keys_command keys_restore;   /* unwrap it in the token of the transport key */
keys_command keys_changepin; /* a new PIN for the user of a token */

/*
 * What of a command's options and files can be judged before an HSM is opened
 * and a PIN is tried; the set of the run is NULL.  The command looks again.
 */
keys_command keys_before_keygen, keys_before_csr, keys_before_transport,
	keys_before_backup, keys_before_restore;

#endif
