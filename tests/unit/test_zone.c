/* This file tests time zones: what their clocks show, gaps and overlaps, and files that are odd. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/civil.h"
#include "base/mem.h"
#include "base/zone.h"
#include "base/zone_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { HOUR = 3600, MINUTE = 60 };

static const struct zone *zone_of(const char *name)
{
	const struct zone *zone = NULL;
	struct err err = {0};
	if (zone_get(span_of(name), &zone, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return zone;
}

static int number_at(const char *text, size_t at, size_t len)
{
	char digits[8] = {0};
	memcpy(digits, text + at, len);
	return (int)strtol(digits, NULL, 10);
}

/* "2025-03-30 01:00:00" as the seconds that it is in UTC. */
static int64_t seconds_of(const char *text)
{
	assert_int_equal(strlen(text), 19);
	struct civil_date date = {number_at(text, 0, 4), number_at(text, 5, 2),
	                          number_at(text, 8, 2)};
	return civil_days(date) * CIVIL_DAY_SECONDS + number_at(text, 11, 2) * HOUR +
	       number_at(text, 14, 2) * MINUTE + number_at(text, 17, 2);
}

/* At each of these instants the clocks have just been changed. */
static void clocks_are_changed_on_the_second(void **state)
{
	(void)state;
	static const struct {
		const char *zone;
		const char *utc;
		int before;
		int after;
		bool is_dst; /* from then on */
	} changes[] = {
	        {"Europe/Berlin", "2025-03-30 01:00:00", HOUR, 2 * HOUR, true},
	        {"Europe/Berlin", "2025-10-26 01:00:00", 2 * HOUR, HOUR, false},
	        {"Europe/Berlin", "1893-03-31 23:06:32", 53 * MINUTE + 28, HOUR, false},
	        {"Europe/Berlin", "2150-03-29 01:00:00", HOUR, 2 * HOUR, true},
	        {"Europe/Berlin", "9999-10-31 01:00:00", 2 * HOUR, HOUR, false},
	        {"America/New_York", "2026-03-08 07:00:00", -5 * HOUR, -4 * HOUR, true},
	        {"America/New_York", "2026-11-01 06:00:00", -4 * HOUR, -5 * HOUR, false},
	        {"America/New_York", "2044-11-06 06:00:00", -4 * HOUR, -5 * HOUR, false},
	        {"Australia/Lord_Howe", "2025-04-05 15:00:00", 11 * HOUR, 10 * HOUR + 30 * MINUTE,
	         false},
	        {"Australia/Lord_Howe", "2025-10-04 15:30:00", 10 * HOUR + 30 * MINUTE, 11 * HOUR,
	         true},
	        {"Australia/Lord_Howe", "2060-10-02 15:30:00", 10 * HOUR + 30 * MINUTE, 11 * HOUR,
	         true},
	        {"Asia/Kolkata", "1945-10-14 17:30:00", 6 * HOUR + 30 * MINUTE,
	         5 * HOUR + 30 * MINUTE, false},
	        {"Pacific/Kiritimati", "1994-12-31 10:00:00", -10 * HOUR, 14 * HOUR, false},
	        {"Pacific/Apia", "2011-12-30 10:00:00", -10 * HOUR, 14 * HOUR, true},
	        {"Europe/Dublin", "2025-03-30 01:00:00", 0, HOUR, false},
	        {"Europe/Dublin", "2025-10-26 01:00:00", HOUR, 0, true},
	        {"Europe/Dublin", "2080-03-31 01:00:00", 0, HOUR, false},
	        {"Africa/Casablanca", "2025-02-23 02:00:00", HOUR, 0, true},
	        {"Africa/Casablanca", "2025-04-06 02:00:00", 0, HOUR, false},
	};
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		const struct zone *zone = zone_of(changes[i].zone);
		int64_t at = seconds_of(changes[i].utc);
		int offset = 0;
		bool is_dst = !changes[i].is_dst;
		zone_offset_at(zone, at - 1, &offset, &is_dst);
		assert_int_equal(offset, changes[i].before);
		zone_offset_at(zone, at, &offset, &is_dst);
		assert_int_equal(offset, changes[i].after);
		if (is_dst != changes[i].is_dst) {
			fail_msg("%s %s", changes[i].zone, changes[i].utc);
		}
	}
}

