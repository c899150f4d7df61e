/* This file gives a test the event at hand and what is asked about it, and dice for random ones. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_MATCHING_FIXTURE_H
#define TESTS_UNIT_MATCHING_FIXTURE_H

#include "triggers/matching.h"

static struct condition_env *env;
static struct matching matching;

static int open_env(void **state)
{
	(void)state;
	env = condition_env_new();
	matching_init(&matching, env, SPAN("log"));
	return 0;
}

static int close_env(void **state)
{
	(void)state;
	matching_close(&matching);
	condition_env_free(env);
	return 0;
}

struct dice {
	uint64_t at;
};

static inline size_t roll(struct dice *dice, size_t sides)
{
	dice->at = dice->at * 6364136223846793005u + 1442695040888963407u;
	return (size_t)((dice->at >> 33) % sides);
}

#define PICK(dice, list) (list)[roll((dice), sizeof(list) / sizeof *(list))]

#endif
