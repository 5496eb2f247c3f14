/* SPDX-License-Identifier: ISC */
/*
 * The maintainer's side, for rehearsals and tests: makes a valid request
 * from keys in a folder, and continues from quarter to quarter.
 */
#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/base/time.h"
#include "lib/cli/options.h"
#include "lib/hash/sha256.h"
#include "signer/ksrgen/request.h"
#include "signer/ksrgen/roles.h"
#include "signer/sign/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Larger than any that is made here. */
#define PREVIOUS_SIZE_MAX ((size_t)256 << 20)

/* As the root has it. */
#define BUNDLES_DEFAULT 9
#define INTERVAL_DEFAULT (10 * TIME_DAY)
#define VALIDITY_DEFAULT (21 * TIME_DAY)
#define SAFETY_DEFAULT (10 * TIME_DAY)
#define TTL_DEFAULT 172800
#define BITS_DEFAULT 2048
#define BITS_MIN 1024
#define BITS_MAX 4096
/* The stated overlap: what the bundles have, with room on both sides. */
#define OVERLAP_BELOW (2 * TIME_DAY)
#define OVERLAP_ABOVE TIME_DAY

static const char *keys_folder, *previous_file, *domain, *start, *bundles,
	*interval, *validity, *ttl, *algorithms, *size, *roll, *current,
	*retire, *retire_until, *next, *next_from, *id, *serial,
	*publish_safety, *retire_safety, *min_validity, *max_validity,
	*min_overlap, *max_overlap;
static bool experiment;

static const struct option_entry options[] = {
	{"keys", 'k', OPTION_VALUE, "DIR", "folder of the zone signing keys",
		&keys_folder},
	{"previous", 'p', OPTION_VALUE, "FILE",
		"request or response to continue from", &previous_file},
	{"domain", 'd', OPTION_VALUE, "NAME", "the zone (.)", &domain},
	{"start", 's', OPTION_VALUE, "TIME",
		"inception of the first bundle (an interval after the last)",
		&start},
	{"bundles", 'n', OPTION_VALUE, "N", "number of bundles (9)", &bundles},
	{"interval", 0, OPTION_VALUE, "DURATION",
		"from one inception to the next (P10D)", &interval},
	{"validity", 0, OPTION_VALUE, "DURATION", "length of a bundle (P21D)",
		&validity},
	{"ttl", 0, OPTION_VALUE, "SECONDS", "TTL of the keys (172800)", &ttl},
	{"algorithm", 'a', OPTION_VALUE, "LIST",
		"algorithms of new keys (the current ones', RSASHA256)",
		&algorithms},
	{"size", 0, OPTION_VALUE, "BITS", "size of new RSA keys (2048)", &size},
	{"experiment", 0, OPTION_FLAG, NULL,
		"algorithms that no zone uses, too", &experiment},
	{"roll", 'r', OPTION_VALUE, "WHERE",
		"rollover at the begin, end, both or none (both)", &roll},
	{"current", 0, OPTION_VALUE, "LIST",
		"keys of the folder for all bundles (new ones)", &current},
	{"retire", 0, OPTION_VALUE, "LIST",
		"keys that end with the first bundle (those replaced)",
		&retire},
	{"retire-until", 0, OPTION_VALUE, "N",
		"the last bundle that such keys are in (1)", &retire_until},
	{"next", 0, OPTION_VALUE, "LIST",
		"keys that come in the last bundle (new ones)", &next},
	{"next-from", 0, OPTION_VALUE, "N",
		"the first bundle that such keys are in (the last)",
		&next_from},
	{"id", 0, OPTION_VALUE, "ID", "id of the request (derived)", &id},
	{"serial", 0, OPTION_VALUE, "N", "serial (one more than before, or 1)",
		&serial},
	{"publish-safety", 0, OPTION_VALUE, "DURATION", "stated policy (P10D)",
		&publish_safety},
	{"retire-safety", 0, OPTION_VALUE, "DURATION", "stated policy (P10D)",
		&retire_safety},
	{"min-validity", 0, OPTION_VALUE, "DURATION",
		"stated policy (the validity)", &min_validity},
	{"max-validity", 0, OPTION_VALUE, "DURATION",
		"stated policy (the validity)", &max_validity},
	{"min-overlap", 0, OPTION_VALUE, "DURATION",
		"stated policy (2 days below what the bundles have)",
		&min_overlap},
	{"max-overlap", 0, OPTION_VALUE, "DURATION",
		"stated policy (1 day above what the bundles have)",
		&max_overlap},
	{0},
};

