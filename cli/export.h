/* This file writes what an engine's scopes hold into a file, one line of JSON a key. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

struct invocation;

/*
 * DESIGN. A line is {"scope":...,"key":...,"value":...,"rev":...}, with "encoding" and "expires_at"
 * where they are, the value byte
 * for byte as the engine has it. Keys are read page by page: an export is not a snapshot, what is
 * written meanwhile may or may not be in it. A file appears under its name when it is whole.
 */
int export_run(const struct invocation *invocation); /* an enum exit_code */

#endif
