/* SPDX-License-Identifier: ISC */
#include "signer/ksrgen/request.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/dns/algorithm.h"
#include "lib/dns/name.h"
#include "lib/hash/sha256.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4034 §3.1.5: times in an RRSIG are 32 bits. */
#define DNS_TIME_MAX INT64_C(4294967295)

/* What all bundles share. */
struct making {
	const struct request_settings *settings;
	const struct zsk_set *keys;
	struct crypto_cache *cache;
	uint8_t labels;
	struct err *err;
};

/*
 * A UUID of version 8 (RFC 9562 §5.8) from everything that makes this
 * request this one, and a number that is another for each id in it.
 */
static char *derive_id(const struct making *m, size_t number)
{
	const struct request_settings *s = m->settings;
	uint8_t h[SHA256_LEN];
	struct buf text = BUF_EMPTY;
	char *id = NULL;

	buf_format(&text,
		"%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %zu %zu\n",
		s->domain, s->serial, s->start, s->interval, s->validity,
		s->bundles, number);
	/* Where the keys change as at the root, ids are what they always were.
	 */
	if (s->retire_until != 1 || s->next_from != s->bundles)
		buf_format(&text, "%zu %zu\n", s->retire_until, s->next_from);
	for (size_t i = 0; i < m->keys->count; i++)
		dnskey_rdata(&m->keys->keys[i].dnskey, &text);
	if (!buf_ok(&text, m->err) ||
		!sha256_of(text.data, text.len, h, m->err))
		goto done;
	h[6] = (uint8_t)(0x80 | (h[6] & 0x0f));
	h[8] = (uint8_t)(0x80 | (h[8] & 0x3f));
	buf_clear(&text);
	for (size_t i = 0; i < 16; i++)
		buf_format(&text, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", h[i]);
	if (buf_ok(&text, m->err))
		id = text_copy(buf_string(&text), m->err);
done:
	buf_free(&text);
	return id;
}

static bool is_in(const struct making *m, const struct zsk *zsk, size_t bundle)
{
	return zsk->role == ZSK_CURRENT ||
	       (zsk->role == ZSK_RETIRING &&
		       bundle < m->settings->retire_until) ||
	       (zsk->role == ZSK_NEXT && bundle + 1 >= m->settings->next_from);
}

static bool add_key(
	const struct making *m, const struct zsk *zsk, struct ksr_bundle *out)
{
	struct ksr_key *key =
		array_grow(&out->keys, &out->key_count, sizeof(*key), m->err);

	if (key == NULL)
		return false;
	key->ttl = m->settings->ttl;
	key->tag = dnskey_tag(&zsk->dnskey);
	key->identifier = text_copy(zsk->name, m->err);
	return key->identifier != NULL &&
	       dnskey_copy(&zsk->dnskey, &key->dnskey, m->err);
}

/* When all keys are there: the signature covers them. */
static bool add_signature(
	const struct making *m, const struct zsk *zsk, struct ksr_bundle *out)
{
	struct ksr_signature *sig = array_grow(
		&out->signatures, &out->signature_count, sizeof(*sig), m->err);
	struct buf data = BUF_EMPTY;
	bool ok = false;

	if (sig == NULL)
		return false;
	sig->ttl = m->settings->ttl;
	sig->algorithm = zsk->dnskey.algorithm;
	sig->labels = m->labels;
	sig->original_ttl = m->settings->ttl;
	sig->expiration = out->expiration;
	sig->inception = out->inception;
	sig->key_tag = dnskey_tag(&zsk->dnskey);
	sig->identifier = text_copy(zsk->name, m->err);
	sig->type_covered = text_copy("DNSKEY", m->err);
	sig->signers_name = text_copy(m->settings->domain, m->err);
	if (sig->identifier != NULL && sig->type_covered != NULL &&
		sig->signers_name != NULL)
		ok = ksr_signed_data(
			     out, sig, m->settings->domain, &data, m->err) &&
		     crypto_key_sign(
			     zsk->key, &data, &sig->signature, m->err) &&
		     crypto_verify(m->cache, &zsk->dnskey, &data,
			     &sig->signature, m->err);
	buf_free(&data);
	return ok;
}

static bool make_bundle(
	const struct making *m, size_t number, struct ksr_bundle *out)
{
	const struct zsk_set *keys = m->keys;

	out->inception =
		m->settings->start + (int64_t)number * m->settings->interval;
	out->expiration = out->inception + m->settings->validity;
	out->id = derive_id(m, number + 1);
	if (out->id == NULL)
		return false;
	for (size_t i = 0; i < keys->count; i++)
		if (is_in(m, &keys->keys[i], number) &&
			!add_key(m, &keys->keys[i], out))
			return false;
	for (size_t i = 0; i < keys->count; i++)
		if (is_in(m, &keys->keys[i], number) &&
			!add_signature(m, &keys->keys[i], out))
			return false;
	return true;
}

/* One entry for each kind of key, in order. */
static bool state_policy(const struct making *m, struct ksr_policy *out)
{
	*out = m->settings->policy;
	out->algorithms = NULL;
	out->algorithm_count = 0;
	for (size_t i = 0; i < m->keys->count; i++)
		if (!ksr_policy_add(out, &m->keys->keys[i].dnskey, m->err))
			return false;
	return true;
}

static bool make(const struct making *m, struct ksr *out)
{
	const struct request_settings *s = m->settings;

	out->kind = KSR_REQUEST;
	out->serial = s->serial;
	out->id = s->id != NULL ? text_copy(s->id, m->err) : derive_id(m, 0);
	out->domain = text_copy(s->domain, m->err);
	if (out->id == NULL || out->domain == NULL ||
		!state_policy(m, &out->zsk))
		return false;
	for (size_t i = 0; i < s->bundles; i++) {
		struct ksr_bundle *bundle = array_grow(&out->bundles,
			&out->bundle_count, sizeof(*bundle), m->err);

		if (bundle == NULL || !make_bundle(m, i, bundle))
			return false;
	}
	return ksr_sort(out, m->err);
}

bool request_check(const struct request_settings *s, struct err *err)
{
	uint8_t labels;

	if (s->bundles < 1 || s->bundles > REQUEST_BUNDLES_MAX)
		return err_set(err, ERR_USAGE, "%zu bundles, expected 1 to %d",
			s->bundles, REQUEST_BUNDLES_MAX);
	if (s->interval < 1 || s->validity < 1)
		return err_set(err, ERR_USAGE,
			"interval and validity are a second or longer");
	if (s->retire_until < 1 || s->retire_until > s->bundles ||
		s->next_from < 1 || s->next_from > s->bundles)
		return err_set(err, ERR_USAGE,
			"keys retire and come in bundles 1 to %zu", s->bundles);
	if (s->id != NULL && !text_is_name(s->id, strlen(s->id)))
		return err_set(err, ERR_USAGE,
			"--id: expected 1 to %d characters of printable ASCII, no blank at either end and no two together",
			TEXT_NAME_MAX);
	if (!name_labels(s->domain, &labels, err)) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "the domain");
	}
	/* Each term is bounded, so that the sum cannot overflow. */
	if (s->start > DNS_TIME_MAX || s->interval > DNS_TIME_MAX ||
		s->validity > DNS_TIME_MAX ||
		s->start + (int64_t)(s->bundles - 1) * s->interval +
				s->validity >
			DNS_TIME_MAX)
		return err_set(err, ERR_USAGE,
			"the last bundle ends later than an RRSIG can say (2106)");
	return true;
}

bool request_make(const struct request_settings *settings,
	const struct zsk_set *keys, struct ksr **out, struct err *err)
{
	struct making m = {.settings = settings, .keys = keys, .err = err};
	struct ksr *request = NULL;
	bool ok = false;

	if (!request_check(settings, err) ||
		!name_labels(settings->domain, &m.labels, err))
		return false;
	if (!crypto_cache_new(&m.cache, err))
		return false;
	request = calloc(1, sizeof(*request));
	if (request == NULL) {
		err_nomem(err);
		goto done;
	}
	if (!make(&m, request))
		goto done;
	*out = request;
	request = NULL;
	ok = true;
done:
	ksr_free(request);
	crypto_cache_free(m.cache);
	return ok;
}