static const char *const usage[] = {
	"--keys DIR --start TIME [options] KSR",
	"--keys DIR --previous FILE [options] KSR",
	NULL,
};

static const struct option_program program = {
	.name = "ksrgen",
	.purpose =
		"Make a key signing request from software keys, for rehearsals and tests.",
	.usage = usage,
	.options = options,
};

/* The value of an option; the default where it is absent. */
static bool number(const char *name, const char *text, int64_t min, int64_t max,
	int64_t fallback, int64_t *out, struct err *err)
{
	*out = fallback;
	if (text == NULL || number_parse(text, min, max, out, err))
		return true;
	err->kind = ERR_USAGE;
	return err_prefix(err, "--%s", name);
}

static bool duration(const char *name, const char *text, int64_t fallback,
	int64_t *out, struct err *err)
{
	*out = fallback;
	if (text == NULL || time_duration_parse(text, out, err))
		return true;
	err->kind = ERR_USAGE;
	return err_prefix(err, "--%s", name);
}

static bool choose_start(const struct ksr *previous,
	struct request_settings *out, struct err *err)
{
	if (start != NULL) {
		if (time_parse(start, &out->start, err))
			return true;
		err->kind = ERR_USAGE;
		return err_prefix(err, "--start");
	}
	if (previous == NULL)
		return err_set(err, ERR_USAGE,
			"--start or --previous says when the first bundle begins");
	out->start = previous->bundles[previous->bundle_count - 1].inception +
		     out->interval;
	return true;
}

static bool choose_policy(struct request_settings *out, struct err *err)
{
	int64_t overlap = out->validity - out->interval;
	struct ksr_policy *p = &out->policy;

	if (overlap < 0)
		overlap = 0;
	return duration("publish-safety", publish_safety, SAFETY_DEFAULT,
		       &p->publish_safety, err) &&
	       duration("retire-safety", retire_safety, SAFETY_DEFAULT,
		       &p->retire_safety, err) &&
	       duration("min-validity", min_validity, out->validity,
		       &p->min_signature_validity, err) &&
	       duration("max-validity", max_validity, out->validity,
		       &p->max_signature_validity, err) &&
	       duration("min-overlap", min_overlap,
		       overlap > OVERLAP_BELOW ? overlap - OVERLAP_BELOW : 0,
		       &p->min_validity_overlap, err) &&
	       duration("max-overlap", max_overlap, overlap + OVERLAP_ABOVE,
		       &p->max_validity_overlap, err);
}

static bool choose_settings(const struct ksr *previous,
	struct request_settings *out, struct err *err)
{
	int64_t wished_ttl, wished_bundles, last_ttl = TTL_DEFAULT, last = 0;
	int64_t until, from;

	if (previous != NULL) {
		last_ttl = previous->bundles[previous->bundle_count - 1]
				   .keys[0]
				   .ttl;
		last = previous->serial;
	}
	out->domain = domain != NULL ? domain : ".";
	if (domain == NULL && previous != NULL)
		out->domain = previous->domain;
	out->id = id;
	if (!number("bundles", bundles, 1, REQUEST_BUNDLES_MAX, BUNDLES_DEFAULT,
		    &wished_bundles, err) ||
		!number("retire-until", retire_until, 1, wished_bundles, 1,
			&until, err) ||
		!number("next-from", next_from, 1, wished_bundles,
			wished_bundles, &from, err) ||
		!number("ttl", ttl, 0, INT32_MAX, last_ttl, &wished_ttl, err) ||
		!number("serial", serial, 0, INT64_MAX,
			last >= 0 && last < INT64_MAX ? last + 1 : 1,
			&out->serial, err) ||
		!duration("interval", interval, INTERVAL_DEFAULT,
			&out->interval, err) ||
		!duration("validity", validity, VALIDITY_DEFAULT,
			&out->validity, err))
		return false;
	out->bundles = (size_t)wished_bundles;
	out->retire_until = (size_t)until;
	out->next_from = (size_t)from;
	out->ttl = (uint32_t)wished_ttl;
	return choose_start(previous, out, err) && choose_policy(out, err);
}

