/* This file is the one suite that every adapter passes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/adapters/fixture.h"

#include "adapters/adapters.h"

/* One adapter under test. */
struct subject {
	const char *label;
	const char *adapter;
	const char *config; /* %s is the directory of example plug-ins */
	bool survives;      /* a close and an open */
};

struct state {
	const struct subject *subject;
	char dir[512];
	char config[1024];
	struct adapter *adapter;
	struct batch batch;
	uint64_t serial; /* of the last batch written */
	uint64_t next_seq;
	struct err err;
};

#define OK(call) ok((call), &s->err, __LINE__)
static void ok(int status, const struct err *err, int line)
{
	if (status != 0) {
		print_error("line %d: %d %s: %s\n", line, status, err->code ? err->code : "",
		            err->text);
		fail();
	}
}

static void must_open(struct state *s)
{
	struct adapter_open how = {s->dir, span_of(s->config)};
	const struct adapter_type *type = adapters_find(s->subject->adapter);
	assert_non_null(type);
	OK(type->open(&how, &s->adapter, &s->err));
	struct adapter_head head;
	OK(s->adapter->type->head(s->adapter, &head, &s->err));
	s->next_seq = head.next_seq;
}

static void must_close(struct state *s)
{
	s->adapter->type->close(s->adapter);
	s->adapter = NULL;
}

/* Writes the batch, and applies it where that is a step of its own. */
static void write_only(struct state *s)
{
	OK(s->adapter->type->write(s->adapter, &s->batch, &s->err));
	s->serial++;
	s->next_seq += s->batch.entry_count;
}

static void apply_only(struct state *s)
{
	if (s->adapter->type->apply != NULL) {
		const struct batch *batches[] = {&s->batch};
		OK(s->adapter->type->apply(s->adapter, batches, 1, s->serial, &s->err));
	}
}

static void commit(struct state *s)
{
	write_only(s);
	apply_only(s);
	batch_clear(&s->batch);
}

static void put(struct state *s, enum space space, const char *part, const char *key,
                const char *value)
{
	fixture_put(&s->batch, space, part, key, value, 0);
}

/* ---- what the adapter holds, as text ---- */

struct listing {
	struct buf text;
	size_t stop_after; /* 0 = never */
	size_t rows;
};

static bool list_row(void *ctx, struct span key, const struct record *record)
{
	struct listing *listing = ctx;
	buf_format(&listing->text, "%.*s=%.*s ", SPAN_ARG(key), SPAN_ARG(record->value));
	return ++listing->rows != listing->stop_after;
}

static bool list_part(void *ctx, struct span part)
{
	struct listing *listing = ctx;
	buf_format(&listing->text, "<%.*s>", SPAN_ARG(part));
	return ++listing->rows != listing->stop_after;
}

static bool list_entry(void *ctx, uint64_t seq, struct span bytes)
{
	struct listing *listing = ctx;
	buf_format(&listing->text, "%llu:%.*s ", (unsigned long long)seq, SPAN_ARG(bytes));
	return ++listing->rows != listing->stop_after;
}

static void expect(struct listing *listing, const char *expected, int line)
{
	buf_byte(&listing->text, '\0');
	if (strcmp(listing->text.ptr, expected) != 0) {
		print_error("line %d: [%s] is not [%s]\n", line, listing->text.ptr, expected);
		fail();
	}
	buf_free(&listing->text);
	*listing = (struct listing){0};
}

static void scan_is(struct state *s, enum space space, const char *part, struct span start,
                    struct span end, size_t limit, bool reverse, const char *expected, int line)
{
	struct listing listing = {0};
	struct adapter_range range = {space, span_of(part), start, end};
	OK(s->adapter->type->scan(s->adapter, &range, limit, reverse, list_row, &listing, &s->err));
	expect(&listing, expected, line);
}