static void a_stretch_goes_from_change_to_change(void **state)
{
	(void)state;
	const struct zone *zone = zone_of("Europe/Berlin");
	int64_t from = seconds_of("2025-03-30 01:00:00");
	int64_t until = seconds_of("2025-10-26 01:00:00");
	int64_t instants[] = {from, from + 86400, until - 1};
	for (size_t i = 0; i < sizeof instants / sizeof *instants; i++) {
		struct zone_stretch stretch = zone_stretch_at(zone, instants[i]);
		assert_int_equal(stretch.from, from);
		assert_int_equal(stretch.until, until);
		assert_int_equal(stretch.offset, 2 * HOUR);
		assert_true(stretch.is_dst);
	}
	assert_int_equal(zone_stretch_at(zone, until).from, until);
	assert_int_equal(zone_stretch_at(zone, from - 1).until, from);
}

static void a_zone_without_changes_is_always_the_same(void **state)
{
	(void)state;
	static const struct {
		const char *zone;
		int offset;
	} zones[] = {{"UTC", 0}, {"Etc/GMT+3", -3 * HOUR}, {"Asia/Kathmandu", 20700}};
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		const struct zone *zone = zone_of(zones[i].zone);
		for (int64_t year = 1990; year < 12000; year += 77) {
			int offset = 1;
			bool is_dst = true;
			zone_offset_at(zone, (year - 1970) * 31556952, &offset, &is_dst);
			assert_int_equal(offset, zones[i].offset);
			assert_false(is_dst);
		}
	}
}