static bool choose_wish(
	const struct ksr *previous, struct roles_wish *out, struct err *err)
{
	bool both = roll == NULL || strcmp(roll, "both") == 0;
	int64_t bits;

	if (!number("size", size, BITS_MIN, BITS_MAX, BITS_DEFAULT, &bits, err))
		return false;
	if (!both && strcmp(roll, "begin") != 0 && strcmp(roll, "end") != 0 &&
		strcmp(roll, "none") != 0)
		return err_set(err, ERR_USAGE,
			"--roll %s: expected begin, end, both or none", roll);
	*out = (struct roles_wish){
		.previous = previous,
		.roll_begin = both || strcmp(roll, "begin") == 0,
		.roll_end = both || strcmp(roll, "end") == 0,
		.current = current,
		.retire = retire,
		.next = next,
		.algorithms = algorithms,
		.bits = (unsigned)bits,
	};
	return true;
}

/* A response or a request: both say what the last bundle had. */
static bool read_previous(
	const struct xml_schema *schema, struct ksr **out, struct err *err)
{
	static const char mark[] = "<ResponsePolicy";
	struct buf bytes = BUF_EMPTY;
	enum ksr_kind kind = KSR_REQUEST;
	bool ok;

	if (previous_file == NULL)
		return true;
	ok = file_read(previous_file, PREVIOUS_SIZE_MAX, &bytes, err);
	if (ok && strstr(buf_string(&bytes), mark) != NULL)
		kind = KSR_RESPONSE;
	if (ok && !ksr_read(schema, bytes.data, bytes.len, kind, out, err))
		ok = err_prefix(err, "%s", previous_file);
	buf_free(&bytes);
	return ok;
}

/* Keys first: a request whose keys are lost is of no use. */
static bool write_result(const struct xml_schema *schema, struct zsk_set *keys,
	const struct ksr *request, const char *path, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	struct ksr *read_back = NULL;
	uint8_t hash[SHA256_LEN];
	char *kept = NULL;
	bool ok;

	ok = ksr_write(request, &bytes, err) &&
	     ksr_read(schema, bytes.data, bytes.len, KSR_REQUEST, &read_back,
		     err) &&
	     sha256_of(bytes.data, bytes.len, hash, err);
	for (size_t i = 0; ok && i < keys->count; i++)
		if (keys->keys[i].is_new)
			log_say(NULL, "new key %s/%s.pem", keys->folder,
				keys->keys[i].name);
	ok = ok && zsk_set_save(keys, err) &&
	     file_write(path, bytes.data, bytes.len, &kept, err);
	if (ok) {
		if (kept != NULL)
			log_warn(NULL, "the existing %s is kept as %s", path,
				kept);
		table_show(NULL, read_back, NULL);
		table_hash(NULL, "KSR", hash);
		ok = log_ok(NULL, err);
	}
	free(kept);
	ksr_free(read_back);
	buf_free(&bytes);
	return ok;
}

static bool generate(const struct xml_schema *schema,
	const struct ksr *previous, const char *path, struct err *err)
{
	struct request_settings settings = {0};
	struct roles_wish wish;
	struct zsk_set keys = {.folder = keys_folder};
	struct ksr *request = NULL;
	bool ok;

	ok = choose_settings(previous, &settings, err) &&
	     request_check(&settings, err) &&
	     choose_wish(previous, &wish, err) &&
	     file_check_target(path, err) && roles_choose(&wish, &keys, err) &&
	     request_make(&settings, &keys, &request, err) &&
	     write_result(schema, &keys, request, path, err);
	ksr_free(request);
	zsk_set_clear(&keys);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	struct xml_schema *schema = NULL;
	struct ksr *previous = NULL;
	bool ok;

	experiment_set(experiment);
	if (given->count != 1)
		return err_set(err, ERR_USAGE,
			"one KSR is written, %zu are named", given->count);
	if (keys_folder == NULL)
		return err_set(err, ERR_USAGE, "--keys names no folder");
	ok = xml_schema_new(&schema, err) &&
	     read_previous(schema, &previous, err) &&
	     generate(schema, previous, given->operands[0], err);
	ksr_free(previous);
	xml_schema_free(schema);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