#define ALL_IS(space, part, expected)                                                              \
	scan_is(s, (space), (part), SPAN_NONE, SPAN_NONE, 1000, false, (expected), __LINE__)
#define RANGE_IS(part, start, end, limit, reverse, expected)                                       \
	scan_is(s, SPACE_STATE, (part), (start), (end), (limit), (reverse), (expected), __LINE__)

static void parts_are(struct state *s, enum space space, struct span after, size_t limit,
                      const char *expected, int line)
{
	struct listing listing = {0};
	OK(s->adapter->type->parts(s->adapter, space, after, limit, list_part, &listing, &s->err));
	expect(&listing, expected, line);
}

#define PARTS_ARE(space, after, limit, expected)                                                   \
	parts_are(s, (space), (after), (limit), (expected), __LINE__)

static bool list_due(void *ctx, const struct adapter_due *due)
{
	struct listing *listing = ctx;
	buf_format(&listing->text, "%lld:%.*s/%.*s ", (long long)due->at_ms, SPAN_ARG(due->part),
	           SPAN_ARG(due->key));
	return ++listing->rows != listing->stop_after;
}

static void due_is(struct state *s, enum space space, struct adapter_due after, size_t limit,
                   const char *expected, int line)
{
	struct listing listing = {0};
	OK(s->adapter->type->due(s->adapter, space, &after, limit, list_due, &listing, &s->err));
	expect(&listing, expected, line);
}

#define DUE_IS(space, at, part, key, limit, expected)                                              \
	due_is(s, (space), (struct adapter_due){(at), SPAN(part), SPAN(key)}, (limit), (expected), \
	       __LINE__)

static void read_is(struct state *s, uint64_t from, size_t stop_after, const char *expected,
                    int line)
{
	struct listing listing = {.stop_after = stop_after};
	OK(s->adapter->type->read(s->adapter, from, list_entry, &listing, &s->err));
	expect(&listing, expected, line);
}

#define READ_IS(from, stop_after, expected) read_is(s, (from), (stop_after), (expected), __LINE__)

struct found {
	size_t index[8];
	struct record records[8];
	struct buf values[8];
	size_t count;
};

static void keep_found(void *ctx, size_t index, const struct record *record)
{
	struct found *found = ctx;
	assert_true(found->count < 8);
	found->index[found->count] = index;
	found->records[found->count] = *record;
	buf_span(&found->values[found->count], record->value);
	found->count++;
}

static void forget_found(struct found *found)
{
	for (size_t i = 0; i < found->count; i++) {
		buf_free(&found->values[i]);
	}
	*found = (struct found){0};
}

/* ---- records ---- */

static void gets_what_was_put(void **state)
{
	struct state *s = *state;
	struct record record = {SPAN("{\"a\":1}"), 17, 123456789012345, 0x80000001};
	batch_put(&s->batch, fixture_key(SPACE_STATE, SPAN("users"), SPAN("ann")), &record);
	put(s, SPACE_STATE, "users", "empty", "");
	put(s, SPACE_JOB, "", "", "neither part nor key");
	commit(s);
	struct record_key keys[] = {
	        fixture_key(SPACE_STATE, SPAN("users"), SPAN("nobody")),
	        fixture_key(SPACE_STATE, SPAN("users"), SPAN("ann")),
	        fixture_key(SPACE_JOB, SPAN(""), SPAN("")),
	        fixture_key(SPACE_META, SPAN("users"), SPAN("ann")),
	        fixture_key(SPACE_STATE, SPAN("users"), SPAN("empty")),
	        fixture_key(SPACE_STATE, SPAN("user"), SPAN("sann")),
	};
	struct found found = {0};
	OK(s->adapter->type->get(s->adapter, keys, 6, keep_found, &found, &s->err));
	assert_int_equal(found.count, 3);
	assert_int_equal(found.index[0], 1);
	assert_true(span_is(buf_view(&found.values[0]), "{\"a\":1}"));
	assert_int_equal(found.records[0].rev, 17);
	assert_int_equal(found.records[0].expires_at_ms, 123456789012345);
	assert_int_equal(found.records[0].flags, 0x80000001);
	assert_int_equal(found.index[1], 2);
	assert_true(span_is(buf_view(&found.values[1]), "neither part nor key"));
	assert_int_equal(found.index[2], 4);
	assert_int_equal(found.values[2].len, 0);
	forget_found(&found);
}

