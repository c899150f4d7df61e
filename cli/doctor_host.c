/* This file examines the machine: the data directory, its disk, the clock, limits and memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor_host.h"

#include "base/zone.h"
#include "cli/findings.h"
#include "engine/config.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, PATH_ROOM = 4096, SPARE_FDS = 64 };

/* Numbers of statfs(2), and why that is no place for data. */
static const struct {
	unsigned long type;
	enum findings_level level;
	const char *name;
	const char *why;
} file_systems[] = {
        {0x01021994, FINDINGS_WARN, "tmpfs",
         "it is memory: nothing survives a restart of the machine"},
        {0x858458f6, FINDINGS_WARN, "ramfs",
         "it is memory: nothing survives a restart of the machine"},
        {0x794c7630, FINDINGS_WARN, "overlay", "it goes when the container is removed"},
        {0x6969, FINDINGS_WARN, "NFS", "its fdatasync and locks depend on the server"},
        {0x517b, FINDINGS_WARN, "SMB", "its fdatasync and locks depend on the server"},
        {0xff534d42, FINDINGS_WARN, "CIFS", "its fdatasync and locks depend on the server"},
        {0xfe534d42, FINDINGS_WARN, "SMB", "its fdatasync and locks depend on the server"},
        {0x65735546, FINDINGS_WARN, "FUSE", "whether its fdatasync lasts depends on its program"},
        {0x01021997, FINDINGS_WARN, "9p", "its fdatasync and locks depend on the host"},
};

/* ---- the data directory ---- */

static void examine_file_system(const char *dir, struct findings *findings)
{
	struct statfs about;
	if (statfs(dir, &about) != 0) {
		findings_add(findings, FINDINGS_FAIL, "disk", "look at the mount", "%s: %s", dir,
		             strerror(errno));
		return;
	}
	uint64_t free_mib = (uint64_t)about.f_bavail * (uint64_t)about.f_bsize / MIB;
	enum findings_level level = free_mib < 64     ? FINDINGS_FAIL
	                            : free_mib < 1024 ? FINDINGS_WARN
	                                              : FINDINGS_OK;
	findings_add(findings, level, "disk",
	             "make room: writes are refused when the disk is full, and journal.max_bytes "
	             "and journal.max_age say how much history is kept",
	             "%" PRIu64 " MiB are free for %s", free_mib, dir);
	for (size_t i = 0; i < sizeof file_systems / sizeof *file_systems; i++) {
		if ((unsigned long)about.f_type == file_systems[i].type) {
			findings_add(findings, file_systems[i].level, "disk",
			             "put the data directory on a local disk (ext4, xfs, btrfs)",
			             "%s is on %s: %s", dir, file_systems[i].name,
			             file_systems[i].why);
		}
	}
}

static void examine_owner(const char *dir, const struct stat *about, struct findings *findings)
{
	bool is_ours = about->st_uid == geteuid();
	if (access(dir, R_OK | W_OK | X_OK) != 0) {
		findings_add(findings, FINDINGS_FAIL, "data",
		             "run the engine as the owner, or change the owner (chown -R)",
		             "%s cannot be written by user %u, its owner is %u", dir,
		             (unsigned)geteuid(), (unsigned)about->st_uid);
	} else if (!is_ours) {
		findings_add(findings, FINDINGS_WARN, "data",
		             "run this as the user that the engine runs as",
		             "%s is owned by user %u, and this is user %u", dir,
		             (unsigned)about->st_uid, (unsigned)geteuid());
	} else {
		findings_add(findings, FINDINGS_OK, "data", NULL, "%s is ours and writable", dir);
	}
	if ((about->st_mode & 07) != 0) {
		findings_add(findings, FINDINGS_WARN, "data", "chmod o-rwx on it",
		             "every user of this machine may look into %s (mode %03o)", dir,
		             (unsigned)about->st_mode & 0777);
	}
}

/* A line such as "3: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF": who has locked this file; 0: it
 * is about another one. */
static int64_t read_lock(const char *line, const struct stat *about)
{
	static const char write_word[] = "WRITE ";
	const char *at = strstr(line, "FLOCK") ? strstr(line, write_word) : NULL;
	if (at == NULL) {
		return 0;
	}
	char *end;
	long long process = strtoll(at + sizeof write_word - 1, &end, 10);
	unsigned long major_number = strtoul(end, &end, 16);
	unsigned long minor_number = strtoul(end + (*end == ':'), &end, 16);
	unsigned long long inode = strtoull(end + (*end == ':'), &end, 10);
	bool is_it = inode == about->st_ino &&
	             makedev((unsigned)major_number, (unsigned)minor_number) == about->st_dev;
	return !is_it ? 0 : process > 0 ? process : -1;
}

/* By the kernel's list; to ask for the lock could stop an engine that starts. */
static int64_t find_holder(const char *dir)
{
	char path[PATH_ROOM];
	char line[256];
	struct stat about;
	int64_t holder = 0;
	(void)snprintf(path, sizeof path, "%s/pawl.lock", dir);
	FILE *file = stat(path, &about) == 0 ? fopen("/proc/locks", "re") : NULL;
	while (file != NULL && holder == 0 && fgets(line, sizeof line, file) != NULL) {
		holder = read_lock(line, &about);
	}
	if (file != NULL) {
		(void)fclose(file);
	}
	return holder;
}

