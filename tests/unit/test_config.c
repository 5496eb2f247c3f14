/* SPDX-License-Identifier: ISC */
/*
 * Shows that the configuration reader takes what ceremonies use, with the
 * defaults of the catalogue of checks, and refuses everything else with the
 * file, the line and the name of the key.  A setting that is misread, or a
 * misspelt one that is ignored, would switch off a check without anyone
 * seeing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/file.h"
#include "lib/config/settings.h"

#include <stdio.h>

static bool parse(const char *text, struct config **out, struct err *err)
{
	return config_parse(
		"c.yaml", (const uint8_t *)text, strlen(text), out, err);
}

static struct config *must_parse(const char *text)
{
	struct config *config = NULL;
	struct err err = ERR_EMPTY;

	if (!parse(text, &config, &err))
		fail_msg("%s", err.text);
	return config;
}

static void empty_map_has_the_defaults(void **state)
{
	struct config *config = must_parse("{}");
	const struct config_request_policy *p = &config->request_policy;

	(void)state;
	assert_int_equal(config->hsm_count, 0);
	assert_int_equal(p->acceptable_domains.count, 1);
	assert_string_equal(p->acceptable_domains.names[0], ".");
	assert_int_equal(p->max_file_size, 1048576);
	assert_int_equal(p->num_bundles, 9);
	assert_int_equal(p->num_keys_per_bundle.count, 9);
	assert_int_equal(p->num_keys_per_bundle.numbers[0], 2);
	assert_int_equal(p->num_keys_per_bundle.numbers[1], 1);
	assert_int_equal(p->num_keys_per_bundle.numbers[8], 2);
	assert_int_equal(p->num_different_keys_in_all_bundles, 3);
	assert_int_equal(p->min_cycle_inception_length, 79 * 86400);
	assert_int_equal(p->max_bundle_interval, 11 * 86400);
	assert_int_equal(p->signature_horizon_days, 180);
	assert_int_equal(p->approved_algorithms.numbers[0], 8);
	assert_int_equal(p->rsa_approved_exponents.numbers[0], 65537);
	assert_int_equal(p->rsa_approved_key_sizes.numbers[0], 2048);
	assert_true(p->validate_signatures && p->check_keys_retire_safety &&
		    p->check_chain_keys_in_hsm);
	assert_false(p->enable_unsupported_ecdsa ||
		     p->enable_unsupported_edwards_dsa);
	assert_int_equal(config->response_policy.num_bundles, 9);
	assert_null(config->ksk_policy.signers_name);
	assert_int_equal(config->ksk_policy.ttl, 172800);
	assert_int_equal(config->ksk_policy.publish_safety, 10 * 86400);
	assert_null(config->filenames.input_ksr);
	config_free(config);
}

static const char whole[] =
	"schemas:\n" /* before keys: the order is free */
	"  revoke:\n"
	"    2: {publish: [b], revoke: a, sign: [a, b]}\n"
	"    1: {publish: [a, b], sign: b}\n"
	"hsm:\n"
	"  one: {module: /lib/a.so, pin: 0123456, so_pin: 'x y',\n"
	"        env: {A_1: '', _C: 'd e'}}\n"
	"  two: {module: /lib/b.so}\n"
	"keys:\n"
	"  a: {description: first, label: 19036, key_tag: 5,\n"
	"      algorithm: RSASHA512, rsa_size: 4096, rsa_exponent: 3,\n"
	"      valid_from: 2010-07-15T00:00:00+00:00,\n"
	"      valid_until: '2019-01-11T00:00:00',\n"
	"      hash_using_hsm: yes, ds_sha256: 49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5}\n"
	"  b: {label: B, algorithm: ED25519, valid_from:\n"
	"      '2010-07-15T00:00:00Z'}\n"
	"filenames: {input_ksr: k.xml, output_trustanchor: t.xml}\n"
	"request_policy: {num_keys_per_bundle: [1, 2], dns_ttl: 5,\n"
	"   acceptable_domains: [., example.]}\n"
	"ksk_policy: {ttl: 60, publish_safety: PT1H}\n";

static void modules_and_schemas_are_read(void **state)
{
	struct config *config = must_parse(whole);
	const struct config_schema *schema;

	(void)state;
	assert_int_equal(config->hsm_count, 2);
	/* A PIN is a text: its leading zero is part of it. */
	assert_string_equal(config->hsm[0].pin->bytes, "0123456");
	assert_int_equal(config->hsm[0].pin->length, 7);
	assert_string_equal(config->hsm[0].so_pin->bytes, "x y");
	assert_int_equal(config->hsm[0].env.count, 2);
	assert_string_equal(config->hsm[0].env.variables[0].value, "");
	assert_string_equal(config->hsm[0].env.variables[1].value, "d e");
	assert_ptr_equal(config_hsm(config, "two"), &config->hsm[1]);
	assert_null(config->hsm[1].pin);
	schema = config_schema(config, "revoke");
	assert_int_equal(schema->slot_count, 2);
	assert_string_equal(schema->slots[0].sign.names[0], "b");
	assert_string_equal(schema->slots[1].revoke.names[0], "a");
	assert_true(config_names_has(&schema->slots[1].sign, "b"));
	assert_null(config_schema(config, "normal"));
	config_free(config);
}