static void later_operations_win(void **state)
{
	struct state *s = *state;
	put(s, SPACE_STATE, "p", "a", "1");
	put(s, SPACE_STATE, "p", "a", "2");
	put(s, SPACE_STATE, "p", "b", "1");
	batch_delete(&s->batch, fixture_key(SPACE_STATE, SPAN("p"), SPAN("b")), 0);
	put(s, SPACE_STATE, "p", "c", "1");
	commit(s);
	ALL_IS(SPACE_STATE, "p", "a=2 c=1 ");
	batch_delete(&s->batch, fixture_key(SPACE_STATE, SPAN("p"), SPAN("a")), 0);
	put(s, SPACE_STATE, "p", "a", "3");
	batch_delete(&s->batch, fixture_key(SPACE_STATE, SPAN("p"), SPAN("never")), 0);
	put(s, SPACE_STATE, "p", "c", "a longer one than before");
	commit(s);
	ALL_IS(SPACE_STATE, "p", "a=3 c=a longer one than before ");
}

static void keys_stand_in_byte_order(void **state)
{
	struct state *s = *state;
	static const char *const names[] = {"b", "a", "aa", "B", "\xc3\xa9", "a\x01", "~", "\xff"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		put(s, SPACE_STATE, "p", names[i], "");
		put(s, SPACE_JOB, "p", names[i], "");
	}
	put(s, SPACE_STATE, "o", "below", "");
	put(s, SPACE_STATE, "pp", "above", "");
	commit(s);
	const char *ordered = "B= a= a\x01= aa= b= ~= \xc3\xa9= \xff= ";
	ALL_IS(SPACE_STATE, "p", ordered);
	ALL_IS(SPACE_JOB, "p", ordered);
}

static void binary_names_and_values_are_kept(void **state)
{
	struct state *s = *state;
	static const enum space spaces[] = {SPACE_STATE, SPACE_JOB};
	for (size_t i = 0; i < 2; i++) {
		struct record record = {SPAN("v\0w\xff"), 1, 0, 0};
		batch_put(&s->batch, fixture_key(spaces[i], SPAN("p\0q"), SPAN("\0")), &record);
		batch_put(&s->batch, fixture_key(spaces[i], SPAN("p\0q"), SPAN("\0\0")), &record);
		batch_put(&s->batch, fixture_key(spaces[i], SPAN("p"), SPAN("\xff\xfe")), &record);
	}
	commit(s);
	for (size_t i = 0; i < 2; i++) {
		struct record_key keys[] = {
		        fixture_key(spaces[i], SPAN("p\0q"), SPAN("\0")),
		        fixture_key(spaces[i], SPAN("p"), SPAN("\0")),
		        fixture_key(spaces[i], SPAN("p"), SPAN("\xff\xfe")),
		};
		struct found found = {0};
		OK(s->adapter->type->get(s->adapter, keys, 3, keep_found, &found, &s->err));
		assert_int_equal(found.count, 2);
		assert_int_equal(found.index[1], 2);
		assert_true(span_equal(buf_view(&found.values[0]), SPAN("v\0w\xff")));
		forget_found(&found);
		struct listing listing = {0};
		struct adapter_range range = {spaces[i], SPAN("p\0q"), SPAN_NONE, SPAN_NONE};
		OK(s->adapter->type->scan(s->adapter, &range, 10, false, list_row, &listing,
		                          &s->err));
		assert_int_equal(listing.rows, 2);
		buf_free(&listing.text);
	}
}

