/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/site.h"

#include "lib/base/hex.h"
#include "lib/cli/words.h"
#include "tools/ceremony/folder.h"
#include "tools/ceremony/say.h"
#include "tools/ceremony/sitepart.h"

#include <inttypes.h>
#include <string.h>

#define WORDS_A_LINE 8

/* No quotation marks, < or >: a style is not unescaped by browsers. */
static const char style[] =
	"\n:root{color-scheme:light}\n"
	"body{margin:0 auto;max-width:62rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff}\n"
	"h1{line-height:1.2;margin:.5rem 0}\n"
	"h2{margin:2.5rem 0 .5rem;border-bottom:2px solid #1f4e79;padding-bottom:.2rem}\n"
	"h3{margin:1.8rem 0 .4rem}\n"
	"a{color:#0b4f8a}\n"
	"nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:0;margin:.5rem 0}\n"
	".wide{overflow-x:auto;margin:.5rem 0}\n"
	"table{border-collapse:collapse;width:100%;font-size:.92rem}\n"
	"caption{text-align:left;font-weight:600;padding:.3rem 0}\n"
	"th,td{border:1px solid #8a949e;padding:.35rem .5rem;text-align:left;vertical-align:top}\n"
	"thead th{background:#e8edf2}\n"
	"tbody th{font-weight:600}\n"
	"td p,td pre{margin:.2rem 0}\n"
	"pre,code,.hash{font-family:ui-monospace,monospace;font-size:.85rem}\n"
	"pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f6f8;border:1px solid #c5ccd3;padding:.5rem;margin:.5rem 0}\n"
	".hash{overflow-wrap:anywhere}\n"
	".time{white-space:nowrap;font-variant-numeric:tabular-nums}\n"
	".good{color:#1b5e20;font-weight:600}\n"
	".bad{color:#8f1d14;font-weight:600}\n"
	".note{border-left:4px solid #1f4e79;padding-left:.6rem}\n"
	".otherwise{border-left:4px solid #8f1d14;padding-left:.6rem}\n"
	".small{font-size:.85rem;color:#444}\n"
	"img{max-width:100%;height:auto}\n"
	"svg{display:block;width:100%;min-width:44rem;height:auto}\n"
	"svg text{font:13px system-ui,sans-serif;fill:#1a1a1a}\n"
	"figure{margin:1rem 0}\n"
	"@media print{body{max-width:none;padding:0;font-size:10pt}nav{display:none}svg{min-width:0}a{color:inherit}.wide{overflow:visible}tr,figure,svg{break-inside:avoid}h2,h3{break-after:avoid}thead{display:table-header-group}}\n";

static void put_meta(struct markup *m, const char *key, const char *name,
	const char *content)
{
	markup_open(m, "meta");
	markup_attribute(m, key, name);
	markup_attribute(m, "content", content);
	markup_close(m);
}

static void put_name(const struct script *script, struct buf *out)
{
	if (script->ceremony != NULL)
		buf_format(out, "Ceremony %s%s", script->ceremony,
			script->title != NULL ? ": " : "");
	buf_text(out, script->title != NULL ? script->title : "");
	if (out->len == 0)
		buf_text(out, "A ceremony");
}

static void put_head(const struct site *site, struct markup *m)
{
	struct buf title = BUF_EMPTY;

	markup_open(m, "head");
	markup_open(m, "meta");
	markup_attribute(m, "charset", "utf-8");
	markup_close(m);
	put_meta(m, "http-equiv", "Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:");
	put_meta(m, "name", "viewport", "width=device-width, initial-scale=1");
	put_meta(m, "name", "referrer", "no-referrer");
	put_name(site->account->script, &title);
	part_put(m, "title", NULL, buf_string(&title));
	markup_element(m, "style", style);
	markup_close(m);
	buf_free(&title);
}

static void put_fact(
	struct markup *m, const char *name, const char *class, const char *text)
{
	markup_open(m, "tr");
	markup_open(m, "th");
	markup_attribute(m, "scope", "row");
	markup_text(m, name);
	markup_close(m);
	part_put(m, "td", class, text);
	markup_close(m);
}

/* As digits, and as words. */
static void put_hash(struct markup *m, const char *name, const uint8_t *hash)
{
	struct buf text = BUF_EMPTY;

	hex_encode(&text, hash, SHA256_LEN);
	put_fact(m, name, "hash", buf_string(&text));
	buf_clear(&text);
	words_write(&text, hash, SHA256_LEN, 0);
	put_fact(m, "the same in words", NULL, buf_string(&text));
	buf_free(&text);
}

static void put_disc(const struct site *site, struct markup *m)
{
	const struct script *script = site->account->script;
	struct buf hash = BUF_EMPTY;
	struct err ignored = ERR_EMPTY;

	put_fact(m, "Release that was run", NULL, site->account->release);
	if (script->disc == NULL)
		return;
	put_fact(m, "Disc", NULL, script->disc);
	if (hex_decode(script->disc_sha256, &hash, &ignored))
		put_hash(m, "Disc, SHA-256", hash.data);
	buf_free(&hash);
}

