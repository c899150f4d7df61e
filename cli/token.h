/* This file makes tokens: by asking an engine, or by itself for a config. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TOKEN_H
#define CLI_TOKEN_H

#include "base/span.h"

struct invocation;

int token_create(const struct invocation *invocation);
/* The token alone, for who keeps it in a file. */
void token_show(struct span answer);

#endif
