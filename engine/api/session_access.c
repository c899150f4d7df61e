/* This file asks of each frame of a worker whether its token allows it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/session_access.h"

#include "base/mem.h"
#include "engine/api/permission.h"
#include "engine/api/session_ask.h"

static const struct rights nothing;

static void token_ended(struct token_hold *hold)
{
	struct session_access *access = MEM_CONTAINER(hold, struct session_access, hold);
	access->rights = &nothing;
	access->ended(access);
}

void session_access_begin(struct session_access *access, struct login *login,
                          const struct http_request *request)
{
	struct token *token = NULL;
	access->hold.ended = token_ended;
	bool is_in = login_check(login, request, NULL, &token, NULL) == 0;
	access->rights = token != NULL ? &token->rights : is_in ? NULL : &nothing;
	if (is_in) {
		token_hold(login_tokens(login), token, &access->hold);
	}
}

void session_access_end(struct session_access *access)
{
	token_drop(&access->hold);
}

static int check_trigger(const struct session_access *access, struct functions *functions,
                         const struct worker *worker, const struct message *frame, struct err *err)
{
	const struct permission_call handler = {
	        .namespace_ = frame->namespace.len ? frame->namespace : worker->namespace_,
	        .function_id = frame->function_id,
	};
	return permission_check_trigger(access->rights, functions, &handler, frame->trigger_type,
	                                frame->config, err);
}

int session_access_check(const struct session_access *access, struct functions *functions,
                         const struct worker *worker, const struct message *frame, struct err *err)
{
	if (access->rights == NULL) {
		return 0;
	}
	const struct permission_call call = {
	        .namespace_ = frame->namespace.len ? frame->namespace : worker->namespace_,
	        .function_id = frame->function_id,
	        .data = frame->data,
	};
	switch (frame->type) {
	case MESSAGE_INVOKE_FUNCTION:
		return session_ask_is_own(frame)
		               ? 0
		               : permission_check(access->rights, functions, &call, err);
	case MESSAGE_REGISTER_FUNCTION:
	case MESSAGE_REGISTER_TRIGGER_TYPE:
		return permission_check_work(access->rights, frame->id, err);
	case MESSAGE_REGISTER_TRIGGER:
		return check_trigger(access, functions, worker, frame, err);
	default:
		return 0; /* what is its own: results, what it has registered, who it is */
	}
}
