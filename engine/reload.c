/* This file reads the config again while the daemon runs, and takes it, all or nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/reload.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/config_diff.h"
#include "engine/core/catalog.h"
#include "engine/core/dispatch.h"
#include <uv.h>

struct reload {
	struct parts *parts;
	const struct config_source *source;
	struct config_judge judge;
	const struct config *boot;
	const struct config *now; /* in force: boot, or ours */
	struct list asks;         /* config_ask.link; the first is being served while busy */
	bool busy;
	void (*turned)(void *ctx, bool is_busy);
	void *turned_ctx;
	bool has_turned; /* and somebody was told so */
	uv_work_t reading;
	int64_t loaded_ms;
	char *error; /* why the last try failed; NULL: it did not */
	int64_t failed_ms;
	struct config_diff pending; /* what the last good one says that needs a restart */

	/* of the one that is being served */
	struct config *next;
	struct err err;
	int status;
	struct config_diff diff;
	struct store_waiter durable;
	struct buf answer;
};

static void serve_next(struct reload *reload);

/* ---- answers ---- */

static void turn(struct reload *reload, bool is_busy)
{
	if (reload->turned != NULL && reload->has_turned != is_busy) {
		reload->has_turned = is_busy;
		reload->turned(reload->turned_ctx, is_busy);
	}
}

static void finish(struct reload *reload, int status, const struct err *err)
{
	struct config_ask *ask = MEM_CONTAINER(reload->asks.next, struct config_ask, link);
	list_remove(&ask->link);
	ask->done(ask, status, buf_view(&reload->answer), err);
	buf_clear(&reload->answer);
	config_diff_close(&reload->diff);
	config_free(reload->next);
	reload->next = NULL;
	reload->busy = false;
	turn(reload, false);
	serve_next(reload);
}

static bool is_dry_run(const struct reload *reload)
{
	return MEM_CONTAINER(reload->asks.next, const struct config_ask, link)->dry_run;
}

static void refuse(struct reload *reload, int status, const struct err *err)
{
	const struct err why = *err;
	if (!is_dry_run(reload)) {
		log_error("reload", "the config is not taken, the last good one stays: %s",
		          why.text);
		mem_free(reload->error);
		reload->error = mem_text(why.text);
		reload->failed_ms = clock_wall_ms();
	}
	finish(reload, status, &why);
}

/* ---- what triggers would wait for in vain ---- */

struct orphans {
	const struct config_change *function;
	const struct config *next;
	size_t count;
};

static bool is_declared(const struct config *config, struct span id)
{
	for (size_t i = 0; i < config->trigger_count; i++) {
		if (span_is(id, config->triggers[i].id)) {
			return true;
		}
	}
	return false;
}

/* Those that the config declares are counted there. */
static void count_orphan(void *ctx, struct binding *binding)
{
	struct orphans *orphans = ctx;
	bool calls = span_is(binding->function_id, orphans->function->id) &&
	             span_is(binding->namespace_, orphans->function->namespace_);
	bool goes_on = binding->origin != BINDING_CONFIG && binding->until_seq == 0;
	if (calls && (goes_on || !dispatch_owes_nothing(binding)) &&
	    !is_declared(orphans->next, binding->id)) {
		orphans->count++;
	}
}

static void count_orphans(const struct reload *reload, struct orphans *orphans)
{
	for (size_t i = 0; i < reload->next->trigger_count; i++) {
		const struct config_trigger *trigger = &reload->next->triggers[i];
		orphans->count += strcmp(trigger->function, orphans->function->id) == 0 &&
		                  strcmp(trigger->namespace_, orphans->function->namespace_) == 0;
	}
	catalog_each(reload->parts->core.catalog, count_orphan, orphans);
}

