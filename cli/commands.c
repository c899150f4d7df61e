/* This file is the table of commands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "cli/calculator.h"
#include "cli/complete.h"
#include "cli/difference.h"
#include "cli/doctor.h"
#include "cli/export.h"
#include "cli/import.h"
#include "cli/local.h"
#include "cli/remote.h"
#include "cli/turn.h"
#include "cli/why.h"

static const struct option_row run_options[] = {
        {"config", "FILE", "the configuration; without it everything is at its default"},
        {"listen", "ADDR", "address to listen on, instead of the configuration's"},
        {"data", "DIR", "data directory, instead of the configuration's"},
        {"clock", "KIND",
         "manual, or manual=2026-01-01T00:00:00Z: time stands still until it is turned, for tests"},
        {NULL, NULL, NULL},
};

static const struct option_row check_options[] = {
        {"config", "FILE", "the configuration to judge"},
        {"print-example", NULL, "print config.yaml.example and do nothing else"},
        {"print-man", NULL, "print the manual page and do nothing else"},
        {"print-cli-docs", NULL, "print the list of commands of docs/cli.md and do nothing else"},
        {"print-commands", NULL, "print the commands as JSON, one a line, and do nothing else"},
        {NULL, NULL, NULL},
};

static const struct option_row doctor_options[] = {
        {"config", "FILE", "the engine's configuration"},
        {"data", "DIR", "its data directory, instead of the configuration's"},
        {NULL, NULL, NULL},
};

static const struct option_row reload_options[] = {
        {"dry-run", NULL, "only tell what would change"},
        {NULL, NULL, NULL},
};

static const struct option_row delete_options[] = {
        {"if-rev", "REV", "only if the revision is this one; 0 = only if the key does not exist"},
        {NULL, NULL, NULL},
};

static const struct option_row set_options[] = {
        {"ttl", "DURATION", "it expires after so long, 30m say; keep or clear: what it had"},
        {"expires-at", "TIME", "it expires then: 2030-01-31T12:00:00Z"},
        {"if-rev", "REV", "only if the revision is this one; 0 = only if the key does not exist"},
        {"idempotency-key", "TEXT", "done once for this text, however often it is asked"},
        {NULL, NULL, NULL},
};

static const struct option_row update_options[] = {
        {"idempotency-key", "TEXT", "done once for this text, however often it is asked"},
        {NULL, NULL, NULL},
};

static const struct option_row list_options[] = {
        {"prefix", "TEXT", "only keys that begin so"},
        {"start", "KEY", "from this key on"},
        {"end", "KEY", "up to this key, without it"},
        {"limit", "N", "at most so many"},
        {"cursor", "TEXT", "go on where the last page ended"},
        {"reverse", NULL, "from the end"},
        {NULL, NULL, NULL},
};

static const struct option_row export_options[] = {
        {"scope", "SCOPE", "of this scope only"},
        {"prefix", "TEXT", "only keys that begin so"},
        {"output", "FILE", "write there, whole or not at all; without it to standard output"},
        {"quiet", NULL, "do not tell how far it is"},
        {NULL, NULL, NULL},
};

static const struct option_row import_options[] = {
        {"scope", "SCOPE", "put everything there, whatever the lines say"},
        {"if", "overwrite|absent",
         "what becomes of keys that are there: written (this without "
         "the option), or left as they are"},
        {"batch", "N", "keys in a transaction, 1 to 128 (128 without it)"},
        {"resume", NULL, "go on where an import of this file ended, as FILE.resume says"},
        {"quiet", NULL, "do not tell how far it is"},
        {"from-redis", "URL", "read from Redis instead of a file: redis://:password@host:6379/0"},
        {"match", "GLOB", "with --from-redis: only keys that SCAN MATCH finds"},
        {"split", "TEXT",
         "with --from-redis: what stands before the first of it is the scope; keys without it "
         "go to --scope, else to \"redis\""},
        {NULL, NULL, NULL},
};

static const struct option_row event_options[] = {
        {"since", "SEQ", "events behind this one; without it the last ones"},
        {"limit", "N", "at most so many"},
        {"scope", "SCOPE", "of this scope only"},
        {"follow", NULL, "go on showing what comes"},
        {NULL, NULL, NULL},
};

static const struct option_row explain_options[] = {
        {"trigger", "ID", "only this trigger"},
        {"limit", "N", "tell of so many triggers, fired ones and near misses first"},
        {NULL, NULL, NULL},
};

static const struct option_row test_options[] = {
        {"file", "FILE", "the trigger (-f): one item of a configuration's triggers"},
        {"last", "N", "of the last N events, 1000 without it"},
        {"since", "SEQ", "events behind this one, at most the --last N"},
        {NULL, NULL, NULL},
};

static const struct option_row eval_options[] = {
        {"event", "FILE", "the event as JSON, - for standard input; without it a sample"},
        {NULL, NULL, NULL},
};

static const struct option_row pause_options[] = {
        {"mode", "hold|drop", "events wait, or are skipped; without it as its config says"},
        {"reason", "TEXT", "why, for those who find it paused"},
        {NULL, NULL, NULL},
};

static const struct option_row resume_options[] = {
        {"key", "KEY", "only this key, which waits behind a dead delivery"},
        {"scope", "SCOPE", "the key of this scope only"},
        {NULL, NULL, NULL},
};

static const struct option_row job_options[] = {
        {"trigger", "ID", "of this trigger only"},
        {"limit", "N", "at most so many"},
        {NULL, NULL, NULL},
};

#define LETTERS                                                                                    \
	{"trigger", "ID", "of this trigger only"}, {"function", "ID", "of this function only"},    \
	        {"reason", "CODE", "with this reason only, such as invocation_failed"},            \
	        {"scope", "SCOPE", "of this scope only"},                                          \
	        {"prefix", "TEXT", "only keys that begin so"},                                     \
	        {"since", "TIME",                                                                  \
	         "that died then or later: 2026-11-26T20:13, or any beginning of a time"},         \
	        {"until", "TIME", "that died before"},                                             \
	        {"queue", "NAME", "messages of this queue or topic only"},                         \
	        {"event", "ID", "of the event with this id only"},                                 \
	{                                                                                          \
		"limit", "N", "at most so many"                                                    \
	}

static const struct option_row past_options[] = {
        {"trigger", "ID", "to this trigger"},
        {"all", NULL, "to every trigger that wants them"},
        {"from", "SEQ", "events from this one on"},
        {"to", "SEQ", "up to this one"},
        {"since", "TIME", "that were written then or later: 2026-11-26T20, or more of a time"},
        {"until", "TIME", "that were written before"},
        {"when", "EXPR", "only those for which this expression is true"},
        {"dry-run", NULL, "only tell which"},
        {"rate", "N/s", "start at most so many a second"},
        {"limit", "N", "at most so many, then tell where to go on"},
        {NULL, NULL, NULL},
};

static const struct option_row dead_options[] = {LETTERS, {NULL, NULL, NULL}};
static const struct option_row replay_options[] = {
        LETTERS,
        {"rate", "N/s", "start at most so many a second"},
        {"all", NULL, "all there are"},
        {NULL, NULL, NULL},
};
static const struct option_row discard_options[] = {
        LETTERS,
        {"all", NULL, "all there are"},
        {NULL, NULL, NULL},
};

#define LATER                                                                                      \
	{"delay", "DURATION", "make the call so long from now: 90s, 30m, 14d"},                    \
	{                                                                                          \
		"at", "TIME", "make the call then: 2030-01-31T12:00:00Z"                           \
	}

static const struct option_row invoke_options[] = {
        {"namespace", "NAME", "where the function is; \"default\" without it"},
        {"timeout-ms", "N", "how long to wait"},
        {"void", NULL, "do not wait for the result"},
        LATER,
        {"queue", "NAME", "put the call into this queue; with a time: \"default\" without it"},
        {NULL, NULL, NULL},
};

static const struct option_row drain_options[] = {
        {"wait", "true|false", "false: answer at once"},
        {NULL, NULL, NULL},
};

static const struct option_row enqueue_options[] = {
        {"namespace", "NAME", "where the function is; \"default\" without it"},
        LATER,
        {"idempotency-key", "TEXT", "put once for this text, however often it is asked"},
        {NULL, NULL, NULL},
};

static const struct option_row scheduled_options[] = {
        {"queue", "NAME", "for this queue only"},
        {"function-id", "FUNCTION", "of this function only"},
        {"limit", "N", "at most so many"},
        {"cursor", "TEXT", "go on where the last page ended"},
        {NULL, NULL, NULL},
};

static const struct option_row publish_options[] = {
        {"key", "KEY", "messages of one key are handled one after the other"},
        {NULL, NULL, NULL},
};

static const struct option_row alarm_options[] = {
        {"name", "NAME", "of several alarms of the object; \"\" without it"},
        {NULL, NULL, NULL},
};

static const struct option_row alarm_set_options[] = {
        {"name", "NAME", "of several alarms of the object; \"\" without it"},
        {"delay", "DURATION", "so long from now: 90s, 30m, 14d"},
        {"at", "TIME", "then: 2030-01-31T12:00:00Z"},
        {"every", "DURATION", "again and again, first so long from now"},
        {"cron", "EXPRESSION", "again and again: \"0 9 * * MON-FRI\""},
        {"zone", "ZONE", "the time zone of --cron; UTC without it"},
        {"catch-up", "once|all|skip", "what becomes of missed times"},
        {"max", "N", "with --catch-up all: at most so many"},
        {"function-id", "FUNCTION", "call this one, beside the triggers that want it"},
        {"namespace", "NAME", "where that function is; \"default\" without it"},
        {"idempotency-key", "TEXT", "set once for this text, however often it is asked"},
        {NULL, NULL, NULL},
};

static const struct option_row alarm_list_options[] = {
        {"scope", "SCOPE", "of this scope only"},
        {"prefix", "TEXT", "only of keys that begin so"},
        {"state", "scheduled|running|failed", "only those that are this"},
        {"limit", "N", "at most so many"},
        {"cursor", "TEXT", "go on where the last page ended"},
        {NULL, NULL, NULL},
};

static const struct option_row function_options[] = {
        {"include-internal", NULL, "the engine's own too"},
        {NULL, NULL, NULL},
};

const struct command commands[] = {
        {.group = "The engine",
         .name = "run",
         .help = "Start the engine.",
         .options = run_options,
         .run = local_run},
        {.name = "check",
         .help = "Judge a configuration without running it.",
         .options = check_options,
         .run = local_check,
         .answer = "`{\"ok\":true,\"functions\":N,\"triggers\":N}`, with `warnings` where there "
                   "are some; else "
                   "`{\"ok\":false,\"errors\":[{\"line\",\"column\",\"code\",\"message\"}]}`"},
        {.name = "reload",
         .help = "Make the engine take its config file as it is now, all or nothing.",
         .options = reload_options,
         .method = "POST",
         .path = "/v1/config:reload",
         .show = difference_show},
        {.name = "status",
         .help = "Tell how the engine is.",
         .method = "GET",
         .path = "/v1/status"},
        {.name = "doctor",
         .help = "Examine the configuration, the machine and the engine, and say what to do.",
         .options = doctor_options,
         .run = doctor_run,
         .answer = "`{\"ok\":BOOL,\"findings\":[{\"level\":\"ok|warn|fail\",\"topic\",\"message\","
                   "\"advice\"}]}`; "
                   "the exit code is 1 when something fails."},
        {.group = "State",
         .name = "set",
         .args = "SCOPE KEY JSON",
         .help = "Set the value of a key.",
         .options = set_options,
         .method = "PUT",
         .path = "/v1/state/{1}/{2}",
         .body = "3"},
        {.name = "get",
         .args = "SCOPE KEY",
         .help = "Show the value of a key.",
         .method = "GET",
         .path = "/v1/state/{1}/{2}"},
        {.name = "delete",
         .args = "SCOPE KEY",
         .help = "Delete a key.",
         .options = delete_options,
         .method = "DELETE",
         .path = "/v1/state/{1}/{2}"},
        {.name = "update",
         .args = "SCOPE KEY OPS",
         .help = "Change a value by a JSON list of operations.",
         .options = update_options,
         .run = remote_update,
         .answer = "the answer of `POST /v1/state/{1}/{2}/update`."},
        {.name = "list",
         .args = "SCOPE",
         .help = "List the keys of a scope.",
         .options = list_options,
         .method = "GET",
         .path = "/v1/state/{1}",
         .list = "items",
         .columns = "KEY:key REV:rev VALUE:value"},
        {.name = "scopes",
         .help = "List the scopes.",
         .run = remote_scopes,
         .answer = "the answer of `GET /v1/state`; its list is `groups`."},
        {.name = "export",
         .help = "Write what the scopes hold as lines of JSON.",
         .options = export_options,
         .run = export_run,
         .answer = "the same lines as without it: "
                   "`{\"scope\",\"key\",\"value\",\"encoding\",\"rev\",\"expires_at\"}`."},
        {.name = "import",
         .args = "[FILE]",
         .help = "Read lines of JSON, as export writes them, or the keys of a Redis server.",
         .options = import_options,
         .run = import_run,
         .answer = "`{\"written\":N,\"there\":N,\"expired\":N,\"failed\":N}`."},
        {.group = "Events and triggers",
         .name = "events",
         .help = "Show events.",
         .options = event_options,
         .run = remote_events,
         .answer = "each event of `GET /v1/events`, one a line."},
        {.name = "triggers",
         .help = "List triggers.",
         .method = "GET",
         .path = "/v1/triggers",
         .list = "registered_triggers",
         .columns = "ID:id TYPE:trigger_type FUNCTION:function_id STATUS:status:@state "
                    "WAITING:waiting "
                    "MATCHED:matched DELIVERED:delivered ERRORS:condition_errors RETRIES:retries "
                    "DEAD:dead REASON:paused_because ROUTE:route NEXT:next_fire:@time "
                    "CONFIG:config:when",
         .below = why_show_errors},
        {.name = "trigger show",
         .args = "ID",
         .help = "Show a trigger with its figures and last errors.",
         .method = "GET",
         .path = "/v1/triggers/{1}"},
        {.name = "trigger test",
         .help = "List the past events that a trigger would have fired for.",
         .options = test_options,
         .run = why_test,
         .answer = "the answer of `POST /v1/triggers:test`.",
         .show = why_show_trial},
        {.name = "trigger pause",
         .args = "ID",
         .help = "Let a trigger start nothing more; its events wait for it, or are dropped.",
         .options = pause_options,
         .method = "POST",
         .path = "/v1/triggers/{1}/pause"},
        {.name = "trigger resume",
         .args = "ID",
         .help = "Let a paused trigger, or one paused key of it, go on with what waited.",
         .options = resume_options,
         .method = "POST",
         .path = "/v1/triggers/{1}/resume"},
        {.name = "replay",
         .help = "Deliver past events again, to one trigger or to all that want them.",
         .options = past_options,
         .method = "POST",
         .path = "/v1/replay"},
        {.name = "explain",
         .args = "EVENT",
         .help = "Tell why an event (its seq, or a file) did or did not fire triggers.",
         .options = explain_options,
         .run = why_explain,
         .answer = "the answer of `GET /v1/events/{seq}/explain`.",
         .show = why_show_explanation},
        {.name = "eval",
         .args = "[EXPRESSION]",
         .help = "Evaluate an expression, or line by line those that are typed.",
         .options = eval_options,
         .run = calculator_run},
        {.group = "Functions and workers",
         .name = "functions",
         .help = "List the functions that somebody serves.",
         .options = function_options,
         .method = "GET",
         .path = "/v1/functions",
         .list = "functions",
         .columns = "FUNCTION:function_id NAMESPACE:namespace KIND:kind PROVIDERS:providers "
                    "RUNNING:running DISABLED:disabled DESCRIPTION:description"},
        {.name = "invoke",
         .args = "FUNCTION [JSON]",
         .help = "Call a function and show its result.",
         .options = invoke_options,
         .method = "POST",
         .path = "/v1/functions/{1}/invoke",
         .body = "2"},
        {.name = "enable",
         .args = "FUNCTION",
         .help = "Let a function that was disabled be called again.",
         .method = "POST",
         .path = "/v1/functions/{1}/enable"},
        {.name = "workers",
         .help = "List workers.",
         .method = "GET",
         .path = "/v1/workers",
         .list = "workers",
         .columns = "ID:id NAME:name NAMESPACE:namespace STATUS:status:@state "
                    "FUNCTIONS:function_count IN_FLIGHT:in_flight MAX:max_in_flight"},
        {.name = "worker drain",
         .args = "ID",
         .help = "Give a worker no new calls, and wait until those that run have ended.",
         .options = drain_options,
         .method = "POST",
         .path = "/v1/workers/{1}/drain"},
        {.name = "worker resume",
         .args = "ID",
         .help = "Give a worker that drains calls again.",
         .method = "POST",
         .path = "/v1/workers/{1}/resume"},
        {.group = "Deliveries",
         .name = "jobs",
         .help = "List deliveries that are owed.",
         .options = job_options,
         .method = "GET",
         .path = "/v1/jobs",
         .list = "jobs",
         .columns = "ID:id STATE:state:@state FAILED:failed_attempts AGE_MS:age_ms "
                    "WAITS_FOR:waits_for "
                    "BECAUSE:because "
                    "DUE:due:@time "
                    "SCOPE:scope KEY:key"},
        {.name = "jobs cancel",
         .args = "ID",
         .help = "Give a delivery up, for good and without a dead letter.",
         .method = "POST",
         .path = "/v1/jobs/{1}/cancel"},
        {.name = "jobs retry",
         .args = "ID",
         .help = "Try a delivery again now, not when its wait is over.",
         .method = "POST",
         .path = "/v1/jobs/{1}/retry"},
        {.name = "dead list",
         .help = "List dead letters, newest first.",
         .options = dead_options,
         .method = "GET",
         .path = "/v1/dead",
         .list = "dead",
         .columns = "ID:id FUNCTION:function_id DIED:died_at:@time REASON:reason MESSAGE:message"},
        {.name = "dead show",
         .args = "ID",
         .help = "Show a dead letter with its event and attempts.",
         .method = "GET",
         .path = "/v1/dead/{1}"},
        {.name = "dead replay",
         .args = "ID",
         .help = "Deliver a dead letter again.",
         .method = "POST",
         .path = "/v1/dead/{1}/replay"},
        {.name = "dead edit",
         .args = "ID JSON",
         .help = "Deliver a dead letter again with these members of its event, under a new id.",
         .method = "POST",
         .path = "/v1/dead/{1}/edit",
         .body = "2"},
        {.name = "dead replay-all",
         .help = "Deliver all dead letters again that fit.",
         .options = replay_options,
         .method = "POST",
         .path = "/v1/dead:replay"},
        {.name = "dead discard-all",
         .help = "Throw all dead letters away that fit.",
         .options = discard_options,
         .method = "POST",
         .path = "/v1/dead:discard"},
        {.name = "dead discard",
         .args = "ID",
         .help = "Throw a dead letter away.",
         .method = "DELETE",
         .path = "/v1/dead/{1}"},
        {.group = "Time",
         .name = "clock",
         .help = "Tell the engine's time, and what kind of clock it is.",
         .method = "GET",
         .path = "/v1/clock"},
        {.name = "clock advance",
         .args = "DURATION",
         .help = "Turn a manual clock by so much (90s, 15m, 24h, 7d); what is due fires on the "
                 "way.",
         .run = turn_advance,
         .answer = "the answer of `POST /v1/clock/advance`, once for each stop on the way.",
         .show = turn_show},
        {.name = "clock to",
         .args = "TIME",
         .help = "Turn a manual clock up to a time: RFC 3339, or ms since 1970.",
         .run = turn_to,
         .answer = "the answer of `POST /v1/clock/advance`, once for each stop on the way.",
         .show = turn_show},
        {.group = "Queues and topics",
         .name = "queues",
         .help = "List the queues.",
         .method = "GET",
         .path = "/v1/queues",
         .list = "queues",
         .columns = "QUEUE:queue TYPE:type STATUS:status:@state WAITING:waiting RUNNING:running "
                    "PARKED:parked DELIVERED:delivered RETRIES:retries DEAD:dead"},
        {.name = "enqueue",
         .args = "QUEUE FUNCTION [JSON]",
         .help = "Put a call of a function into a queue.",
         .options = enqueue_options,
         .method = "POST",
         .path = "/v1/queues/{1}/{2}",
         .body = "3"},
        {.name = "scheduled list",
         .help = "List calls that are to be made later.",
         .options = scheduled_options,
         .method = "GET",
         .path = "/v1/scheduled",
         .list = "scheduled",
         .columns = "ID:id AT:scheduled_at:@time QUEUE:queue FUNCTION:function_id "
                    "WAITS_FOR:waits_for"},
        {.name = "scheduled show",
         .args = "ID",
         .help = "Show a call that is to be made later.",
         .method = "GET",
         .path = "/v1/scheduled/{1}"},
        {.name = "scheduled cancel",
         .args = "ID",
         .help = "Cancel a call that is to be made later.",
         .method = "DELETE",
         .path = "/v1/scheduled/{1}"},
        {.name = "publish",
         .args = "TOPIC JSON",
         .help = "Publish a message to a topic.",
         .options = publish_options,
         .method = "POST",
         .path = "/v1/topics/{1}",
         .body = "2"},
        {.group = "Alarms",
         .name = "alarm set",
         .args = "SCOPE KEY [JSON]",
         .help = "Set an alarm on an object; JSON says more of it: {\"payload\": ...}.",
         .options = alarm_set_options,
         .method = "PUT",
         .path = "/v1/alarms/{1}?key={2}",
         .body = "3"},
        {.name = "alarm get",
         .args = "SCOPE KEY",
         .help = "Show an alarm.",
         .options = alarm_options,
         .method = "GET",
         .path = "/v1/alarms/{1}?key={2}"},
        {.name = "alarm delete",
         .args = "SCOPE KEY",
         .help = "Delete an alarm; a handler that runs may end.",
         .options = alarm_options,
         .method = "DELETE",
         .path = "/v1/alarms/{1}?key={2}"},
        {.name = "alarm list",
         .help = "List alarms.",
         .options = alarm_list_options,
         .method = "GET",
         .path = "/v1/alarms",
         .list = "alarms",
         .columns = "SCOPE:scope KEY:key NAME:name STATE:state:@state AT:scheduled_at:@time "
                    "EVERY:every_ms "
                    "CRON:cron FUNCTION:function_id"},
        {.name = "alarm fire",
         .args = "SCOPE KEY",
         .help = "Let an alarm fire now, whenever it is due.",
         .options = alarm_options,
         .method = "POST",
         .path = "/v1/alarms:fire?scope={1}&key={2}"},
        {.group = "The shell",
         .name = "completion",
         .args = "bash|zsh|fish",
         .help = "Print the script with which a shell completes what is typed after pawl.",
         .run = complete_print_script,
         .answer = "the same"},
};

const size_t command_count = sizeof commands / sizeof *commands;
