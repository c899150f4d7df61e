/* This file tests what the record half and the plug-in loader refuse. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/adapters/fixture.h"

#include "adapters/adapters.h"
#include "adapters/sqlite.h"

struct state {
	char dir[512];
	char path[600];
	struct adapter *adapter;
	struct err err;
};

static int open_type(struct state *s, const struct adapter_type *type, const char *config)
{
	struct adapter_open how = {s->dir, span_of(config)};
	return type->open(&how, &s->adapter, &s->err);
}

static void close_it(struct state *s)
{
	s->adapter->type->close(s->adapter);
	s->adapter = NULL;
}

static void make_records(struct state *s)
{
	struct batch batch = {0};
	const struct batch *one[] = {&batch};
	fixture_put(&batch, SPACE_STATE, "users", "ann", "{\"a\":1}", 7);
	assert_int_equal(open_type(s, &sqlite_adapter, "{}"), 0);
	assert_int_equal(sqlite_adapter.apply(s->adapter, one, 1, 1, &s->err), 0);
	close_it(s);
	batch_close(&batch);
}

static void refuses_and_touches_nothing(struct state *s, int number, const char *word)
{
	struct buf before = {0};
	struct buf after = {0};
	fixture_read_file(s->path, &before);
	assert_int_equal(open_type(s, &sqlite_adapter, "{}"), number);
	if (strstr(s->err.text, word) == NULL) {
		fail_msg("'%s' is not in: %s", word, s->err.text);
	}
	fixture_read_file(s->path, &after);
	assert_true(span_equal(buf_view(&before), buf_view(&after)));
	buf_free(&before);
	buf_free(&after);
}

static void overwrite(const struct state *s, off_t at, const void *bytes, size_t len)
{
	int fd = open(s->path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	(void)close(fd);
}

static void other_databases_are_refused(void **state)
{
	struct state *s = *state;
	make_records(s);
	struct buf good = {0};
	fixture_read_file(s->path, &good);
	overwrite(s, 60, "\0\0\0\2", 4);
	refuses_and_touches_nothing(s, E_VERSION, "format 2");
	overwrite(s, 60, "\0\0\0\1", 4);
	overwrite(s, 68, "abcd", 4);
	refuses_and_touches_nothing(s, E_DAMAGED, "no database of pawl");
	overwrite(s, 0, "this is not one ", 16);
	refuses_and_touches_nothing(s, E_DAMAGED, "no database of pawl");
	overwrite(s, 0, good.ptr, 100);
	overwrite(s, 100, "\xff\xff\xff\xff\xff\xff\xff\xff", 8); /* the schema's page */
	refuses_and_touches_nothing(s, E_DAMAGED, "damaged");
	overwrite(s, 0, good.ptr, good.len);
	assert_int_equal(truncate(s->path, (off_t)good.len - 4096), 0);
	refuses_and_touches_nothing(s, E_DAMAGED, "shorter");
	assert_int_equal(truncate(s->path, 10), 0);
	refuses_and_touches_nothing(s, E_DAMAGED, "no database of pawl");
	overwrite(s, 0, good.ptr, good.len);
	assert_int_equal(open_type(s, &sqlite_adapter, "{}"), 0);
	buf_free(&good);
}

static void keep_number(void *ctx, size_t index, const struct record *record)
{
	(void)index;
	*(int *)ctx = record->value.len ? record->value.ptr[0] : -1;
}

static void a_person_can_read_the_state(void **state)
{
	struct state *s = *state;
	make_records(s);
	char command[1200];
	(void)snprintf(
	        command, sizeof command,
	        "command -v sqlite3 >/dev/null || exit 3; test \"$(sqlite3 '%s' 'select part "
	        "as scope, key, value from state')\" = 'users|ann|{\"a\":1}'",
	        s->path);
	int status = system(command);
	if (WEXITSTATUS(status) == 3) {
		skip();
	}
	assert_int_equal(status, 0);
}