static void keys_and_policies_are_read(void **state)
{
	struct config *config = must_parse(whole);
	const struct config_request_policy *policy = &config->request_policy;
	const struct config_key *key = config_key(config, "a");

	(void)state;
	assert_string_equal(key->label, "19036");
	assert_true(key->has_key_tag && key->has_ds_sha256);
	assert_int_equal(key->key_tag, 5);
	assert_int_equal(key->algorithm, 10);
	assert_int_equal(key->rsa_size, 4096);
	assert_int_equal(key->rsa_exponent, 3);
	assert_int_equal(key->ds_sha256[31], 0xB5);
	assert_int_equal(key->valid_from, 1279152000);
	assert_int_equal(key->valid_until, 1547164800);
	assert_true(key->hash_using_hsm);
	key = config_key(config, "b");
	assert_false(key->has_key_tag || key->has_ds_sha256);
	assert_int_equal(key->algorithm, 15);
	assert_true(key->valid_until == CONFIG_TIME_NEVER);
	assert_string_equal(key->description, "");
	assert_null(config_key(config, "c"));
	assert_int_equal(policy->num_keys_per_bundle.count, 2);
	assert_true(config_numbers_has(&policy->num_keys_per_bundle, 2));
	assert_int_equal(policy->dns_ttl, 5);
	assert_int_equal(policy->acceptable_domains.count, 2);
	assert_string_equal(config->filenames.input_ksr, "k.xml");
	assert_int_equal(config->ksk_policy.publish_safety, 3600);
	config_free(config);
}

/* What is refused, and how the message begins. */
#define SLOT "schemas: {n: {1: {sign: a, algorithms: {"
#define KEY "algorithm: ED448, valid_from: 2010-07-15T00:00:00"
#define DS1 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DS2 "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
/* 57 bytes of 0, for ED448, and its DS in the root and in "example." */
#define PUBLIC                                                                 \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                               \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define DS_ROOT                                                                \
	"95150f7cb1c11c58b6f1a01e81fa643a2db29680a4fc4d2952a250bccb2ddb37"
#define DS_EXAMPLE                                                             \
	"84c61b9158284294dba1de433da8c203d169303302b83d63675cee752f147e9c"
#define NOT_ITS_DS                                                             \
	"it is not the DS of public_key in a zone that is signed here"

