/* This file holds the table of the config's section `telemetry`, and judges it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_telemetry.h"

#include "base/span.h"
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static const struct field otlp_fields[] = {
        {.name = "endpoint",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_otlp, endpoint),
         .min = 1,
         .max = 2048,
         .change = FIELD_RESTART,
         .help = "Where an OpenTelemetry collector takes OTLP over HTTP, such as "
                 "http://127.0.0.1:4318; without it nothing is exported."},
        {.name = "headers",
         .kind = FIELD_MAP,
         .offset = offsetof(struct config_otlp, headers),
         .change = FIELD_RESTART,
         .help = "Headers of each request, such as Authorization."},
        {.name = "traces",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config_otlp, traces),
         .otherwise = "true",
         .change = FIELD_RESTART,
         .help = "Export spans of requests and of attempts."},
        {.name = "logs",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config_otlp, logs),
         .otherwise = "false",
         .change = FIELD_RESTART,
         .help = "Export the lines of the log, too."},
        {.name = "sample_ratio",
         .kind = FIELD_DECIMAL,
         .offset = offsetof(struct config_otlp, sample_ratio),
         .otherwise = "1",
         .min = 0,
         .max = 1000,
         .change = FIELD_RESTART,
         .help = "Which part of the traces that begin in pawl is wanted; one that comes with a "
                 "request says so itself."},
        {.name = "timeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config_otlp, timeout),
         .otherwise = "10s",
         .min = 1,
         .max = 10 * MINUTE,
         .change = FIELD_RESTART,
         .help = "How long the collector may take to answer."},
        {.name = NULL},
};

const struct field config_telemetry_fields[] = {
        {.name = "otlp",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config_telemetry, otlp),
         .fields = otlp_fields,
         .help = "Export by OTLP, JSON over HTTP; what workers send of theirs goes there, too."},
        {.name = NULL},
};

static bool is_url(const char *text)
{
	struct span url = span_of(text);
	return (span_starts_with(url, SPAN("http://")) && url.len > 7) ||
	       (span_starts_with(url, SPAN("https://")) && url.len > 8);
}

static bool is_token(const char *name)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	for (const char *at = name; *at != '\0'; at++) {
		bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
		                 (*at >= '0' && *at <= '9');
		if (!is_letter && strchr(others, *at) == NULL) {
			return false;
		}
	}
	return name[0] != '\0';
}

static const char *fault_of(const struct config_otlp *otlp)
{
	if (otlp->endpoint != NULL && !is_url(otlp->endpoint)) {
		return "'telemetry.otlp.endpoint' must begin with http:// or https://";
	}
	for (size_t i = 0; i < otlp->headers.count; i++) {
		const struct field_pair *pair = &otlp->headers.pairs[i];
		if (!is_token(pair->name) || strpbrk(pair->value, "\r\n") != NULL) {
			return "'telemetry.otlp.headers' must be names and values of HTTP headers";
		}
	}
	return NULL;
}

void config_check_telemetry(const struct yaml_node *root, const struct config *config,
                            struct report *report)
{
	const char *fault = fault_of(&config->telemetry.otlp);
	const struct yaml_entry *entry = yaml_find(root, SPAN("telemetry"));
	if (fault != NULL) {
		report_add(report, entry != NULL ? entry->line : 0,
		           entry != NULL ? entry->column : 0, "invalid_value", "%s", fault);
	}
}
