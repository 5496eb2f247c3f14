/* SPDX-License-Identifier: ISC */
/*
 * HSMs: the only door to PKCS#11 (v2.40).
 *
 * A token_set holds every module that the configuration names, loaded with
 * dlopen and initialised; in it stands one struct token for each initialised
 * token in a slot, in the order of the configuration, then of slot numbers.
 * Keys are found by label (CKA_LABEL) across all of them.
 *
 * A module is believed in nothing that can hurt: lengths it reports are
 * capped, strings are copied by their fixed sizes and not by a NUL, a result
 * that does not have exactly the size its kind of key demands is refused.  A
 * signature is not verified here: the caller does that with the crypto
 * module, before anyone sees it.
 *
 * Every failure is ERR_HSM, but where a comment says otherwise.  Messages
 * name the module (its name in the configuration), the slot, the function
 * and the return value by its PKCS#11 name (CKR_PIN_INCORRECT).
 *
 * Not thread-safe, and a set must not be used after fork.
 */
#ifndef SIGNER_TOKEN_TOKEN_H
#define SIGNER_TOKEN_TOKEN_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/secret.h"
#include "lib/config/config.h"
#include "lib/dns/dnskey.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct token_set;
struct token;

#define TOKEN_FIELD_MAX 32
#define TOKEN_SHOWN_MAX (4 * TOKEN_FIELD_MAX + 1)

/* What PKCS#11 pads, byte by byte, without blanks and NULs at its end. */
struct token_field {
	uint8_t bytes[TOKEN_FIELD_MAX];
	size_t len;
};

/*
 * What a token says about itself, for the log.  Strings have trailing blanks
 * and NULs removed and anything but printable ASCII replaced by '?'; what a
 * token is chosen by is as token_label_show has it, so that no two look alike.
 */
struct token_info {
	const char *hsm;    /* name of the module in the configuration */
	const char *module; /* its path */
	unsigned long slot;
	char label[TOKEN_SHOWN_MAX]; /* as token_label_show has it */
	struct token_field raw_label;
	char manufacturer[33];
	char model[17];
	char serial[TOKEN_SHOWN_MAX]; /* as token_label_show has it */
	struct token_field raw_serial;
	char firmware[8]; /* "major.minor" */
	char hardware[8];
	char library[33]; /* the module's own description */
	char library_version[8];
	char cryptoki_version[8];
	bool login_required;
	bool has_pad;    /* PINs are typed at the token, not here */
	bool logged_in;  /* by this process */
	bool pin_low;    /* a wrong PIN was tried since the last login */
	bool pin_final;  /* one try is left */
	bool pin_locked; /* none is left */
	bool write_protected;
};

enum token_user {
	TOKEN_USER,
	TOKEN_SO,
};

/*
 * Ask a person for the PIN of one token.  On success *pin is new and the
 * token module frees it.  info says whether this is the last try.
 */
typedef bool token_ask_pin(void *context, const struct token_info *info,
	enum token_user user, struct secret **pin, struct err *err);

/*
 * Load and initialise count modules.  The environment of hsm[i] is set just
 * before its module is loaded.  Two entries that name one module (the same
 * file, even under two paths) are refused: a module is initialised once in a
 * process.  A module without any initialised token is an error.  Where hsm[i]
 * states a token, the others of its module are passed over before a session is
 * opened; that none or several are the one is an error.  hsm must outlive the
 * set.
 * On success *out is new and the caller closes it.
 */
bool token_set_open(const struct config_hsm *hsm, size_t count,
	struct token_set **out, struct err *err);

/*
 * Log out, close every session, finalise and unload every module; frees all
 * tokens and keys of the set.  NULL is allowed.  Never fails: there is nothing
 * left to do about a module that does not want to end.
 */
void token_set_close(struct token_set *set);

/* Number of tokens, of all or of one HSM; the token at place i (borrowed). */
size_t token_set_count(const struct token_set *set);
size_t token_set_count_of(const struct token_set *set, const char *hsm);
struct token *token_set_token(const struct token_set *set, size_t i);

/*
 * Which token is meant; what is NULL is not asked for.  Labels and serials are
 * compared byte by byte, blanks and NULs at the end aside.
 */
struct token_choice {
	const char *label;
	const char *serial;
	const char *slot; /* a number */
};

bool token_is_chosen(
	const struct token_choice *choice, const struct token_info *info);

/* The one token that is chosen; err where none or several are. */
bool token_set_choose(const struct token_set *set,
	const struct token_choice *choice, struct token **out, struct err *err);

/*
 * Read the token's information anew (flags change with each try) and return
 * it, borrowed, valid until the next call for this token.
 */
bool token_info(
	struct token *token, const struct token_info **out, struct err *err);

/*
 * Log in as the user, on one token or on all that require it.  The PIN is the
 * configuration's, else ask's answer; ask may be NULL where no one can be
 * asked.  At most one attempt is made in a call.  A locked PIN is never
 * tried; on the final try a configured PIN is not tried, only one typed by a
 * person who was told.  Already being logged in is success.
 */
