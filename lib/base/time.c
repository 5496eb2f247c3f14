/* SPDX-License-Identifier: ISC */
#include "lib/base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LAST_SECOND INT64_C(253402300799) /* 9999-12-31T23:59:59 */

/* Days from 1970-01-01, proleptic Gregorian; month 1 to 12, day 1 to 31. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t yoe = y - era * 400;
	int64_t shifted = month > 2 ? month - 3 : month + 9;
	int64_t doy = (153 * shifted + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Does text have the shape of pattern, where 0 stands for a digit? */
static bool shape_matches(const char *text, const char *pattern)
{
	for (; *pattern != '\0'; text++, pattern++) {
		bool digit = *text >= '0' && *text <= '9';

		if (*pattern == '0' ? !digit : *text != *pattern)
			return false;
	}
	return true;
}

static int digits(const char *text, int count)
{
	int value = 0;

	while (count-- > 0)
		value = value * 10 + (*text++ - '0');
	return value;
}

/*
 * The length of a fraction of a second that is zero (".000"): whole seconds,
 * as some writers of XML have them.  Any other is no time here.
 */
static size_t zero_fraction(const char *text)
{
	size_t zeros = *text == '.' ? strspn(text + 1, "0") : 0;

	return zeros > 0 ? zeros + 1 : 0;
}

bool time_parse(const char *text, int64_t *out, struct err *err)
{
	int year, month, day, hour, minute, second;
	const char *zone;

	if (!shape_matches(text, "0000-00-00T00:00:00"))
		goto refused;
	zone = text + 19 + zero_fraction(text + 19);
	if (*zone != '\0' && strcmp(zone, "Z") != 0 &&
		strcmp(zone, "+00:00") != 0)
		goto refused;
	year = digits(text, 4);
	month = digits(text + 5, 2);
	day = digits(text + 8, 2);
	hour = digits(text + 11, 2);
	minute = digits(text + 14, 2);
	second = digits(text + 17, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
		day > days_in_month(year, month) || hour > 23 || minute > 59 ||
		second > 59)
		goto refused;
	*out = days_from_civil(year, month, day) * TIME_DAY + hour * 3600 +
	       minute * 60 + second;
	return true;
refused:
	return err_set(err, ERR_INPUT,
		"\"%.40s\" is not a time, expected for example 2010-04-01T00:00:00+00:00",
		text);
}

/*
 * The other way.  Not gmtime(): in zones that count leap seconds it is off by
 * as many, which signatures never are (RFC 4034 §3.1.5).
 */
static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	/* 146097 days in 400 years: right, or one year off. */
	int64_t y = 1970 + days * 400 / 146097;

	while (days_from_civil(y, 1, 1) > days)
		y--;
	while (days_from_civil(y + 1, 1, 1) <= days)
		y++;
	days -= days_from_civil(y, 1, 1);
	*year = (int)y;
	for (*month = 1; days >= days_in_month(*year, *month); ++*month)
		days -= days_in_month(*year, *month);
	*day = (int)days + 1;
}

static char *put_digits(char *out, int value, int count)
{
	for (int i = count; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + count;
}

void time_format(int64_t t, enum time_style style, char out[TIME_TEXT_MAX])
{
	/* Year, month, Day, hour, Minute, second; the rest is as it stands. */
	static const char *const patterns[] = {
		[TIME_BARE] = "y-m-DTh:M:s",
		[TIME_Z] = "y-m-DTh:M:sZ",
		[TIME_OFFSET] = "y-m-DTh:M:s+00:00",
		[TIME_FILE] = "ymD-hMs",
		[TIME_DNS] = "ymDhMs",
	};
	int year, month, day, second;

	if (t < 0 || t > LAST_SECOND) {
		snprintf(out, TIME_TEXT_MAX, "out-of-range");
		return;
	}
	civil_from_days(t / TIME_DAY, &year, &month, &day);
	second = (int)(t % TIME_DAY);
	for (const char *p = patterns[style]; *p != '\0'; p++)
		switch (*p) {
		case 'y':
			out = put_digits(out, year, 4);
			break;
		case 'm':
			out = put_digits(out, month, 2);
			break;
		case 'D':
			out = put_digits(out, day, 2);
			break;
		case 'h':
			out = put_digits(out, second / 3600, 2);
			break;
		case 'M':
			out = put_digits(out, second / 60 % 60, 2);
			break;
		case 's':
			out = put_digits(out, second % 60, 2);
			break;
		default:
			*out++ = *p;
		}
	*out = '\0';
}

/*
 * One "12D" part: 1 to 9 digits and the unit, of seconds with a fraction of
 * zero, too.  Moves *text behind it.
 */
static bool duration_part(
	const char **text, char unit, int64_t factor, int64_t *sum, bool *found)
{
	const char *p = *text;
	int64_t value = 0;

	while (*p >= '0' && *p <= '9' && p - *text < 10)
		value = value * 10 + (*p++ - '0');
	if (p == *text || p - *text > 9)
		return false;
	if (unit == 'S')
		p += zero_fraction(p);
	if (*p != unit)
		return false;
	*sum += value * factor;
	*text = p + 1;
	*found = true;
	return true;
}

bool time_duration_parse(const char *text, int64_t *out, struct err *err)
{
	const char *p = text;
	bool found = false;
	int64_t sum = 0, vague = 0;

	if (*p++ != 'P')
		goto refused;
	/* How long a year or a month is nobody knows, unless it is none. */
	duration_part(&p, 'Y', 1, &vague, &found);
	duration_part(&p, 'M', 1, &vague, &found);
	duration_part(&p, 'D', TIME_DAY, &sum, &found);
	if (*p == 'T') {
		p++;
		found = false;
		duration_part(&p, 'H', 3600, &sum, &found);
		duration_part(&p, 'M', 60, &sum, &found);
		duration_part(&p, 'S', 1, &sum, &found);
	}
	if (!found || *p != '\0' || vague != 0)
		goto refused;
	*out = sum;
	return true;
refused:
	return err_set(err, ERR_INPUT,
		"\"%.40s\" is not a duration, expected for example P21D, PT0S or P1DT2H3M4S (no months, no years)",
		text);
}

void time_duration_format(int64_t seconds, char out[TIME_DURATION_MAX])
{
	int64_t days = seconds / TIME_DAY, rest = seconds % TIME_DAY;
	const int64_t parts[] = {rest / 3600, rest / 60 % 60, rest % 60};
	int len = 0;

	len += snprintf(out, TIME_DURATION_MAX, "P");
	if (days > 0)
		len += snprintf(out + len, TIME_DURATION_MAX - (size_t)len,
			"%" PRId64 "D", days);
	if (days > 0 && rest == 0)
		return;
	len += snprintf(out + len, TIME_DURATION_MAX - (size_t)len, "T");
	for (int i = 0; i < 3; i++)
		if (parts[i] > 0 || (seconds == 0 && i == 2))
			len += snprintf(out + len,
				TIME_DURATION_MAX - (size_t)len,
				"%" PRId64 "%c", parts[i], "HMS"[i]);
}

int64_t time_now(void)
{
	return (int64_t)time(NULL);
}

int64_t time_steady(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
