/* This file is the table of options: a list for each command that has some. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command_options.h"

const struct option_row run_options[] = {
        {"config", "FILE", "the configuration; without it everything is at its default"},
        {"listen", "ADDR", "address to listen on, instead of the configuration's"},
        {"data", "DIR", "data directory, instead of the configuration's"},
        {"clock", "KIND",
         "manual, or manual=2026-01-01T00:00:00Z: time stands still until it is turned, for tests"},
        {NULL, NULL, NULL},
};

const struct option_row check_options[] = {
        {"config", "FILE", "the configuration to judge"},
        {"print-example", NULL, "print config.yaml.example and do nothing else"},
        {"print-man", NULL, "print the manual page and do nothing else"},
        {"print-cli-docs", NULL, "print the list of commands of docs/cli.md and do nothing else"},
        {"print-commands", NULL, "print the commands as JSON, one a line, and do nothing else"},
        {NULL, NULL, NULL},
};

const struct option_row doctor_options[] = {
        {"config", "FILE", "the engine's configuration"},
        {"data", "DIR", "its data directory, instead of the configuration's"},
        {NULL, NULL, NULL},
};

const struct option_row reload_options[] = {
        {"dry-run", NULL, "only tell what would change"},
        {NULL, NULL, NULL},
};

const struct option_row delete_options[] = {
        {"if-rev", "REV", "only if the revision is this one; 0 = only if the key does not exist"},
        {NULL, NULL, NULL},
};

const struct option_row set_options[] = {
        {"ttl", "DURATION", "it expires after so long, 30m say; keep or clear: what it had"},
        {"expires-at", "TIME", "it expires then: 2030-01-31T12:00:00Z"},
        {"if-rev", "REV", "only if the revision is this one; 0 = only if the key does not exist"},
        {"idempotency-key", "TEXT", "done once for this text, however often it is asked"},
        {NULL, NULL, NULL},
};

const struct option_row update_options[] = {
        {"idempotency-key", "TEXT", "done once for this text, however often it is asked"},
        {NULL, NULL, NULL},
};

const struct option_row list_options[] = {
        {"prefix", "TEXT", "only keys that begin so"},
        {"start", "KEY", "from this key on"},
        {"end", "KEY", "up to this key, without it"},
        {"limit", "N", "at most so many"},
        {"cursor", "TEXT", "go on where the last page ended"},
        {"reverse", NULL, "from the end"},
        {NULL, NULL, NULL},
};

const struct option_row export_options[] = {
        {"scope", "SCOPE", "of this scope only"},
        {"prefix", "TEXT", "only keys that begin so"},
        {"output", "FILE", "write there, whole or not at all; without it to standard output"},
        {"quiet", NULL, "do not tell how far it is"},
        {NULL, NULL, NULL},
};

const struct option_row import_options[] = {
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

const struct option_row event_options[] = {
        {"since", "SEQ", "events behind this one; without it the last ones"},
        {"limit", "N", "at most so many"},
        {"scope", "SCOPE", "of this scope only"},
        {"follow", NULL, "go on showing what comes"},
        {NULL, NULL, NULL},
};

const struct option_row watch_options[] = {
        {"prefix", "TEXT", "only keys that begin so"},
        {"when", "EXPRESSION", "only events for which this is true"},
        {"events", "KINDS", "created,updated,deleted,touched (the default), or all"},
        {"since", "ID", "begin behind this event (its id or seq); without it with what comes"},
        {"snapshot", NULL, "first show what is there now"},
        {NULL, NULL, NULL},
};

const struct option_row explain_options[] = {
        {"trigger", "ID", "only this trigger"},
        {"limit", "N", "tell of so many triggers, fired ones and near misses first"},
        {NULL, NULL, NULL},
};

const struct option_row test_options[] = {
        {"file", "FILE", "the trigger (-f): one item of a configuration's triggers"},
        {"last", "N", "of the last N events, 1000 without it"},
        {"since", "SEQ", "events behind this one, at most the --last N"},
        {NULL, NULL, NULL},
};

const struct option_row eval_options[] = {
        {"event", "FILE", "the event as JSON, - for standard input; without it a sample"},
        {NULL, NULL, NULL},
};

const struct option_row put_options[] = {
        {"file", "FILE", "the trigger (-f): one item of a configuration's triggers"},
        {"function", "FUNCTION", "or by options: what it calls"},
        {"type", "TYPE", "its type; state without it"},
        {"scope", "SCOPE", "of this scope"},
        {"key", "KEY", "of this key"},
        {"when", "EXPR", "only when this expression is true"},
        {"config", "JSON", "its further options, as an object"},
        {NULL, NULL, NULL},
};

const struct option_row clear_options[] = {
        {"prefix", "TEXT", "only keys that begin so"},
        {"limit", "N", "at most so many in one answer"},
        {"cursor", "TEXT", "go on where the last answer ended"},
        {NULL, NULL, NULL},
};

const struct option_row internal_options[] = {
        {"include-internal", NULL, "the engine's own too"},
        {NULL, NULL, NULL},
};

const struct option_row pause_options[] = {
        {"mode", "hold|drop", "events wait, or are skipped; without it as its config says"},
        {"reason", "TEXT", "why, for those who find it paused"},
        {NULL, NULL, NULL},
};

const struct option_row resume_options[] = {
        {"key", "KEY", "only this key, which waits behind a dead delivery"},
        {"scope", "SCOPE", "the key of this scope only"},
        {NULL, NULL, NULL},
};

const struct option_row job_options[] = {
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

const struct option_row past_options[] = {
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

const struct option_row dead_options[] = {LETTERS, {NULL, NULL, NULL}};
const struct option_row replay_options[] = {
        LETTERS,
        {"rate", "N/s", "start at most so many a second"},
        {"all", NULL, "all there are"},
        {NULL, NULL, NULL},
};
const struct option_row discard_options[] = {
        LETTERS,
        {"all", NULL, "all there are"},
        {NULL, NULL, NULL},
};

#define LATER                                                                                      \
	{"delay", "DURATION", "make the call so long from now: 90s, 30m, 14d"},                    \
	{                                                                                          \
		"at", "TIME", "make the call then: 2030-01-31T12:00:00Z"                           \
	}

const struct option_row invoke_options[] = {
        {"namespace", "NAME", "where the function is; \"default\" without it"},
        {"timeout-ms", "N", "how long to wait"},
        {"void", NULL, "do not wait for the result"},
        LATER,
        {"queue", "NAME", "put the call into this queue; with a time: \"default\" without it"},
        {NULL, NULL, NULL},
};

const struct option_row drain_options[] = {
        {"wait", "true|false", "false: answer at once"},
        {NULL, NULL, NULL},
};

const struct option_row enqueue_options[] = {
        {"namespace", "NAME", "where the function is; \"default\" without it"},
        LATER,
        {"idempotency-key", "TEXT", "put once for this text, however often it is asked"},
        {NULL, NULL, NULL},
};

const struct option_row scheduled_options[] = {
        {"queue", "NAME", "for this queue only"},
        {"function-id", "FUNCTION", "of this function only"},
        {"limit", "N", "at most so many"},
        {"cursor", "TEXT", "go on where the last page ended"},
        {NULL, NULL, NULL},
};

const struct option_row publish_options[] = {
        {"key", "KEY", "messages of one key are handled one after the other"},
        {NULL, NULL, NULL},
};

const struct option_row alarm_options[] = {
        {"name", "NAME", "of several alarms of the object; \"\" without it"},
        {NULL, NULL, NULL},
};

const struct option_row alarm_set_options[] = {
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

const struct option_row alarm_list_options[] = {
        {"scope", "SCOPE", "of this scope only"},
        {"prefix", "TEXT", "only of keys that begin so"},
        {"state", "scheduled|running|failed", "only those that are this"},
        {"limit", "N", "at most so many"},
        {"cursor", "TEXT", "go on where the last page ended"},
        {NULL, NULL, NULL},
};

const struct option_row function_options[] = {
        {"include-internal", NULL, "the engine's own too"},
        {NULL, NULL, NULL},
};

const struct option_row token_options[] = {
        {"read", "SCOPES", "scopes to be read, with commas between: users,cache-*"},
        {"write", "SCOPES", "scopes to be written to and read"},
        {"admin", "SCOPES", "scopes to be cleared, written to and read"},
        {"invoke", "FUNCTIONS", "functions to be called: mail::*"},
        {"work", "FUNCTIONS", "functions to be served by a worker with this token"},
        {"manage", "WORDS", "view, triggers, jobs, dead, workers, config, clock, tokens, or all"},
        {"all", NULL, "every right that no other option names"},
        {"ttl", "DURATION", "it ends after so long: 30d"},
        {"expires-at", "TIME", "it ends then: 2030-01-31T12:00:00Z"},
        {"offline", NULL, "ask no engine: print what goes into the config"},
        {NULL, NULL, NULL},
};