static void a_local_time_has_none_one_or_two_instants(void **state)
{
	(void)state;
	static const struct {
		const char *zone;
		const char *local;
		size_t count;
		const char *first; /* none: when the clocks were put forward */
		const char *second;
	} cases[] = {
	        {"UTC", "2025-03-30 02:30:00", 1, "2025-03-30 02:30:00", NULL},
	        {"Europe/Berlin", "2025-07-01 12:00:00", 1, "2025-07-01 10:00:00", NULL},
	        {"Europe/Berlin", "2025-03-30 01:59:59", 1, "2025-03-30 00:59:59", NULL},
	        {"Europe/Berlin", "2025-03-30 02:00:00", 0, "2025-03-30 01:00:00", NULL},
	        {"Europe/Berlin", "2025-03-30 02:59:59", 0, "2025-03-30 01:00:00", NULL},
	        {"Europe/Berlin", "2025-03-30 03:00:00", 1, "2025-03-30 01:00:00", NULL},
	        {"Europe/Berlin", "2025-10-26 01:59:59", 1, "2025-10-25 23:59:59", NULL},
	        {"Europe/Berlin", "2025-10-26 02:00:00", 2, "2025-10-26 00:00:00",
	         "2025-10-26 01:00:00"},
	        {"Europe/Berlin", "2025-10-26 02:59:59", 2, "2025-10-26 00:59:59",
	         "2025-10-26 01:59:59"},
	        {"Europe/Berlin", "2025-10-26 03:00:00", 1, "2025-10-26 02:00:00", NULL},
	        {"Europe/Berlin", "2150-03-29 02:30:00", 0, "2150-03-29 01:00:00", NULL},
	        {"Europe/Berlin", "2150-10-25 02:30:00", 2, "2150-10-25 00:30:00",
	         "2150-10-25 01:30:00"},
	        {"America/New_York", "2026-11-01 01:30:00", 2, "2026-11-01 05:30:00",
	         "2026-11-01 06:30:00"},
	        {"Australia/Lord_Howe", "2025-10-05 02:15:00", 0, "2025-10-04 15:30:00", NULL},
	        {"Australia/Lord_Howe", "2025-04-06 01:45:00", 2, "2025-04-05 14:45:00",
	         "2025-04-05 15:15:00"},
	        {"Pacific/Apia", "2011-12-30 12:00:00", 0, "2011-12-30 10:00:00", NULL},
	        {"Pacific/Apia", "2011-12-31 00:00:00", 1, "2011-12-30 10:00:00", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t found[2] = {0, 0};
		const struct zone *zone = zone_of(cases[i].zone);
		if (zone_local_to_unix(zone, seconds_of(cases[i].local), found) != cases[i].count ||
		    found[0] != seconds_of(cases[i].first)) {
			fail_msg("%s %s: %lld", cases[i].zone, cases[i].local, (long long)found[0]);
		}
		if (cases[i].second != NULL) {
			assert_int_equal(found[1], seconds_of(cases[i].second));
		}
	}
}

static void what_is_no_zone_is_refused_by_name(void **state)
{
	(void)state;
	static const char *const names[] = {
	        "",
	        "Mars/Olympus",
	        "/etc/passwd",
	        "../../../etc/passwd",
	        "Europe/..",
	        "Europe",
	        "Europe/Berlin/",
	        "Europe//Berlin",
	        "zone.tab",
	        "Europe/Berlin\n",
	        "Europe/Berlin/x",
	        "Europe/Berl%n",
	        "Euro pe/Be",
	        "America/./New_York",
	        "utc ",
	        "\xc3\xa9",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct zone *zone = NULL;
		struct err err = {0};
		assert_int_equal(zone_get(span_of(names[i]), &zone, &err), E_INVALID);
		assert_string_equal(err.code, "unknown_zone");
		assert_non_null(strstr(err.text, names[i]));
		assert_null(zone);
	}
	char long_name[ZONE_NAME_MAX + 1];
	memset(long_name, 'a', sizeof long_name);
	const struct zone *zone = NULL;
	struct err err = {0};
	assert_int_equal(zone_get(span_make(long_name, sizeof long_name), &zone, &err), E_INVALID);
	assert_non_null(strstr(err.text, "cut short"));
	long_name[ZONE_NAME_MAX - 1] = '\xc3';
	long_name[ZONE_NAME_MAX] = '\xa9';
	assert_int_equal(zone_get(span_make(long_name, sizeof long_name), &zone, &err), E_INVALID);
	assert_null(strchr(err.text, '\xc3'));
	assert_int_equal(zone_get(SPAN("UTC\0x"), &zone, &err), E_INVALID);
}

/* ---- files that we write ourselves ---- */

static char dir[] = "/tmp/test_zone_XXXXXX";

/* Big-endian; a number of more than eight bytes begins with zeros. */
static void put_number(struct buf *out, int64_t number, int len)
{
	for (int i = len - 1; i >= 0; i--) {
		uint64_t rest = i < 8 ? (uint64_t)number >> (8 * i) : 0;
		buf_byte(out, (char)rest);
	}
}

struct parts {
	char version;
	int64_t is_ut;
	int64_t is_std;
	int64_t leap_seconds;
	int64_t types;
	int64_t name_bytes;
	int64_t first_instant;
	int64_t second_instant;
	int offset;
	int is_dst;
	int name_at;
	int type_of_second;
	const char *footer;
};

static const struct parts good = {
        .version = '2',
        .types = 2,
        .name_bytes = 4,
        .first_instant = 1000,
        .second_instant = 2000,
        .offset = HOUR,
        .type_of_second = 1,
        .footer = "\nXYZ-1\n",
};

static void put_header(struct buf *out, const struct parts *parts, int64_t instants)
{
	BUF_LITERAL(out, "TZif");
	buf_byte(out, parts->version);
	put_number(out, 0, 15);
	put_number(out, instants ? parts->is_ut : 0, 4);
	put_number(out, instants ? parts->is_std : 0, 4);
	put_number(out, instants ? parts->leap_seconds : 0, 4);
	put_number(out, instants, 4);
	put_number(out, instants ? parts->types : 0, 4);
	put_number(out, instants ? parts->name_bytes : 0, 4);
}

static void put_zone(struct buf *out, const struct parts *parts)
{
	put_header(out, parts, 0);
	put_header(out, parts, 2);
	put_number(out, parts->first_instant, 8);
	put_number(out, parts->second_instant, 8);
	put_number(out, 0, 1);
	put_number(out, parts->type_of_second, 1);
	for (int64_t i = 0; i < parts->types; i++) {
		put_number(out, i == 1 ? parts->offset : -HOUR, 4);
		put_number(out, i == 1 ? parts->is_dst : 0, 1);
		put_number(out, i == 1 ? parts->name_at : 0, 1);
	}
	if (parts->name_bytes == 4) {
		buf_add(out, "XYZ", 4);
	}
	put_number(out, 0, (int)parts->leap_seconds * 12);
	put_number(out, 1, (int)parts->is_std);
	put_number(out, 1, (int)parts->is_ut);
	buf_span(out, span_of(parts->footer));
}

static int read_parts(const struct parts *parts, struct zone_table *out)
{
	struct buf bytes = {0};
	struct err err = {0};
	put_zone(&bytes, parts);
	int status = zone_table_read(buf_view(&bytes), out, &err);
	assert_true(status == 0 || err.text[0] != '\0');
	buf_free(&bytes);
	return status;
}

static void every_part_of_a_file_is_checked(void **state)
{
	(void)state;
	struct zone_table table = {0};
	assert_int_equal(read_parts(&good, &table), 0);
	assert_int_equal(zone_table_stretch(&table, 999).offset, -HOUR);
	assert_int_equal(zone_table_stretch(&table, 1999).offset, -HOUR);
	assert_int_equal(zone_table_stretch(&table, 2000).offset, HOUR);
	zone_table_close(&table);

	struct parts odd[24];
	size_t count = 0;
#define ODD(member, value)                                                                         \
	do {                                                                                       \
		odd[count] = good;                                                                 \
		odd[count++].member = (value);                                                     \
	} while (0)
	ODD(is_std, 1);
	ODD(is_ut, 2); /* UT, but not standard time */
	ODD(types, 0);
	ODD(types, 257);
	ODD(name_bytes, 0);
	ODD(name_bytes, 5);
	ODD(first_instant, 2000);
	ODD(first_instant, 3000);
	ODD(first_instant, INT64_MIN);
	ODD(second_instant, INT64_MAX);
	ODD(offset, 26 * HOUR);
	ODD(offset, INT32_MIN);
	ODD(is_dst, 2);
	ODD(name_at, 4);
	ODD(type_of_second, 2);
	ODD(footer, "");
	ODD(footer, "\n");
	ODD(footer, "\nXYZ-1");
	ODD(footer, "XYZ-1\n");
	ODD(footer, "\nXYZ-1\n\n");
#undef ODD
	for (size_t i = 0; i < count; i++) {
		if (read_parts(&odd[i], &table) != E_DAMAGED) {
			fail_msg("odd file %zu was read", i);
		}
	}
	struct parts other = good;
	other.leap_seconds = 1;
	assert_int_equal(read_parts(&other, &table), E_UNSUPPORTED);
	other = good;
	other.version = '1';
	assert_int_equal(read_parts(&other, &table), E_VERSION);
	other = good;
	other.footer = "\n\n";
	assert_int_equal(read_parts(&other, &table), 0);
	assert_int_equal(zone_table_stretch(&table, INT64_C(1) << 40).offset, HOUR);
	assert_int_equal(zone_table_stretch(&table, INT64_C(1) << 40).until, INT64_MAX);
	zone_table_close(&table);
}

static void a_file_cut_anywhere_is_damaged(void **state)
{
	(void)state;
	struct buf bytes = {0};
	put_zone(&bytes, &good);
	for (size_t len = 0; len < bytes.len; len++) {
		/* A copy, so that a look behind its end is seen. */
		char *cut = mem_copy(bytes.ptr, len);
		struct zone_table table = {0};
		struct err err = {0};
		assert_int_equal(zone_table_read(span_make(cut, len), &table, &err), E_DAMAGED);
		mem_free(cut);
	}
	buf_free(&bytes);
}

static void rules_are_read_as_posix_spells_them(void **state)
{
	(void)state;
	static const struct {
		const char *rule;
		const char *utc;
		int offset;
		bool is_dst;
	} rules[] = {
	        {"<-03>3", "2050-01-01 00:00:00", -3 * HOUR, false},
	        {"<+1245>-12:45:30", "2050-01-01 00:00:00", 12 * HOUR + 45 * MINUTE + 30, false},
	        {"AAA3BBB,M10.1.0/0,M3.3.0/0", "2050-01-01 00:00:00", -2 * HOUR, true},
	        {"AAA3BBB,M10.1.0/0,M3.3.0/0", "2050-07-01 00:00:00", -3 * HOUR, false},
	        {"AAA0BBB-0:20,J60/0,J61/0", "2048-02-29 12:00:00", 0, false},
	        {"AAA0BBB-0:20,J60/0,J61/0", "2048-03-01 12:00:00", 1200, true},
	        {"AAA0BBB-0:20,59/0,60/0", "2048-02-29 12:00:00", 1200, true},
	        {"AAA0BBB-0:20,59/0,60/0", "2047-03-01 12:00:00", 1200, true},
	        {"AAA0BBB-0:20,59/0,60/0", "2048-03-01 12:00:00", 0, false},
	        {"EST5EDT,0/0,J365/25", "2050-01-01 05:00:00", -4 * HOUR, true},
	        {"EST5EDT,0/0,J365/25", "2050-01-01 04:59:59", -4 * HOUR, true},
	        {"EST5EDT,0/0,J365/25", "2050-07-01 00:00:00", -4 * HOUR, true},
	        {"IST-2IDT,M3.4.4/26,M10.5.0", "2050-03-24 23:59:59", 2 * HOUR, false},
	        {"IST-2IDT,M3.4.4/26,M10.5.0", "2050-03-25 00:00:00", 3 * HOUR, true},
	        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27 00:59:59", -2 * HOUR, false},
	        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27 01:00:00", -HOUR, true},
	        /* It ends a day after the next has begun. */
	        {"EST5EDT,1/0,J365/85", "2050-01-01 12:00:00", -5 * HOUR, false},
	        {"EST5EDT,1/0,J365/85", "2050-01-02 12:00:00", -4 * HOUR, true},
	        {"EST5EDT,1/0,J365/85", "2050-01-03 18:00:00", -5 * HOUR, false},
	        /* Six days before the year begins. */
	        {"AAA0BBB,0/-144,100", "2049-12-25 23:59:59", 0, false},
	        {"AAA0BBB,0/-144,100", "2049-12-26 00:00:00", HOUR, true},
	};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		struct zone_rule rule;
		int64_t at = seconds_of(rules[i].utc);
		assert_true(zone_rule_read(span_of(rules[i].rule), &rule));
		struct zone_stretch stretch = zone_rule_stretch(&rule, at);
		if (stretch.offset != rules[i].offset || stretch.is_dst != rules[i].is_dst) {
			fail_msg("%s %s: %d", rules[i].rule, rules[i].utc, stretch.offset);
		}
		assert_true(stretch.from <= at && at < stretch.until);
	}
	static const char *const bad[] = {
	        "",
	        "AB3",
	        "AAA",
	        "AAA25",
	        "AAA3:60",
	        "AAA3BBB",
	        "AAA3BBB,",
	        "AAA3BBB,M3.5.0",
	        "<AAA3",
	        "<A>3",
	        "AAA3 ",
	        "AAA3BBB,M0.1.0,M3.1.0",
	        "A1A3",
	        "AAA3:1:60",
	        "AAA3BBB,J0,J1",
	        "AAA3BBB,M1.6.0,M3.1.0",
	        "AAA3:",
	        "AAA-+3",
	        "AAA3BBB,366,1",
	        "AAA3BBB,M1.1.7,M3.1.0",
	        "AAA3BBB,1/168,2",
	        "AAA3BBB,1,2,",
	        "AAA3BBB4000,1,2",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct zone_rule rule;
		if (zone_rule_read(span_of(bad[i]), &rule)) {
			fail_msg("\"%s\" was read", bad[i]);
		}
	}
}

