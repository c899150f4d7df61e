/* This file packs the records of alarms, unpacks them and shows them as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/alarm_record.h"

#include "base/json.h"
#include "engine/durable/space.h"

enum { FORMAT = 1 };

const char *const alarm_catch_up_words[] = {
        [CATCH_UP_ONCE] = "once", [CATCH_UP_ALL] = "all", [CATCH_UP_SKIP] = "skip", NULL};

struct record_key alarm_record_key(struct space_key *room, const struct alarm_address *address)
{
	return space_alarm(room, address->scope, address->key, address->name);
}

int64_t alarm_record_expires_ms(const struct alarm_record *record)
{
	return record->running_seq != 0 ? record->fired_ms : record->next_ms;
}

const char *alarm_record_state(const struct alarm_record *record)
{
	return record->running_seq != 0 ? "running" : record->next_ms != 0 ? "scheduled" : "failed";
}

/* ---- on disk ---- */

static void write_text(struct buf *out, const char *name, struct span text)
{
	if (text.len != 0) {
		json_write_member_string(out, name, text);
	}
}

static void write_number(struct buf *out, const char *name, int64_t number)
{
	if (number != 0) {
		json_write_member_int(out, name, number);
	}
}

static void write_plan(const struct alarm_plan *plan, struct buf *out)
{
	if (!alarm_plan_recurs(plan)) {
		return;
	}
	write_number(out, "every_ms", plan->every_ms);
	write_text(out, "cron", plan->cron);
	write_text(out, "zone", plan->zone);
	json_write_member_string(out, "catch_up", span_of(alarm_catch_up_words[plan->catch_up]));
	if (plan->catch_up == CATCH_UP_ALL) {
		json_write_member_uint(out, "max", plan->max);
	}
}

void alarm_record_encode(const struct alarm_record *record, struct buf *out)
{
	buf_byte(out, FORMAT);
	buf_byte(out, '{');
	write_number(out, "next", record->next_ms);
	if (record->payload.len != 0) {
		json_write_member_raw(out, "payload", record->payload);
	}
	write_text(out, "function_id", record->function_id);
	write_text(out, "namespace", record->namespace_);
	write_plan(&record->plan, out);
	write_number(out, "running_seq", (int64_t)record->running_seq);
	write_number(out, "running", record->running_ms);
	write_number(out, "fired", record->fired_ms);
	write_number(out, "firings", (int64_t)record->firings);
	if (record->failure.len != 0) {
		json_write_member_raw(out, "failure", record->failure);
	}
	buf_byte(out, '}');
}

enum member {
	NEXT,
	PAYLOAD,
	FUNCTION,
	NAMESPACE,
	EVERY,
	CRON,
	ZONE,
	CATCH_UP,
	MAX,
	RUNNING_SEQ,
	RUNNING,
	FIRED,
	FIRINGS,
	FAILURE,
	MEMBERS
};

static bool read_number(struct span value, int64_t *out)
{
	return value.ptr == NULL || (json_int64(value, out) && *out >= 0);
}

static bool read_plan(const struct span found[MEMBERS], struct alarm_plan *plan,
                      struct buf *scratch)
{
	int64_t max = 0;
	bool is_known = found[CATCH_UP].ptr == NULL;
	plan->cron = json_copy_text(found[CRON], scratch);
	plan->zone = json_copy_text(found[ZONE], scratch);
	for (int i = 0; alarm_catch_up_words[i] != NULL; i++) {
		if (found[CATCH_UP].ptr != NULL &&
		    json_string_is(found[CATCH_UP], span_of(alarm_catch_up_words[i]))) {
			plan->catch_up = (enum alarm_catch_up)i;
			is_known = true;
		}
	}
	bool good = read_number(found[EVERY], &plan->every_ms) && read_number(found[MAX], &max);
	plan->max = (uint32_t)max;
	return good && is_known && max <= UINT32_MAX;
}

