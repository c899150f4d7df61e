/* This file parts a trigger's config into its own fields and those of a state trigger. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/own_fields.h"

#include "base/field.h"
#include "base/field_json.h"
#include "base/json.h"
#include "base/mem.h"
#include "triggers/glob.h"
#include "triggers/on_state.h"

static const char CODE[] = "invalid_trigger";

static int check_name(const struct own_fields *own, struct span name, struct err *err)
{
	for (size_t i = 0; own->foreign[i] != NULL; i++) {
		if (json_name_is(name, span_of(own->foreign[i]))) {
			return err_set(err, E_INVALID, CODE,
			               "a trigger of type '%s' has no '%s': it asks by %s",
			               own->type, own->foreign[i], own->asks_by);
		}
	}
	return 0;
}

static int split(const struct own_fields *own, struct span config, struct buf *ours,
                 struct buf *rest, struct err *err)
{
	struct span name;
	struct span value;
	int status = 0;
	buf_byte(ours, '{');
	buf_byte(rest, '{');
	for (struct json_iter iter = json_iter(config);
	     status == 0 && json_next_member(&iter, &name, &value);) {
		struct buf *out = field_find(own->table, name) != NULL ? ours : rest;
		json_write_comma(out);
		buf_format(out, "\"%.*s\":", SPAN_ARG(name));
		buf_span(out, value);
		status = json_is_null(value) ? 0 : check_name(own, name, err);
	}
	buf_byte(ours, '}');
	buf_byte(rest, '}');
	return status;
}

/* What a change can only be ("event_type is never 'x'") another event may well be. */
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

int own_fields_parse(const struct own_fields *own, const struct trigger_request *request,
                     void *config, struct filter **out, struct trigger_policy *out_policy,
                     struct err *err)
{
	struct buf ours = {0};
	struct buf rest = {0};
	struct trigger_request shared = *request;
	int status = split(own, request->config, &ours, &rest, err);
	if (status == 0) {
		status = field_read_json(own->table, buf_view(&ours), CODE, config, err);
	}
	if (status == 0) {
		shared.config = buf_view(&rest);
		status = parse_shared(&shared, out, out_policy, err);
	}
	buf_free(&ours);
	buf_free(&rest);
	return status;
}

int own_fields_glob(const char *text, const char *field, struct span *out_exact,
                    struct span *out_glob, struct err *err)
{
	struct err why = {0};
	if (text == NULL) {
		return 0;
	}
	struct span pattern = span_of(text);
	if (glob_check(pattern, &why) != 0) {
		return err_set(err, E_INVALID, CODE, "'%s': %s", field, why.text);
	}
	if (glob_is_pattern(pattern)) {
		*out_glob = mem_span(pattern);
		return 0;
	}
	struct buf plain = {0};
	glob_unescape(pattern, &plain);
	*out_exact = mem_span(buf_view(&plain));
	buf_free(&plain);
	return 0;
}
