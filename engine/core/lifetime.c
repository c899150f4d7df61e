/* This file reads the three ways to say how long a record lasts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/lifetime.h"

#include "base/civil.h"
#include "base/field.h"
#include "base/json.h"
#include "triggers/expr/moment_read.h"
#include "triggers/glob.h"

static const int64_t most_ms = (int64_t)LIFETIME_MAX_DAYS * CIVIL_DAY_SECONDS * 1000;

const struct scope_rule *scope_rules_find(const struct scope_rules *rules, struct span scope)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (glob_matches(rules->list[i].match, scope)) {
			return &rules->list[i];
		}
	}
	return NULL;
}

static int read_ttl(struct span name, struct span value, int64_t *out, struct err *err)
{
	if (json_int64(value, out) && *out >= 1 && *out <= most_ms) {
		return 0;
	}
	return err_set(err, E_INVALID, "invalid_ttl",
	               "%.*s: \"ttl_ms\" must be a whole number of milliseconds from 1 to %lld",
	               SPAN_ARG(name), (long long)most_ms);
}

static int read_time(struct span name, struct span value, int64_t *out, struct err *err)
{
	int64_t seconds;
	uint32_t nanos;
	bool good = json_kind(value) == JSON_NUMBER && json_int64(value, out);
	if (json_kind(value) == JSON_STRING && memchr(value.ptr, '\\', value.len) == NULL &&
	    moment_read_timestamp(span_make(value.ptr + 1, value.len - 2), &seconds, &nanos) == 0) {
		*out = seconds * 1000 + nanos / 1000000;
		good = true;
	}
	if (good && *out >= 1 && *out <= INT64_MAX / 2000) {
		return 0;
	}
	return err_set(err, E_INVALID, "invalid_ttl",
	               "%.*s: \"expires_at\" must be a time such as \"2030-01-31T12:00:00Z\", or "
	               "milliseconds since 1970",
	               SPAN_ARG(name));
}

/* A word, or a duration such as "30m". */
static int read_word(struct span name, struct span value, struct lifetime *out, struct err *err)
{
	static const char *const words[] = {
	        [LIFETIME_RESET] = "reset", [LIFETIME_KEEP] = "keep", [LIFETIME_CLEAR] = "clear"};
	for (int i = LIFETIME_RESET; i <= LIFETIME_CLEAR; i++) {
		if (json_string_is(value, span_of(words[i]))) {
			out->word = (enum lifetime_word)i;
			return 0;
		}
	}
	const struct field row = {.kind = FIELD_DURATION, .min = 1, .max = most_ms};
	if (field_parse(&row, span_make(value.ptr + 1, value.len - 2), &out->ttl_ms)) {
		return 0;
	}
	return err_set(err, E_INVALID, "invalid_ttl",
	               "%.*s: \"ttl\" must be a duration such as \"30m\", or \"keep\", \"reset\" "
	               "or \"clear\"",
	               SPAN_ARG(name));
}

int lifetime_read(struct span name, const struct span args[ARG_COUNT], struct lifetime *out,
                  struct err *err)
{
	*out = (struct lifetime){0};
	int status = 0;
	if (args[ARG_TTL].ptr != NULL) {
		status = read_word(name, args[ARG_TTL], out, err);
	}
	int said = out->ttl_ms != 0;
	if (status == 0 && args[ARG_TTL_MS].ptr != NULL) {
		status = read_ttl(name, args[ARG_TTL_MS], &out->ttl_ms, err);
		said++;
	}
	if (status == 0 && args[ARG_EXPIRES_AT].ptr != NULL) {
		status = read_time(name, args[ARG_EXPIRES_AT], &out->at_ms, err);
		said++;
	}
	if (status != 0) {
		return status;
	}
	if (said > 1) {
		return err_set(err, E_INVALID, "invalid_ttl",
		               "%.*s: of \"ttl\", \"ttl_ms\" and \"expires_at\" one says how long "
		               "the record lasts; leave the others out",
		               SPAN_ARG(name));
	}
	if (out->word == LIFETIME_CLEAR && said != 0) {
		return err_set(err, E_INVALID, "invalid_ttl",
		               "%.*s: \"ttl\" is \"clear\", and a time is given besides; leave one "
		               "out",
		               SPAN_ARG(name));
	}
	return 0;
}

int64_t lifetime_end(const struct lifetime *lifetime, const struct scope_rule *rule, bool keeps,
                     bool is_new, int64_t before_ms, int64_t now_ms)
{
	bool is_timed = lifetime->ttl_ms != 0 || lifetime->at_ms != 0;
	enum lifetime_word word = lifetime->word;
	if (word == LIFETIME_UNSAID) {
		word = keeps && !is_timed ? LIFETIME_KEEP : LIFETIME_RESET;
	}
	if (word == LIFETIME_CLEAR) {
		return 0;
	}
	if (word == LIFETIME_KEEP && !is_new) {
		return before_ms;
	}
	if (lifetime->at_ms != 0) {
		return lifetime->at_ms;
	}
	int64_t ttl_ms = lifetime->ttl_ms;
	if (ttl_ms == 0 && rule != NULL) {
		ttl_ms = rule->ttl_ms;
	}
	return ttl_ms != 0 ? now_ms + ttl_ms : 0;
}