bool token_login(struct token *token, token_ask_pin *ask, void *context,
	struct err *err);
bool token_set_login(struct token_set *set, token_ask_pin *ask, void *context,
	struct err *err);

enum token_key_type {
	TOKEN_RSA,
	TOKEN_P256,
	TOKEN_P384,
	TOKEN_ED25519,
	TOKEN_ED448,
	TOKEN_MLDSA44, /* in an experiment alone (lib/base/experiment.h) */
};

/* A key pair in a token; owned by its token, valid until the set is closed. */
struct token_key {
	struct token *token;
	char *label; /* as token_label_show has it */
	enum token_key_type type;
	uint32_t bits;         /* of the modulus, or the curve's */
	uint32_t exponent;     /* RSA only */
	struct buf public_key; /* as in a DNSKEY: RFC 3110, 6605, 8080,
				  or behind its identifier */
	bool has_public;       /* there is an object of the public half */
	bool has_private;      /* the token can sign with it */
	bool extractable;      /* a wrapped copy may leave the token */
};

/*
 * Find the key with this label in all tokens.  No such object: true, and *out
 * is NULL.  The public key comes from the public key object, or from the
 * private one where the token keeps no public object.
 * Refused (about_key is set: the token works, the key is not to be used): two
 * objects of one class with this label in one slot; a public and
 * a private object that are of different kinds or keys; a point
 * that is not on its curve; different keys with this
 * label in two slots (the same key in two slots is one key, and the first
 * slot that has its private half signs); a kind of key that DNSSEC does not
 * know; a modulus over 4096 bits; an exponent of 0 or over 32 bits.
 */
bool token_set_find(struct token_set *set, const char *label,
	const struct token_key **out, struct err *err);

/* The same in one token. */
bool token_find(struct token *token, const char *label,
	const struct token_key **out, struct err *err);

/*
 * Every label that a key object in the token has, byte by byte (a NUL is a
 * byte as any other), sorted, each once.  The caller frees labels with
 * token_labels_free.  Objects without a label are counted in *unlabelled.
 */
struct token_labels {
	struct buf *list;
	size_t count;
};

bool token_labels(struct token *token, struct token_labels *labels,
	size_t *unlabelled, struct err *err);
void token_labels_free(struct token_labels *labels);

/*
 * Append a label for a person: printable ASCII as it is, every other byte,
 * and a blank at either end, as <hex>.
 */
void token_label_show(struct buf *out, const void *label, size_t len);

/* Find a key by a label of any bytes; otherwise as token_find. */
bool token_find_bytes(struct token *token, const void *label, size_t len,
	const struct token_key **out, struct err *err);

/*
 * Can the key sign with this algorithm, as far as can be known without a
 * signature?  It has a private half, which may sign and shows no other public
 * key; the token has the mechanism and takes the key for it; and where it
 * wants the PIN with each signature, the PIN is at hand (a person is asked
 * now) and, where no signature follows that would show it, the token takes it
 * (at a PIN pad it is typed once more).  *proven is false where only a
 * signature can show that the halves belong together.  Errors: about_key is
 * set where it cannot, and is not where the token fails.
 */
bool token_can_sign(const struct token_key *key, uint8_t algorithm,
	bool hash_in_hsm, bool *proven, struct err *err);

/*
 * The DNSKEY record of a key with these flags and this algorithm.  ERR_HSM
 * where the key is not of the algorithm's kind.  Fills *out, which the caller
 * releases as any struct dnskey.
 */
bool token_key_dnskey(const struct token_key *key, uint16_t flags,
	uint8_t algorithm, struct dnskey *out, struct err *err);

/*
 * Sign data with the DNSSEC algorithm (RFC 5702, 6605, 8080).
 * hash_in_hsm: the token makes the digest as well (CKM_SHA256_RSA_PKCS,
 * CKM_ECDSA_SHA256 and so on); otherwise it is made here and the token gets
 * the DigestInfo or the bare digest (CKM_RSA_PKCS, CKM_ECDSA).  Edwards
 * curves and ML-DSA hash inside in any case (CKM_EDDSA, CKM_ML_DSA).
 * Appends exactly the bytes of an RRSIG's signature field.  A mechanism that
 * the token does not have is refused by its name before anything is tried.
 */
bool token_sign(const struct token_key *key, uint8_t algorithm,
	bool hash_in_hsm, const struct buf *data, struct buf *signature,
	struct err *err);

enum token_proof {
	TOKEN_UNPROVEN,  /* no signature came out */
	TOKEN_OTHER_KEY, /* one that the public half does not verify */
	TOKEN_PROVEN,
};

/*
 * Sign a fixed text as token_sign() does and verify it in software.  Whatever
 * is not TOKEN_PROVEN is an error as well: that of the signing, or ERR_HSM,
 * about the key.
 */
enum token_proof token_prove(const struct token_key *key, uint8_t algorithm,
	bool hash_in_hsm, struct err *err);

/*
 * The kind of key that a DNSSEC algorithm wants; false with ERR_USAGE where
 * it is none of the supported.
 */
bool token_key_type(
	uint8_t algorithm, enum token_key_type *out, struct err *err);