static const struct refusal {
	const char *text, *message;
} refusals[] = {
	{"", "c.yaml: line 1: empty configuration"},
	{"# nothing\n", "c.yaml: line 2: empty configuration"},
	{"- a", "c.yaml: line 1: expected a map"},
	{"a: b",
		"c.yaml: line 1: (a key that is not shown): unknown section, expected experiment, hsm, keys, filenames, request_policy, response_policy, ksk_policy, schemas, families"},
	{"{}\n---\n{}", "c.yaml: line 2: expected one document"},
	{"{}\n...\n{}", "c.yaml: line 3: not valid YAML"},
	{"hsm: {", "c.yaml: line 2: hsm: not valid YAML"},
	{"hsm:\n\t- x", "c.yaml: line 2: hsm: not valid YAML"},
	{"hsm: {}\nhsm: {}", "c.yaml: line 2: hsm: stands here twice"},
	{"hsm: {a: {module: m, module: n}}",
		"c.yaml: line 1: hsm.a.module: stands here twice"},
	{"hsm: {a: {module: m}, a: {module: m}}",
		"c.yaml: line 1: hsm.a: stands here twice"},
	{"hsm: &x {}",
		"c.yaml: line 1: hsm: anchors (with &) are not accepted"},
	{"hsm: {a: &p {module: x}, b: *p}",
		"c.yaml: line 1: hsm.a: anchors (with &)"},
	{"ksk_policy: {<<: {ttl: 1}}",
		"c.yaml: line 1: ksk_policy.<<: unknown key"},
	{"hsm: *x", "c.yaml: line 1: hsm: aliases (with *) are not accepted"},
	{"ksk_policy: {ttl: !!int 5}",
		"c.yaml: line 1: ksk_policy.ttl: tags (with !)"},
	{"hsm: !x {}", "c.yaml: line 1: hsm: tags (with !) are not accepted"},
	{"filenames: {input_ksr: !<y> a}",
		"c.yaml: line 1: filenames.input_ksr: tags (with !)"},
	{"%TAG ! tag:x,2000:\n---\n{}",
		"c.yaml: line 1: tag directives are not accepted"},
	{"? [a]\n: b", "c.yaml: line 1: expected the name of a key"},
	{"'': b", "c.yaml: line 1: empty name of a key"},
	{"\"a\\0b\": c", "c.yaml: line 1: NUL in the name of a key"},
	{"filenames: {input_ksr: \"a\\0b\"}",
		"c.yaml: line 1: filenames.input_ksr: NUL in a value"},
	{"filenames: {input_ksr: \"a\\eb\"}",
		"c.yaml: line 1: filenames.input_ksr: control character"},
	{"filenames: {input_ksr: }",
		"c.yaml: line 1: filenames.input_ksr: expected a text"},
	{"filenames: {input_ksr: ~}",
		"c.yaml: line 1: filenames.input_ksr: expected a text"},
	{"filenames: {input_ksr: [a]}",
		"c.yaml: line 1: filenames.input_ksr: expected one value"},
	{"filenames: a", "c.yaml: line 1: filenames: expected a map"},
	{"filenames: ~", "c.yaml: line 1: filenames: expected a map"},
	{"\xff\xfe{}", "c.yaml: line 1: not valid YAML"},
	{"request_policy:\n  num_bundle: 9",
		"c.yaml: line 2: request_policy.num_bundle: unknown key"},
	{"request_policy: {num_bundles: nine}",
		"c.yaml: line 1: request_policy.num_bundles: expected a number from 1 to 10000"},
	{"request_policy: {num_bundles: '9'}",
		"c.yaml: line 1: request_policy.num_bundles: expected a number"},
	{"request_policy: {num_bundles: 0}",
		"c.yaml: line 1: request_policy.num_bundles: expected a number"},
	{"request_policy: {num_bundles: -1}",
		"c.yaml: line 1: request_policy.num_bundles: expected a number"},
	{"request_policy: {num_bundles: 0x9}",
		"c.yaml: line 1: request_policy.num_bundles: expected a number"},
	{"request_policy: {num_bundles: 9.0}",
		"c.yaml: line 1: request_policy.num_bundles: expected a number"},
	{"request_policy: {dns_ttl: 4294967296}",
		"c.yaml: line 1: request_policy.dns_ttl: expected a number"},
	{"request_policy: {dns_ttl: 2147483648}",
		"c.yaml: line 1: request_policy.dns_ttl: expected a number"},
	{"request_policy: {check_chain_keys: 1}",
		"c.yaml: line 1: request_policy.check_chain_keys: expected true or false"},
	{"request_policy: {check_chain_keys: 'false'}",
		"c.yaml: line 1: request_policy.check_chain_keys: expected"},
	{"request_policy: {check_chain_keys: }",
		"c.yaml: line 1: request_policy.check_chain_keys: expected"},
	{"request_policy: {num_keys_per_bundle: 1}",
		"c.yaml: line 1: request_policy.num_keys_per_bundle: expected a list"},
	{"request_policy: {num_keys_per_bundle: [1, x]}",
		"c.yaml: line 1: request_policy.num_keys_per_bundle: expected a number"},
	{"request_policy: {num_keys_per_bundle: [[1]]}",
		"c.yaml: line 1: request_policy.num_keys_per_bundle: expected one value"},
	{"request_policy: {approved_algorithms: [RSASHA1]}",
		"c.yaml: line 1: request_policy.approved_algorithms: deprecated algorithm"},
	{"request_policy: {approved_algorithms: [8]}",
		"c.yaml: line 1: request_policy.approved_algorithms: unknown"},
	{"request_policy: {min_bundle_interval: 9}",
		"c.yaml: line 1: request_policy.min_bundle_interval: "},
	{"request_policy: {min_bundle_interval: P1M}",
		"c.yaml: line 1: request_policy.min_bundle_interval: "},
	{"hsm: {a: {pin: 1}}", "c.yaml: line 1: hsm.a.module: missing"},
	{"hsm: {a: {module: x, pin: }}",
		"c.yaml: line 1: hsm.a.pin: empty; leave it out"},
	/* What is no part of a PIN must not cost one of its few attempts. */
	{"hsm:\n  a:\n    module: x\n    pin: |\n      8642\n",
		"c.yaml: line 4: hsm.a.pin: control character or end of a line"},
	{"hsm:\n  a:\n    module: x\n    pin: >\n      8642\n",
		"c.yaml: line 4: hsm.a.pin: control character or end of a line"},
	{"hsm:\n  a:\n    module: x\n    so_pin: \"8642\\r\"\n",
		"c.yaml: line 4: hsm.a.so_pin: control character or end of"},
	{"hsm: {a: {module: x, pin: \"\\x1b8642\"}}",
		"c.yaml: line 1: hsm.a.pin: control character or end of a line"},
	{"hsm: {a: {module: x, env: [A]}}",
		"c.yaml: line 1: hsm.a.env: expected a map"},
	{"hsm: {a: {module: x, env: {A: }}}",
		"c.yaml: line 1: hsm.a.env.A: expected a text"},
	{"hsm: {a: {module: ''}}",
		"c.yaml: line 1: hsm.a.module: expected a text"},
	{"hsm: {a: {module: x, env: {A=: b}}}",
		"c.yaml: line 1: hsm.a.env.(a key that is not shown): not the name of an environment"},
	{"hsm: {a: {module: x, env: {1A: b}}}",
		"c.yaml: line 1: hsm.a.env.(a key that is not shown): not the name of an environment"},
	{"hsm: {a: {module: x, socket: 1}}",
		"c.yaml: line 1: hsm.a.(a key that is not shown): unknown key, expected module, pin, so_pin, env, token, serial, slot"},
	{"keys: {a: {label: b, algorithm: RSASHA256}}",
		"c.yaml: line 1: keys.a.valid_from: missing"},
	{"keys: {a: {algorithm: RSASHA256, valid_from: 2010-07-15T00:00:00}}",
		"c.yaml: line 1: keys.a.label: missing"},
	{"keys: {a: {label: b, algorithm: RSASHA256, valid_from: yesterday}}",
		"c.yaml: line 1: keys.a.valid_from: "},
	/* Octal to other readers of YAML 1.1. */
	{"keys: {a: {label: b, algorithm: RSASHA256, key_tag: 05}}",
		"c.yaml: line 1: keys.a.key_tag: expected a number from 0 to"},
	{"keys: {a: {label: b, algorithm: RSASHA256, key_tag: 65536}}",
		"c.yaml: line 1: keys.a.key_tag: expected a number from 0 to"},
	{"keys: {a: {label: b, algorithm: RSASHA256, ds_sha256: abc}}",
		"c.yaml: line 1: keys.a.ds_sha256: expected 64 hexadecimal"},
	{"keys: {a: {label: b, algorithm: ED448, rsa_size: 2048,\n"
	 " valid_from: 2010-07-15T00:00:00}}",
		"c.yaml: line 2: keys.a: rsa_size and rsa_exponent do not go with ED448"},
	{"keys: {a: {label: b, algorithm: ED448,\n"
	 " valid_until: 2010-07-15T00:00:00,\n"
	 " valid_from: 2010-07-15T00:00:00}}",
		"c.yaml: line 3: keys.a: valid_until is not after valid_from"},
	{"schemas: {n: {}}", "c.yaml: line 1: schemas.n: no slots"},
	{"schemas: {n: {0: {sign: a}}}",
		"c.yaml: line 1: schemas.n.0: expected the number of a slot"},
	{"schemas: {n: {x: {sign: a}}}",
		"c.yaml: line 1: schemas.n.x: expected the number of a slot"},
	{"schemas: {n: {1001: {sign: a}}}",
		"c.yaml: line 1: schemas.n.1001: expected the number"},
	{"schemas: {n: {2: {sign: a}}}",
		"c.yaml: line 1: schemas.n: slot 1 is missing"},
	{"schemas: {n: {1: {sign: a}, 3: {sign: a}}}",
		"c.yaml: line 1: schemas.n: slot 2 is missing"},
	{"schemas: {n: {1: {sign: a}, 01: {sign: a}}}",
		"c.yaml: line 1: schemas.n.01: expected the number"},
	{"schemas: {n: {1: {publish: a}}}",
		"c.yaml: line 1: schemas.n.1.sign: missing"},
	{"schemas: {n: {1: {sign: []}}}",
		"c.yaml: line 1: schemas.n.1.sign: no key signs"},
	{"schemas: {n: {1: {sign: a}}}",
		"c.yaml: schemas.n.1: no key a is defined in keys"},
	{"schemas: {n: {1: {sign: {a: b}}}}",
		"c.yaml: line 1: schemas.n.1.sign: expected a list"},
	{"schemas: {n: {1: {sign: b, revoke: a}}}",
		"c.yaml: line 1: schemas.n.1.revoke: a must also be in sign"},
	{"schemas: {n: {1: {sign: a, revoke: a, publish: a}}}",
		"c.yaml: line 1: schemas.n.1.revoke: a is in publish as well"},
	{"schemas:\n n:\n  1: {sign: a}\n  2:\n   sign: a\n   revoke: a\n",
		"c.yaml: line 4: schemas.n.2.sign: every key that signs is revoked"},
	{"schemas: {n: {1: {sign: [a, b], revoke: [b, a], publish: c}}}",
		"c.yaml: line 1: schemas.n.1.sign: every key that signs is revoked"},
	{"schemas: {n: {1: {sign: a, sign_only: a}}}",
		"c.yaml: line 1: schemas.n.1.sign_only: a is in another list"},
	{"schemas: {n: {1: {sign: a, publish: b, sign_only: [c, b]}}}",
		"c.yaml: line 1: schemas.n.1.sign_only: b is in another list"},
	{"schemas: {n: {1: {sign_only: a}}}",
		"c.yaml: line 1: schemas.n.1.sign: missing"},
	{"schemas: {n: {1: {sign: a, algorithms: RSASHA256}}}",
		"c.yaml: line 1: schemas.n.1.algorithms: expected a map"},
	{"schemas: {n: {1: {sign: a, algorithms: {published: [RSASHA256]}}}}",
		"c.yaml: line 1: schemas.n.1.algorithms.signing: missing"},
	{"schemas: {n: {1: {sign: a, algorithms: {published: [RSASHA1]}}}}",
		"c.yaml: line 1: schemas.n.1.algorithms.published: deprecated"},
	{"schemas: {n: {1: {sign: a, algorithms: {kept: [ED25519]}}}}",
		"c.yaml: line 1: schemas.n.1.algorithms.kept: unknown key"},
	{SLOT "published: [ED25519], signing: []}}}}",
		"c.yaml: line 1: schemas.n.1.algorithms.signing: no algorithm"},
	{SLOT "published: [ED25519], signing: [ED448], zsks: [ED448]}}}}",
		"c.yaml: line 1: schemas.n.1.algorithms.zsks: ED448 is not in published"},
	{SLOT "published: [ED25519], signing: [ED448], begins: [ED448]}}}}",
		"c.yaml: line 1: schemas.n.1.algorithms.begins: ED448 is not in published"},
	{SLOT "published: [ED25519], signing: [ED448], begins: [ED25519]}}}}",
		"c.yaml: line 1: schemas.n.1.algorithms.begins: ED25519 is not in signing"},
	{SLOT "published: [ED448], signing: [ED448], begins: [ED448],\n"
	      "ends: [ED448]}}}}",
		"c.yaml: line 1: schemas.n.1.algorithms.ends: ED448 is in begins"},
	{"keys: {a: {" KEY ", label: x, public_key: AAAA=}}",
		"c.yaml: line 1: keys.a.public_key: expected base64"},
	{"keys: {a: {" KEY ", label: x, public_key: AAAA}}",
		"c.yaml: line 1: keys.a.public_key: "},
	{"keys:\n a: {" KEY ", label: x}\n b: {" KEY
	 ",\n  label: y, ds_sha256: " DS1 ",\n  public_key: " PUBLIC "}\n",
		"c.yaml: line 3: keys.b.ds_sha256: " NOT_ITS_DS},
	{"keys: {a: {" KEY ", label: x, ds_sha256: " DS_EXAMPLE
	 ",\n public_key: " PUBLIC "}}",
		"c.yaml: line 1: keys.a.ds_sha256: " NOT_ITS_DS},
	{"keys: {a: {" KEY ", label: x, ds_sha256: " DS_ROOT
	 ",\n public_key: " PUBLIC "}}\n"
	 "ksk_policy: {signers_name: example.}",
		"c.yaml: line 1: keys.a.ds_sha256: " NOT_ITS_DS},
	{"keys: {a: {" KEY ", label: x, ds_sha256: " DS_ROOT
	 ",\n public_key: " PUBLIC "}}\n"
	 "request_policy: {acceptable_domains: [example., 'a b']}",
		"c.yaml: line 1: keys.a.ds_sha256: \"a b\" is not a domain name"},
	{"request_policy: {algorithms: {RSAMD5: {}}}",
		"c.yaml: line 1: request_policy.algorithms.RSAMD5: deprecated"},
	{"request_policy: {algorithms: {ED448: {}, ED448: {}}}",
		"c.yaml: line 1: request_policy.algorithms.ED448: "},
	{"request_policy: {algorithms: {ED448: {num_keys_per_bundle: 101}}}",
		"c.yaml: line 1: request_policy.algorithms.ED448.num_keys_per_bundle: expected"},
	{"families: {f: {}}", "c.yaml: line 1: families.f.use: missing"},
	{"families: {f: {next: {schema: s}}}",
		"c.yaml: line 1: families.f.use: missing"},
	{"families: {f.g: {use: {schema: s}}}",
		"c.yaml: line 1: families.f.g: expected a name"},
	{"families: {f: {use: {schema: s}, used: {schema: s}}}",
		"c.yaml: line 1: families.f.used: expected use, next or backout"},
	{"families: {f: {use: {schema: s}, next-: {schema: s}}}",
		"c.yaml: line 1: families.f.next-: expected use, next or backout"},
	{"families: {f: {use: {follows: next}}}",
		"c.yaml: line 1: families.f.use.schema: missing"},
	{"families: {f: {use: {schema: s, follows: use}}}",
		"c.yaml: line 1: families.f.use: it follows use, which is no other"},
	{"families: {f: {use: {schema: s}, next: {schema: s, follows: x}}}",
		"c.yaml: line 1: families.f.next: it follows x, which is no other"},
	{"families: {f: {use: {schema: s, follows: next},\n"
	 " next: {schema: s, follows: use}}}",
		"c.yaml: line 1: families.f.use: it follows next, which is no other"},
	{"families: {f: {use: {schema: s}}}",
		"c.yaml: families.f.use: no schema s"},
	{"request_policy: {previous_member: f.use}",
		"c.yaml: request_policy.previous_member: no family and member f.use"},
	{"keys:\n a: {" KEY ", label: x}\n b: {" KEY ", label: x}\n",
		"c.yaml: line 3: keys.b.label: keys.a has this label as well"},
	{"keys:\n a: {" KEY ", label: x, ds_sha256: " DS1 "}\n"
	 " b:\n  {" KEY ", label: y, ds_sha256: " DS2 "}\n"
	 " c:\n  {" KEY ", label: z,\n   ds_sha256: " DS1 "}\n",
		"c.yaml: line 5: keys.c.ds_sha256: keys.a has this DS as well"},
	{"keys:\n a: {" KEY ", label: x, public_key: " PUBLIC "}\n b: {" KEY
	 ",\n  label: y, public_key: " PUBLIC "}\n",
		"c.yaml: line 3: keys.b.public_key: keys.a has this one as well"},
	{"keys:\n a: {" KEY ", label: x, public_key: " PUBLIC "}\n b: {" KEY
	 ",\n  label: y, ds_sha256: " DS_ROOT "}\n",
		"c.yaml: line 3: keys.b.ds_sha256: it is the DS of keys.a.public_key"},
	{"keys:\n a: {" KEY ", label: x, ds_sha256: " DS_ROOT "}\n b: {" KEY
	 ",\n  label: y, public_key: " PUBLIC "}\n",
		"c.yaml: line 3: keys.b.public_key: its DS is keys.a.ds_sha256"},
	{"keys:\n a: {" KEY ", label: x, ds_sha256: " DS_EXAMPLE "}\n b: {" KEY
	 ",\n  label: y, public_key: " PUBLIC "}\n"
	 "request_policy: {acceptable_domains: [., 'a b', example.]}\n",
		"c.yaml: line 3: keys.b.public_key: its DS is keys.a.ds_sha256"},
	{"keys: {a: {" KEY ", label: 'x '}}",
		"c.yaml: line 1: keys.a.label: expected 1 to 128 characters"},
	{"keys: {a: {" KEY ", label: 'x  y'}}",
		"c.yaml: line 1: keys.a.label: expected 1 to 128 characters"},
	{"keys: {a: {" KEY ", label: K\xc3\xa9}}",
		"c.yaml: line 1: keys.a.label: expected 1 to 128 characters"},
	/* What editors leave behind, at its line. */
	{"hsm:\n  a:\n\tmodule: /x\n",
		"c.yaml: line 3: hsm.a: not valid YAML: found character that cannot start any token; the line is indented with a tab"},
	{"ksk_policy:\n  ttl:\xc2\xa0 5\n",
		"c.yaml: line 2: ksk_policy: expected a map; the line has a no-break space (U+00A0)"},
	{"ksk_policy:\n  ttl: 5\n# f\xfcr\n",
		"c.yaml: line 3: not valid YAML: invalid"},
	{"# \xe2\x82\nksk_policy: {}\n", "c.yaml: line 1: not valid YAML: in"},
	{"keys: {a: {label: b, algorithm: ED448,\n"
	 " valid_from: 2010-07-15T00:00:00}}\n"
	 "schemas: {n: {1: {sign: [a, a]}}}",
		"c.yaml: schemas.n.1: a is named twice"},
};

