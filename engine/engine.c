/* This file starts and stops the daemon. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/alarm_book.h"
#include "engine/core/catalog.h"
#include "engine/core/catalog_load.h"
#include "engine/core/core.h"
#include "engine/core/dead.h"
#include "engine/core/dispatch.h"
#include "engine/core/expiry.h"
#include "engine/core/react.h"
#include "engine/core/token_record.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include "engine/engine_judge.h"
#include "engine/notify.h"
#include "engine/parts.h"
#include "engine/reload.h"
#include "engine/work/queues.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { DRAIN_MS = 5000, DRAIN_LOOK_MS = 20 };

struct engine {
	const struct config *config;
	uv_loop_t loop;
	int lock;
	struct parts parts;
	struct reload *reload;
	struct notify *notify;
	uv_signal_t terminate;
	uv_signal_t interrupt;
	uv_signal_t hang_up;
	struct alarm drain;
	int64_t drain_until_ms;
	uint64_t cursor;
	int status;
	struct err *err;
};

static void stop(struct engine *engine);

/* ---- the data directory ---- */

static int make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		return err_errno(err, errno, "data directory %s cannot be made", path);
	}
	return 0;
}

static int lock_data(struct engine *engine, struct err *err)
{
	const char *dir = engine->config->data;
	char path[4096];
	int len = snprintf(path, sizeof path, "%s/pawl.lock", dir);
	if (len < 0 || (size_t)len >= sizeof path) {
		return err_set(err, E_INVALID, "invalid_data",
		               "the path of the data directory is too long");
	}
	if (make_dir(dir, err) != 0) {
		return err->number;
	}
	engine->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (engine->lock < 0) {
		return err_errno(err, errno, "%s cannot be opened", path);
	}
	if (flock(engine->lock, LOCK_EX | LOCK_NB) != 0) {
		return err_set(
		        err, E_BUSY, "data_locked",
		        "another pawl runs on %s; stop it, or give this one a directory of its own "
		        "(--data DIR)",
		        dir);
	}
	return 0;
}

/* ---- start ---- */

static void fail(struct engine *engine, int status, const struct err *err)
{
	engine->status = status;
	*engine->err = *err;
	stop(engine);
}

/* As what is stamped never goes back, a manual clock does not begin before what it will stamp. */
static void begin_time(const struct core *core)
{
	int64_t stamped_ms = store_time_ms(core->store);
	if (clock_is_virtual() && stamped_ms > clock_wall_ms()) {
		clock_advance(stamped_ms - clock_wall_ms());
	}
}

/* "http://127.0.0.1:49134, unix:/run/pawl/pawl.sock" */
static void write_addresses(const struct core *core, struct buf *out)
{
	const char *const rows[][2] = {{"http://", core->address},
	                               {"https://", core->tls_address},
	                               {"unix:", core->socket_path}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i][1][0] != '\0') {
			buf_format(out, "%s%s%s", out->len ? ", " : "", rows[i][0], rows[i][1]);
		}
	}
}

static void say_ready(const struct engine *engine)
{
	const struct core *core = &engine->parts.core;
	struct adapter_head head;
	store_head(core->store, &head);
	size_t queues = queues_count(core->catalog);
	struct buf addresses = {0};
	write_addresses(core, &addresses);
	log_info("engine", "pawl %s listens on %.*s (events up to %llu, %zu triggers, %zu queues)",
	         PAWL_VERSION, SPAN_ARG(buf_view(&addresses)),
	         (unsigned long long)head.next_seq - 1, catalog_count(core->catalog) - queues,
	         queues);
	buf_free(&addresses);
	if (core->front[0] != '\0') {
		log_info("engine", "HTTP triggers are served on http://%s", core->front);
	}
	if (clock_is_virtual()) {
		char now[CLOCK_TEXT_LEN + 1];
		clock_format(clock_wall_ms(), now);
		log_warn("engine", "the clock is manual: it stands at %s until it is turned", now);
	}
	if (head.volatile_data) {
		log_warn("engine", "state is kept in memory only: nothing survives this process "
		                   "(store_method: in_memory)");
	}
	if (head.cut_bytes != 0) {
		log_warn("engine",
		         "the last write before the crash was torn; %llu bytes that nobody was "
		         "told of "
		         "were cut off",
		         (unsigned long long)head.cut_bytes);
	}
}

static void catalog_is_loaded(void *ctx, int status, const struct err *err)
{
	struct engine *engine = ctx;
	struct core *core = &engine->parts.core;
	if (core->stopping) {
		return;
	}
	struct err why;
	if (status == 0) {
		status = parts_take_triggers(&engine->parts, engine->config, &why);
		err = &why;
	}
	if (status != 0) {
		fail(engine, status, err);
		return;
	}
	core->ready = true;
	say_ready(engine);
	notify_look(engine->notify);
	react_start(core->react, engine->cursor);
	expiry_start(core->expiry);
	alarm_book_start(core->alarm_book);
	catalog_start(core->catalog);
	parts_start(&engine->parts);
	reload_go_on(engine->reload);
}

