/* This file lets callers make the daemon read its config again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "engine/work/builtin.h"

struct reload_work {
	struct config_ask ask;
	struct work *work;
};

static void reloaded(struct config_ask *ask, int status, struct span json, const struct err *err)
{
	struct reload_work *own = MEM_CONTAINER(ask, struct reload_work, ask);
	if (status == 0) {
		work_reply(own->work, json);
	} else {
		work_fail(own->work, err);
	}
	mem_free(own);
}

static void reload(struct work *work, struct span data)
{
	const struct config_door *door = &work->core->config;
	if (door->reload == NULL) {
		work_refuse(work, "config_absent", "there is no config file to read again");
		return;
	}
	struct reload_work *own = MEM_NEW(struct reload_work);
	own->work = work;
	own->ask.dry_run = work_bool(data, "dry_run");
	own->ask.done = reloaded;
	door->reload(door->ctx, &own->ask);
}

const struct builtin_row builtin_config_rows[] = {
        {"engine::config::reload", reload,
         "Takes the config file as it is now, all or nothing; dry_run only tells what would "
         "change."},
        {NULL, NULL, NULL},
};