static void write_file(const char *name, struct span bytes)
{
	struct buf path = {0};
	buf_format(&path, "%s/%s", dir, name);
	buf_byte(&path, '\0');
	FILE *file = fopen(path.ptr, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
	assert_int_equal(fclose(file), 0);
	buf_free(&path);
}

static void remove_file(const char *name)
{
	struct buf path = {0};
	buf_format(&path, "%s/%s", dir, name);
	buf_byte(&path, '\0');
	assert_int_equal(unlink(path.ptr), 0);
	buf_free(&path);
}

/* With the directory that TZDIR names. */
static void damaged_files_are_told_and_the_oldest_zone_goes(void **state)
{
	(void)state;
	struct buf bytes = {0};
	struct err err = {0};
	const struct zone *zone = NULL;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("TZDIR", dir, 1), 0);
	put_zone(&bytes, &good);

	write_file("Damaged", span_make(bytes.ptr, bytes.len - 1));
	assert_int_equal(zone_get(SPAN("Damaged"), &zone, &err), E_DAMAGED);
	assert_non_null(strstr(err.text, "Damaged: "));
	remove_file("Damaged");

	write_file("First", buf_view(&bytes));
	zone = zone_of("First");
	remove_file("First");
	assert_ptr_equal(zone_of("First"), zone); /* kept */
	write_file("Other", buf_view(&bytes));
	char name[16];
	for (int i = 0; i < ZONE_KEPT_MAX - 1; i++) {
		(void)snprintf(name, sizeof name, "Zone%d", i);
		write_file(name, buf_view(&bytes));
		(void)zone_of(name);
		remove_file(name);
	}
	assert_ptr_equal(zone_of("First"), zone);
	(void)zone_of("Other"); /* Zone0 goes, the first was used after it */
	assert_ptr_equal(zone_of("First"), zone);
	assert_int_equal(zone_get(SPAN("Zone0"), &zone, &err), E_INVALID);
	(void)zone_of("Zone1");
	remove_file("Other");
	assert_int_equal(rmdir(dir), 0);
	(void)unsetenv("TZDIR");
	buf_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(clocks_are_changed_on_the_second),
	        cmocka_unit_test(a_stretch_goes_from_change_to_change),
	        cmocka_unit_test(a_zone_without_changes_is_always_the_same),
	        cmocka_unit_test(a_local_time_has_none_one_or_two_instants),
	        cmocka_unit_test(what_is_no_zone_is_refused_by_name),
	        cmocka_unit_test(every_part_of_a_file_is_checked),
	        cmocka_unit_test(a_file_cut_anywhere_is_damaged),
	        cmocka_unit_test(rules_are_read_as_posix_spells_them),
	        cmocka_unit_test(damaged_files_are_told_and_the_oldest_zone_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
