/* This file tells addresses inside the network from those that a stranger may have us call. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook_address.h"
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct block {
	uint8_t bytes[16];
	unsigned bits;
};

/* IANA's special-purpose registries: what is not globally reachable. */
static const struct block blocks_four[] = {
        {{0}, 8},             /* this network */
        {{10}, 8},            /* private */
        {{100, 64}, 10},      /* shared, RFC 6598 */
        {{127}, 8},           /* loopback */
        {{169, 254}, 16},     /* link-local: cloud metadata lives here */
        {{172, 16}, 12},      /* private */
        {{192, 0, 0}, 24},    /* protocol assignments */
        {{192, 0, 2}, 24},    /* documentation */
        {{192, 168}, 16},     /* private */
        {{198, 18}, 15},      /* benchmarks */
        {{198, 51, 100}, 24}, /* documentation */
        {{203, 0, 113}, 24},  /* documentation */
        {{224}, 4},           /* multicast */
        {{240}, 4},           /* reserved, broadcast */
};

static const struct block blocks_six[] = {
        {{0}, 127},                                 /* unspecified, loopback */
        {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, /* local NAT64 */
        {{0x01}, 64},                               /* discard only */
        {{0x20, 0x01, 0x0d, 0xb8}, 32},             /* documentation */
        {{0xfc}, 7},                                /* unique local */
        {{0xfe, 0x80}, 10},                         /* link-local */
        {{0xfe, 0xc0}, 10},                         /* site-local, of old */
        {{0xff}, 8},                                /* multicast */
};

static bool is_within(const uint8_t *address, const struct block *block)
{
	unsigned whole = block->bits / 8;
	unsigned rest = block->bits % 8;
	if (memcmp(address, block->bytes, whole) != 0) {
		return false;
	}
	uint8_t mask = (uint8_t)(0xff00u >> rest);
	return rest == 0 || (address[whole] & mask) == (block->bytes[whole] & mask);
}

static bool is_private_four(const uint8_t address[4])
{
	for (size_t i = 0; i < sizeof(blocks_four) / sizeof(blocks_four[0]); i++) {
		if (is_within(address, &blocks_four[i])) {
			return true;
		}
	}
	return false;
}

/* IPv6 addresses that packets leave behind as IPv4 ones. */
static bool carries_private_four(const uint8_t address[16])
{
	static const struct block compatible = {{0}, 96};
	static const struct block mapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
	static const struct block translated = {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
	static const struct block nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
	static const struct block six_to_four = {{0x20, 0x02}, 16};
	static const struct block teredo = {{0x20, 0x01, 0x00, 0x00}, 32};
	if (is_within(address, &compatible) || is_within(address, &mapped) ||
	    is_within(address, &translated) || is_within(address, &nat64)) {
		return is_private_four(address + 12);
	}
	if (is_within(address, &teredo)) {
		return true; /* nobody serves over it any more */
	}
	return is_within(address, &six_to_four) && is_private_four(address + 2);
}

static bool is_private_six(const uint8_t address[16])
{
	for (size_t i = 0; i < sizeof(blocks_six) / sizeof(blocks_six[0]); i++) {
		if (is_within(address, &blocks_six[i])) {
			return true;
		}
	}
	return carries_private_four(address);
}

bool webhook_address_is_private(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *four = (const void *)address;
		return is_private_four((const uint8_t *)&four->sin_addr);
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const void *)address;
		return is_private_six(six->sin6_addr.s6_addr);
	}
	return true;
}
