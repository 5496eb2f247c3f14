/* SPDX-License-Identifier: ISC */
#include "lib/ksr/size.h"

#include "lib/dns/algorithm.h"
#include "lib/dns/name.h"

#define HEADER 12    /* RFC 1035 §4.1.1 */
#define QUESTION 4   /* type and class, after the name */
#define RECORD 10    /* type, class, TTL, length, after the owner */
#define DNSKEY 4     /* flags, protocol, algorithm, before the key */
#define RRSIG 18     /* all before the signer's name (RFC 4034 §3.1) */
#define OPT 11       /* RFC 6891 §6.1.2, without options */
#define POINTER 2    /* a compressed name */
#define LABEL 16     /* of a name that does not exist */
#define SOA_DATA 60  /* two names, partly compressed, and five numbers */
#define NSEC_DATA 24 /* a name and a bitmap */

/* Bytes of the name on the wire, and of a record's owner of that name. */
static bool name_sizes(const char *domain, size_t *name, size_t *owner)
{
	struct buf wire = BUF_EMPTY;
	struct err ignored = ERR_EMPTY;
	bool ok = name_wire(domain, &wire, &ignored);

	*name = wire.len;
	/* The root is shorter than a pointer to it. */
	*owner = wire.len < POINTER ? wire.len : POINTER;
	buf_free(&wire);
	return ok;
}

size_t size_dnskey(const struct ksr_bundle *bundle, const char *domain,
	size_t signed_bytes)
{
	size_t name, owner, size;

	if (!name_sizes(domain, &name, &owner))
		return 0;
	size = HEADER + name + QUESTION + OPT;
	for (size_t k = 0; k < bundle->key_count; k++)
		size += owner + RECORD + DNSKEY +
			bundle->keys[k].dnskey.public_key.len;
	return size + signed_bytes +
	       bundle->signature_count * (owner + RECORD + RRSIG + name);
}

size_t size_signature(const struct dnskey *dnskey)
{
	const struct algorithm *alg = algorithm_by_number(dnskey->algorithm);
	struct err ignored = ERR_EMPTY;
	struct dnskey_rsa rsa;

	if (!algorithm_is_supported(alg))
		return 0;
	if (alg->family != ALGORITHM_RSA)
		return alg->signature_len;
	return dnskey_rsa(dnskey, &rsa, &ignored) ? rsa.modulus_len : 0;
}

/* The signatures that each RRset has: one of each algorithm. */
static size_t size_signatures(
	const struct ksr_bundle *bundle, size_t owner, size_t name)
{
	size_t largest[UINT8_MAX + 1] = {0}, size = 0;

	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct dnskey *dnskey = &bundle->keys[k].dnskey;
		size_t of = size_signature(dnskey);

		if (ksr_key_is_zsk(&bundle->keys[k]) &&
			of > largest[dnskey->algorithm])
			largest[dnskey->algorithm] = of;
	}
	for (size_t a = 0; a <= UINT8_MAX; a++)
		if (largest[a] > 0)
			size += owner + RECORD + RRSIG + name + largest[a];
	return size;
}

size_t size_nxdomain(const struct ksr_bundle *bundle, const char *domain)
{
	size_t name, owner;

	if (!name_sizes(domain, &name, &owner))
		return 0;
	return HEADER + LABEL + name + QUESTION + OPT +
	       (owner + RECORD + SOA_DATA) + 2 * (owner + RECORD + NSEC_DATA) +
	       3 * size_signatures(bundle, owner, name);
}
