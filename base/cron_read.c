/* This file reads cron expressions field by field, and says what is wrong with one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cron_read.h"

#include <strings.h>

enum { FIELDS = 6, NAME_LEN = 3, SHOWN_MAX = 40, WEEK = 7, DIGITS_MAX = 4 };

static const char CODE[] = "invalid_cron";

enum field_at { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY };

struct field_kind {
	const char *name;
	int least;
	int most;
	int end;           /* where `*` and open steps end: the weekday 7 is Sunday again */
	const char *names; /* of the values from `least` on, three letters each */
	const char *allowed;
};

static const struct field_kind KINDS[FIELDS] = {
        {"second", 0, 59, 59, "", "0 to 59"},
        {"minute", 0, 59, 59, "", "0 to 59"},
        {"hour", 0, 23, 23, "", "0 to 23"},
        {"day of the month", 1, 31, 31, "", "1 to 31, L, LW or, for example, 15W"},
        {"month", 1, 12, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", "1 to 12 or JAN to DEC"},
        {"weekday", 0, 7, 6, "SUNMONTUEWEDTHUFRISAT",
         "0 to 7 or SUN to SAT, also with #1 to #5 or L behind it"},
};

static const struct {
	const char *name;
	const char *fields;
} SCHEDULES[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
};

enum { SCHEDULES_COUNT = sizeof SCHEDULES / sizeof *SCHEDULES };

/* What has been read of an expression. */
struct reading {
	uint64_t bits[FIELDS];
	bool is_open[FIELDS]; /* a `*` in it: it restricts nothing */
	struct cron_days days;
};

/* One item of a field's list. */
struct item {
	enum field_at at;
	const struct field_kind *kind;
	struct span text;
	struct span rest; /* not read yet */
	int first;
	int last;
	int step;
	bool is_star;
	struct err *err;
};

/* ---- refusals ---- */

static int shown(struct span text)
{
	return text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len;
}

static int refuse(const struct item *item, const char *what)
{
	return err_set(item->err, E_INVALID, CODE, "the %s '%.*s' %s", item->kind->name,
	               shown(item->text), item->text.ptr, what);
}

static int refuse_value(const struct item *item)
{
	return err_set(item->err, E_INVALID, CODE, "the %s '%.*s' is not %s", item->kind->name,
	               shown(item->text), item->text.ptr, item->kind->allowed);
}

static int refuse_rest(const struct item *item)
{
	return err_set(item->err, E_INVALID, CODE,
	               "the %s '%.*s' is not understood from its '%.*s' on; it is %s",
	               item->kind->name, shown(item->text), item->text.ptr, shown(item->rest),
	               item->rest.ptr, item->kind->allowed);
}

static int refuse_backwards(const struct item *item)
{
	return err_set(item->err, E_INVALID, CODE,
	               "the %s '%.*s' runs backwards; write %d-%d,%d-%d", item->kind->name,
	               shown(item->text), item->text.ptr, item->first, item->kind->end,
	               item->kind->least, item->last);
}

/* ---- taking something off the front ---- */

static bool take(struct span *text, char wanted)
{
	if (text->len == 0 || *text->ptr != wanted) {
		return false;
	}
	*text = span_make(text->ptr + 1, text->len - 1);
	return true;
}

/* In upper or lower case. */
static bool take_letter(struct span *text, char upper)
{
	return take(text, upper) || take(text, (char)(upper | 0x20));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool take_number(struct span *text, int *out)
{
	int number = 0;
	size_t len = 0;
	for (; len < text->len && len <= DIGITS_MAX && is_digit(text->ptr[len]); len++) {
		number = number * 10 + (text->ptr[len] - '0');
	}
	if (len == 0 || len > DIGITS_MAX) {
		return false;
	}
	*text = span_make(text->ptr + len, text->len - len);
	*out = number;
	return true;
}

/* The value that the first three letters name; or none. */
static const char *find_name(const struct field_kind *kind, struct span text, int *out)
{
	const char *names = kind->names;
	for (int i = 0; text.len >= NAME_LEN && names[i] != '\0'; i += NAME_LEN) {
		if (strncasecmp(text.ptr, names + i, NAME_LEN) == 0) {
			*out = kind->least + i / NAME_LEN;
			return names + i;
		}
	}
	return NULL;
}

/* The name is a whole word, but for the L that makes it the last such weekday. */
static bool take_name(const struct item *item, struct span *text, int *out)
{
	size_t len = 0;
	while (len < text->len && is_letter(text->ptr[len])) {
		len++;
	}
	bool has_last = len == NAME_LEN + 1 && item->at == WEEKDAY &&
	                (text->ptr[NAME_LEN] == 'L' || text->ptr[NAME_LEN] == 'l');
	if ((len != NAME_LEN && !has_last) || find_name(item->kind, *text, out) == NULL) {
		return false;
	}
	*text = span_make(text->ptr + NAME_LEN, text->len - NAME_LEN);
	return true;
}

/* ---- one item ---- */

static int refuse_word(const struct item *item)
{
	int value = 0;
	const char *name = find_name(item->kind, item->rest, &value);
	if (name == NULL) {
		return refuse_value(item);
	}
	return err_set(item->err, E_INVALID, CODE, "the %s '%.*s' is not %s; do you mean %.3s?",
	               item->kind->name, shown(item->text), item->text.ptr, item->kind->allowed,
	               name);
}

static int read_value(struct item *item, int *out)
{
	int value = 0;
	if (!take_name(item, &item->rest, &value) && !take_number(&item->rest, &value)) {
		return refuse_word(item);
	}
	if (value < item->kind->least || value > item->kind->most) {
		return err_set(item->err, E_INVALID, CODE,
		               "the %s '%.*s': %d is not within %d to %d", item->kind->name,
		               shown(item->text), item->text.ptr, value, item->kind->least,
		               item->kind->most);
	}
	*out = value;
	return 0;
}

static int read_step(struct item *item)
{
	int most = item->kind->end - item->kind->least + 1;
	if (!take_number(&item->rest, &item->step) || item->step < 1 || item->step > most) {
		return err_set(item->err, E_INVALID, CODE,
		               "the %s '%.*s' needs a step of 1 to %d behind its '/'",
		               item->kind->name, shown(item->text), item->text.ptr, most);
	}
	return 0;
}

/* What stands before the step: a star, a value, two values. */
static int read_bounds(struct item *item)
{
	bool takes_mark = item->at == DAY || item->at == WEEKDAY;
	item->is_star = take(&item->rest, '*') || (takes_mark && take(&item->rest, '?'));
	item->first = item->kind->least;
	item->last = item->kind->end;
	if (item->is_star) {
		return 0;
	}
	int status = read_value(item, &item->first);
	if (status != 0 || !take(&item->rest, '-')) {
		bool is_open = item->rest.len > 0 && *item->rest.ptr == '/';
		item->last = is_open && item->last > item->first ? item->last : item->first;
		return status;
	}
	status = read_value(item, &item->last);
	if (status != 0) {
		return status;
	}
	if (item->at == WEEKDAY && item->last == 0 && item->first > 0) {
		item->last = WEEK; /* FRI-SUN */
	}
	return item->first > item->last ? refuse_backwards(item) : 0;
}

/* Leaves in `rest` what follows. */
static int read_range(struct item *item)
{
	item->step = 1;
	int status = read_bounds(item);
	if (status == 0 && take(&item->rest, '/')) {
		status = read_step(item);
	}
	return status;
}

static int read_plain(struct item *item, struct reading *reading)
{
	int status = read_range(item);
	if (status != 0 || item->rest.len != 0) {
		return status != 0 ? status : refuse_rest(item);
	}
	for (int value = item->first; value <= item->last; value += item->step) {
		reading->bits[item->at] |= UINT64_C(1) << value;
	}
	reading->is_open[item->at] |= item->is_star && item->step == 1;
	return 0;
}

/* "15W", and nothing else. */
static bool take_working_day(struct span text, int *out)
{
	return take_number(&text, out) && take_letter(&text, 'W') && text.len == 0;
}

static int read_day(struct item *item, struct reading *reading)
{
	int day = 0;
	if (take_working_day(item->text, &day) && day >= item->kind->least &&
	    day <= item->kind->most) {
		reading->days.nearest |= UINT32_C(1) << day;
		return 0;
	}
	if (!take_letter(&item->rest, 'L')) {
		return read_plain(item, reading);
	}
	bool is_working = take_letter(&item->rest, 'W');
	reading->days.last |= !is_working;
	reading->days.last_working |= is_working;
	return item->rest.len != 0 ? refuse_rest(item) : 0;
}

/* In which weeks of the month: what stands behind a weekday. */
static int read_weeks(struct item *item, unsigned *out)
{
	bool has_number = take(&item->rest, '#');
	int week = 0;
	*out = CRON_WEEK_EVERY;
	if (take_letter(&item->rest, 'L')) {
		*out = 1U << CRON_WEEK_LAST;
	} else if (has_number) {
		if (!take_number(&item->rest, &week) || week < 1 || week > CRON_WEEK_LAST) {
			return refuse(item, "needs 1 to 5 or L behind its '#'");
		}
		*out = 1U << (week - 1);
	}
	return 0;
}

static int read_weekday(struct item *item, struct reading *reading)
{
	unsigned weeks = CRON_WEEK_EVERY;
	int status = read_range(item);
	if (status == 0 && !item->is_star) {
		status = read_weeks(item, &weeks);
	}
	if (status != 0 || item->rest.len != 0) {
		return status != 0 ? status : refuse_rest(item);
	}
	for (int value = item->first; value <= item->last; value += item->step) {
		reading->days.weeks_of[value % WEEK] |= (uint8_t)weeks;
	}
	reading->is_open[item->at] |= item->is_star && item->step == 1;
	return 0;
}

/* ---- one field ---- */

static int read_item(struct item *item, struct reading *reading)
{
	switch (item->at) {
	case DAY:
		return read_day(item, reading);
	case WEEKDAY:
		return read_weekday(item, reading);
	default:
		return read_plain(item, reading);
	}
}

static int read_field(enum field_at at, struct span text, struct reading *reading, struct err *err)
{
	struct span left = text;
	if (at == WEEKDAY && take(&left, '+')) {
		reading->days.needs_both = true;
	}
	bool is_more = true;
	while (is_more) {
		const char *comma = memchr(left.ptr, ',', left.len);
		size_t len = comma != NULL ? (size_t)(comma - left.ptr) : left.len;
		struct span text_of_item = {left.ptr, len};
		struct item item = {.at = at,
		                    .kind = &KINDS[at],
		                    .text = text_of_item,
		                    .rest = text_of_item,
		                    .err = err};
		if (len == 0) {
			item.text = text;
			return refuse(&item, "has an empty place in its list");
		}
		int status = read_item(&item, reading);
		if (status != 0) {
			return status;
		}
		is_more = comma != NULL;
		left = span_make(left.ptr + len + is_more, left.len - len - is_more);
	}
	return 0;
}

/* ---- the whole ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Returns how many fields there are, and puts the first ones. */
static size_t split(struct span text, struct span out[FIELDS])
{
	size_t count = 0;
	size_t at = 0;
	while (true) {
		while (at < text.len && is_space(text.ptr[at])) {
			at++;
		}
		size_t begin = at;
		while (at < text.len && !is_space(text.ptr[at])) {
			at++;
		}
		if (at == begin) {
			return count;
		}
		if (count < FIELDS) {
			out[count] = span_make(text.ptr + begin, at - begin);
		}
		count++;
	}
}

static int refuse_zone(struct span field, struct err *err)
{
	return err_set(err, E_INVALID, CODE,
	               "a cron expression does not hold its zone: write that beside it, and leave "
	               "'%.*s' out",
	               shown(field), field.ptr);
}

static int refuse_count(size_t count, struct err *err)
{
	return err_set(err, E_INVALID, CODE,
	               "a cron expression has 5 fields (minute, hour, day of the month, month, "
	               "weekday), or 6 with the second in front; this one has %zu%s",
	               count, count == FIELDS + 1 ? " (there is none for the year)" : "");
}

static bool is_schedule(struct span name, const char *schedule)
{
	return name.len == strlen(schedule) && strncasecmp(name.ptr, schedule, name.len) == 0;
}

/* `count` fields were written, the name is the first one. */
static int find_schedule(struct span name, size_t count, struct span *out, struct err *err)
{
	if (is_schedule(name, "@reboot")) {
		return err_set(err, E_UNSUPPORTED, CODE,
		               "'@reboot' is not supported: schedules go on over a restart of the "
		               "engine, so that it is no time of them");
	}
	for (size_t i = 0; i < SCHEDULES_COUNT; i++) {
		if (!is_schedule(name, SCHEDULES[i].name)) {
			continue;
		}
		if (count != 1) {
			return err_set(err, E_INVALID, CODE,
			               "'%s' stands alone: nothing follows it", SCHEDULES[i].name);
		}
		*out = span_of(SCHEDULES[i].fields);
		return 0;
	}
	return err_set(err, E_INVALID, CODE,
	               "there is no schedule '%.*s'; write @yearly, @monthly, @weekly, @daily, "
	               "@hourly or the fields",
	               shown(name), name.ptr);
}

static int check_text(struct span text, struct err *err)
{
	if (text.len > CRON_TEXT_MAX) {
		return err_set(err, E_LIMIT, CODE,
		               "the cron expression has %zu bytes, %d are allowed", text.len,
		               CRON_TEXT_MAX);
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c != '\t' && (c < ' ' || c > '~')) {
			return err_set(err, E_INVALID, CODE,
			               "byte %zu of the cron expression is none that it may hold",
			               i + 1);
		}
	}
	return 0;
}

static bool is_interval(struct span field)
{
	return memchr(field.ptr, '*', field.len) != NULL ||
	       memchr(field.ptr, '/', field.len) != NULL;
}

static int finish(const struct reading *reading, struct cron *cron, struct err *err)
{
	cron->seconds = reading->bits[SECOND];
	cron->minutes = reading->bits[MINUTE];
	cron->hours = reading->bits[HOUR];
	cron->days = reading->days;
	cron->days.in_month = (uint32_t)reading->bits[DAY];
	cron->days.months = (uint16_t)reading->bits[MONTH];
	cron->days.any_in_month = reading->is_open[DAY];
	cron->days.any_weekday = reading->is_open[WEEKDAY];
	if (!cron_days_finish(&cron->days)) {
		return err_set(err, E_INVALID, CODE,
		               "the cron expression never fires: no year has a day like that");
	}
	return 0;
}

int cron_read(struct span text, struct cron *out, struct err *err)
{
	struct span fields[FIELDS] = {0};
	int status = check_text(text, err);
	size_t count = status == 0 ? split(text, fields) : 0;
	if (count > 0 && *fields[0].ptr == '@') {
		status = find_schedule(fields[0], count, &text, err);
		count = status == 0 ? split(text, fields) : 0;
	}
	if (status != 0) {
		return status;
	}
	if (count > 0 && memchr(fields[0].ptr, '=', fields[0].len) != NULL) {
		return refuse_zone(fields[0], err);
	}
	if (count != FIELDS && count != FIELDS - 1) {
		return refuse_count(count, err);
	}
	struct reading reading = {.bits[SECOND] = count != FIELDS};
	struct cron cron = {.is_fixed = true};
	size_t without = FIELDS - count;
	for (size_t i = without; i < FIELDS; i++) {
		struct span field = fields[i - without];
		status = read_field((enum field_at)i, field, &reading, err);
		if (status != 0) {
			return status;
		}
		cron.is_fixed &= i > HOUR || !is_interval(field);
	}
	status = finish(&reading, &cron, err);
	if (status == 0) {
		*out = cron;
	}
	return status;
}
