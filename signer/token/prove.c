/* SPDX-License-Identifier: ISC */
/* Does a private half make what the public one verifies? */
#include "signer/token/token.h"

#include "lib/base/buf.h"
#include "lib/crypto/crypto.h"

enum token_proof token_prove(const struct token_key *key, uint8_t algorithm,
	bool hash_in_hsm, struct err *err)
{
	enum token_proof proof = TOKEN_UNPROVEN;
	struct dnskey dnskey = DNSKEY_EMPTY;
	struct buf data = BUF_EMPTY, signature = BUF_EMPTY;

	buf_text(&data, "a signature that proves a pair of keys");
	if (!token_key_dnskey(key, DNSKEY_FLAGS_KSK, algorithm, &dnskey, err) ||
		!token_sign(
			key, algorithm, hash_in_hsm, &data, &signature, err)) {
		/* Nothing was signed. */
	} else if (crypto_verify(NULL, &dnskey, &data, &signature, err)) {
		proof = TOKEN_PROVEN;
	} else {
		proof = TOKEN_OTHER_KEY;
		err->kind = ERR_HSM;
		err->about_key = true;
		err_prefix(err,
			"key %s does not verify its signature: its halves do not belong together",
			key->label);
	}
	dnskey_free(&dnskey);
	buf_free(&signature);
	buf_free(&data);
	return proof;
}
