/* This file is the program: it reads the command line and runs one command. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/remote.h"
#include <locale.h>
#include <stdio.h>

static int explain(const struct invocation *invocation)
{
	struct buf text = {0};
	if (invocation->wish == COMMAND_VERSION) {
		BUF_LITERAL(&text, "pawl " PAWL_VERSION "\n");
	} else {
		help_write(invocation, &text);
	}
	(void)fwrite(text.ptr, 1, text.len, stdout);
	buf_free(&text);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	const struct command_set set = {commands, command_count};
	struct invocation invocation;
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of characters */
	if (complete_is_asked(argc, argv)) {
		return complete_run(&set, argc, argv);
	}
	int code = command_parse(&set, argc, argv, &invocation);
	if (code != EXIT_DONE) {
		return code;
	}
	if (invocation.wish != COMMAND_RUN) {
		return explain(&invocation);
	}
	const struct command *command = invocation.command;
	return command->run ? command->run(&invocation) : remote_request(&invocation);
}
