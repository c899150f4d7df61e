/* This file makes and replaces triggers of a running engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TRIGGER_PUT_H
#define CLI_TRIGGER_PUT_H

struct invocation;

/* What a trigger is comes from --file, or from the options; it is judged here first, so that an
 * error has its line. Each returns an enum exit_code. */
int trigger_put_create(const struct invocation *invocation);  /* refused where it is there */
int trigger_put_replace(const struct invocation *invocation); /* refused where it is not */

#endif