int alarm_record_decode(struct span value, struct alarm_record *out, struct buf *scratch,
                        struct err *err)
{
	static const struct span names[MEMBERS] = {
	        {"next", 4},     {"payload", 7},      {"function_id", 11}, {"namespace", 9},
	        {"every_ms", 8}, {"cron", 4},         {"zone", 4},         {"catch_up", 8},
	        {"max", 3},      {"running_seq", 11}, {"running", 7},      {"fired", 5},
	        {"firings", 7},  {"failure", 7}};
	struct span found[MEMBERS];
	struct span json;
	int status = space_json(value, FORMAT, "an alarm's record", "alarm_format", &json, err);
	if (status != 0) {
		return status;
	}
	if (json_check_object(json, names, MEMBERS, found, err) != 0) {
		return err_wrap(err, "an alarm's record is damaged");
	}
	int64_t seq = 0;
	int64_t firings = 0;
	/* No text is longer than the record: the buffer does not move between them. */
	(void)buf_reserve(scratch, value.len);
	struct alarm_record record = {
	        .payload = found[PAYLOAD],
	        .function_id = json_copy_text(found[FUNCTION], scratch),
	        .namespace_ = json_copy_text(found[NAMESPACE], scratch),
	        .failure = found[FAILURE],
	};
	bool good = read_number(found[NEXT], &record.next_ms) &&
	            read_plan(found, &record.plan, scratch) &&
	            read_number(found[RUNNING_SEQ], &seq) &&
	            read_number(found[RUNNING], &record.running_ms) &&
	            read_number(found[FIRED], &record.fired_ms) &&
	            read_number(found[FIRINGS], &firings);
	if (!good) {
		return err_set(err, E_DAMAGED, "alarm_damaged",
		               "a member of an alarm's record is damaged");
	}
	record.running_seq = (uint64_t)seq;
	record.firings = (uint64_t)firings;
	*out = record;
	return 0;
}

/* ---- for people ---- */

void alarm_record_show(const struct alarm_address *address, const struct alarm_record *record,
                       struct buf *out)
{
	buf_byte(out, '{');
	json_write_member_string(out, "scope", address->scope);
	json_write_member_string(out, "key", address->key);
	json_write_member_string(out, "name", address->name);
	json_write_member_string(out, "state", span_of(alarm_record_state(record)));
	json_write_member_int(out, "scheduled_at",
	                      record->next_ms != 0 ? record->next_ms : record->running_ms);
	write_text(out, "function_id", record->function_id);
	write_text(out, "namespace", record->namespace_);
	write_plan(&record->plan, out);
	json_write_member_raw(out, "payload",
	                      record->payload.len != 0 ? record->payload : SPAN("null"));
	json_write_member_uint(out, "firings", record->firings);
	if (record->running_seq != 0) {
		json_write_name(out, "running");
		buf_byte(out, '{');
		json_write_member_uint(out, "seq", record->running_seq);
		json_write_member_int(out, "scheduled_at", record->running_ms);
		json_write_member_int(out, "fired_at", record->fired_ms);
		buf_byte(out, '}');
	}
	if (record->failure.len != 0) {
		json_write_member_raw(out, "failure", record->failure);
	}
	buf_byte(out, '}');
}

void alarm_record_tell(const struct alarm_address *address, const struct alarm_record *record,
                       int64_t scheduled_ms, int64_t fired_ms, uint64_t missed, struct buf *out)
{
	buf_byte(out, '{');
	json_write_member_string(out, "name", address->name);
	json_write_member_int(out, "scheduled_at", scheduled_ms);
	json_write_member_int(out, "fired_at", fired_ms);
	if (missed != 0) {
		json_write_member_uint(out, "missed", missed);
	}
	write_text(out, "function_id", record->function_id);
	write_text(out, "namespace", record->namespace_);
	json_write_member_raw(out, "payload",
	                      record->payload.len != 0 ? record->payload : SPAN("null"));
	buf_byte(out, '}');
}