static void big_values_are_kept(void **state)
{
	struct state *s = *state;
	enum { LEN = 2 << 20 };
	char *bytes = malloc(LEN);
	for (size_t i = 0; i < LEN; i++) {
		bytes[i] = (char)(i * 31 + i / 251);
	}
	uint64_t first = s->next_seq;
	uint32_t at = batch_entry_begin(&s->batch);
	buf_add(&s->batch.bytes, bytes, LEN);
	batch_entry_end(&s->batch, at, first);
	struct record record = {span_make(NULL, LEN), first, 0, 0};
	batch_put_at(&s->batch, fixture_key(SPACE_STATE, SPAN("p"), SPAN("big")), &record, at);
	commit(s);
	struct record_key key = fixture_key(SPACE_STATE, SPAN("p"), SPAN("big"));
	struct found found = {0};
	OK(s->adapter->type->get(s->adapter, &key, 1, keep_found, &found, &s->err));
	assert_int_equal(found.count, 1);
	assert_int_equal(found.values[0].len, LEN);
	assert_memory_equal(found.values[0].ptr, bytes, LEN);
	forget_found(&found);
	struct listing listing = {0};
	OK(s->adapter->type->read(s->adapter, first, list_entry, &listing, &s->err));
	assert_int_equal(listing.rows, 1);
	buf_free(&listing.text);
	free(bytes);
}

static void put_due(struct state *s, enum space space, const char *part, const char *key,
                    int64_t at_ms)
{
	struct record record = {.value = SPAN("1"), .rev = 1, .expires_at_ms = at_ms};
	batch_put(&s->batch, fixture_key(space, span_of(part), span_of(key)), &record);
}

/* An adapter that cannot tell is asked for all its records instead: that is the store's test. */
static void what_expires_comes_in_order(void **state)
{
	struct state *s = *state;
	if (s->adapter->type->due == NULL) {
		skip();
	}
	DUE_IS(SPACE_STATE, 0, "", "", 10, "");
	put(s, SPACE_STATE, "p", "stays", "1");
	put_due(s, SPACE_STATE, "p", "late", 300);
	put_due(s, SPACE_STATE, "q", "b", 200);
	put_due(s, SPACE_STATE, "p", "b", 200);
	put_due(s, SPACE_STATE, "p", "a", 200);
	put_due(s, SPACE_STATE, "p", "first", 100);
	put_due(s, SPACE_ALARM, "p", "other", 150);
	commit(s);
	DUE_IS(SPACE_STATE, 0, "", "", 10, "100:p/first 200:p/a 200:p/b 200:q/b 300:p/late ");
	DUE_IS(SPACE_STATE, 0, "", "", 2, "100:p/first 200:p/a ");
	DUE_IS(SPACE_STATE, 200, "p", "a", 10, "200:p/b 200:q/b 300:p/late ");
	DUE_IS(SPACE_STATE, 200, "p", "", 3, "200:p/a 200:p/b 200:q/b ");
	DUE_IS(SPACE_ALARM, 0, "", "", 10, "150:p/other ");
	put(s, SPACE_STATE, "p", "first", "lasts now");
	put_due(s, SPACE_STATE, "p", "late", 50);
	batch_delete(&s->batch, fixture_key(SPACE_STATE, SPAN("p"), SPAN("a")), 0);
	batch_delete_range(&s->batch, SPACE_STATE, SPAN("q"), SPAN_NONE, SPAN_NONE);
	commit(s);
	DUE_IS(SPACE_STATE, 0, "", "", 10, "50:p/late 200:p/b ");
	if (s->subject->survives) {
		must_close(s);
		must_open(s);
		DUE_IS(SPACE_STATE, 0, "", "", 10, "50:p/late 200:p/b ");
	}
}

