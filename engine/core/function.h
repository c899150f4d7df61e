/* This file knows which functions exist and who serves them, and shares calls among those. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_FUNCTION_H
#define ENGINE_CORE_FUNCTION_H

#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "base/span.h"
#include "engine/core/call.h"
#include "engine/durable/alarm.h"
#include "triggers/retry_fields.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A function is a name in a namespace. An executor (a worker's connection, a process, an
 * HTTP endpoint, the engine itself) offers functions: each offer is a provider. Several executors
 * may offer the same function; calls go round robin to those with credit left. A function stays
 * known while something refers to it (a provider, a trigger that watches it).
 *
 * executor_ops point upwards: work/ implements them, core/ calls them.
 */
struct functions;
struct executor;
struct provider;

struct executor_ops {
	const char *kind; /* "worker", "process", "http", "builtin" */
	/* Hands the call over. Must end in call_finish, later or at once. */
	void (*start)(struct executor *executor, struct provider *provider, struct call *call);
	/* The caller gave up (timeout, cancel): forget the call; call_finish is not to be called
	 * any more. */
	void (*forget)(struct executor *executor, struct call *call);
};

struct executor {
	const struct executor_ops *ops;
	struct functions *functions;
	struct list providers; /* provider.in_executor */
	struct list calls;     /* call.link: started and not finished */
	uint32_t credit;       /* at most so many calls at a time; 0 = no bound */
	uint32_t running;
	bool closed_for_calls; /* a lost connection in its grace: keeps its calls, gets no new ones
	                        */
	struct span name;      /* worker id or "builtin", ...; the executor's */
	/* Its last running call has ended; may be NULL. Called from inside call_finish: free
	 * nothing. */
	void (*idle)(struct executor *executor);
};

/* What the config says of a function, whoever serves it. */
struct function_policy {
	uint32_t concurrency; /* calls at a time, all providers together; 0 = no bound */
	struct trigger_retry retry;
	uint32_t round; /* the registry's: when it was set */
};

struct function {
	struct map_node node;
	struct span namespace_;
	struct span id;
	struct list providers; /* provider.in_function; the next one to ask stands first */
	struct list waiting;   /* call.link: no provider has credit */
	struct list watchers;  /* function_watch.link */
	struct functions *functions;
	struct function_policy *policy; /* NULL: none; owned */
	uint32_t running;               /* calls that were started and have not ended */
	uint32_t pins;                  /* held while its lists are walked */
};

/* One executor's offer of one function. */
struct provider {
	struct list in_function;
	struct list in_executor;
	struct function *function;
	struct executor *executor;
	struct span description;     /* plain text; these four may be absent; owned */
	struct span request_format;  /* JSON */
	struct span response_format; /* JSON */
	struct span metadata;        /* JSON */
	int64_t timeout_ms; /* a call may take no longer here, whatever the caller says; 0 = any */
	bool is_full;       /* gets no calls for now: provider_pause */
	struct span disabled; /* why it gets none at all; absent = it does; owned */
	void *data;           /* the executor's */
};

/* Told when a function can take a call again, or has come or gone. */
struct function_watch {
	struct list link;
	struct function *function;
	void (*changed)(struct function_watch *watch);
};

struct functions *functions_new(struct alarms *alarms);
void functions_free(struct functions *functions);

void executor_init(struct executor *executor, struct functions *functions,
                   const struct executor_ops *ops, struct span name, uint32_t credit);
/* Withdraws all offers and ends its running calls with CALL_STOPPED. */
void executor_close(struct executor *executor);
/* Takes it out of the choice (and back in): see closed_for_calls. */
void executor_pause(struct executor *executor, bool pause);
/* What runs beyond a smaller credit goes on. */
void executor_set_credit(struct executor *executor, uint32_t credit);

/* Offers a function; an offer of the same executor for it is replaced. Texts are copied. */
struct provider *function_offer(struct executor *executor, struct span namespace_, struct span id);
/* The same beside the executor's other offers of that name: calls go to each in turn. */
struct provider *function_offer_more(struct executor *executor, struct span namespace_,
                                     struct span id);
void function_withdraw(struct provider *provider); /* its running calls go on */
struct provider *function_offered_by(struct executor *executor, struct span namespace_,
                                     struct span id);

/* Takes one offer out of the choice for as long as it has no room, and back in. */
void provider_pause(struct provider *provider, bool pause);
/* The same for good, with the reason, until it is enabled or offered again. Calls that wait for
 * nobody else end with CALL_STOPPED "function_disabled". */
void provider_disable(struct provider *provider, struct span reason);
void function_enable(struct function *function);

/* Policies are set anew between begin and end: end takes away those that were not. Copied. What
 * waited for room may start. */
void functions_begin_policies(struct functions *functions);
void function_set_policy(struct functions *functions, struct span namespace_, struct span id,
                         const struct function_policy *policy);
void functions_end_policies(struct functions *functions);

/* The function of that name in the namespace, else the engine's own of that name; NULL if nobody
 * offers it. */
struct function *function_find(struct functions *functions, struct span namespace_, struct span id);
bool function_is_ready(const struct function *function);   /* somebody offers it and has credit */
bool function_is_offered(const struct function *function); /* somebody offers it */
/* All who offer it are disabled: the reason of the first; absent if somebody is not. */
struct span function_disabled(const struct function *function);

/* Makes the function known and tells of its changes until unwatch. */
void function_watch(struct functions *functions, struct span namespace_, struct span id,
                    struct function_watch *watch);
void function_unwatch(struct function_watch *watch);

/* Walks all functions that somebody offers, in no order. */
typedef void function_each_fn(void *ctx, struct function *function);
void functions_each(struct functions *functions, function_each_fn *each, void *ctx);

struct function_figures {
	uint64_t started;
	uint64_t ended[CALL_REFUSED + 1]; /* by call_end; what was cancelled is not among them */
};
const struct function_figures *functions_figures(const struct functions *functions);

/* Nobody offers it: E_NOT_FOUND "function_not_found", with the namespaces where the id does exist;
 * all who do are disabled: E_DENIED "function_disabled"; done does not come. No credit: the call
 * waits its turn, within its timeout. done may come from inside this function: touch nothing of the
 * call behind it. */
int function_call(struct functions *functions, struct call *call, struct err *err);
/* The same, with what function_find has just found for this call: NULL = nobody offers it. */
int function_call_found(struct functions *functions, struct function *function, struct call *call,
                        struct err *err);
/* The caller no longer wants it; `done` will not come. */
void call_cancel(struct call *call);
/* The executor's word that the call has ended. Takes the call off every list, then calls done. */
void call_finish(struct call *call, const struct call_result *result);

#endif
