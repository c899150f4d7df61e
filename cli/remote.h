/* This file runs the commands that ask a running engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "base/buf.h"
#include "base/span.h"

struct client;
struct client_answer;
struct err;
struct invocation;

/* Each returns an enum exit_code and has printed what there is to say. */
int remote_request(const struct invocation *invocation); /* as the table says */
int remote_update(const struct invocation *invocation);
int remote_scopes(const struct invocation *invocation);
/* One request of another kind than the table's, shown like those. */
int remote_ask(const struct invocation *invocation, const char *method, struct span path,
               struct span body);
/* The same in two: the engine's answer, unless it refused, and what the table says of showing it.
 */
int remote_fetch(const struct invocation *invocation, const char *method, struct span path,
                 struct span body, struct buf *out);
void remote_show(const struct invocation *invocation, struct span body);
/* Appends the path: {1} stands for argument 1, options become query parameters. */
void remote_path(const struct invocation *invocation, const char *template, struct buf *path);
/* A client for several requests, or for one that is read in pieces. */
int remote_open(const struct invocation *invocation, struct client **out);
/* EXIT_DONE when the engine did what it was asked; else it is said why not. */
int remote_judge(const struct client_answer *answer);
/* Says what kept a request from being answered. */
int remote_report(const struct err *err);

#endif