static void scans_ranges(void **state)
{
	struct state *s = *state;
	for (char name[] = "a"; name[0] <= 'f'; name[0]++) {
		put(s, SPACE_STATE, "p", name, name);
	}
	put(s, SPACE_STATE, "o", "z", "");
	put(s, SPACE_STATE, "q", "a", "");
	commit(s);
	RANGE_IS("p", SPAN("b"), SPAN("d"), 100, false, "b=b c=c ");
	RANGE_IS("p", SPAN("b"), SPAN("d"), 100, true, "c=c b=b ");
	RANGE_IS("p", SPAN("bb"), SPAN_NONE, 2, false, "c=c d=d ");
	RANGE_IS("p", SPAN("bb"), SPAN_NONE, 2, true, "f=f e=e ");
	RANGE_IS("p", SPAN_NONE, SPAN("c"), 100, true, "b=b a=a ");
	RANGE_IS("p", SPAN_NONE, SPAN_NONE, 100, true, "f=f e=e d=d c=c b=b a=a ");
	RANGE_IS("p", SPAN("x"), SPAN_NONE, 100, false, "");
	RANGE_IS("p", SPAN("d"), SPAN("b"), 100, false, "");
	RANGE_IS("p", SPAN("b"), SPAN(""), 100, false, "");
	RANGE_IS("p", SPAN("b"), SPAN("d"), 0, false, "");
	RANGE_IS("nobody", SPAN_NONE, SPAN_NONE, 100, false, "");
	RANGE_IS("nobody", SPAN_NONE, SPAN_NONE, 100, true, "");
	struct listing listing = {.stop_after = 2};
	struct adapter_range range = {SPACE_STATE, SPAN("p"), SPAN_NONE, SPAN_NONE};
	OK(s->adapter->type->scan(s->adapter, &range, 100, false, list_row, &listing, &s->err));
	expect(&listing, "a=a b=b ", __LINE__);
}

static void lists_parts(void **state)
{
	struct state *s = *state;
	static const char *const names[] = {"", "a", "aa", "b", "c"};
	PARTS_ARE(SPACE_JOB, SPAN_NONE, 100, "");
	for (size_t i = 0; i < 5; i++) {
		put(s, SPACE_JOB, names[i], "1", "");
		put(s, SPACE_JOB, names[i], "2", "");
	}
	put(s, SPACE_STATE, "elsewhere", "k", "");
	put(s, SPACE_ALARM, "elsewhere", "k", "");
	commit(s);
	PARTS_ARE(SPACE_JOB, SPAN_NONE, 100, "<><a><aa><b><c>");
	PARTS_ARE(SPACE_JOB, SPAN_NONE, 2, "<><a>");
	PARTS_ARE(SPACE_JOB, SPAN(""), 2, "<a><aa>");
	PARTS_ARE(SPACE_JOB, SPAN("aa"), 100, "<b><c>");
	PARTS_ARE(SPACE_JOB, SPAN("ab"), 100, "<b><c>");
	PARTS_ARE(SPACE_JOB, SPAN("c"), 100, "");
	batch_delete_range(&s->batch, SPACE_JOB, SPAN("b"), SPAN(""), SPAN(""));
	batch_delete(&s->batch, fixture_key(SPACE_JOB, SPAN("c"), SPAN("1")), 0);
	commit(s);
	PARTS_ARE(SPACE_JOB, SPAN_NONE, 100, "<><a><aa><c>");
	struct listing listing = {.stop_after = 1};
	OK(s->adapter->type->parts(s->adapter, SPACE_JOB, SPAN_NONE, 9, list_part, &listing,
	                           &s->err));
	expect(&listing, "<>", __LINE__);
}