static void write_warnings(const struct reload *reload, struct buf *out)
{
	json_write_name(out, "warnings");
	buf_byte(out, '[');
	for (size_t i = 0; i < reload->diff.count; i++) {
		const struct config_change *change = &reload->diff.items[i];
		struct orphans orphans = {change, reload->next, 0};
		if (change->kind != CONFIG_REMOVED || change->namespace_ == NULL) {
			continue;
		}
		count_orphans(reload, &orphans);
		if (orphans.count != 0) {
			struct buf text = {0};
			buf_format(&text,
			           "function %s is removed; triggers that may have events for "
			           "it: %zu; these events wait until somebody serves it",
			           change->id, orphans.count);
			json_write_comma(out);
			json_write_string(out, buf_view(&text));
			buf_free(&text);
		}
	}
	buf_byte(out, ']');
}

static void compose(struct reload *reload, bool applied)
{
	struct buf *out = &reload->answer;
	buf_byte(out, '{');
	json_write_member_string(out, "path", span_of(reload->source->path));
	json_write_member_bool(out, "dry_run", is_dry_run(reload));
	json_write_member_bool(out, "applied", applied);
	config_diff_write(&reload->diff, out);
	write_warnings(reload, out);
	buf_byte(out, '}');
}

/* ---- taking ---- */

static void say_taken(const struct reload *reload)
{
	const size_t *counts = reload->diff.counts;
	struct buf names = {0};
	for (size_t i = 0; i < reload->diff.count; i++) {
		const struct config_change *change = &reload->diff.items[i];
		if (change->kind == CONFIG_NEEDS_RESTART) {
			buf_format(&names, "%s%s", names.len ? ", " : "", change->id);
		}
	}
	log_info("reload", "the config is taken from %s: %zu added, %zu changed, %zu removed",
	         reload->source->path, counts[CONFIG_ADDED], counts[CONFIG_CHANGED],
	         counts[CONFIG_REMOVED]);
	if (names.len != 0) {
		log_warn("reload", "changed, but in force only after a restart: %.*s",
		         SPAN_ARG(buf_view(&names)));
	}
	buf_free(&names);
}

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct reload *reload = MEM_CONTAINER(waiter, struct reload, durable);
	struct err why;
	if (status != 0) {
		(void)err_set(
		        &why, status, err->code,
		        "the config is in force, but the store failed while the triggers were "
		        "written (they are written again when it has recovered): %.300s",
		        err->text);
		log_error("reload", "%s", why.text);
	}
	finish(reload, status, &why);
}

static void be_in_force(struct reload *reload)
{
	if (reload->now != reload->boot) {
		config_free((struct config *)reload->now);
	}
	reload->now = reload->next;
	reload->next = NULL;
	reload->loaded_ms = clock_wall_ms();
	mem_free(reload->error);
	reload->error = NULL;
	config_diff_close(&reload->pending);
	reload->pending = reload->diff;
	reload->diff = (struct config_diff){0};
}

static void take(struct reload *reload)
{
	struct err err;
	config_diff_make(reload->boot, reload->now, reload->next, &reload->diff);
	int status = parts_judge(reload->parts, reload->next, &err);
	if (status == 0 && is_dry_run(reload)) {
		compose(reload, false);
		finish(reload, 0, NULL);
		return;
	}
	if (status == 0) {
		compose(reload, true); /* the warnings speak of how it is before */
		reload->durable.done = is_durable;
		status = parts_take(reload->parts, reload->next, &reload->durable, &err);
	}
	if (status != 0) {
		buf_clear(&reload->answer);
		refuse(reload, status, &err);
		return;
	}
	config_open_log(reload->next);
	config_warn_iii(reload->next);
	say_taken(reload);
	be_in_force(reload);
}

/* ---- reading ---- */

/* On a thread. */
static void read_file(uv_work_t *work)
{
	struct reload *reload = work->data;
	struct report report = {0};
	struct err *err = &reload->err;
	reload->status =
	        config_load(reload->source->path, &reload->judge, &reload->next, &report, err);
	report_close(&report);
	if (reload->status == 0) {
		reload->status = config_override(reload->next, reload->source, err);
	}
	if (reload->status != 0) {
		err->code = "invalid_config";
	}
}

