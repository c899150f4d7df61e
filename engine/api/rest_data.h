/* This file makes the data of a call out of an HTTP request, as its row of the table says. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_REST_DATA_H
#define ENGINE_API_REST_DATA_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/api/route.h"
#include <stdbool.h>

struct call;
struct http_request;

/* Embedded in who answers the request, beside its call. All zero but for `call` and
 * `service` at first. */
struct rest_data {
	struct call *call;   /* its function, namespace and data point into here */
	struct span service; /* the engine's own, as paths name it; borrowed */
	const struct route *route;
	struct buf text;
	struct buf segment; /* where a name of the path is decoded to */
	struct buf scope;   /* of an object, while its names come */
	bool is_raw;        /* of ROUTE_ENVELOPE: the value goes by itself */
	struct buf wish;    /* of a call that is put into a queue: which, when; else empty */
	bool has_if_match;
	struct span if_none_match; /* of a GET: the ETags that the client has */
};

/* Fills the call; the request is borrowed for this call. E_INVALID with a code for the client. */
int rest_data_build(struct rest_data *data, const struct route_match *match,
                    const struct http_request *http, struct err *err);
/* Does the client of a GET have this already? `rev` is a JSON string, which is its ETag too. */
bool rest_data_is_known(const struct rest_data *data, struct span rev);
/* Frees what the call points to, whether it was built or not. */
void rest_data_close(struct rest_data *data);

#endif