static void deletes_ranges_in_order(void **state)
{
	struct state *s = *state;
	for (char name[] = "a"; name[0] <= 'f'; name[0]++) {
		put(s, SPACE_STATE, "p", name, "");
		put(s, SPACE_STATE, "q", name, "");
		put(s, SPACE_JOB, "p", name, "");
	}
	commit(s);
	batch_delete_range(&s->batch, SPACE_STATE, SPAN("p"), SPAN("b"), SPAN("d"));
	commit(s);
	ALL_IS(SPACE_STATE, "p", "a= d= e= f= ");
	ALL_IS(SPACE_STATE, "q", "a= b= c= d= e= f= ");
	put(s, SPACE_STATE, "p", "g", "gone");
	batch_delete_range(&s->batch, SPACE_STATE, SPAN("p"), SPAN("d"), SPAN(""));
	put(s, SPACE_STATE, "p", "e", "again");
	commit(s);
	ALL_IS(SPACE_STATE, "p", "a= e=again ");
	batch_delete_range(&s->batch, SPACE_JOB, SPAN("p"), SPAN(""), SPAN(""));
	commit(s);
	ALL_IS(SPACE_JOB, "p", "");
	ALL_IS(SPACE_STATE, "q", "a= b= c= d= e= f= ");
}

/* Random operations against the simplest model that could be right. */
static void agrees_with_a_model(void **state)
{
	struct state *s = *state;
	enum { KEYS = 60 };
	int model[KEYS] = {0}; /* 0 = absent */
	uint64_t dice = 12345;
	for (int round = 1; round <= 120; round++) {
		for (int i = 0; i < 10; i++) {
			dice = dice * 6364136223846793005u + 1442695040888963407u;
			unsigned pick = (unsigned)(dice >> 33);
			unsigned key = pick % KEYS;
			char name[16];
			char value[32];
			(void)snprintf(name, sizeof name, "k%02u", key);
			(void)snprintf(value, sizeof value, "%d", round * 10 + i);
			switch (pick / KEYS % 8) {
			case 0:
				batch_delete(&s->batch,
				             fixture_key(SPACE_STATE, SPAN("p"), span_of(name)), 0);
				model[key] = 0;
				break;
			case 1: {
				char end[16];
				unsigned to = key + 5 < KEYS ? key + 5 : KEYS;
				(void)snprintf(end, sizeof end, "k%02u", to);
				batch_delete_range(&s->batch, SPACE_STATE, SPAN("p"), span_of(name),
				                   span_of(end));
				for (unsigned j = key; j < to; j++) {
					model[j] = 0;
				}
				break;
			}
			default:
				put(s, SPACE_STATE, "p", name, value);
				model[key] = round * 10 + i;
			}
		}
		commit(s);
		if (round == 60 && s->subject->survives) {
			must_close(s);
			must_open(s);
		}
	}
	struct buf expected = {0};
	struct buf backwards = {0};
	for (int i = 0; i < KEYS; i++) {
		if (model[i] != 0) {
			buf_format(&expected, "k%02d=%d ", i, model[i]);
		}
		if (model[KEYS - 1 - i] != 0) {
			buf_format(&backwards, "k%02d=%d ", KEYS - 1 - i, model[KEYS - 1 - i]);
		}
	}
	buf_byte(&expected, '\0');
	buf_byte(&backwards, '\0');
	ALL_IS(SPACE_STATE, "p", expected.ptr);
	RANGE_IS("p", SPAN_NONE, SPAN_NONE, 1000, true, backwards.ptr);
	buf_free(&expected);
	buf_free(&backwards);
}

/* ---- journal ---- */

