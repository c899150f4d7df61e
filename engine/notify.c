/* This file tells the service manager how the daemon is (the protocol of systemd's sd_notify). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/notify.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/catalog.h"
#include "engine/core/health.h"
#include "engine/core/worker.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LOOK_MS = 5000, SOON_MS = 100, TEXT_MAX = 512 };

struct notify {
	const struct core *core;
	int socket;
	struct sockaddr_un to;
	socklen_t to_len;
	struct alarm beat;
	int64_t watchdog_ms; /* half of the manager's patience; 0 = it has no watchdog */
	bool is_ready;       /* READY=1 was sent */
	bool is_reloading;
	char status[TEXT_MAX]; /* sent last */
};

__attribute__((format(printf, 2, 3))) static void say(const struct notify *notify,
                                                      const char *format, ...)
{
	char text[TEXT_MAX + 64];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	size_t size = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
	(void)sendto(notify->socket, text, size, MSG_DONTWAIT | MSG_NOSIGNAL,
	             (const struct sockaddr *)&notify->to, notify->to_len);
}

/* ---- what it is told ---- */

static void say_status(struct notify *notify, const char *word)
{
	const struct core *core = notify->core;
	char text[TEXT_MAX];
	struct err why;
	if (core->ready && store_refuses(core->store, &why) != 0) {
		(void)snprintf(text, sizeof text, "%s: %.400s", word, why.text);
	} else if (core->ready) {
		(void)snprintf(text, sizeof text, "%s: %zu triggers, %zu workers on %s", word,
		               catalog_count(core->catalog), workers_count(core->workers),
		               core->address[0] != '\0'       ? core->address
		               : core->tls_address[0] != '\0' ? core->tls_address
		                                              : core->socket_path);
	} else {
		(void)snprintf(text, sizeof text, "%s", word);
	}
	if (strcmp(text, notify->status) != 0) {
		memcpy(notify->status, text, sizeof text);
		say(notify, "STATUS=%s", text);
	}
}

static int64_t wait_of(const struct notify *notify)
{
	int64_t wait_ms = notify->is_ready ? LOOK_MS : SOON_MS;
	bool is_shorter = notify->watchdog_ms != 0 && notify->watchdog_ms < wait_ms;
	return is_shorter ? notify->watchdog_ms : wait_ms;
}

void notify_look(struct notify *notify)
{
	if (notify == NULL) {
		return;
	}
	const char *word = health_word(notify->core);
	say_status(notify, word);
	if (!notify->is_ready && strcmp(word, "ok") == 0) {
		notify->is_ready = true;
		say(notify, "READY=1");
	}
	if (notify->watchdog_ms != 0) {
		say(notify, "WATCHDOG=1");
	}
	alarm_set_real(notify->core->alarms, &notify->beat, wait_of(notify));
}

static void beat_again(struct alarm *alarm)
{
	struct notify *notify = MEM_CONTAINER(alarm, struct notify, beat);
	if (notify->core->stopping) {
		say(notify, "WATCHDOG=1");
		alarm_set_real(notify->core->alarms, alarm, wait_of(notify));
	} else {
		notify_look(notify);
	}
}

void notify_reloading(void *ctx, bool is)
{
	struct notify *notify = ctx;
	if (notify == NULL || !notify->is_ready || notify->core->stopping) {
		return;
	}
	if (is) {
		say(notify, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
	} else {
		say(notify, "READY=1");
	}
}

void notify_stopping(struct notify *notify)
{
	if (notify != NULL) {
		say(notify, "STOPPING=1\nSTATUS=stopping");
	}
}

/* ---- life ---- */

/* "/run/systemd/notify", or "@name" in the abstract namespace. */
static bool read_address(struct notify *notify, const char *name)
{
	size_t len = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof notify->to.sun_path) {
		return false;
	}
	notify->to.sun_family = AF_UNIX;
	memcpy(notify->to.sun_path, name, len);
	if (name[0] == '@') {
		notify->to.sun_path[0] = '\0';
	}
	notify->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

static int64_t read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t number;
	if (pid != NULL &&
	    (!id_parse_uint(span_of(pid), &number) || number != (uint64_t)getpid())) {
		return 0; /* it is another process that is watched */
	}
	if (usec == NULL || !id_parse_uint(span_of(usec), &number) || number == 0) {
		return 0;
	}
	uint64_t half_ms = number / 2000;
	return half_ms == 0 ? 1 : half_ms < LOOK_MS ? (int64_t)half_ms : LOOK_MS;
}

struct notify *notify_new(const struct core *core)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct notify *notify = NULL;
	if (name != NULL) {
		notify = MEM_NEW(struct notify);
		notify->core = core;
		notify->beat.fn = beat_again;
		notify->watchdog_ms = read_watchdog();
		notify->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (notify->socket < 0 || !read_address(notify, name)) {
			log_warn("notify",
			         "nobody is told how the engine is: $NOTIFY_SOCKET is \"%s\"",
			         name);
			notify_free(notify);
			notify = NULL;
		}
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return notify;
}

void notify_free(struct notify *notify)
{
	if (notify != NULL) {
		if (notify->socket >= 0) {
			(void)close(notify->socket);
		}
		mem_free(notify);
	}
}
