/* This file is the table of an event trigger's own fields, and makes filters by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/on_event.h"

#include "base/field.h"
#include "base/field_print.h"
#include "base/mem.h"
#include "triggers/own_fields.h"

enum { TYPE_MAX = 512, SOURCE_MAX = 2048, SUBJECT_MAX = 1024 };

struct config {
	char *event_type;
	char *source;
	char *subject;
};

static const struct field event_fields[] = {
        {.name = "event_type",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, event_type),
         .min = 1,
         .max = TYPE_MAX,
         .help = "type: event. Only CloudEvents of this type; without it, of every type."},
        {.name = "source",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, source),
         .min = 1,
         .max = SOURCE_MAX,
         .help = "type: event. Only those from this source."},
        {.name = "subject",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, subject),
         .min = 1,
         .max = SUBJECT_MAX,
         .help = "type: event. Only those about this subject, or about subjects like order/* "
                 "(as key of a state trigger)."},
        {.name = NULL},
};

/* What speaks of a change, which a CloudEvent is not. */
static const char *const of_changes[] = {"scope",   "key",  "key_regex", "events",
                                         "changed", "fire", NULL};

static const struct own_fields own_fields = {
        .type = "event",
        .table = event_fields,
        .foreign = of_changes,
        .asks_by = "event_type, source, subject and when",
};

static struct span own_text(const char *text)
{
	return text != NULL ? mem_span(span_of(text)) : SPAN_NONE;
}

static int build(const struct config *config, struct filter *filter, struct err *err)
{
	filter->events = 1u << EVENT_CUSTOM;
	filter->scope = own_text(config->event_type);
	filter->source = own_text(config->source);
	return own_fields_glob(config->subject, "subject", &filter->key, &filter->key_glob, err);
}

int on_event_parse(const struct trigger_request *request, struct filter **out,
                   struct trigger_policy *out_policy, struct err *err)
{
	struct config config = {0};
	struct filter *filter = NULL;
	int status = own_fields_parse(&own_fields, request, &config, &filter, out_policy, err);
	if (status == 0) {
		status = build(&config, filter, err);
	}
	if (status == 0) {
		*out = filter;
		filter = NULL;
	}
	filter_free(filter);
	field_free(event_fields, &config);
	return status;
}

void on_event_print(const char *prefix, struct buf *out)
{
	field_print_text(event_fields, prefix, out);
}