static void reads_entries_from_any_seq(void **state)
{
	struct state *s = *state;
	assert_int_equal(s->next_seq, 1);
	READ_IS(1, 0, "");
	fixture_entry(&s->batch, 1, "one");
	fixture_entry(&s->batch, 2, "two");
	commit(s);
	put(s, SPACE_STATE, "p", "no entry", "");
	commit(s);
	fixture_entry(&s->batch, 3, "");
	commit(s);
	fixture_entry(&s->batch, 4, "four");
	commit(s);
	READ_IS(1, 0, "1:one 2:two 3: 4:four ");
	READ_IS(2, 0, "2:two 3: 4:four ");
	READ_IS(2, 2, "2:two 3: ");
	READ_IS(4, 0, "4:four ");
	READ_IS(5, 0, "");
	READ_IS(99, 0, "");
	struct adapter_head head;
	OK(s->adapter->type->head(s->adapter, &head, &s->err));
	assert_int_equal(head.first_seq, 1);
	assert_int_equal(head.next_seq, 5);
	assert_int_equal(head.epoch, 1);
	assert_int_equal(head.epoch_seq, 1);
	assert_int_equal(strlen(head.log), ADAPTER_LOG_LEN);
}

static void trims_no_more_than_asked(void **state)
{
	struct state *s = *state;
	for (uint64_t seq = 1; seq <= 20; seq++) {
		fixture_entry(&s->batch, seq, "x");
		commit(s);
	}
	uint64_t first = 0;
	uint64_t bytes = 0;
	OK(s->adapter->type->trim(s->adapter, 11, &first, &bytes, &s->err));
	assert_in_range(first, 1, 11);
	READ_IS(19, 0, "19:x 20:x ");
	struct listing listing = {0};
	OK(s->adapter->type->read(s->adapter, first, list_entry, &listing, &s->err));
	assert_int_equal(listing.rows, 21 - first);
	buf_free(&listing.text);
	if (first > 1) {
		listing = (struct listing){0};
		int status = s->adapter->type->read(s->adapter, first - 1, list_entry, &listing,
		                                    &s->err);
		assert_int_equal(status, E_NOT_FOUND);
		assert_string_equal(s->err.code, "compacted");
		assert_int_equal(listing.rows, 0);
	}
}

/* ---- surviving ---- */

struct replayed {
	size_t count;
	struct buf text;
};

static int keep_batch(void *ctx, const struct batch *batch, struct err *err)
{
	(void)err;
	struct replayed *replayed = ctx;
	replayed->count++;
	for (size_t i = 0; i < batch->op_count; i++) {
		struct record_key key = batch_op_key(batch, &batch->ops[i]);
		buf_format(&replayed->text, "%.*s=%.*s ", SPAN_ARG(key.key),
		           SPAN_ARG(batch_op_value(batch, &batch->ops[i])));
	}
	return 0;
}

static void survives_a_close(void **state)
{
	struct state *s = *state;
	if (!s->subject->survives) {
		skip();
	}
	struct adapter_head before;
	struct adapter_head after;
	fixture_entry(&s->batch, 1, "one");
	put(s, SPACE_STATE, "p", "a", "1");
	put(s, SPACE_JOB, "", "j", "2");
	commit(s);
	OK(s->adapter->type->head(s->adapter, &before, &s->err));
	must_close(s);
	must_open(s);
	OK(s->adapter->type->head(s->adapter, &after, &s->err));
	assert_string_equal(before.log, after.log);
	assert_int_equal(after.epoch, before.epoch);
	assert_int_equal(after.next_seq, 2);
	assert_int_equal(after.cut_bytes, 0);
	ALL_IS(SPACE_STATE, "p", "a=1 ");
	ALL_IS(SPACE_JOB, "", "j=2 ");
	READ_IS(1, 0, "1:one ");
	fixture_entry(&s->batch, 2, "two");
	put(s, SPACE_STATE, "p", "b", "3");
	commit(s);
	READ_IS(1, 0, "1:one 2:two ");
	ALL_IS(SPACE_STATE, "p", "a=1 b=3 ");
}

