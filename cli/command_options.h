/* This file names the options of the commands, for their table. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_OPTIONS_H
#define CLI_COMMAND_OPTIONS_H

#include "cli/command.h"

/* Each ends with a row of NULLs. */
extern const struct option_row run_options[];
extern const struct option_row check_options[];
extern const struct option_row doctor_options[];
extern const struct option_row reload_options[];
extern const struct option_row delete_options[];
extern const struct option_row set_options[];
extern const struct option_row update_options[];
extern const struct option_row list_options[];
extern const struct option_row export_options[];
extern const struct option_row import_options[];
extern const struct option_row event_options[];
extern const struct option_row watch_options[];
extern const struct option_row explain_options[];
extern const struct option_row test_options[];
extern const struct option_row eval_options[];
extern const struct option_row put_options[];
extern const struct option_row clear_options[];
extern const struct option_row internal_options[];
extern const struct option_row pause_options[];
extern const struct option_row resume_options[];
extern const struct option_row job_options[];
extern const struct option_row past_options[];
extern const struct option_row dead_options[];
extern const struct option_row replay_options[];
extern const struct option_row discard_options[];
extern const struct option_row invoke_options[];
extern const struct option_row drain_options[];
extern const struct option_row enqueue_options[];
extern const struct option_row scheduled_options[];
extern const struct option_row publish_options[];
extern const struct option_row alarm_options[];
extern const struct option_row alarm_set_options[];
extern const struct option_row alarm_list_options[];
extern const struct option_row function_options[];
extern const struct option_row token_options[];

#endif