/* Of a key's own, in whichever of the zones that are signed here. */
static void digest_of_the_public_key_is_taken(void **state)
{
	static const char *const texts[] = {
		"ds_sha256: " DS_ROOT "}}",
		"ds_sha256: " DS_ROOT "}}\nrequest_policy:\n"
		" acceptable_domains: []",
		"ds_sha256: " DS_EXAMPLE "}}\nksk_policy:\n"
		" signers_name: EXAMPLE",
		"ds_sha256: " DS_EXAMPLE "}}\nrequest_policy:\n"
		" acceptable_domains: [., example.]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct config *config = NULL;
		struct err err = ERR_EMPTY;
		char text[1024];

		snprintf(text, sizeof(text),
			"keys: {a: {" KEY ", label: x, public_key: " PUBLIC
			",\n %s",
			texts[i]);
		if (!parse(text, &config, &err))
			fail_msg("%s\n  said: %s", text, err.text);
		config_free(config);
	}
}

/* The PIN is 8642-secret, whatever YAML makes of the place it stands in. */
static void no_refusal_shows_a_pin(void **state)
{
	static const char *const texts[] = {
		"hsm: {a: {module: /m, pin: *8642-secret}}",
		"hsm: {a: {module: /m, pin: &8642-secret x}}",
		"hsm: {a: {module: /m, pin: !8642-secret x}}",
		"hsm: {a: {module: /m, pin: !<8642-secret> x}}",
		"hsm: {a: {module: /m, so_pin: *8642-secret}}",
		"hsm: {a: {module: /m, pin: {8642-secret: x}}}",
		"hsm: {a: {module: /m, pin: [8642-secret]}}",
		"hsm: {a: {module: /m, 8642-secret: pin}}",
		"hsm: {a: {module: /m, 8642-secret}}",
		"hsm: {a: {module: /m, pin:8642-secret}}",
		"hsm: {a: {module: /m, 'pin: 8642-secret': 1}}",
		"hsm: {a: {module: /m, pin: x, env: {8642-secret: x}}}",
		"hsm: {a: {module: /m, pin: x, env: {PIN: {8642-secret: x}}}}",
		"hsm:\n a:\n  module: /m\n  pin:8642-secret\n",
		"hsm:\n a:\n  module: /m\n  pin: x: 8642-secret\n",
		"hsm:\n a:\n  module: /m\n  pin: '8642-secret\n",
		"hsm:\n a:\n  module: /m\n  pin: \"8642-secret\\z\"\n",
		"hsm:\n a:\n  module: /m\n  pin: @8642-secret\n",
		"hsm:\n a:\n  module: /m\n  pin: %8642-secret\n",
		"hsm:\n a:\n  module: /m\n  pin: `8642-secret\n",
		"hsm:\n a:\n  module: /m\n  pin: 8642-secret\n\tx: y\n",
		"hsm:\n a:\n  module: /m\n  ? 8642-secret\n  : pin\n",
		"hsm:\n a:\n  module: /m\n  8642-secret: 1\n  8642-secret: 2\n",
		"hsm:\n a:\n  module: /m\n  pin: 8642-secret\n  pin: 8642-secret\n",
		"hsm:\n a:\n  module: /m\n  pin: \"8642-secret\\0\"\n",
		"hsm:\n a:\n  module: /m\n  pin: \xff 8642-secret\n",
		"hsm: {a: {module: /m}, pin:8642-secret}",
		"hsm: {a: {module: /m}, pin:8642-secret: {module: x, y: z}}",
		"hsm: {a: {module: /m}, 8642-secret}",
		"hsm: {a: {module: /m}, secret: x}",
		"hsm: {a: {module: /m}, secret: [x]}",
		"hsm: {a: {module: /m}, secret: *x}",
		"hsm:\n a:\n  module: /m\n 8642-secret:\n",
		"hsm:\n a:\n  module: /m\n 8642-secret: @x\n",
		"hsm:\n a:\n  module: /m\n8642-secret:\n",
		"hsm:\n a:\n  module: /m\nsecret:\n",
		"{hsm: {a: {module: /m}}, pin:8642-secret}",
		"{hsm: {a: {module: /m}}, 'so_pin: 8642-secret': {x: y}}",
		"ksk_policy:\n ttl: 5\n pin:8642-secret: 1\n",
		"ksk_policy:\n ttl: 5\n SO_PIN:secret: 1\n",
		"ksk_policy:\n ttl: 5\n 8642-secret: 1\n",
		"keys:\n pin:8642-secret:\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct config *config = NULL;
		struct err err = ERR_EMPTY;

		if (parse(texts[i], &config, &err))
			fail_msg("not refused: %s", texts[i]);
		if (strstr(err.text, "8642") != NULL ||
			strstr(err.text, "secret") != NULL)
			fail_msg("%s\nsaid: %s", texts[i], err.text);
	}
}

