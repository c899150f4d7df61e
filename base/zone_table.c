/* This file reads TZif files and checks all that they say. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zone_table.h"

#include "base/mem.h"

enum {
	HEADER_LEN = 44,
	VERSION_AT = 4,
	COUNTS_AT = 20,
	TYPE_LEN = 6,
	INSTANT_LEN_1 = 4, /* in the first block */
	INSTANT_LEN_2 = 8,
	CORRECTION_LEN = 4
};

/* No instant is further away: 2^59 seconds are older than the universe. */
#define INSTANT_MAX (INT64_C(1) << 59)

/* In the order of the file. */
struct counts {
	size_t is_ut;
	size_t is_std;
	size_t leap_seconds;
	size_t instants;
	size_t types;
	size_t name_bytes;
};

static uint64_t big_endian(const char *at, size_t len)
{
	uint64_t number = 0;
	for (size_t i = 0; i < len; i++) {
		number = number << 8 | (unsigned char)at[i];
	}
	return number;
}

static int damaged(struct err *err, const char *what)
{
	return err_set(err, E_DAMAGED, "damaged_zone", "the time zone file is damaged: %s", what);
}

static struct span cut(struct span *rest, size_t len)
{
	struct span front = {rest->ptr, len};
	*rest = span_make(rest->ptr + len, rest->len - len);
	return front;
}

/* Takes a header off `rest`, and makes sure that its whole block is there. */
static int read_header(struct span *rest, size_t instant_len, struct counts *out, size_t *out_len,
                       struct err *err)
{
	if (rest->len < HEADER_LEN || !span_starts_with(*rest, SPAN("TZif"))) {
		return damaged(err, "no TZif header");
	}
	struct span header = cut(rest, HEADER_LEN);
	char version = header.ptr[VERSION_AT];
	if (version < '2' || version > '4') {
		return err_set(err, E_VERSION, "unsupported_zone",
		               "the time zone file has a version that is not 2, 3 or 4");
	}
	const char *at = header.ptr + COUNTS_AT;
	struct counts counts = {
	        .is_ut = big_endian(at, 4),
	        .is_std = big_endian(at + 4, 4),
	        .leap_seconds = big_endian(at + 8, 4),
	        .instants = big_endian(at + 12, 4),
	        .types = big_endian(at + 16, 4),
	        .name_bytes = big_endian(at + 20, 4),
	};
	/* Each count is below 2^32: the sum does not overflow. */
	uint64_t len = (uint64_t)counts.instants * (instant_len + 1) +
	               (uint64_t)counts.types * TYPE_LEN + counts.name_bytes +
	               (uint64_t)counts.leap_seconds * (instant_len + CORRECTION_LEN) +
	               counts.is_std + counts.is_ut;
	if (len > rest->len) {
		return damaged(err, "it is cut short");
	}
	*out = counts;
	*out_len = (size_t)len;
	return 0;
}

static int check_counts(const struct counts *counts, struct err *err)
{
	if (counts->leap_seconds != 0) {
		return err_set(err, E_UNSUPPORTED, "unsupported_zone",
		               "the time zone file counts leap seconds; use the zone of the same "
		               "name without \"right/\"");
	}
	if (counts->types == 0 || counts->types > ZONE_TYPES_MAX || counts->name_bytes == 0) {
		return damaged(err, "it has no local time, or too many");
	}
	if ((counts->is_std != 0 && counts->is_std != counts->types) ||
	    (counts->is_ut != 0 && counts->is_ut != counts->types)) {
		return damaged(err, "its counts contradict each other");
	}
	return 0;
}

static int read_types(struct span bytes, struct span names, struct zone_type *types,
                      struct err *err)
{
	for (size_t i = 0; i < bytes.len / TYPE_LEN; i++) {
		const char *at = bytes.ptr + i * TYPE_LEN;
		int32_t offset = (int32_t)(uint32_t)big_endian(at, 4);
		size_t name_at = (unsigned char)at[5];
		if (offset < -ZONE_OFFSET_MAX || offset > ZONE_OFFSET_MAX) {
			return damaged(err, "an offset of more than a day");
		}
		if ((unsigned char)at[4] > 1) {
			return damaged(err, "summer time that is neither yes nor no");
		}
		if (name_at >= names.len ||
		    memchr(names.ptr + name_at, '\0', names.len - name_at) == NULL) {
			return damaged(err, "a local time without a name");
		}
		types[i] = (struct zone_type){offset, at[4] == 1};
	}
	return 0;
}

/* Whether rules were told in standard time or in UT says nothing to us, but is checked. */
static int check_indicators(struct span is_std, struct span is_ut, struct err *err)
{
	for (size_t i = 0; i < is_std.len || i < is_ut.len; i++) {
		unsigned std = i < is_std.len ? (unsigned char)is_std.ptr[i] : 0;
		unsigned ut = i < is_ut.len ? (unsigned char)is_ut.ptr[i] : 0;
		if (std > 1 || ut > 1 || ut > std) {
			return damaged(err, "an indicator that is neither yes nor no");
		}
	}
	return 0;
}

