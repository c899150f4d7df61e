/* This file is the table of HTTP operations: method, path, and the function that each one calls. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/route.h"

#include "base/spelling.h"
#include "engine/api/watch_query.h"
#include "wire/url.h"

#define ONE_KEY    "/v1/state/{scope}/{key}"
#define NAMESPACES "/v1/services/{service}/state/namespaces"
#define OBJECT     NAMESPACES "/{namespace}/objects/{object_key}"
#define PAGE       "\"limit\":1000"
#define OWN_ALARM  "\"key\":\"\",\"name\":\"\""

static const struct route routes[] = {
        {"GET", "/", NULL, NULL, NULL, NULL, ROUTE_HELLO | ROUTE_OPEN,
         "Says who answers here; a browser gets the console."},
        {"GET", "/console/{file}", NULL, NULL, NULL, NULL, ROUTE_FILE | ROUTE_OPEN,
         "Gives a file of the console."},

        {"GET", ONE_KEY, "state::get", NULL, NULL, "\"with_rev\":true",
         ROUTE_ABSENT | ROUTE_REV | ROUTE_VALUE, "Reads one value; its ETag is the rev."},
        {"PUT", ONE_KEY, "state::set",
         "ttl ttl_ms:int expires_at encoding event_on_noop:bool if_rev idempotency_key", "value",
         NULL, ROUTE_REV | ROUTE_ONCE, "Writes one value: the body is the JSON value itself."},
        {"DELETE", ONE_KEY, "state::delete", "if_rev keep_alarms:bool idempotency_key", NULL, NULL,
         ROUTE_ABSENT | ROUTE_REV | ROUTE_ONCE, "Deletes one value and answers with it."},
        {"POST", ONE_KEY "/update", "state::update", "idempotency_key", "*", NULL,
         ROUTE_REV | ROUTE_ONCE, "Applies update operations to one value: {\"ops\":[...]}."},
        {"GET", "/v1/state", "state::list_groups", "prefix limit:int cursor", NULL, NULL, 0,
         "Lists the scopes."},
        {"GET", "/v1/state/{scope}", "state::list",
         "prefix start end limit:int cursor reverse:bool with_keys:bool keys_only:bool", NULL,
         "\"with_keys\":true", 0, "Lists a scope in the order of its keys."},
        {"DELETE", "/v1/state/{scope}", "state::clear", "prefix limit:int cursor keep_alarms:bool",
         NULL, NULL, 0, "Deletes what a scope holds."},
        {"POST", "/v1/state:get-many", "state::get_many", NULL, "*", NULL, 0,
         "Reads several values at once."},
        {"POST", "/v1/state:transact", "state::transact", "idempotency_key", "*", NULL, ROUTE_ONCE,
         "Changes several keys, all or nothing."},

        {"GET", NAMESPACES, "state::list_namespaces", "prefix limit:int cursor", NULL, PAGE, 0,
         "Lists the namespaces that hold an object."},
        {"GET", NAMESPACES "/{namespace}/objects", "state::list_objects", "prefix limit:int cursor",
         NULL, PAGE, 0, "Lists the objects of a namespace."},
        {"GET", OBJECT "/keys", "state::list", "prefix start end limit:int cursor reverse:bool",
         NULL, PAGE ",\"keys_only\":true", ROUTE_OBJECT, "Lists the keys of an object."},
        {"GET", OBJECT "/values/{key}", "state::get", "raw:bool", NULL,
         "\"with_rev\":true,\"with_encoding\":true",
         ROUTE_OBJECT | ROUTE_ENVELOPE | ROUTE_ABSENT | ROUTE_REV,
         "Reads a value of an object, with its encoding and rev."},
        {"PUT", OBJECT "/values/{key}", "state::set",
         "raw:bool ttl ttl_ms:int expires_at event_on_noop:bool if_rev idempotency_key", "value",
         NULL, ROUTE_OBJECT | ROUTE_ENVELOPE | ROUTE_REV | ROUTE_ONCE,
         "Writes a value of an object: {\"value\":..., \"encoding\":\"json\"}."},
        {"DELETE", OBJECT "/values/{key}", "state::delete",
         "if_rev keep_alarms:bool idempotency_key", NULL, NULL,
         ROUTE_OBJECT | ROUTE_ABSENT | ROUTE_REV | ROUTE_ONCE,
         "Deletes a value of an object and answers with it."},
        {"GET", OBJECT "/alarm", "alarm::get", NULL, NULL, OWN_ALARM, ROUTE_OBJECT | ROUTE_ABSENT,
         "Shows the alarm of an object."},
        {"PUT", OBJECT "/alarm", "alarm::set", "idempotency_key", "*", OWN_ALARM,
         ROUTE_OBJECT | ROUTE_ONCE,
         "Sets the alarm of an object: {\"delaySeconds\":n} or {\"scheduledAtUnixMs\":n}."},
        {"DELETE", OBJECT "/alarm", "alarm::delete", NULL, NULL, OWN_ALARM,
         ROUTE_OBJECT | ROUTE_ABSENT, "Deletes the alarm of an object."},

        {"GET", "/v1/functions", "engine::functions::list", "include_internal:bool", NULL, NULL, 0,
         "Lists the functions that somebody serves."},
        {"GET", "/v1/functions/{function_id}", "engine::functions::info", "namespace", NULL, NULL,
         0, "Shows one function."},
        {"POST", "/v1/functions/{id}/invoke", NULL,
         "timeout_ms:int namespace void:bool queue delay delay_ms:int at", "*", NULL, ROUTE_INVOKE,
         "Calls a function with the body as its data, now or later."},
        {"POST", "/v1/functions/{function_id}/enable", "engine::functions::enable", "namespace",
         NULL, NULL, 0, "Lets a function that was disabled be called again."},
        {"GET", "/v1/workers", "engine::workers::list", NULL, NULL, NULL, 0,
         "Lists the workers that are connected."},
        {"GET", "/v1/workers/{id}", "engine::workers::info", NULL, NULL, NULL, 0,
         "Shows one worker."},
        {"POST", "/v1/workers/{id}/drain", "engine::workers::drain", "wait:bool", "*", NULL, 0,
         "Gives a worker no new calls; answers when those that run have ended."},
        {"POST", "/v1/workers/{id}/resume", "engine::workers::resume", NULL, "*", NULL, 0,
         "Gives a worker that drains calls again."},
        {"GET", "/v1/trigger-types", "engine::triggers::list", "include_internal:bool", NULL, NULL,
         0, "Lists the types of triggers."},
        {"GET", "/v1/triggers", "engine::registered-triggers::list", "include_internal:bool", NULL,
         NULL, 0, "Lists the triggers."},
        {"POST", "/v1/triggers", "engine::register_trigger", NULL, "*", NULL, 0,
         "Registers a durable trigger."},
        {"POST", "/v1/triggers:test", "engine::triggers::test", NULL, "*", NULL, 0,
         "Lists the past events that a trigger would have fired for."},
        {"GET", "/v1/triggers/{id}", "engine::registered-triggers::info", NULL, NULL, NULL,
         ROUTE_ABSENT, "Shows one trigger."},
        {"PUT", "/v1/triggers/{id}", "engine::triggers::put", NULL, "*", NULL, 0,
         "Makes a durable trigger, or replaces it: a new version, all or nothing."},
        {"DELETE", "/v1/triggers/{id}", "engine::unregister_trigger", NULL, NULL, NULL,
         ROUTE_ABSENT, "Removes a trigger; what still waits for it is dropped."},
        {"POST", "/v1/triggers/{id}/pause", "engine::triggers::pause", "mode reason", "*", NULL, 0,
         "Pauses a trigger: its events wait for it (mode hold) or are dropped (mode drop)."},
        {"POST", "/v1/triggers/{id}/resume", "engine::triggers::resume", "key scope", "*", NULL, 0,
         "Lets a paused trigger, or one paused key of it, go on with what waited."},
        {"GET", "/v1/events", "engine::events::list", "since:int limit:int scope", NULL, NULL, 0,
         "Lists changes in their order."},
        {"GET", "/v1/watch", NULL, WATCH_PARAMS, NULL, NULL, ROUTE_WATCH,
         "Streams changes as they come, as server-sent events."},
        {"GET", "/v1/alarms", "alarm::list", "scope prefix state due_before:int limit:int cursor",
         NULL, NULL, 0, "Lists alarms, of one scope or of all."},
        {"POST", "/v1/alarms", "alarm::set", "idempotency_key", "*", NULL, ROUTE_ONCE,
         "Sets an alarm: {\"scope\":..., \"key\":..., \"delay\":\"30m\"}."},
        {"POST", "/v1/alarms:fire", "alarm::fire", "scope key name", "*", NULL, 0,
         "Lets an alarm fire now: {\"scope\":..., \"key\":...}."},
        {"GET", "/v1/alarms/{scope}", "alarm::get", "key name", NULL, NULL, ROUTE_ABSENT,
         "Shows an alarm of a scope, or with key one of an object."},
        {"PUT", "/v1/alarms/{scope}", "alarm::set",
         "key name delay at every cron zone catch_up max:int delay_ms:int function_id namespace "
         "idempotency_key",
         "*", NULL, ROUTE_ONCE, "Sets it."},
        {"DELETE", "/v1/alarms/{scope}", "alarm::delete", "key name", NULL, NULL, ROUTE_ABSENT,
         "Deletes it."},
        {"GET", "/v1/alarms/{scope}/{key}", "alarm::get", "name", NULL, NULL, ROUTE_ABSENT,
         "Shows an alarm of an object."},
        {"PUT", "/v1/alarms/{scope}/{key}", "alarm::set",
         "name delay at every cron zone catch_up max:int delay_ms:int function_id namespace "
         "idempotency_key",
         "*", NULL, ROUTE_ONCE,
         "Sets an alarm of an object: {\"delay\":\"30m\", \"payload\":...}."},
        {"DELETE", "/v1/alarms/{scope}/{key}", "alarm::delete", "name", NULL, NULL, ROUTE_ABSENT,
         "Deletes an alarm of an object."},
        {"POST", "/v1/events", "engine::events::publish", "idempotency_key", NULL, NULL,
         ROUTE_EVENTS | ROUTE_ONCE, "Takes CloudEvents: structured, binary, or a batch."},
        {"POST", "/v1/queues/{queue}", "engine::queue::enqueue",
         "delay delay_ms:int at idempotency_key", "*", NULL, ROUTE_ONCE,
         "Puts a call into a queue: {\"function_id\":..., \"payload\":...}."},
        {"POST", "/v1/queues/{queue}/{function_id}", "engine::queue::enqueue",
         "namespace delay delay_ms:int at idempotency_key", "data", NULL, ROUTE_ONCE,
         "Puts a call of this function into a queue; the body is its data."},
        {"GET", "/v1/scheduled", "engine::scheduled::list",
         "queue function_id due_before:int limit:int cursor", NULL, NULL, 0,
         "Lists calls that are to be made later, in the order of their times."},
        {"GET", "/v1/scheduled/{id}", "engine::scheduled::get", NULL, NULL, NULL, ROUTE_ABSENT,
         "Shows a call that is to be made later."},
        {"DELETE", "/v1/scheduled/{id}", "engine::scheduled::cancel", NULL, NULL, NULL,
         ROUTE_ABSENT, "Cancels a call that is to be made later."},
        {"GET", "/v1/queues", "engine::queue::list", NULL, NULL, NULL, 0,
         "Lists the queues with their figures."},
        {"POST", "/v1/topics/{topic}", "iii::durable::publish", "key idempotency_key", "data", NULL,
         ROUTE_ONCE, "Publishes the body to a topic."},
        {"GET", "/v1/events/{seq}", "engine::events::get", NULL, NULL, NULL, 0, "Shows one event."},
        {"GET", "/v1/events/{seq}/explain", "engine::events::explain", "trigger limit:int", NULL,
         NULL, 0, "Tells which triggers an event fired, and why the others did not."},
        {"POST", "/v1/explain", "engine::events::explain", "trigger limit:int", "event", NULL, 0,
         "The same for an event that is the body."},
        {"POST", "/v1/replay", "engine::replay",
         "trigger all:bool from:int to:int since until when dry_run:bool rate limit:int", "*", NULL,
         0, "Delivers past events again, to one trigger or to all that want them."},
        {"GET", "/v1/clock", "engine::clock::now", NULL, NULL, NULL, 0,
         "Tells the time, and what kind of clock it is."},
        {"POST", "/v1/clock/advance", "engine::clock::advance", NULL, "*", NULL, 0,
         "Turns a manual clock: {\"ms\":n} or {\"to\":time}."},
        {"GET", "/v1/jobs", "engine::jobs::list", "trigger limit:int", NULL, NULL, 0,
         "Lists deliveries that wait for another try."},
        {"GET", "/v1/jobs/{id}", "engine::jobs::show", NULL, NULL, NULL, 0,
         "Shows one delivery that is owed, with its attempts."},
        {"POST", "/v1/jobs/{id}/cancel", "engine::jobs::cancel", NULL, "*", NULL, 0,
         "Gives a delivery up, for good and without a dead letter."},
        {"POST", "/v1/jobs/{id}/retry", "engine::jobs::retry", NULL, "*", NULL, 0,
         "Tries a delivery again now."},
        {"GET", "/v1/dead", "engine::dead::list",
         "trigger function reason scope prefix since until queue event limit:int", NULL, NULL, 0,
         "Lists dead letters."},
        {"POST", "/v1/dead/{id}/edit", "engine::dead::replay", NULL, "event", NULL, ROUTE_ABSENT,
         "Delivers a dead letter again with these members of its event, under a new delivery id."},
        {"POST", "/v1/dead:replay", "engine::dead::replay_all",
         "trigger function reason scope prefix since until queue event limit:int rate all:bool",
         "*", NULL, 0, "Delivers all dead letters again that fit, at most `rate` a second."},
        {"POST", "/v1/dead:discard", "engine::dead::discard_all",
         "trigger function reason scope prefix since until queue event limit:int all:bool", "*",
         NULL, 0, "Forgets all dead letters that fit."},
        {"GET", "/v1/dead/{id}", "engine::dead::show", NULL, NULL, NULL, ROUTE_ABSENT,
         "Shows one dead letter with its event and attempts."},
        {"POST", "/v1/dead/{id}/replay", "engine::dead::replay", NULL, "*", NULL, ROUTE_ABSENT,
         "Delivers a dead letter again."},
        {"DELETE", "/v1/dead/{id}", "engine::dead::discard", NULL, NULL, NULL, ROUTE_ABSENT,
         "Forgets a dead letter."},

        {"GET", "/v1/tokens", "engine::tokens::list", NULL, NULL, NULL, 0,
         "Lists the tokens, without their texts."},
        {"POST", "/v1/tokens", "engine::tokens::create", NULL, "*", NULL, 0,
         "Makes a token: {\"name\":..., \"rights\":{\"read\":[...]}}; its text is told once."},
        {"DELETE", "/v1/tokens/{name}", "engine::tokens::revoke", NULL, NULL, NULL, 0,
         "Takes a token away; who is connected by it is cut off."},
        {"POST", "/v1/config:reload", "engine::config::reload", "dry_run:bool", "*", NULL, 0,
         "Takes the config file as it is now, all or nothing."},
        {"GET", "/openapi.json", NULL, NULL, NULL, NULL, ROUTE_DOCUMENT,
         "This API as an OpenAPI 3.1 document."},
        {"GET", "/v1/status", "engine::status", NULL, NULL, NULL, 0, "Says how the engine is."},
        {"GET", "/metrics", "engine::metrics", NULL, NULL, NULL, ROUTE_FIGURES,
         "All figures, as a text that Prometheus reads."},
        {"GET", "/health", "engine::status", NULL, NULL, NULL, ROUTE_READY | ROUTE_OPEN,
         "200 while the engine can do its work, else 503."},
        {"GET", "/healthz", "engine::status", NULL, NULL, NULL, ROUTE_OPEN,
         "200 while the process answers."},
        {"GET", "/readyz", "engine::status", NULL, NULL, NULL, ROUTE_READY | ROUTE_OPEN,
         "200 while the engine can do its work, else 503."},
};

enum { ROUTE_COUNT = sizeof(routes) / sizeof(routes[0]) };

/* Does the path have the segments of the template? */
static bool fits(const struct route *route, struct span path, struct route_match *out)
{
	struct span template = span_of(route->path);
	struct span want;
	struct span have;
	struct route_match match = {.route = route};
	while (url_next_segment(&template, &want)) {
		if (!url_next_segment(&path, &have)) {
			return false;
		}
		bool is_variable = want.len > 2 && want.ptr[0] == '{';
		if (!is_variable && !span_equal(want, have)) {
			return false;
		}
		if (is_variable) {
			if (have.len == 0) {
				return false;
			}
			match.names[match.count] = span_make(want.ptr + 1, want.len - 2);
			match.values[match.count++] = have;
		}
	}
	*out = match;
	return !url_next_segment(&path, &have);
}