static void byte_order_mark_is_no_part_of_it(void **state)
{
	struct config *config =
		must_parse("\xef\xbb\xbfksk_policy:\n  ttl: 5\n");

	(void)state;
	assert_int_equal(config->ksk_policy.ttl, 5);
	config_free(config);
}

static void each_refusal_says_where(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct config *config = NULL;
		struct err err = ERR_EMPTY;

		if (!parse(r->text, &config, &err) && err.kind == ERR_USAGE &&
			strstr(err.text, r->message) == err.text)
			continue;
		print_error("%s\n  said: %s\n  not:  %s\n", r->text, err.text,
			r->message);
		config_free(config);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void too_many_entries_are_refused(void **state)
{
	struct buf text = BUF_EMPTY;
	struct config *config = NULL;
	struct err err = ERR_EMPTY;

	(void)state;
	buf_text(&text, "request_policy:\n num_keys_per_bundle: [");
	for (int i = 0; i < 1025; i++)
		buf_text(&text, "1,");
	buf_text(&text, "]\n");
	assert_false(parse(buf_string(&text), &config, &err));
	assert_non_null(strstr(err.text, "more than 1024 entries"));
	buf_clear(&text);
	buf_text(&text, "hsm:\n");
	for (int i = 0; i < 1025; i++)
		buf_format(&text, " h%d: {module: m}\n", i);
	assert_false(parse(buf_string(&text), &config, &err));
	assert_non_null(strstr(err.text, "line 1026: hsm: more than 1024"));
	buf_free(&text);
}

static void oversize_text_is_refused(void **state)
{
	uint8_t *text = malloc(CONFIG_SIZE_MAX + 1);
	struct config *config = NULL;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', CONFIG_SIZE_MAX + 1);
	memcpy(text, "{}", 2);
	assert_true(config_parse("c", text, CONFIG_SIZE_MAX, &config, &err));
	config_free(config);
	config = NULL;
	assert_false(
		config_parse("c", text, CONFIG_SIZE_MAX + 1, &config, &err));
	assert_non_null(strstr(err.text, "larger than"));
	free(text);
}

static void read_names_a_missing_file(void **state)
{
	struct config *config = NULL;
	struct err err = ERR_EMPTY;

	(void)state;
	assert_false(config_read("/nonexistent.yaml", NULL, &config, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "/nonexistent.yaml"));
}

/* The next setting of the page at *at must be this one, default and all. */
static void expect_setting(const char **at, const struct setting *setting)
{
	char line[128];

	if (setting->fallback == NULL)
		snprintf(line, sizeof(line), ".It Sy %s\n", setting->name);
	else if (strcmp(setting->fallback, ".") == 0)
		snprintf(line, sizeof(line), ".It Sy %s Bq .\\&\n",
			setting->name);
	else
		snprintf(line, sizeof(line), ".It Sy %s Bq %s\n", setting->name,
			setting->fallback);
	*at = strstr(*at, ".It Sy ");
	if (*at == NULL || strncmp(*at, line, strlen(line)) != 0)
		fail_msg("expected in the page: %s", line);
	*at += strlen(line);
}

/* What one configuration asks for, the next has to ask for again. */
static void experiment_is_what_the_last_one_says(void **state)
{
	static const char *const key =
		"keys: {a: {label: a, algorithm: EXPERIMENT-MLDSA44, valid_from: 2020-01-01T00:00:00}}";
	static const struct {
		const char *text;
		bool is;
	} cases[] = {{"{}", false}, {"experiment: {algorithms: true}", true},
		{"hsm: {}", false}, {"experiment: {algorithms: true}", true},
		{"experiment: {}", false},
		{"experiment: {algorithms: false}", false}};
	struct err err = ERR_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config *config = NULL;
		struct buf text = BUF_EMPTY;

		assert_true(parse(cases[i].text, &config, &err));
		assert_int_equal(experiment_is_on(), cases[i].is);
		assert_int_equal(config->experiment.algorithms, cases[i].is);
		config_free(config);
		config = NULL;
		if (strcmp(cases[i].text, "{}") != 0)
			buf_format(&text, "%s\n", cases[i].text);
		buf_text(&text, key);
		assert_int_equal(
			parse(buf_string(&text), &config, &err), cases[i].is);
		config_free(config);
		buf_free(&text);
	}
	assert_false(
		parse("experiment: {algorithms: true}\nhsm: 1", NULL, &err));
	assert_true(experiment_is_on()); /* the refusal, too, says so */
	assert_false(parse("", NULL, &err));
	assert_false(experiment_is_on());
}

