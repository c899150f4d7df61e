/* This file draws random bytes and spells identifiers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include "base/err.h"
#include <errno.h>
#include <sys/random.h>

static void ask_kernel(unsigned char *at, size_t len)
{
	while (len != 0) {
		ssize_t got = getrandom(at, len, 0);
		if (got < 0) {
			PRE(errno == EINTR);
			continue;
		}
		at += got;
		len -= (size_t)got;
	}
}

/* The kernel is asked for 4 KiB at a time: an invocation id must not cost a system call. */
void id_random(void *bytes, size_t len)
{
	static _Thread_local unsigned char pool[4096];
	static _Thread_local size_t used = sizeof pool;
	PRE(len <= sizeof pool);
	if (len > sizeof pool - used) {
		ask_kernel(pool, sizeof pool);
		used = 0;
	}
	memcpy(bytes, pool + used, len);
	used += len;
}

void id_hex(const void *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *at = bytes;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[at[i] >> 4];
		out[2 * i + 1] = digits[at[i] & 15];
	}
	out[2 * len] = '\0';
}

void id_uuid(char out[ID_UUID_LEN + 1])
{
	unsigned char raw[16];
	id_random(raw, sizeof raw);
	raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);
	raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
	char hex[33];
	id_hex(raw, sizeof raw, hex);
	static const unsigned char group_len[] = {8, 4, 4, 4, 12};
	const char *from = hex;
	for (size_t i = 0; i < sizeof group_len; i++) {
		if (i != 0) {
			*out++ = '-';
		}
		memcpy(out, from, group_len[i]);
		out += group_len[i];
		from += group_len[i];
	}
	*out = '\0';
}

bool id_parse_uint(struct span text, uint64_t *out)
{
	if (text.len == 0 || text.len > 20 || (text.len > 1 && text.ptr[0] == '0')) {
		return false;
	}
	uint64_t value = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';
		if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
			return false;
		}
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}