enum route_found route_find(struct span method, struct span path, struct route_match *out)
{
	enum route_found found = ROUTE_UNKNOWN;
	struct span wanted = span_is(method, "HEAD") ? SPAN("GET") : method;
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		struct route_match match;
		if (!fits(&routes[i], path, &match)) {
			continue;
		}
		if (span_is(wanted, routes[i].method)) {
			*out = match;
			return ROUTE_FOUND;
		}
		found = ROUTE_OTHER_METHOD;
	}
	return found;
}

void route_allowed(struct span path, struct buf *out)
{
	const char *separator = "";
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		struct route_match match;
		if (!fits(&routes[i], path, &match)) {
			continue;
		}
		bool is_get = strcmp(routes[i].method, "GET") == 0;
		buf_format(out, "%s%s%s", separator, routes[i].method, is_get ? ", HEAD" : "");
		separator = ", ";
	}
}

static size_t unlikeness(const struct route *route, struct span path)
{
	struct span template = span_of(route->path);
	struct span want;
	struct span have;
	size_t sum = 0;
	while (url_next_segment(&template, &want)) {
		if (!url_next_segment(&path, &have)) {
			sum += want.len + 2;
		} else if (want.len > 0 && want.ptr[0] == '{') {
			sum += have.len == 0 ? 4 : 1;
		} else {
			sum += 2 * spelling_distance(want, have);
		}
	}
	while (url_next_segment(&path, &have)) {
		sum += have.len + 2;
	}
	return sum;
}

const struct route *route_nearest(struct span path)
{
	const struct route *best = &routes[0];
	size_t least = SIZE_MAX;
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		size_t sum = unlikeness(&routes[i], path);
		if (sum < least) {
			least = sum;
			best = &routes[i];
		}
	}
	return best;
}

const struct route *route_table(size_t *out_count)
{
	*out_count = ROUTE_COUNT;
	return routes;
}
