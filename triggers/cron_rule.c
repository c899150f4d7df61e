/* This file tells the times of a cron trigger in its zone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/cron_rule.h"

#include "base/cron_read.h"
#include "base/hash.h"
#include "base/mem.h"

enum { SECOND = 1000, FIELDS_WITH_YEAR = 7 };

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* iii's expressions may have a seventh field; one that says nothing is as if it were not there. */
static struct span without_year(struct span text)
{
	size_t fields = 0;
	size_t last = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_space(text.ptr[i]) && (i == 0 || is_space(text.ptr[i - 1]))) {
			fields++;
			last = i;
		}
	}
	size_t end = text.len;
	while (end > 0 && is_space(text.ptr[end - 1])) {
		end--;
	}
	bool is_any = end == last + 1 && text.ptr[last] == '*';
	return fields == FIELDS_WITH_YEAR && is_any ? span_make(text.ptr, last) : text;
}

int cron_rule_new(struct span expression, struct span zone, struct cron_rule **out, struct err *err)
{
	struct cron cron;
	const struct zone *found;
	int status = cron_read(without_year(expression), &cron, err);
	if (status == 0) {
		status = zone_get(zone, &found, err);
	}
	if (status != 0) {
		return status;
	}
	struct cron_rule *rule = MEM_NEW(struct cron_rule);
	rule->cron = cron;
	rule->expression = mem_span(expression);
	rule->zone = mem_span(zone);
	*out = rule;
	return 0;
}

void cron_rule_free(struct cron_rule *rule)
{
	if (rule != NULL) {
		mem_free((char *)rule->expression.ptr);
		mem_free((char *)rule->zone.ptr);
		mem_free(rule);
	}
}

bool cron_rule_is_as(const struct cron_rule *a, const struct cron_rule *b)
{
	return span_equal(a->expression, b->expression) && span_equal(a->zone, b->zone);
}

/* The second that an instant lies in. */
static int64_t second_of(int64_t ms)
{
	return ms >= 0 ? ms / SECOND : -((-ms + SECOND - 1) / SECOND);
}

static int never(const struct cron_rule *rule, struct err *err)
{
	return err_set(err, E_NOT_FOUND, "never_fires", "\"%.*s\" has no time like that in %.*s",
	               SPAN_ARG(rule->expression), SPAN_ARG(rule->zone));
}

int cron_rule_next(const struct cron_rule *rule, int64_t after_ms, int64_t *out, struct err *err)
{
	const struct zone *zone;
	int64_t next;
	int status = zone_get(rule->zone, &zone, err);
	if (status != 0) {
		return status;
	}
	if (!cron_next(&rule->cron, zone, second_of(after_ms), &next)) {
		return never(rule, err);
	}
	*out = next * SECOND;
	return 0;
}

int cron_rule_last(const struct cron_rule *rule, int64_t until_ms, int64_t *out, struct err *err)
{
	const struct zone *zone;
	int64_t last;
	int status = zone_get(rule->zone, &zone, err);
	if (status != 0) {
		return status;
	}
	if (!cron_previous(&rule->cron, zone, second_of(until_ms) + 1, &last)) {
		return never(rule, err);
	}
	*out = last * SECOND;
	return 0;
}

int cron_rule_count(const struct cron_rule *rule, int64_t after_ms, int64_t until_ms, uint64_t most,
                    uint64_t *out, struct err *err)
{
	const struct zone *zone;
	int status = zone_get(rule->zone, &zone, err);
	if (status == 0) {
		*out = cron_count(&rule->cron, zone, second_of(after_ms), second_of(until_ms),
		                  most);
	}
	return status;
}

int64_t cron_rule_delay(const struct cron_rule *rule, struct span id, int64_t time_ms)
{
	struct err err;
	int64_t next = 0;
	int64_t most = rule->jitter_ms;
	if (most == 0) {
		return 0;
	}
	if (cron_rule_next(rule, time_ms, &next, &err) == 0 && next - time_ms <= most) {
		most = next - time_ms - 1;
	}
	return (int64_t)(hash_stable(id, (uint64_t)time_ms) % ((uint64_t)most + 1));
}