static int check_instants(struct span instants, struct span type_of, size_t types, struct err *err)
{
	int64_t before = -INSTANT_MAX - 1;
	for (size_t i = 0; i < type_of.len; i++) {
		int64_t instant =
		        (int64_t)big_endian(instants.ptr + i * INSTANT_LEN_2, INSTANT_LEN_2);
		if (instant <= before || instant > INSTANT_MAX) {
			return damaged(err, "transitions that do not follow each other");
		}
		if ((unsigned char)type_of.ptr[i] >= types) {
			return damaged(err, "a transition to a local time that is not there");
		}
		before = instant;
	}
	return 0;
}

static void keep_instants(struct span instants, struct span type_of, struct zone_table *table)
{
	table->count = type_of.len;
	if (table->count == 0) {
		return;
	}
	table->instants = MEM_ARRAY(int64_t, table->count);
	for (size_t i = 0; i < table->count; i++) {
		table->instants[i] =
		        (int64_t)big_endian(instants.ptr + i * INSTANT_LEN_2, INSTANT_LEN_2);
	}
	table->type_of = (uint8_t *)mem_copy(type_of.ptr, type_of.len);
}

/* Newline, rule or nothing, newline, the end. */
static int read_footer(struct span footer, struct zone_table *table, struct err *err)
{
	if (footer.len < 2 || footer.ptr[0] != '\n' || footer.ptr[footer.len - 1] != '\n') {
		return damaged(err, "the rule at its end is cut short");
	}
	struct span rule = {footer.ptr + 1, footer.len - 2};
	table->has_rule = rule.len != 0;
	if (table->has_rule && !zone_rule_read(rule, &table->rule)) {
		return damaged(err, "the rule at its end is not a TZ string");
	}
	return 0;
}

static int read_block(struct span block, const struct counts *counts, struct zone_table *table,
                      struct err *err)
{
	struct span instants = cut(&block, counts->instants * INSTANT_LEN_2);
	struct span type_of = cut(&block, counts->instants);
	struct span types = cut(&block, counts->types * TYPE_LEN);
	struct span names = cut(&block, counts->name_bytes);
	struct span is_std = cut(&block, counts->is_std);
	struct span is_ut = cut(&block, counts->is_ut);
	int status = read_types(types, names, table->types, err);
	if (status == 0) {
		status = check_instants(instants, type_of, counts->types, err);
	}
	if (status == 0) {
		status = check_indicators(is_std, is_ut, err);
	}
	if (status == 0) {
		keep_instants(instants, type_of, table);
	}
	return status;
}

int zone_table_read(struct span bytes, struct zone_table *out, struct err *err)
{
	if (bytes.len > ZONE_TABLE_BYTES_MAX) {
		return damaged(err, "it is too large");
	}
	struct counts counts = {0};
	size_t len = 0;
	int status = read_header(&bytes, INSTANT_LEN_1, &counts, &len, err);
	if (status != 0) {
		return status;
	}
	(void)cut(&bytes, len);
	status = read_header(&bytes, INSTANT_LEN_2, &counts, &len, err);
	if (status != 0) {
		return status;
	}
	status = check_counts(&counts, err);
	if (status != 0) {
		return status;
	}
	struct span block = cut(&bytes, len);
	struct zone_table table = {0};
	status = read_footer(bytes, &table, err);
	if (status == 0) {
		status = read_block(block, &counts, &table, err);
	}
	if (status == 0) {
		*out = table;
	}
	return status;
}

void zone_table_close(struct zone_table *table)
{
	mem_free(table->instants);
	mem_free(table->type_of);
	*table = (struct zone_table){0};
}

/* How many transitions were at or before the second. */
static size_t count_until(const struct zone_table *table, int64_t unix_seconds)
{
	size_t low = 0;
	size_t high = table->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table->instants[middle] <= unix_seconds) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

struct zone_stretch zone_table_stretch(const struct zone_table *table, int64_t unix_seconds)
{
	size_t passed = count_until(table, unix_seconds);
	int64_t from = passed == 0 ? INT64_MIN : table->instants[passed - 1];
	if (passed == table->count && table->has_rule) {
		struct zone_stretch stretch = zone_rule_stretch(&table->rule, unix_seconds);
		stretch.from = stretch.from > from ? stretch.from : from;
		return stretch;
	}
	const struct zone_type *type = &table->types[passed == 0 ? 0 : table->type_of[passed - 1]];
	return (struct zone_stretch){
	        .from = from,
	        .until = passed == table->count ? INT64_MAX : table->instants[passed],
	        .offset = type->offset,
	        .is_dst = type->is_dst,
	};
}