/* "RSA", "P-256", "P-384", "Ed25519", "Ed448", "ML-DSA-44". */
const char *token_key_type_name(enum token_key_type type);

/* Can a key of this type have so many bits?  Asked of RSA only; ERR_USAGE. */
bool token_check_bits(enum token_key_type type, uint32_t bits, struct err *err);

/* The public exponent of every RSA key that is made. */
#define TOKEN_EXPONENT 65537U

/*
 * Make a key pair on the token (not exportable, but where extractable says
 * so).  bits is for RSA only: 2048, 3072 or 4096.  A label
 * that is in use in this token is refused.  On success *out is borrowed.
 */
bool token_generate(struct token *token, const char *label,
	enum token_key_type type, uint32_t bits, bool extractable,
	const struct token_key **out, struct err *err);

/*
 * Backup and restore: a key leaves its token only wrapped for one other token.
 *
 * The token that is to receive has a transport key, an RSA pair of
 * TOKEN_TRANSPORT_BITS that can do nothing but unwrap and whose private half
 * never leaves.  The giving token makes an AES-256 key, wraps the signing key
 * with it (CKM_AES_KEY_WRAP_PAD, RFC 5649) and the AES key with the transport
 * key's public half (CKM_RSA_PKCS_OAEP with SHA-1, the only digest that all
 * tokens have; OAEP does not lean on its collision resistance).  Neither is
 * ever outside a token in the clear.  Whose transport key it is, people must
 * compare: the programs show its hash.
 */
#define TOKEN_TRANSPORT_BITS 3072U

struct token_wrapped {
	struct buf secret; /* the AES key, for the transport key */
	struct buf key;    /* the private key, PKCS#8, under the AES key */
};

void token_wrapped_free(struct token_wrapped *wrapped);

/* Make a transport key; its label must be free.  *out is borrowed. */
bool token_generate_transport(struct token *token, const char *label,
	const struct token_key **out, struct err *err);

/*
 * Is key, found by its label, such a key: RSA of TOKEN_TRANSPORT_BITS or more,
 * made in its token, able to unwrap and to do nothing else, and from its making
 * on neither readable nor extractable;
 * and does its public half, which anybody may have put there, belong to the
 * private one?  ERR_HSM where not.
 */
bool token_check_transport(const struct token_key *key, struct err *err);

/*
 * Wrap key, which must be extractable, for the holder of transport: an RSA
 * public key as in a DNSKEY.  Fills *out, which the caller frees.
 */
bool token_wrap(const struct token_key *key, const struct dnskey *transport,
	struct token_wrapped *out, struct err *err);

/*
 * Unwrap a key under the free label of like into the token that holds
 * transport, and add the public half.  like says type and public key (bits,
 * exponent, has_public, has_private and token are not looked at); extractable
 * whether the copy can be backed up in turn.  The caller proves the pair with a
 * signature. On success *out is borrowed.
 */
bool token_unwrap(const struct token_key *transport,
	const struct token_wrapped *wrapped, const struct token_key *like,
	bool extractable, const struct token_key **out, struct err *err);

/*
 * Destroy both halves of a key, and see that no object of it is left in the
 * token.  key is gone after this, failed or not.  Errors: ERR_HSM.
 */
bool token_destroy(const struct token_key *key, struct err *err);

/*
 * Destroy a key that was just made and is not good; err is filled and says
 * why.  Then it says, too, that the key is destroyed again, or that it could
 * not be and may be in the token (ERR_HSM).  key is gone; always false.
 */
bool token_take_back(const struct token_key *key, struct err *err);

/*
 * What a key is known by when it has gone: kind, public key, and the CKA_ID of
 * its halves.  On success *out is new; the caller frees it (NULL is fine).
 */
struct token_trace;

bool token_trace_new(
	const struct token_key *key, struct token_trace **out, struct err *err);
void token_trace_free(struct token_trace *trace);

/* The halves of a key that one label has in a token. */
struct token_copy {
	char *label; /* as token_label_show has it; "": none */
	bool has_public, has_private;
};

struct token_copies {
	struct token_copy *list;
	size_t count;
};

/*
 * All halves of the key in the token, whatever their labels are; those of but
 * (which may be NULL) aside.  Public keys are compared.  A private object that
 * shows none makes a signature; where it makes none, or wants the PIN for it,
 * its CKA_ID is compared.  Fills *out, which the caller frees.
 */
bool token_copies(struct token *token, const struct token_trace *trace,
	const struct token_key *but, struct token_copies *out, struct err *err);
void token_copies_free(struct token_copies *copies);

/*
 * Change the user's PIN (no login is needed), or give the user a new
 * one as security officer with so_pin (a locked PIN is opened so; the token
 * must not be logged in, and is of no other use to this process afterwards).
 * With a pad the token asks, and both PINs are NULL.
 */
bool token_change_pin(struct token *token, const struct secret *old_pin,
	const struct secret *new_pin, struct err *err);
bool token_reset_pin(struct token *token, const struct secret *so_pin,
	const struct secret *new_pin, struct err *err);

#endif