static void replays_what_was_not_applied(void **state)
{
	struct state *s = *state;
	if (s->adapter->type->replay == NULL) {
		skip();
	}
	put(s, SPACE_STATE, "p", "a", "1");
	commit(s);
	struct batch second = {0};
	for (int i = 2; i <= 3; i++) {
		char value[2] = {(char)('0' + i), 0};
		put(s, SPACE_STATE, "p", "a", value);
		write_only(s);
		ALL_IS(SPACE_STATE, "p", "a=1 ");
		batch_clear(&s->batch);
	}
	must_close(s);
	must_open(s);
	ALL_IS(SPACE_STATE, "p", "a=1 ");
	struct replayed replayed = {0};
	OK(s->adapter->type->replay(s->adapter, keep_batch, &replayed, &s->err));
	assert_int_equal(replayed.count, 2);
	assert_true(span_is(buf_view(&replayed.text), "a=2 a=3 "));
	buf_free(&replayed.text);

	fixture_put(&s->batch, SPACE_STATE, "p", "a", "2", 0);
	fixture_put(&second, SPACE_STATE, "p", "a", "3", 0);
	const struct batch *both[] = {&s->batch, &second};
	OK(s->adapter->type->apply(s->adapter, both, 2, s->serial, &s->err));
	ALL_IS(SPACE_STATE, "p", "a=3 ");
	uint64_t applied = 0;
	OK(s->adapter->type->applied(s->adapter, &applied, &s->err));
	assert_int_equal(applied, s->serial);
	must_close(s);
	must_open(s);
	replayed = (struct replayed){0};
	OK(s->adapter->type->replay(s->adapter, keep_batch, &replayed, &s->err));
	assert_int_equal(replayed.count, 0);
	batch_close(&second);
}

static void a_copy_is_another_epoch(void **state)
{
	struct state *s = *state;
	if (!s->subject->survives) {
		skip();
	}
	fixture_entry(&s->batch, 1, "one");
	commit(s);
	must_close(s);
	char copy[600];
	(void)snprintf(copy, sizeof copy, "%s_copy", s->dir);
	fixture_copy(s->dir, copy);
	fixture_remove(s->dir);
	(void)rename(copy, s->dir);
	must_open(s);
	struct adapter_head head;
	OK(s->adapter->type->head(s->adapter, &head, &s->err));
	assert_true(head.epoch > 1);
	assert_int_equal(head.epoch_seq, 2);
	READ_IS(1, 0, "1:one ");
}

/* ---- the list ---- */

static const struct subject subjects[] = {
        {"memory", "kv", "{\"store_method\":\"in_memory\"}", false},
        {"files", "kv", "{\"store_method\":\"file_based\"}", true},
        {"textlog", "plugin", "{\"path\":\"%s/textlog.so\",\"colour\":\"blue\"}", true},
        {"interval", "kv", "{\"durability\":\"interval\",\"save_interval_ms\":50}", true},
};

static const struct subject *current;

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof *s);
	s->subject = current;
	(void)snprintf(s->dir, sizeof s->dir, "%s", fixture_dir(current->label));
	(void)snprintf(s->config, sizeof s->config, current->config, BUILD_DIR "/examples/adapter");
	must_open(s);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;
	if (s->adapter != NULL) {
		must_close(s);
	}
	batch_close(&s->batch);
	fixture_remove(s->dir);
	free(s);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(gets_what_was_put),
	        TEST(later_operations_win),
	        TEST(keys_stand_in_byte_order),
	        TEST(binary_names_and_values_are_kept),
	        TEST(big_values_are_kept),
	        TEST(what_expires_comes_in_order),
	        TEST(scans_ranges),
	        TEST(lists_parts),
	        TEST(deletes_ranges_in_order),
	        TEST(agrees_with_a_model),
	        TEST(reads_entries_from_any_seq),
	        TEST(trims_no_more_than_asked),
	        TEST(survives_a_close),
	        TEST(replays_what_was_not_applied),
	        TEST(a_copy_is_another_epoch),
	};
	int failed = 0;
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		current = &subjects[i];
		failed += cmocka_run_group_tests_name(current->label, tests, NULL, NULL);
	}
	return failed;
}
