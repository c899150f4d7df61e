/* This file is the table of an alarm trigger's own fields, and makes filters by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/on_alarm.h"

#include "base/field.h"
#include "base/field_print.h"
#include "base/mem.h"
#include "triggers/alarm_wish.h"
#include "triggers/glob.h"
#include "triggers/own_fields.h"

struct config {
	char *scope;
	char *name;
	struct field_strings events;
	bool named;
};

static const struct field alarm_fields[] = {
        {.name = "scope",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, scope),
         .min = 1,
         .max = GLOB_PATTERN_MAX,
         .help = "type: alarm. Only alarms in this scope, or in scopes like tenant_*; key and "
                 "key_regex ask for the object's key."},
        {.name = "name",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, name),
         .max = GLOB_PATTERN_MAX,
         .help = "type: alarm. Only alarms of this name, or of names like trial_*; \"\" are those "
                 "without a name."},
        {.name = "events",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config, events),
         .otherwise = "[due]",
         .min = 1,
         .max = 2,
         .help = "type: alarm. due: its time has come; failed: its handlers have given up."},
        {.name = "named",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config, named),
         .help = "type: alarm. Only alarms that name a function; it is called, and not the "
                 "trigger's own."},
        {.name = NULL},
};

static const char *const foreign[] = {"changed", "fire", "debounce", "throttle", "batch", NULL};

static const struct own_fields own_fields = {
        .type = "alarm",
        .table = alarm_fields,
        .foreign = foreign,
        .asks_by = "scope, key, name, events and when",
};

static int build_events(const struct field_strings *words, struct filter *filter, struct err *err)
{
	filter->events = words->count == 0 ? 1u << EVENT_ALARM_DUE : 0;
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		if (strcmp(word, "due") == 0 || strcmp(word, "alarm:due") == 0) {
			filter->events |= 1u << EVENT_ALARM_DUE;
		} else if (strcmp(word, "failed") == 0 || strcmp(word, "alarm:failed") == 0) {
			filter->events |= 1u << EVENT_ALARM_FAILED;
		} else {
			return err_set(err, E_INVALID, "invalid_trigger",
			               "'events' of an alarm takes due and failed, not '%.64s'",
			               word);
		}
	}
	return 0;
}

/* An exact scope is the filter's own, by which the index finds it. */
static int build(const struct config *config, struct filter *filter, struct err *err)
{
	struct alarm_wish *wish = MEM_NEW(struct alarm_wish);
	filter->alarm = wish;
	wish->is_named = config->named;
	int status = build_events(&config->events, filter, err);
	if (status == 0) {
		status = own_fields_glob(config->scope, "scope", &filter->scope,
		                         &wish->glob[ALARM_IN_SCOPE], err);
	}
	if (status == 0 && config->name != NULL) {
		status = own_fields_glob(config->name, "name", &wish->name, &wish->glob[ALARM_NAME],
		                         err);
		wish->has_name = wish->glob[ALARM_NAME].ptr == NULL;
	}
	return status;
}

int on_alarm_parse(const struct trigger_request *request, struct filter **out,
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
	field_free(alarm_fields, &config);
	return status;
}

void on_alarm_print(const char *prefix, struct buf *out)
{
	field_print_text(alarm_fields, prefix, out);
}