static void dead_are_counted(void *ctx, int status, const struct err *err)
{
	struct engine *engine = ctx;
	if (engine->parts.core.stopping) {
		return;
	}
	if (status != 0) {
		fail(engine, status, err);
		return;
	}
	catalog_load(engine->parts.core.catalog, engine->parts.core.store,
	             engine->parts.core.dispatch, &engine->cursor, catalog_is_loaded, engine);
}

/* Who may come is known: now they may. */
static void tokens_are_loaded(void *ctx, int status, const struct err *err)
{
	struct engine *engine = ctx;
	struct err why;
	if (engine->parts.core.stopping) {
		return;
	}
	if (status == 0) {
		status = parts_listen(&engine->parts, engine->config, &why);
		err = &why;
	}
	if (status != 0) {
		fail(engine, status, err);
		return;
	}
	dead_load(engine->parts.core.dead, dead_are_counted, engine);
}

/* ---- stop ---- */

static void close_handles(struct engine *engine)
{
	uv_close((uv_handle_t *)&engine->terminate, NULL);
	uv_close((uv_handle_t *)&engine->interrupt, NULL);
	uv_close((uv_handle_t *)&engine->hang_up, NULL);
	alarms_close(engine->parts.core.alarms, NULL, NULL);
}

static void store_is_closed(void *ctx)
{
	struct engine *engine = ctx;
	engine->parts.core.store = NULL;
	close_handles(engine);
}

static void parts_are_closed(void *ctx)
{
	struct engine *engine = ctx;
	store_close(engine->parts.core.store, store_is_closed, engine);
}

static void drain_looks(struct alarm *alarm)
{
	struct engine *engine = MEM_CONTAINER(alarm, struct engine, drain);
	bool late = clock_mono_us() / 1000 >= engine->drain_until_ms;
	if (dispatch_running(engine->parts.core.dispatch) == 0 || late) {
		if (late) {
			log_warn("engine",
			         "%zu deliveries were still running; they are done again at "
			         "the next start",
			         dispatch_running(engine->parts.core.dispatch));
		}
		parts_close(&engine->parts, parts_are_closed, engine);
		return;
	}
	alarm_set_real(engine->parts.core.alarms, &engine->drain, DRAIN_LOOK_MS);
}

static void stop(struct engine *engine)
{
	if (engine->parts.core.stopping) {
		return;
	}
	engine->parts.core.stopping = true;
	notify_stopping(engine->notify);
	dispatch_stop(engine->parts.core.dispatch);
	reload_go_on(engine->reload);
	engine->drain_until_ms = clock_mono_us() / 1000 + DRAIN_MS;
	engine->drain.fn = drain_looks;
	alarm_set_real(engine->parts.core.alarms, &engine->drain, 0);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
	struct engine *engine = handle->data;
	log_info("engine", "stopping (%s)", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	stop(engine);
}

static void on_hang_up(uv_signal_t *handle, int signal_number)
{
	(void)signal_number;
	struct engine *engine = handle->data;
	log_info("engine", "the config is read again (SIGHUP)");
	reload_now(engine->reload);
}

/* What comes before the loop runs is heard then. */
static void watch_signals(struct engine *engine)
{
	const struct {
		uv_signal_t *handle;
		uv_signal_cb heard;
		int number;
	} rows[] = {
	        {&engine->terminate, on_signal, SIGTERM},
	        {&engine->interrupt, on_signal, SIGINT},
	        {&engine->hang_up, on_hang_up, SIGHUP},
	};
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int failed = uv_signal_init(&engine->loop, rows[i].handle);
		POST(failed == 0);
		rows[i].handle->data = engine;
		failed = uv_signal_start(rows[i].handle, rows[i].heard, rows[i].number);
		POST(failed == 0);
	}
}

/* ---- the whole ---- */

int engine_run(const struct config *config, const struct config_source *source, struct err *err)
{
	struct engine engine = {.config = config, .lock = -1, .err = err};
	struct core *core = &engine.parts.core;
	mem_tune();
	int status = crash_arm(err);
	if (status == 0) {
		status = lock_data(&engine, err);
	}
	if (status != 0) {
		goto unlock;
	}
	status = uv_loop_init(&engine.loop);
	POST(status == 0);
	engine.parts.loop = &engine.loop;
	core->alarms = alarms_new(&engine.loop);
	watch_signals(&engine);
	engine.notify = notify_new(core);
	status = parts_open_store(&engine.parts, config, err);
	if (status != 0) {
		close_handles(&engine);
		goto close_loop;
	}
	begin_time(core);
	core->started_ms = clock_wall_ms();
	const struct config_judge judge = engine_judge();
	engine.reload = reload_new(&engine.parts, source, config, &judge);
	reload_on_turn(engine.reload, notify_reloading, engine.notify);
	status = parts_build(&engine.parts, config, err);
	if (status != 0) {
		const struct err why = *err;
		fail(&engine, status, &why);
	} else {
		token_records_load(core->tokens, core->store, tokens_are_loaded, &engine);
	}
	(void)uv_run(&engine.loop, UV_RUN_DEFAULT);
	status = engine.status;
close_loop:
	(void)uv_run(&engine.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&engine.loop);
	reload_free(engine.reload);
	notify_free(engine.notify);
unlock:
	if (engine.lock >= 0) {
		(void)close(engine.lock);
	}
	return status;
}