static int refuse_stopping(struct err *err)
{
	return err_set(err, E_CANCELED, "shutting_down", "the engine is shutting down");
}

static void was_read(uv_work_t *work, int canceled)
{
	struct reload *reload = work->data;
	struct err err;
	PRE(canceled == 0);
	if (reload->parts->core.stopping) {
		finish(reload, refuse_stopping(&err), &err);
	} else if (reload->status != 0) {
		refuse(reload, reload->status, &reload->err);
	} else {
		take(reload);
	}
}

static void serve_next(struct reload *reload)
{
	const struct core *core = &reload->parts->core;
	bool can_begin = core->ready || core->stopping;
	if (reload->busy || list_is_empty(&reload->asks) || !can_begin) {
		return;
	}
	reload->busy = true;
	turn(reload, !is_dry_run(reload));
	reload->reading.data = reload;
	int failed = uv_queue_work(reload->parts->loop, &reload->reading, read_file, was_read);
	POST(failed == 0); /* it fails for want of a function only */
}

/* ---- asking ---- */

static void ask(void *ctx, struct config_ask *asked)
{
	struct reload *reload = ctx;
	list_init(&asked->link);
	list_push(&reload->asks, &asked->link);
	serve_next(reload);
}

static void answered(struct config_ask *asked, int status, struct span json, const struct err *err)
{
	(void)status;
	(void)json;
	(void)err; /* all of it was logged */
	mem_free(asked);
}

void reload_now(struct reload *reload)
{
	if (reload->source->path == NULL) {
		log_warn("reload", "there is no config file to read again: pawl was started "
		                   "without --config");
		return;
	}
	struct config_ask *asked = MEM_NEW(struct config_ask);
	asked->done = answered;
	ask(reload, asked);
}

static void write_time(const char *name, int64_t ms, struct buf *out)
{
	char text[CLOCK_TEXT_LEN + 1];
	clock_format(ms, text);
	json_write_member_string(out, name, span_of(text));
}

static void tell(void *ctx, struct buf *out)
{
	const struct reload *reload = ctx;
	if (reload->source->path != NULL) {
		json_write_member_string(out, "path", span_of(reload->source->path));
	}
	write_time("loaded_at", reload->loaded_ms, out);
	if (reload->error != NULL) {
		json_write_member_string(out, "error", span_of(reload->error));
		write_time("failed_at", reload->failed_ms, out);
	}
	json_write_name(out, "needs_restart");
	buf_byte(out, '[');
	for (size_t i = 0; i < reload->pending.count; i++) {
		if (reload->pending.items[i].kind == CONFIG_NEEDS_RESTART) {
			json_write_comma(out);
			json_write_string(out, span_of(reload->pending.items[i].id));
		}
	}
	buf_byte(out, ']');
}

/* ---- a life ---- */

struct reload *reload_new(struct parts *parts, const struct config_source *source,
                          const struct config *boot, const struct config_judge *judge)
{
	struct reload *reload = MEM_NEW(struct reload);
	reload->parts = parts;
	reload->source = source;
	reload->judge = *judge;
	reload->boot = boot;
	reload->now = boot;
	reload->loaded_ms = clock_wall_ms();
	list_init(&reload->asks);
	parts->core.config = (struct config_door){.tell = tell, .ctx = reload};
	if (source->path != NULL) {
		parts->core.config.reload = ask;
	}
	return reload;
}

void reload_go_on(struct reload *reload)
{
	if (reload != NULL) {
		serve_next(reload);
	}
}

void reload_on_turn(struct reload *reload, void (*turned)(void *ctx, bool is_busy), void *ctx)
{
	reload->turned = turned;
	reload->turned_ctx = ctx;
}

void reload_free(struct reload *reload)
{
	if (reload == NULL) {
		return;
	}
	if (reload->now != reload->boot) {
		config_free((struct config *)reload->now);
	}
	config_diff_close(&reload->pending);
	buf_free(&reload->answer);
	mem_free(reload->error);
	mem_free(reload);
}
