/* This file answers the state functions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "engine/core/state.h"
#include "engine/work/builtin.h"

struct state_work {
	struct state_request request;
	struct work *work;
	struct buf kept; /* copies of what is the caller's, if he may go before it is done */
};

static void state_done(struct state_request *request, int status, struct span result,
                       const struct err *err)
{
	struct state_work *own = MEM_CONTAINER(request, struct state_work, request);
	struct work *work = own->work;
	work->replayed = request->replayed;
	if (status == 0) {
		work_reply(work, result);
	} else {
		work_fail(work, err);
	}
	buf_free(&own->kept);
	mem_free(own);
}

/* A call with a timeout may end while a record is still being read, or waited for. */
static void keep_all(struct state_work *own)
{
	struct state_request *request = &own->request;
	struct span *const spans[] = {&request->name, &request->data, &request->traceparent,
	                              &request->baggage, &request->caller};
	size_t bytes = 0;
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		bytes += spans[i]->len;
	}
	(void)buf_reserve(&own->kept, bytes); /* it does not move between them */
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		size_t at = own->kept.len;
		if (spans[i]->ptr != NULL) {
			buf_span(&own->kept, *spans[i]);
			spans[i]->ptr = own->kept.ptr + at;
		}
	}
}

static void run_state(struct work *work, struct span data)
{
	struct state_work *own = MEM_NEW(struct state_work);
	own->work = work;
	own->request = (struct state_request){
	        .name = work->call->function_id,
	        .data = data,
	        .traceparent = work->call->traceparent,
	        .baggage = work->call->baggage,
	        .caller = work->call->caller,
	        .done = state_done,
	};
	if (work->call->timeout_ms > 0) {
		keep_all(own);
	}
	state_run(work->core->state, &own->request);
}

const struct builtin_row builtin_state_rows[] = {
        {"state::set", run_state, "Sets the value of a key."},
        {"state::get", run_state, "Gives the value of a key."},
        {"state::delete", run_state, "Deletes a key."},
        {"state::update", run_state, "Changes a value by operations, atomically."},
        {"state::list", run_state, "Lists the values of a scope."},
        {"state::list_groups", run_state, "Lists the scopes that hold a key."},
        {"state::list_objects", run_state, "Lists the objects of a namespace."},
        {"state::list_namespaces", run_state, "Lists the namespaces that hold an object."},
        {"state::get_many", run_state, "Gives the values of several keys."},
        {"state::transact", run_state, "Changes several keys, all or none."},
        {"state::clear", run_state, "Deletes the keys of a scope."},
        {NULL, NULL, NULL},
};