/* Can the directory be made where it is not? */
static void examine_absent(const char *dir, struct findings *findings)
{
	char parent[PATH_ROOM];
	(void)snprintf(parent, sizeof parent, "%s", dir);
	char *slash = strrchr(parent, '/');
	if (slash == NULL) {
		(void)snprintf(parent, sizeof parent, ".");
	} else {
		slash[slash == parent] = '\0';
	}
	if (access(parent, F_OK) == 0 && access(parent, W_OK | X_OK) != 0) {
		findings_add(findings, FINDINGS_FAIL, "data",
		             "make it, and give it to the user that runs the engine",
		             "%s does not exist, and %s is not ours to write", dir, parent);
	} else {
		findings_add(findings, FINDINGS_WARN, "data",
		             "nothing, if the engine has never run; else look at `data` of the "
		             "configuration",
		             "%s does not exist yet; the engine makes it", dir);
	}
}

void doctor_host_data(const struct config *config, struct findings *findings, int64_t *out_holder)
{
	const char *dir = config->data;
	struct stat about;
	*out_holder = 0;
	if (stat(dir, &about) != 0) {
		if (errno == ENOENT) {
			examine_absent(dir, findings);
		} else {
			findings_add(findings, FINDINGS_FAIL, "data", "look at its parents",
			             "%s: %s", dir, strerror(errno));
		}
		return;
	}
	if (!S_ISDIR(about.st_mode)) {
		findings_add(findings, FINDINGS_FAIL, "data",
		             "name another one as `data` in the configuration",
		             "%s is no directory", dir);
		return;
	}
	examine_owner(dir, &about, findings);
	examine_file_system(dir, findings);
	*out_holder = find_holder(dir);
	if (*out_holder > 0) {
		findings_add(findings, FINDINGS_OK, "data", NULL, "process %" PRId64 " has it",
		             *out_holder);
	} else {
		findings_add(findings, FINDINGS_OK, "data", NULL, "%s",
		             *out_holder == 0 ? "no engine has it" : "an engine has it");
	}
}

/* ---- the clock ---- */

void doctor_host_clock(struct findings *findings)
{
	const struct zone *zone;
	struct timex state = {0};
	struct err err;
	int result = adjtimex(&state);
	if (result < 0) {
		findings_add(
		        findings, FINDINGS_WARN, "clock", "nothing, if the host keeps the time",
		        "whether the clock is synchronised cannot be told: %s", strerror(errno));
	} else if (result == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
		findings_add(findings, FINDINGS_WARN, "clock",
		             "run chrony or systemd-timesyncd: alarms, cron and expiry follow the "
		             "clock of the machine",
		             "the clock is not synchronised");
	} else {
		findings_add(findings, FINDINGS_OK, "clock", NULL, "the clock is synchronised");
	}
	if (zone_get(SPAN("Europe/Berlin"), &zone, &err) != 0) {
		findings_add(findings, FINDINGS_WARN, "clock",
		             "install tzdata, if triggers of type cron name zones",
		             "there are no time zones but UTC: %s", err.text);
	} else {
		findings_add(findings, FINDINGS_OK, "clock", NULL, "time zones are there");
	}
}

/* ---- limits ---- */

/* The soft limit of open files that another process has; 0: it cannot be told. */
static uint64_t files_of(int64_t process)
{
	static const char name[] = "Max open files";
	char path[64];
	char line[256];
	uint64_t most = 0;
	(void)snprintf(path, sizeof path, "/proc/%" PRId64 "/limits", process);
	FILE *file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		if (strncmp(line, name, sizeof name - 1) == 0) {
			most = strtoull(line + sizeof name - 1, NULL, 10);
		}
	}
	if (file != NULL) {
		(void)fclose(file);
	}
	return most;
}

static void examine_files(const struct config *config, int64_t holder, struct findings *findings)
{
	struct rlimit limit = {0};
	uint64_t most = holder > 0 ? files_of(holder) : 0;
	const char *whose = "the engine that runs";
	if (most == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		most = limit.rlim_cur;
		whose = "an engine that is started from here";
	}
	uint64_t need = (uint64_t)config->limits.max_connections + SPARE_FDS;
	findings_add(findings, most < need ? FINDINGS_WARN : FINDINGS_OK, "limits",
	             "raise it (LimitNOFILE= of the unit, ulimit -n), or lower "
	             "limits.max_connections",
	             "%s may open %" PRIu64 " files; limits.max_connections needs %" PRIu64, whose,
	             most, need);
}

/* The number in a file that has one, 0 without. */
static uint64_t read_number(const char *path, const char *behind)
{
	char line[256];
	uint64_t number = 0;
	FILE *file = fopen(path, "re");
	while (file != NULL && number == 0 && fgets(line, sizeof line, file) != NULL) {
		size_t len = strlen(behind);
		if (strncmp(line, behind, len) == 0) {
			number = strtoull(line + len, NULL, 10);
		}
	}
	if (file != NULL) {
		(void)fclose(file);
	}
	return number;
}

static void examine_memory(const struct config *config, struct findings *findings)
{
	uint64_t available = read_number("/proc/meminfo", "MemAvailable:") * 1024;
	uint64_t group = read_number("/sys/fs/cgroup/memory.max", "");
	uint64_t need = (uint64_t)config->cache.max_bytes + 64 * (uint64_t)MIB;
	uint64_t most = group != 0 && group < available ? group : available;
	findings_add(findings, most < need ? FINDINGS_WARN : FINDINGS_OK, "limits",
	             "lower cache.max_bytes, or give the engine more memory",
	             "%" PRIu64 " MiB of memory are available%s; cache.max_bytes and the engine "
	             "itself take up to %" PRIu64,
	             most / MIB, most == group && group != 0 ? " (of its control group)" : "",
	             need / MIB);
}

void doctor_host_limits(const struct config *config, int64_t holder, struct findings *findings)
{
	examine_files(config, holder, findings);
	examine_memory(config, findings);
}
