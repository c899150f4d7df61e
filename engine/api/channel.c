/* This file is what a connection over TLS has more than others: the handshake, bytes to seal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/channel.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/api/problem.h"
#include "engine/durable/alarm.h"
#include "wire/http_write.h"
#include "wire/tls.h"

struct channel {
	struct tls *tls;
	struct buf wire;
	struct alarm handshake; /* set while it goes on */
	struct channel_options options;
	bool was_open;
	const char *failure; /* the code of an error that was told already */
};

static void on_late(struct alarm *alarm)
{
	struct channel *channel = MEM_CONTAINER(alarm, struct channel, handshake);
	channel->failure = "timeout";
	log_debug("tls", "a handshake was not done in %lld ms",
	          (long long)channel->options.timeout_ms);
	channel->options.late(channel->options.ctx);
}

struct channel *channel_new(struct tls_context *context, const struct channel_options *options)
{
	struct channel *channel = MEM_NEW(struct channel);
	channel->tls = tls_new_server(context);
	channel->options = *options;
	channel->handshake.fn = on_late;
	alarm_set_real(options->alarms, &channel->handshake, options->timeout_ms);
	return channel;
}

void channel_free(struct channel *channel)
{
	if (channel == NULL) {
		return;
	}
	alarm_clear(channel->options.alarms, &channel->handshake);
	if (!channel->was_open) {
		++*channel->options.failures;
		if (channel->failure == NULL) {
			log_debug("tls", "the peer ended the connection during the handshake");
		}
	}
	tls_free(channel->tls);
	buf_free(&channel->wire);
	mem_free(channel);
}

bool channel_is_shaking(const struct channel *channel)
{
	return tls_state(channel->tls) == TLS_SHAKING;
}

bool channel_has_ended(const struct channel *channel)
{
	return tls_state(channel->tls) == TLS_ENDED;
}

/* Who came without TLS is told so in his own words. */
static void answer_plainly(struct channel *channel)
{
	struct buf body = {0};
	const struct http_response response = {.status = 400, .content_type = SPAN(PROBLEM_TYPE)};
	problem_write(&body, response.status, SPAN("plain_http"),
	              SPAN("this port speaks TLS: the URL must begin with https:// or wss://"));
	buf_clear(&channel->wire); /* an alert, which he would not understand */
	http_write_head(&channel->wire, &response, body.len);
	buf_span(&channel->wire, buf_view(&body));
	buf_free(&body);
}

static void take_failure(struct channel *channel, const struct err *err)
{
	channel->failure = err->code;
	log_debug("tls", "%s: %s", channel->was_open ? "a connection failed" : "a handshake failed",
	          err->text);
	if (strcmp(err->code, "plain_http") == 0) {
		answer_plainly(channel);
	}
}

int channel_open_bytes(struct channel *channel, struct span wire, struct buf *out_plain,
                       struct err *err)
{
	int status = tls_receive(channel->tls, wire, out_plain, &channel->wire, err);
	if (!channel->was_open && (status != 0 || !channel_is_shaking(channel))) {
		alarm_clear(channel->options.alarms, &channel->handshake);
		channel->was_open = status == 0 && tls_state(channel->tls) != TLS_FAILED;
	}
	if (status != 0) {
		take_failure(channel, err);
	}
	return status;
}

struct buf *channel_wire(struct channel *channel)
{
	return &channel->wire;
}

bool channel_seal(struct channel *channel, struct buf *plain)
{
	struct err err;
	enum tls_state state = tls_state(channel->tls);
	if (state == TLS_FAILED) {
		buf_clear(plain); /* nobody can read it any more */
		return true;
	}
	if (state == TLS_SHAKING || plain->len == 0) {
		return true;
	}
	int status = tls_send(channel->tls, buf_view(plain), &channel->wire, &err);
	if (status != 0) {
		take_failure(channel, &err);
	}
	buf_clear(plain);
	return status == 0;
}

bool channel_end(struct channel *channel)
{
	size_t before = channel->wire.len;
	tls_end(channel->tls, &channel->wire);
	return channel->wire.len > before;
}

size_t channel_unsent(const struct channel *channel)
{
	return channel->wire.len;
}
