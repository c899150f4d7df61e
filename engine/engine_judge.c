/* This file judges what a configuration says about triggers and functions, without running it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine_judge.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/config_endpoint.h"
#include "engine/core/own_scope.h"
#include "engine/core/routing.h"
#include "engine/work/webhook_target.h"
#include "triggers/triggers.h"

/* The sentence, the line of the expression and a caret under the place, if that is not too much. */
static void show_place(const struct condition_fault *where, struct err *err)
{
	struct span text = buf_view(&where->text);
	while (text.len != 0 && text.ptr[text.len - 1] == '\n') {
		text.len--;
	}
	if (text.len < ERR_TEXT_MAX - 128) {
		(void)err_set(err, err->number, err->code, "'%s': %.*s", where->member,
		              SPAN_ARG(text));
	}
}

static int judge_trigger(void *ctx, const struct config_trigger *trigger, const char **out_member,
                         struct err *err)
{
	(void)ctx;
	struct condition_env *conditions = condition_env_new();
	struct condition_fault where = {0};
	const struct trigger_request request = {
	        .env = conditions,
	        .type = span_of(trigger->type),
	        .config = span_of(trigger->config),
	        .where = &where,
	};
	struct filter *filter = NULL;
	struct trigger_policy policy;
	int status = trigger_parse(&request, &filter, &policy, err);
	if (status != 0 && where.member != NULL) {
		*out_member = where.member;
		show_place(&where, err);
	}
	buf_free(&where.text);
	filter_free(filter);
	condition_env_free(conditions);
	return status;
}

static int judge_function(void *ctx, const struct config *config,
                          const struct config_function *function, struct err *err)
{
	(void)ctx;
	struct condition_env *conditions = condition_env_new();
	const struct webhook_known known = {conditions, config->secrets};
	struct webhook_target target;
	struct buf invocation = {0};
	config_write_invocation(&function->http, &invocation);
	int status = webhook_target_parse(buf_view(&invocation), &known, &target, err);
	if (status == 0) {
		webhook_target_close(&target);
	}
	buf_free(&invocation);
	condition_env_free(conditions);
	return status;
}

/* What is asked of a trigger to know whether its path is free. */
static struct binding *make_route(struct condition_env *conditions,
                                  const struct config_trigger *trigger)
{
	struct binding *binding = MEM_NEW(struct binding);
	const struct trigger_request request = {.env = conditions,
	                                        .type = span_of(trigger->type),
	                                        .config = span_of(trigger->config)};
	struct trigger_policy policy;
	int status = trigger_parse(&request, &binding->filter, &policy, NULL);
	POST(status == 0); /* judge_trigger has tried */
	list_init(&binding->holders);
	binding->id = span_of(trigger->id);
	binding->function_id = span_of(trigger->function);
	binding->origin = BINDING_CONFIG;
	binding->stays = true;
	return binding;
}

static int judge_together(void *ctx, const struct config *config, size_t *out_index,
                          struct err *err)
{
	(void)ctx;
	struct condition_env *conditions = condition_env_new();
	struct routing *routing = routing_new();
	struct binding **made = MEM_ARRAY(struct binding *, config->trigger_count + 1);
	size_t count = 0;
	int status = 0;
	for (size_t i = 0; status == 0 && i < config->trigger_count; i++) {
		if (strcmp(config->triggers[i].type, "http") != 0) {
			continue;
		}
		struct binding *binding = make_route(conditions, &config->triggers[i]);
		status = routing_check(routing, binding, 0, err);
		routing_add(routing, binding);
		made[count++] = binding;
		*out_index = i;
	}
	for (size_t i = 0; i < count; i++) {
		routing_remove(routing, made[i]);
		filter_free(made[i]->filter);
		mem_free(made[i]);
	}
	mem_free(made);
	routing_free(routing);
	condition_env_free(conditions);
	return status;
}

struct config_judge engine_judge(void)
{
	return (struct config_judge){
	        .trigger = judge_trigger, .function = judge_function, .together = judge_together};
}

void engine_judge_warn(const struct config *config, bool json, struct buf *out)
{
	for (size_t i = 0; i < config->trigger_count; i++) {
		const struct config_trigger *trigger = &config->triggers[i];
		struct buf why = {0};
		struct buf text = {0};
		if (own_scope_warns(span_of(trigger->type), span_of(trigger->function),
		                    span_of(trigger->config), &why)) {
			buf_format(&text, "trigger %s may wake itself: %.*s", trigger->id,
			           SPAN_ARG(buf_view(&why)));
		}
		if (text.len != 0 && json) {
			json_write_comma(out);
			json_write_string(out, buf_view(&text));
		} else if (text.len != 0) {
			buf_format(out, "line %u: %.*s\n", trigger->line,
			           SPAN_ARG(buf_view(&text)));
		}
		buf_free(&text);
		buf_free(&why);
	}
}
