/* This file says what went wrong over HTTP: problem+json (RFC 9457), one table of codes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/problem.h"
#include "base/json.h"
#include "wire/http_write.h"
#include <stddef.h>

struct problem_row {
	const char *code;
	int status;
	const char *instruction; /* what a program should do next, in one sentence */
};

#define FIX_AND_RESEND "Correct the request as the detail says and send it again."
#define FIX_TRIGGER    "Correct the trigger's config as the detail says."
#define FIX_CONFIG     "Correct the config file as the detail says, then reload again."
#define FIX_FUNCTION   "Correct the function or trigger in the config as the detail says."
#define DAMAGED        "Tell the operator: what is stored there is damaged; restore a copy of the data."
#define NEWER          "Run the newer version of pawl that wrote it."

/* The first row is the answer to a code that is not in the table. */
static const struct problem_row rows[] = {
        {"internal_error", 500,
         "Retry once; if it happens again, report the detail and the engine's log."},

        {"bad_request", 400, FIX_AND_RESEND},
        {"invalid_request", 400, FIX_AND_RESEND},
        {"invalid_json", 400,
         "Send a body that is valid JSON in UTF-8; the detail says where it "
         "breaks."},
        {"invalid_ttl", 400,
         "Say how long the record lasts once: ttl (a duration, keep, reset, clear), ttl_ms or "
         "expires_at."},
        {"invalid_key", 400, "Use a scope of 1 to 512 and a key of 1 to 1,024 bytes of UTF-8."},
        {"invalid_encoding", 400,
         "Say json, text or base64, and send a value that is it: a string for text and base64."},
        {"service_not_found", 404, "Use the service name that the detail tells (service.name)."},
        {"invalid_path", 400, "Percent-encode each segment of the path."},
        {"invalid_form", 400, "Percent-encode the names and values of the form."},
        {"invalid_parameter", 400, "Correct the query parameter that the detail names."},
        {"unknown_parameter", 400, "Leave out the query parameter that the detail names."},
        {"argument_required", 400, "Add the argument that the detail names."},
        {"invalid_argument", 400, "Correct the argument that the detail names."},
        {"duplicate_key", 400, "Name each key once, or put its operations into one update."},
        {"INVALID_NAMESPACE", 400, "Name a namespace, or leave it out."},
        {"unknown_field", 400, "Leave out the field that the detail names, or spell it as listed."},
        {"missing_field", 400, "Add the field that the detail names."},
        {"invalid_field", 400, "Correct the field that the detail names."},
        {"invalid_value", 400, "Correct the option that the detail names."},
        {"value_required", 400, "Send the value: the request body is the JSON value itself."},
        {"invalid_idempotency_key", 400,
         "Send one Idempotency-Key of 1 to 255 bytes, where the operation takes one."},
        {"idempotency_conflict", 422,
         "Use a new idempotency key for a new request; repeat the old one only as it was."},
        {"too_many_ops", 400, "Send fewer operations at a time."},
        {"invalid_expression", 400, "Correct the expression as the detail says."},
        {"invalid_regex", 400, "Correct the regular expression as the detail says."},
        {"regex_limit", 400, "Write a simpler regular expression: this one takes too long."},
        {"invalid_glob", 400, "Correct the pattern as the detail says."},
        {"never_fires", 400, "Correct the cron expression: it names no time that is to come."},
        {"invalid_max_in_flight", 400, "Send a whole number of at least 1."},
        {"invalid_ops", 400, "Correct the operation that the detail names."},
        {"state_alarm_schedule_required", 400,
         "Say when the alarm is due: delay_ms, delay, at, every or cron."},
        {"state_alarm_schedule_conflict", 400, "Say the alarm's time once."},
        {"invalid_cron", 400, "Correct the cron expression as the detail says."},
        {"unknown_zone", 400, "Name an IANA time zone, such as Europe/Berlin."},
        {"alarm_not_found", 404, "List the alarms; it may have fired and be gone."},
        {"invalid_cursor", 400, "List again from the start, without a cursor."},
        {"invalid_trigger", 400, FIX_TRIGGER},
        {"queue_not_found", 404,
         "Use one of the queues that the detail lists, or declare it in the config."},
        {"message_group_missing", 400,
         "Put the group where the detail says it must stand, or use a queue of type standard."},
        {"invalid_cloudevent", 400, "Correct the attribute that the detail names."},
        {"invalid_event", 400, "Correct the member of the event that the detail names."},
        {"invalid_condition", 400, "Correct the expression as the detail says."},
        {"invalid_invocation", 400, "Correct the function's invocation as the detail says."},
        {"trigger_registration_failed", 400, FIX_TRIGGER},
        {"unauthorized", 401, "Send a valid token in Authorization: Bearer."},
        {"FORBIDDEN", 403, "Ask for the right to do this; do not retry."},
        {"forbidden", 403, "Ask for the right to do this; do not retry."},
        {"too_many_failures", 429,
         "Wait for the seconds of Retry-After, then come with a right token."},
        {"invalid_rights", 400, "Correct the list of rights that the detail names."},
        {"invalid_token_name", 400, "Choose a shorter name of plain letters and digits."},
        {"first_token", 400, "Make a token with \"manage\": [\"all\"] first."},
        {"token_not_found", 404, "List the tokens with GET /v1/tokens and use one of their names."},
        {"token_in_config", 409, "Take the token out of the engine's config and reload it."},
        {"last_token", 409, "Make another token first."},
        {"origin_not_allowed", 403,
         "Add the page's origin to allowed_origins in the engine's config; do not retry."},
        {"host_not_allowed", 403,
         "Address the engine by a loopback or listed name, or add this one to allowed_hosts."},
        {"not_found", 404, "Check the name; list what is there before reading it."},
        {"route_not_found", 404, "Use the path that the detail proposes."},
        {"path_not_served", 404, "Check the path; GET /v1/triggers lists those that are served."},
        {"function_not_found", 404,
         "Check the function id and its namespace with GET /v1/functions."},
        {"function_disabled", 409,
         "See why in the detail; enable it with POST /v1/functions/{id}/enable when that is "
         "mended."},
        {"trigger_type_not_found", 404, "Use one of the types of engine::triggers::list."},
        {"method_not_allowed", 405, "Use one of the methods in the Allow header."},
        {"plain_http", 400, "Ask again over TLS: https:// or wss:// on this port."},
        {"request_timeout", 408, "Send the whole request without long pauses."},
        {"conflict", 409, "Read the value again, then decide and write anew."},
        {"key_not_paused", 404, "List the blocked deliveries with GET /v1/jobs."},
        {"job_not_found", 404, "List what is owed with GET /v1/jobs; it may have ended meanwhile."},
        {"job_not_waiting", 409, "Leave it: it runs, or starts as soon as it can."},
        {"job_is_dying", 409, "Discard the dead letter (DELETE /v1/dead/{id})."},
        {"still_owed", 409, "Wait for the other delivery, or cancel it; GET /v1/jobs shows it."},
        {"still_dropping", 409, "Try again in a second, or pause with mode hold."},
        {"rev_conflict", 409, "Read the value and its rev again, then write with the new one."},
        {"trigger_in_config", 409, "Change the trigger in the engine's config instead."},
        {"stale_delivery", 409,
         "Stop: a newer attempt of this delivery has taken over, its writes count."},
        {"route_taken", 409,
         "Use another path or method, or remove the trigger that the detail names first."},
        {"http_not_listening", 409, "Set http.listen in the engine's config and restart it."},
        {"exists", 409, "Nothing to do if it is the same; else use another name."},
        {"event_not_found", 404,
         "List the events with GET /v1/events and use the seq of one of them."},
        {"event_gone", 410,
         "Explain an event that is still there (GET /v1/events), or POST the event itself to "
         "/v1/explain."},
        {"trigger_not_found", 404,
         "List the triggers with GET /v1/triggers and use one of their ids."},
        {"dead_letter_not_found", 404,
         "List the dead letters with GET /v1/dead and use one of their ids."},
        {"worker_not_found", 404,
         "List the workers with GET /v1/workers and use one of their ids."},
        {"invalid_data", 400, "Correct the data that the detail names."},
        {"clock_is_real", 409,
         "Wait as long as it takes, or test against an engine of your own with --clock manual."},
        {"clock_is_turning", 409, "Wait until the other request is answered, then turn further."},
        {"clock_goes_forward", 400, "Name a later time; GET /v1/clock tells where it stands."},
        {"config_absent", 409, "Start the engine with --config FILE; then it can be read again."},
        {"file_unreadable", 422, FIX_CONFIG},
        {"invalid_yaml", 422, FIX_CONFIG},
        {"yaml_limit", 422, FIX_CONFIG},
        {"invalid_config", 422,
         "Correct the config file as the detail says (pawl check lists all that is wrong), then "
         "reload again; the engine goes on with the last good one."},
        {"trigger_gone", 409, "Register the trigger again, then replay."},
        {"not_replayable", 422, "Read the events themselves and write the state again."},
        {"cursor_unknown", 410, "Start over from the present state: your position is of no use."},
        {"compacted", 410,
         "Start over from the present state: those events are gone (GET /v1/watch: with "
         "snapshot=true and without Last-Event-ID)."},
        {"epoch_gone", 410, "Start over from the present state: the position is of another log."},
        {"too_large", 413, "Send less: the detail names the limit."},
        {"body_too_large", 413, "Send a smaller body: the detail names the limit."},
        {"payload_too_large", 413, "Send less: the detail names the limit."},
        {"value_too_large", 413, "Store less than 2 MiB under one key, or split the value."},
        {"result_too_large", 413, "Ask for less at a time with limit, and go on with cursor."},
        {"too_many_keys", 413, "Ask for fewer keys at a time."},
        {"transact_too_large", 413, "Split the transaction: at most 128 keys and 8 MiB."},
        {"unsupported_media_type", 415, "Send Content-Type: application/json."},
        {"not_a_cloudevent", 415,
         "Send Content-Type: application/cloudevents+json (a list: "
         "application/cloudevents-batch+json), or the attributes as ce- header fields."},
        {"upgrade_refused", 426, "Open a new connection for the WebSocket."},
        {"headers_too_large", 431, "Send fewer or shorter header fields."},
        {"loop_detected", 508, "Break the chain of triggers that the detail names."},
        {"too_many_connections", 503, "Reuse connections, or retry after a second."},
        {"starting", 503, "Retry after a second: the engine has just been started."},
        {"no_worker", 503, "Retry after the seconds of Retry-After: nobody serves it now."},
        {"trigger_paused", 503, "Retry later, or resume the trigger (pawl trigger resume)."},
        {"handler_busy", 503, "Retry after the seconds of Retry-After."},
        {"shutting_down", 503, "Retry after a second: the engine restarts."},
        {"store_recovering", 503, "Retry after a second; reads still work."},
        {"store_failed", 503, "Writes are refused until the store is repaired; tell the operator."},
        {"crowded", 503, "Retry after a second, with fewer requests at a time."},
        {"journal_full", 507,
         "Wait until the triggers that lag have caught up, discard dead letters if "
         "those are full, or raise journal.max_bytes."},
        {"disk_full", 507, "Free disk space, then retry."},
        {"handler_failed", 500,
         "Retry once; what went wrong is last_error of the trigger (pawl trigger show)."},
        {"outcome_unknown", 500,
         "The write may have happened: read the value before you repeat it."},
        {"io_error", 500, "Look at the disk and the engine's log, then retry once."},
        {"alarm_damaged", 500, DAMAGED},
        {"damaged_record", 500, DAMAGED},
        {"dead_letter_damaged", 500, DAMAGED},
        {"event_damaged", 500, DAMAGED},
        {"job_damaged", 500, DAMAGED},
        {"later_damaged", 500, DAMAGED},
        {"trigger_damaged", 500, DAMAGED},
        {"token_damaged", 500, DAMAGED},
        {"window_damaged", 500, DAMAGED},
        {"journal_damaged", 500, DAMAGED},
        {"journal_gap", 500, DAMAGED},
        {"records_damaged", 500, DAMAGED},
        {"event_version", 500, NEWER},
        {"later_format", 500, NEWER},
        {"newer_record", 500, NEWER},
        {"invalid_middleware", 500, FIX_FUNCTION},
        {"invalid_response", 502, FIX_FUNCTION},
        {"unsupported", 501, "Leave out what the detail names: it is not built yet."},
        {"not_available", 501, "Leave out what the detail names: it is not built yet."},
        {"condition_not_met", 422, "Do not repeat it as it is: the condition said no."},
        {"update_failed", 422, "No operation was applied: correct the one that the detail names."},
        {"function_not_invokable", 422, "Call another function: this one cannot be called so."},
        {"invocation_failed", 502,
         "The function's handler failed: read the detail, fix the "
         "handler or its input."},
        {"process_failed", 502, "Read the detail, run the command by hand, fix it."},
        {"process_start_failed", 502, "Correct the command in the engine's config."},
        {"invalid_output", 502, "Let the command print one JSON document and nothing else."},
        {"output_too_large", 502, "Let the function answer with less."},
        {"http_failed", 502, "Check the URL of the function's invocation and the server there."},
        {"secret_missing", 502,
         "Set the environment variable that the detail names, then restart."},
        {"curl_missing", 502, "Install libcurl on the engine's machine."},
        {"address_refused", 502,
         "Use a public address, or set webhooks.allow_private in the engine's config."},
        {"redirect_refused", 502, "Name the address that the server redirects to."},
        {"header_failed", 502, FIX_FUNCTION},
        {"template_failed", 502, FIX_FUNCTION},
        {"select_failed", 502, FIX_TRIGGER},
        {"invalid_template", 400, FIX_FUNCTION},
        {"invalid_secret", 400, FIX_FUNCTION},
        {"function_busy", 503, "Retry after a second: it does as much as it may at a time."},
        {"canceled", 503, "Retry: what it waited for was given up."},
        {"invocation_stopped", 503, "Retry: the worker went away during the call."},
        {"TIMEOUT", 504, "Retry with a larger timeout_ms, or make the function faster."},
};

