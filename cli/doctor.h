/* This file examines what an engine needs, and one that runs, and says what to do. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

struct invocation;

int doctor_run(const struct invocation *invocation); /* an enum exit_code */

#endif
