/* This file proves which addresses are taken for inside ones. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/span.h"
#include "engine/work/webhook_address.h"
#include <arpa/inet.h>
#include <sys/un.h>

static bool is_private(const char *text)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
		return webhook_address_is_private((const struct sockaddr *)&four);
	}
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return webhook_address_is_private((const struct sockaddr *)&six);
}

static void inside_addresses_are_known(void **state)
{
	(void)state;
	static const char *const inside[] = {"0.0.0.0",
	                                     "10.0.0.1",
	                                     "100.64.0.1",
	                                     "100.127.255.255",
	                                     "127.0.0.1",
	                                     "127.255.0.9",
	                                     "169.254.169.254",
	                                     "172.16.0.1",
	                                     "172.31.255.255",
	                                     "192.168.1.1",
	                                     "198.18.0.1",
	                                     "224.0.0.1",
	                                     "255.255.255.255",
	                                     "::",
	                                     "::1",
	                                     "::127.0.0.1",
	                                     "::ffff:127.0.0.1",
	                                     "::ffff:10.0.0.1",
	                                     "::ffff:169.254.169.254",
	                                     "::ffff:0:10.0.0.1",
	                                     "64:ff9b::10.0.0.1",
	                                     "64:ff9b:1::1",
	                                     "2002:7f00:1::",
	                                     "2002:a00:1::1",
	                                     "2001:0:1::1",
	                                     "fc00::1",
	                                     "fdff::1",
	                                     "fe80::1",
	                                     "fec0::1",
	                                     "ff02::1",
	                                     "2001:db8::1"};
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		if (!is_private(inside[i])) {
			fail_msg("%s is let through", inside[i]);
		}
	}
}

static void outside_addresses_are_let_through(void **state)
{
	(void)state;
	static const char *const outside[] = {
	        "1.1.1.1",          "8.8.8.8",         "100.63.255.255",  "100.128.0.1",
	        "126.255.255.255",  "128.0.0.1",       "169.253.1.1",     "172.15.255.255",
	        "172.32.0.1",       "192.167.1.1",     "192.169.1.1",     "198.17.1.1",
	        "198.20.1.1",       "223.255.255.255", "2606:4700::1111", "::ffff:8.8.8.8",
	        "64:ff9b::8.8.8.8", "2002:808:808::1"};
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		if (is_private(outside[i])) {
			fail_msg("%s is refused", outside[i]);
		}
	}
}

static void other_families_are_not_let_through(void **state)
{
	(void)state;
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	assert_true(webhook_address_is_private((const struct sockaddr *)&local));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(inside_addresses_are_known),
	        cmocka_unit_test(outside_addresses_are_let_through),
	        cmocka_unit_test(other_families_are_not_let_through),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
