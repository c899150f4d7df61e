/* This file serves the console: a page for people, its scripts and its style. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_CONSOLE_H
#define ENGINE_API_CONSOLE_H

#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. The files of folder console/ are part of the program. They hold nothing that needs a
 * right: what the page shows it asks of the API, as everybody does. A file is fetched again only
 * when it is another one (ETag). The page may load nothing from elsewhere, run no script that
 * stands in its text, and be framed by nobody.
 */
struct exchange;
struct http_request;

/* A browser that opens "/" wants the page, other clients want JSON. */
bool console_is_wanted(const struct http_request *http);
/* Answers with a file of this name; an absent name is the page itself. */
void console_answer(struct exchange *exchange, const struct http_request *http, struct span name);
/* The media types that files have, one after the other; absent behind the last one. */
struct span console_media(size_t i);

#endif
