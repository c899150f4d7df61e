/* This file is what a connection over TLS has more than others: the handshake, bytes to seal. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_CHANNEL_H
#define ENGINE_API_CHANNEL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. The connection reads and writes its socket as ever; in between, what came goes through
 * channel_open_bytes and what leaves through channel_seal. What the protocol has to say before the
 * handshake is done waits with the connection. A handshake that fails, or is not done in time,
 * ends the connection: it is counted and told to the log for those who look for it (debug).
 */
struct alarms;
struct channel;
struct tls_context;

/* The handshake has taken too long. */
typedef void channel_late_fn(void *ctx);

struct channel_options {
	struct alarms *alarms;
	int64_t timeout_ms; /* of the handshake */
	channel_late_fn *late;
	void *ctx;
	uint64_t *failures; /* of handshakes, counted here */
};

struct channel *channel_new(struct tls_context *context, const struct channel_options *options);
void channel_free(struct channel *channel); /* NULL is harmless */

bool channel_is_shaking(const struct channel *channel); /* nothing can be sealed yet */
bool channel_has_ended(const struct channel *channel);  /* the peer has said goodbye */
/* Appends what the peer says to `out_plain`. E_*: it is over; what is to be told goes out first. */
int channel_open_bytes(struct channel *channel, struct span wire, struct buf *out_plain,
                       struct err *err);
/* What is to be written to the socket. */
struct buf *channel_wire(struct channel *channel);
/* Puts `plain` there, and empties it, if that can be done already. False: it is over. */
bool channel_seal(struct channel *channel, struct buf *plain);
/* Puts our goodbye there; false when it was said before. */
bool channel_end(struct channel *channel);
size_t channel_unsent(const struct channel *channel);

#endif
