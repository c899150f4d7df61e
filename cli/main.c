/* This file is the program: it reads the command line and runs one command. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/remote.h"

int main(int argc, char **argv)
{
	const struct command_set set = {commands, command_count};
	struct invocation invocation;
	int code = command_parse(&set, argc, argv, &invocation);
	if (code != EXIT_DONE || invocation.command == NULL) {
		return code;
	}
	const struct command *command = invocation.command;
	return command->run ? command->run(&invocation) : remote_request(&invocation);
}
