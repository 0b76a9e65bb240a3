/* The fields on top of a delivered message, to the octet. */
#include "deliver/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1764202539123) /* Thu, 27 Nov 2025 00:15:39 UTC */

static void expect(struct letter_from from, const char *host, const char *text)
{
	struct str_buf out = {0};

	trace_put(&from, "bob+list@example.org", host, NOW_MS, &out);
	assert_string_equal(out.p, text);
	str_buf_fini(&out);
}

static void fields_say_who_and_when(void **state)
{
	(void)state;
	expect((struct letter_from){"ann@example.net", "LMTP", "mx.example.net", "127.0.0.1:50123", "1f.2"}, "mail.example.org",
	    "Return-Path: <ann@example.net>\r\nDelivered-To: bob+list@example.org\r\n"
	    "Received: from mx.example.net ([127.0.0.1])\r\n\tby mail.example.org (postern) with LMTP id 1f.2\r\n"
	    "\tfor <bob+list@example.org>; Thu, 27 Nov 2025 00:15:39 +0000\r\n");
	expect((struct letter_from){"", "UTF8LMTPS", "mx", "[::1]:50123", "1f.2"}, "h",
	    "Return-Path: <>\r\nDelivered-To: bob+list@example.org\r\nReceived: from mx ([IPv6:::1])\r\n"
	    "\tby h (postern) with UTF8LMTPS id 1f.2\r\n\tfor <bob+list@example.org>; Thu, 27 Nov 2025 00:15:39 +0000\r\n");
	expect((struct letter_from){"a@b", "LMTP", "mx", "unix:4711", "x"}, "h",
	    "Return-Path: <a@b>\r\nDelivered-To: bob+list@example.org\r\nReceived: from mx\r\n"
	    "\tby h (postern) with LMTP id x\r\n\tfor <bob+list@example.org>; Thu, 27 Nov 2025 00:15:39 +0000\r\n");
	expect((struct letter_from){"a@b", "local", NULL, NULL, "x"}, "h",
	    "Return-Path: <a@b>\r\nDelivered-To: bob+list@example.org\r\n"
	    "Received: by h (postern) with local id x\r\n\tfor <bob+list@example.org>; Thu, 27 Nov 2025 00:15:39 +0000\r\n");
}

static void received_can_be_left_out(void **state)
{
	(void)state;
	expect((struct letter_from){"a@b", "LMTP", "mx", "127.0.0.1:1", "x"}, NULL,
	    "Return-Path: <a@b>\r\nDelivered-To: bob+list@example.org\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_say_who_and_when),
	    cmocka_unit_test(received_can_be_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
