/* This file holds the table of the config's section `http`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_table.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define KIB 1024LL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const struct field cors_fields[] = {
        {.name = "allowed_origins",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config_http, cors_origins),
         .change = FIELD_LIVE,
         .help = "Web origins whose pages may call HTTP triggers and read the answers: "
                 "https://app.example.com, or * for all."},
        {.name = NULL},
};

const struct field config_cors_fields[] = {
        {.name = "allowed_origins",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config, cors.allowed_origins),
         .change = FIELD_LIVE,
         .help = "Web origins whose pages may use the HTTP API and read its answers: "
                 "https://app.example.com, or * for all. They need a token like everybody."},
        {.name = NULL},
};

const struct field config_http_fields[] = {
        {.name = "listen",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_http, listen),
         .min = 1,
         .max = 256,
         .change = FIELD_RESTART,
         .help = "Address and port for requests to triggers of type http, such as "
                 "127.0.0.1:3111; without it there is no such listener."},
        {.name = "max_body",
         .kind = FIELD_SIZE,
         .offset = offsetof(struct config_http, max_body),
         .otherwise = "1m",
         .min = KIB,
         .max = GIB,
         .change = FIELD_LIVE,
         .help = "The largest body of a request to a trigger."},
        {.name = "max_concurrent",
         .kind = FIELD_INT,
         .offset = offsetof(struct config_http, max_concurrent),
         .otherwise = "1024",
         .min = 1,
         .max = 1000000,
         .change = FIELD_LIVE,
         .help = "How many requests to triggers are in hand at a time; what is more is answered "
                 "503."},
        {.name = "cors",
         .kind = FIELD_SECTION,
         .fields = cors_fields,
         .help = "Pages of other origins; nobody without it."},
        {.name = "allowed_hosts",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config_http, allowed_hosts),
         .change = FIELD_LIVE,
         .help = "Names in Host that are served besides loopback and the listen address."},
        {.name = "allowed_origins",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config_http, allowed_origins),
         .change = FIELD_LIVE,
         .help = "Web origins that may talk to this daemon besides its own."},
        {.name = "header_timeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config_http, header_timeout),
         .otherwise = "10s",
         .min = SECOND,
         .max = 10 * MINUTE,
         .change = FIELD_LIVE,
         .help = "How long a client may take to send its headers."},
        {.name = "idle_timeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config_http, idle_timeout),
         .otherwise = "75s",
         .min = SECOND,
         .max = 24 * HOUR,
         .change = FIELD_LIVE,
         .help = "How long a connection may stay open without a request."},
        {.name = "max_header",
         .kind = FIELD_SIZE,
         .offset = offsetof(struct config_http, max_header),
         .otherwise = "64k",
         .min = KIB,
         .max = MIB,
         .change = FIELD_LIVE,
         .help = "The largest block of headers."},
        {.name = NULL},
};