static void a_reader_sees_whole_applies_only(void **state)
{
	struct state *s = *state;
	assert_int_equal(open_type(s, &sqlite_adapter, "{}"), 0);
	for (int i = 1; i <= 30; i++) {
		struct batch batch = {0};
		const struct batch *one[] = {&batch};
		char value[2] = {(char)('A' + i % 26), 0};
		for (int j = 0; j < 300; j++) {
			char key[16];
			(void)snprintf(key, sizeof key, "k%d", j * i);
			fixture_put(&batch, SPACE_JOB, "p", key, value, 0);
		}
		assert_int_equal(sqlite_adapter.apply(s->adapter, one, 1, (uint64_t)i, &s->err), 0);
		struct record_key key = fixture_key(SPACE_JOB, SPAN("p"), SPAN("k0"));
		int found = 0;
		assert_int_equal(
		        sqlite_adapter.get(s->adapter, &key, 1, keep_number, &found, &s->err), 0);
		assert_int_equal(found, value[0]);
		uint64_t applied = 0;
		assert_int_equal(sqlite_adapter.applied(s->adapter, &applied, &s->err), 0);
		assert_int_equal(applied, i);
		batch_close(&batch);
	}
}

static void a_mixed_store_is_refused(void **state)
{
	struct state *s = *state;
	make_records(s); /* has seen a batch, and there is no journal */
	assert_int_equal(open_type(s, adapters_find("kv"), "{}"), E_DAMAGED);
	assert_string_equal(s->err.code, "store_mixed");
	char journal[600];
	(void)snprintf(journal, sizeof journal, "%s/journal", s->dir);
	assert_int_equal(access(journal, F_OK), -1);
}

static void options_are_checked(void **state)
{
	struct state *s = *state;
	const struct adapter_type *kv = adapters_find("kv");
	assert_int_equal(open_type(s, kv, "{\"store_methode\":\"in_memory\"}"), E_INVALID);
	assert_non_null(strstr(s->err.text, "store_method"));
	assert_int_equal(open_type(s, kv, "{\"store_method\":\"on_paper\"}"), E_INVALID);
	assert_int_equal(open_type(s, kv, "{\"save_interval_ms\":1}"), E_INVALID);
	assert_null(adapters_find("paper"));
	char elsewhere[700];
	char config[800];
	(void)snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", s->dir);
	(void)snprintf(config, sizeof config, "{\"file_path\":\"%s\"}", elsewhere);
	assert_int_equal(open_type(s, kv, config), 0);
	assert_int_equal(access(elsewhere, F_OK), 0);
}

static void odd_plugins_are_refused(void **state)
{
	struct state *s = *state;
	static const struct {
		const char *config;
		int number;
		const char *word;
	} cases[] = {
	        {"{}", E_INVALID, "config.path"},
	        {"[]", E_INVALID, "config.path"},
	        {"{\"path\":\"/nowhere/a.so\"}", E_NOT_FOUND, "no adapter at"},
	        {"{\"path\":\"" SOURCE_DIR "/README.md\"}", 0, ""},
	        {"{\"path\":\"" BUILD_DIR "/tests/odd_version.so\"}", E_VERSION,
	         "version 2 of the adapter interface, and this program has version 1"},
	        {"{\"path\":\"" BUILD_DIR "/tests/odd_size.so\"}", E_VERSION, "bytes"},
	        {"{\"path\":\"" BUILD_DIR "/tests/odd_functions.so\"}", E_INVALID,
	         "lacks a function"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int status = open_type(s, adapters_find("plugin"), cases[i].config);
		if (cases[i].number == 0) {
			assert_true(status < 0); /* a file that is no shared object, or none */
			continue;
		}
		assert_int_equal(status, cases[i].number);
		if (strstr(s->err.text, cases[i].word) == NULL) {
			fail_msg("'%s' is not in: %s", cases[i].word, s->err.text);
		}
	}
}

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof *s);
	(void)snprintf(s->dir, sizeof s->dir, "%s", fixture_dir("view"));
	(void)snprintf(s->path, sizeof s->path, "%s/records.db", s->dir);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;
	if (s->adapter != NULL) {
		close_it(s);
	}
	fixture_remove(s->dir);
	free(s);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(other_databases_are_refused),
	        TEST(a_person_can_read_the_state),
	        TEST(a_reader_sees_whole_applies_only),
	        TEST(a_mixed_store_is_refused),
	        TEST(options_are_checked),
	        TEST(odd_plugins_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
