/* This file makes the texts of tokens and what is kept of them: their hashes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TOKEN_TEXT_H
#define BASE_TOKEN_TEXT_H

#include "base/sha256.h"
#include "base/span.h"
#include <stdbool.h>

/*
 * DESIGN. A token is "pawl_" and 32 bytes of the kernel's random numbers in base64url: nobody
 * guesses it, so that one round of SHA-256 is enough for what is kept. Another text is no token,
 * whoever has hashed it: what people think up themselves can be guessed.
 */
enum { TOKEN_TEXT_LEN = 5 + 43, TOKEN_HASH_LEN = 7 + 2 * SHA256_LEN };

void token_text_make(char out[TOKEN_TEXT_LEN + 1]);
bool token_text_is_whole(struct span text); /* it looks like one */
void token_text_hash(struct span text, uint8_t out[SHA256_LEN]);
/* "sha256:" and 64 digits, as it stands in a config. */
void token_hash_write(const uint8_t hash[SHA256_LEN], char out[TOKEN_HASH_LEN + 1]);
bool token_hash_read(struct span text, uint8_t out[SHA256_LEN]);
/* Takes as long for any two. */
bool token_hash_equal(const uint8_t a[SHA256_LEN], const uint8_t b[SHA256_LEN]);

#endif
