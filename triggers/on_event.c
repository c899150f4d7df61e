/* This file is the table of an event trigger's own fields, and makes filters by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/on_event.h"

#include "base/field.h"
#include "base/field_json.h"
#include "base/field_print.h"
#include "base/json.h"
#include "base/mem.h"
#include "triggers/glob.h"
#include "triggers/on_state.h"

static const char CODE[] = "invalid_trigger";

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
static const char *const of_changes[] = {"scope", "key", "key_regex", "events", "changed", "fire"};

static int check_name(struct span name, struct err *err)
{
	for (size_t i = 0; i < sizeof of_changes / sizeof *of_changes; i++) {
		if (json_name_is(name, span_of(of_changes[i]))) {
			return err_set(
			        err, E_INVALID, CODE,
			        "a trigger of type 'event' has no '%s': it asks by event_type, "
			        "source, subject and when",
			        of_changes[i]);
		}
	}
	return 0;
}

/* The members of our own and those that a state trigger has too. */
static int split(struct span config, struct buf *own, struct buf *rest, struct err *err)
{
	struct span name;
	struct span value;
	int status = 0;
	buf_byte(own, '{');
	buf_byte(rest, '{');
	for (struct json_iter iter = json_iter(config);
	     status == 0 && json_next_member(&iter, &name, &value);) {
		struct buf *out = field_find(event_fields, name) != NULL ? own : rest;
		json_write_comma(out);
		buf_format(out, "\"%.*s\":", SPAN_ARG(name));
		buf_span(out, value);
		status = json_is_null(value) ? 0 : check_name(name, err);
	}
	buf_byte(own, '}');
	buf_byte(rest, '}');
	return status;
}

static struct span own_text(const char *text)
{
	return text != NULL ? mem_span(span_of(text)) : SPAN_NONE;
}

static int build(const struct config *config, struct filter *filter, struct err *err)
{
	filter->events = 1u << EVENT_CUSTOM;
	filter->scope = own_text(config->event_type);
	filter->source = own_text(config->source);
	if (config->subject == NULL) {
		return 0;
	}
	struct span subject = span_of(config->subject);
	struct err why = {0};
	if (glob_check(subject, &why) != 0) {
		return err_set(err, E_INVALID, CODE, "'subject': %s", why.text);
	}
	if (glob_is_pattern(subject)) {
		filter->key_glob = mem_span(subject);
		return 0;
	}
	struct buf plain = {0};
	glob_unescape(subject, &plain);
	filter->key = mem_span(buf_view(&plain));
	buf_free(&plain);
	return 0;
}

/* What a change can only be ("event_type is never 'x'") a CloudEvent may well be. */
static int parse_shared(const struct trigger_request *request, struct filter **out,
                        struct trigger_policy *out_policy, struct err *err)
{
	struct expr_env *view = &request->env->views[VIEW_EVENT];
	const struct expr_choice *choices = view->choices;
	view->choices = NULL;
	int status = on_state_parse(request, out, out_policy, err);
	view->choices = choices;
	return status;
}

int on_event_parse(const struct trigger_request *request, struct filter **out,
                   struct trigger_policy *out_policy, struct err *err)
{
	struct config config = {0};
	struct buf own = {0};
	struct buf rest = {0};
	struct filter *filter = NULL;
	struct trigger_request shared = *request;
	int status = split(request->config, &own, &rest, err);
	if (status == 0) {
		status = field_read_json(event_fields, buf_view(&own), CODE, &config, err);
	}
	if (status == 0) {
		shared.config = buf_view(&rest);
		status = parse_shared(&shared, &filter, out_policy, err);
	}
	if (status == 0) {
		status = build(&config, filter, err);
	}
	if (status == 0) {
		*out = filter;
		filter = NULL;
	}
	filter_free(filter);
	field_free(event_fields, &config);
	buf_free(&own);
	buf_free(&rest);
	return status;
}

void on_event_print(const char *prefix, struct buf *out)
{
	field_print_text(event_fields, prefix, out);
}
