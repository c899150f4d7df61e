/* This file keeps tokens as records, and brings them into memory at the start. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TOKEN_RECORD_H
#define ENGINE_CORE_TOKEN_RECORD_H

#include "base/err.h"
#include "engine/core/tokens.h"

struct store;

/* Puts or deletes the record of a token with that name; the caller commits. */
void token_record_put(struct store *store, const struct token *token);
void token_record_delete(struct store *store, const struct token *token);

/* Adds every token that there is a record of, then calls done, once. */
void token_records_load(struct tokens *tokens, struct store *store,
                        void (*done)(void *ctx, int status, const struct err *err), void *ctx);

#endif