static const struct problem_row *problem_find(struct span code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (span_is(code, rows[i].code)) {
			return &rows[i];
		}
	}
	return NULL;
}

int problem_status(struct span code, int otherwise)
{
	const struct problem_row *row = problem_find(code);
	return row ? row->status : otherwise;
}

struct span problem_headers(struct span code)
{
	if (span_is(code, "unauthorized")) {
		return SPAN("WWW-Authenticate: Bearer realm=\"pawl\"\r\n");
	}
	return span_is(code, "too_many_failures") ? SPAN("Retry-After: 6\r\n") : SPAN_NONE;
}

/* What can be said about a status when the code is not known. */
static const char *usual_instruction(int status)
{
	if (status >= 500) {
		return rows[0].instruction;
	}
	return FIX_AND_RESEND;
}

void problem_write(struct buf *out, int status, struct span code, struct span detail)
{
	const struct problem_row *row = problem_find(code);
	buf_byte(out, '{');
	json_write_member_string(out, "type", SPAN("about:blank"));
	json_write_member_string(out, "title", span_of(http_reason(status)));
	json_write_member_int(out, "status", status);
	json_write_member_string(out, "detail", detail);
	json_write_member_string(out, "code", code);
	json_write_member_string(out, "agent_instruction",
	                         span_of(row ? row->instruction : usual_instruction(status)));
	buf_byte(out, '}');
}