static void put_times(const struct account *account, struct markup *m)
{
	struct buf text = BUF_EMPTY;

	say_time(&text, account->begin);
	put_fact(m, "Begin (UTC)", NULL, buf_string(&text));
	buf_clear(&text);
	say_time(&text, account->end);
	put_fact(m, "End (UTC)", NULL, buf_string(&text));
	buf_clear(&text);
	say_seconds(&text, (int64_t)account->planned * 60);
	buf_text(&text, " planned, ");
	say_seconds(&text, account->begin != COURSE_NEVER
				   ? account->end - account->begin
				   : COURSE_NEVER);
	buf_text(&text, " taken");
	put_fact(m, "Duration", NULL, buf_string(&text));
	buf_free(&text);
}

static void put_log(const struct account *account, struct markup *m)
{
	const struct course *course = account->course;
	struct buf text = BUF_EMPTY;

	put_fact(m, "Chain of the log",
		course->problem_count == 0 ? "good" : "bad",
		course->problem_count == 0
			? "every line follows from the one before it"
			: "NOT WHOLE, see below");
	for (size_t i = 0; i < course->log_count; i++)
		put_fact(m, "Last line of the log", "hash",
			course->logs[i].hash);
	buf_format(&text, "%zu", course->exception_count);
	put_fact(m, "Exceptions", course->exception_count > 0 ? "bad" : NULL,
		buf_string(&text));
	buf_clear(&text);
	buf_format(
		&text, "%zu", account->finding_count - course->exception_count);
	put_fact(m, "Other deviations", NULL, buf_string(&text));
	buf_free(&text);
}

static void put_problems(const struct account *account, struct markup *m)
{
	const struct course *course = account->course;

	if (course->problem_count == 0)
		return;
	markup_element(m, "h3", "The log is not whole");
	markup_open(m, "ul");
	for (size_t i = 0; i < course->problem_count; i++) {
		struct buf text = BUF_EMPTY;

		buf_format(&text, "journal %zu, line %" PRIu64 ": %s",
			course->problems[i].log + 1, course->problems[i].line,
			course->problems[i].text);
		part_put(m, "li", "bad", buf_string(&text));
		buf_free(&text);
	}
	markup_close(m);
}

static void put_summary(const struct site *site, struct markup *m)
{
	static const char *const heads[] = {"What", "Value"};

	part_section(m, "summary", "Summary");
	part_table(m, "The ceremony in short", heads, 2);
	put_times(site->account, m);
	put_disc(site, m);
	put_hash(m, "Script, SHA-256", site->account->hash);
	put_log(site->account, m);
	part_table_end(m);
	put_problems(site->account, m);
	markup_close(m);
}

static const struct section {
	const char *id, *title;
	bool (*put)(const struct site *site, struct markup *m, struct err *err);
} sections[] = {
	{"timeline", "Timeline", part_timeline},
	{"exceptions", "Exceptions and deviations", part_findings},
	{"steps", "Annotated script", part_steps},
	{"responses", "Signed key responses", part_responses},
	{"logs", "Logs", part_logs},
	{"pictures", "Pictures", part_pictures},
	{"files", "Files, hashes and how to check them", part_files},
};
#define SECTIONS (sizeof(sections) / sizeof(*sections))

static void put_nav(struct markup *m)
{
	markup_open(m, "nav");
	markup_attribute(m, "aria-label", "Contents");
	markup_open(m, "ul");
	for (size_t i = 0; i < SECTIONS; i++) {
		struct buf address = BUF_EMPTY;

		buf_format(&address, "#%s", sections[i].id);
		markup_open(m, "li");
		markup_open(m, "a");
		markup_attribute(m, "href", buf_string(&address));
		markup_text(m, sections[i].title);
		markup_close(m);
		markup_close(m);
		buf_free(&address);
	}
	markup_close(m);
	markup_close(m);
}

static bool put_body(const struct site *site, struct markup *m, struct err *err)
{
	struct buf title = BUF_EMPTY, foot = BUF_EMPTY;
	bool ok = true;

	markup_open(m, "body");
	markup_open(m, "header");
	put_name(site->account->script, &title);
	part_put(m, "h1", NULL, buf_string(&title));
	put_nav(m);
	markup_close(m);
	markup_open(m, "main");
	put_summary(site, m);
	for (size_t i = 0; ok && i < SECTIONS; i++) {
		part_section(m, sections[i].id, sections[i].title);
		ok = sections[i].put(site, m, err);
		markup_close(m);
	}
	markup_close(m);
	buf_format(&foot, "Made by Keyroom %s, \"ceremony publish\".",
		site->release);
	markup_open(m, "footer");
	part_put(m, "p", "small", buf_string(&foot));
	markup_close(m);
	markup_close(m);
	buf_free(&foot);
	buf_free(&title);
	return ok;
}

bool site_write(const struct site *site, struct buf *out, struct err *err)
{
	struct markup *m = NULL;
	bool ok = markup_new(true, &m, err);

	if (ok) {
		markup_open(m, "html");
		markup_attribute(m, "lang", "en");
		put_head(site, m);
		ok = put_body(site, m, err) && markup_end(m, out, err);
	}
	markup_free(m);
	return ok;
}