/* Every setting, in the order of the tables, and no other. */
static void manual_page_has_the_settings(void **state)
{
	static const struct setting *const tables[] = {settings_experiment,
		settings_hsm, settings_key, settings_filenames,
		settings_request_policy, settings_response_policy,
		settings_ksk_policy, settings_slot, settings_algorithm_policy,
		settings_slot_algorithms, settings_member};
	struct buf page = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	const char *at;

	(void)state;
	assert_true(file_read("man/ksrsigner.yaml.5", 1 << 20, &page, &err));
	at = buf_string(&page);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (size_t j = 0; tables[i][j].name != NULL; j++)
			expect_setting(&at, &tables[i][j]);
	assert_null(strstr(at, ".It Sy "));
	buf_free(&page);
}

/* The configurations in use, where this machine has them. */
static void configurations_in_use_load(void **state)
{
	static const struct {
		const char *path;
		size_t hsms, keys, schemas;
	} files[] = {
		{"../shared/data/config/ksrsigner.yaml", 2, 2, 7},
		{"../shared/data/config/2009-q4-2.yaml", 1, 2, 1},
		{"../shared/data/config/2010-q1-0.yaml", 1, 2, 1},
		{"../shared/data/config/2017-q2-0.yaml", 1, 2, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct config *config = NULL;
		struct err err = ERR_EMPTY;
		uint8_t sha256[CONFIG_SHA256_SIZE] = {0};

		if (!config_read(files[i].path, sha256, &config, &err)) {
			if (strstr(err.text, "No such file") != NULL)
				skip();
			fail_msg("%s", err.text);
		}
		assert_int_equal(config->hsm_count, files[i].hsms);
		assert_int_equal(config->key_count, files[i].keys);
		assert_int_equal(config->schema_count, files[i].schemas);
		assert_string_equal(config->hsm[0].pin->bytes, "123456");
		config_free(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_map_has_the_defaults),
		cmocka_unit_test(modules_and_schemas_are_read),
		cmocka_unit_test(keys_and_policies_are_read),
		cmocka_unit_test(each_refusal_says_where),
		cmocka_unit_test(digest_of_the_public_key_is_taken),
		cmocka_unit_test(no_refusal_shows_a_pin),
		cmocka_unit_test(byte_order_mark_is_no_part_of_it),
		cmocka_unit_test(too_many_entries_are_refused),
		cmocka_unit_test(oversize_text_is_refused),
		cmocka_unit_test(read_names_a_missing_file),
		cmocka_unit_test(experiment_is_what_the_last_one_says),
		cmocka_unit_test(manual_page_has_the_settings),
		cmocka_unit_test(configurations_in_use_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
