/* This file is the table of a dead trigger's own fields, and makes filters by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/on_dead.h"

#include "base/field.h"
#include "base/field_print.h"
#include "base/mem.h"
#include "triggers/dead_wish.h"
#include "triggers/glob.h"
#include "triggers/own_fields.h"

enum { NAME_MAX_LEN = GLOB_PATTERN_MAX };

struct config {
	char *text[DEAD_PARTS];
};

#define PART(part, word, sentence)                                                                 \
	{                                                                                          \
		.name = (word), .kind = FIELD_STRING,                                              \
		.offset = offsetof(struct config, text[part]), .min = 1, .max = NAME_MAX_LEN,      \
		.help = (sentence),                                                                \
	}

static const struct field dead_fields[] = {
        PART(DEAD_OF_TRIGGER, "of_trigger",
             "type: dead. Only when a delivery of this trigger died, or of triggers like mail_* "
             "(as key of a state trigger)."),
        PART(DEAD_OF_FUNCTION, "of_function",
             "type: dead. Only when it was for this function, or functions like mail::*."),
        PART(DEAD_REASON_IS, "reason",
             "type: dead. Only when it died of this: loop_detected, invocation_failed, TIMEOUT, "
             "function_absent ..., or of reasons like *_full."),
        PART(DEAD_IN_SCOPE, "scope",
             "type: dead. Only when its event was of this scope, or of scopes like tenant_*; key "
             "and key_regex ask for the event's key."),
        {.name = NULL},
};

static const char *const of_changes[] = {"events", "changed", "fire", NULL};

static const struct own_fields own_fields = {
        .type = "dead",
        .table = dead_fields,
        .foreign = of_changes,
        .asks_by = "of_trigger, of_function, reason, scope, key and when",
};

/* An exact scope is the filter's own, by which the index finds it. */
static int build(const struct config *config, struct filter *filter, struct err *err)
{
	filter->events = 1u << EVENT_DEAD;
	filter->dead = MEM_NEW(struct dead_wish);
	for (size_t i = 0; i < DEAD_PARTS; i++) {
		const char *name = dead_part_name((enum dead_part)i);
		struct span exact = SPAN_NONE;
		int status =
		        own_fields_glob(config->text[i], name, &exact, &filter->dead->glob[i], err);
		if (status != 0) {
			return status;
		}
		if (i == DEAD_IN_SCOPE) {
			filter->scope = exact;
		} else if (exact.ptr != NULL) {
			filter->dead->glob[i] = mem_span(span_of(config->text[i]));
			mem_free((char *)exact.ptr);
		}
	}
	return 0;
}

int on_dead_parse(const struct trigger_request *request, struct filter **out,
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
	field_free(dead_fields, &config);
	return status;
}

void on_dead_print(const char *prefix, struct buf *out)
{
	field_print_text(dead_fields, prefix, out);
}
