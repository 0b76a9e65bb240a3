/* Lines of the authentication protocol, and the words that both of its ends write. */
#include "auth/wire.h"
#include "authd/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int forget(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static bool parse(const char *text, struct protocol_line *line_r)
{
	const char *why;

	return protocol_parse(str_view(text, strlen(text)), &arena, line_r, &why);
}

static void auth_as_postfix_says_it(void **state)
{
	struct protocol_line line;

	(void)state;
	assert_true(parse("AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.1\trip=198.51.100.2\tsecured\tresp=AGFs=", &line));
	assert_int_equal(line.verb, PROTOCOL_AUTH);
	assert_int_equal(line.id, 1);
	assert_string_equal(line.mechanism, "PLAIN");
	assert_string_equal(line.service, "smtp");
	assert_string_equal(line.address, "198.51.100.2");
	assert_true(line.is_secured);
	assert_true(line.has_data);
	assert_true(str_equal(line.data, SV("AGFs=")));
	assert_null(line.external);
}

static void auth_without_an_initial_response_has_no_data(void **state)
{
	struct protocol_line line;

	(void)state;
	assert_true(parse("AUTH\t4294967295\tLOGIN\tservice=smtp", &line));
	assert_false(line.has_data);
	assert_false(line.is_secured);
	assert_null(line.address);
	assert_true(parse("AUTH\t2\tPLAIN\tservice=smtp\tresp=", &line)); /* an empty one is one */
	assert_true(line.has_data);
	assert_int_equal(line.data.n, 0);
}

static void certificate_counts_where_it_was_verified(void **state)
{
	struct protocol_line line;

	(void)state;
	assert_true(parse("AUTH\t1\tEXTERNAL\tservice=imap\tvalid-client-cert\tcert_username=alice", &line));
	assert_string_equal(line.external, "alice");
	assert_true(parse("AUTH\t1\tEXTERNAL\tservice=imap\tcert_username=alice", &line));
	assert_null(line.external);
}

static void binding_is_hexadecimal(void **state)
{
	static const char *const bad[] = {"", "0", "0g", "ABCD"};
	struct protocol_line line;
	char text[64];

	(void)state;
	assert_true(parse("AUTH\t1\tX\tservice=imap\ttls-exporter=00ff7a", &line));
	assert_int_equal(line.binding, SASL_BINDING_EXPORTER);
	assert_true(str_equal(line.binding_octets, SV("\x00\xff\x7a")));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "AUTH\t1\tX\tservice=imap\ttls-unique=%s", bad[i]);
		assert_false(parse(text, &line));
	}
}

static void malformed_lines_are_refused(void **state)
{
	static const char *const bad[] = {
	    "", "AUTH", "AUTH\t", "AUTH\t1", "AUTH\t1\t", "AUTH\tx\tPLAIN\tservice=smtp", "AUTH\t-1\tPLAIN\tservice=smtp",
	    "AUTH\t4294967296\tPLAIN\tservice=smtp", "AUTH\t1\tPLAIN", "AUTH\t1\tPLAIN\tservice=", "AUTH\t1\tPLAIN\tservice",
	    "AUTH\t1\tPLAIN\tservice=a\001x", "AUTH\t1\tPLAIN\tservice=a\001", "AUTH\t1\tPLAIN\tservice=a\0010",
	    "AUTH\t1\tPLAIN\tresp=AA==\tservice=smtp", "CONT", "CONT\tx", "CANCEL", "VERSION", "VERSION\tone\t1",
	    "CPID\t", "auth\t1\tPLAIN\tservice=smtp", "QUIT"};
	struct protocol_line line;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		print_message("%s\n", bad[i]);
		assert_false(parse(bad[i], &line));
	}
}

static void cont_may_be_empty(void **state)
{
	struct protocol_line line;

	(void)state;
	assert_true(parse("CONT\t7\t", &line));
	assert_true(line.has_data);
	assert_int_equal(line.data.n, 0);
	assert_true(parse("CONT\t7\tYQ==", &line));
	assert_true(str_equal(line.data, SV("YQ==")));
	assert_true(parse("CANCEL\t7", &line));
	assert_int_equal(line.verb, PROTOCOL_CANCEL);
}

static void what_is_written_is_read_again(void **state)
{
	static const char odd[] = "a\tb\nc\rd\001e=f \xc3\xa9";
	struct str_buf out = {0};
	struct str_view rest, word, name, value;

	(void)state;
	wire_put_parameter(&out, "user", odd);
	rest = str_buf_view(&out);
	assert_true(wire_word(&rest, &word));
	assert_int_equal(word.n, 0); /* the tab in front */
	assert_true(wire_word(&rest, &word));
	assert_false(wire_word(&rest, &value));
	wire_parameter(word, &name, &value);
	assert_true(str_equal(name, SV("user")));
	assert_string_equal(wire_text(value, &arena), odd);
	assert_null(memchr(value.p, '\n', value.n));
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(auth_as_postfix_says_it, forget),
	    cmocka_unit_test_teardown(auth_without_an_initial_response_has_no_data, forget),
	    cmocka_unit_test_teardown(certificate_counts_where_it_was_verified, forget),
	    cmocka_unit_test_teardown(binding_is_hexadecimal, forget),
	    cmocka_unit_test_teardown(malformed_lines_are_refused, forget),
	    cmocka_unit_test_teardown(cont_may_be_empty, forget),
	    cmocka_unit_test_teardown(what_is_written_is_read_again, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
