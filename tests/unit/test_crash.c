/* This file tests that a process dies at the point that was named, at the time that was named. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/crash.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a child with this setting ends that passes CRASH_SYNC a hundred times: minus the signal, 100
 * when it lived, 99 when the setting was refused. */
static int end_of(const char *setting)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)setenv("PAWL_CRASH_AT", setting, 1);
		if (crash_arm(NULL) != 0) {
			_exit(99);
		}
		for (int i = 0; i < 100; i++) {
			crash_at(CRASH_WRITE);
			crash_at(CRASH_SYNC);
		}
		_exit(100);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void it_dies_where_and_when_it_was_told(void **state)
{
	(void)state;
	assert_int_equal(end_of("sync:1"), -SIGKILL);
	assert_int_equal(end_of("sync:100"), -SIGKILL);
	assert_int_equal(end_of("sync:101"), 100);
	assert_int_equal(end_of("roll:1"), 100);
}

static void a_wrong_setting_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",       "sync",    "sync:",    "sync:0",
	                                    "sync:x", "sync:1x", "synced:1", "syn:1"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(end_of(wrong[i]), 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_dies_where_and_when_it_was_told),
	        cmocka_unit_test(a_wrong_setting_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
