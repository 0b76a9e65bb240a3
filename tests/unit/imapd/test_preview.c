/* imapd/preview: the first words of a text. */
#include "imapd/preview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void is(const char *text, bool is_html, const char *preview)
{
	struct str_buf out = {0};

	preview_text(str_view(text, strlen(text)), is_html, &out);
	assert_string_equal(out.p ? out.p : "", preview);
	str_buf_fini(&out);
}

static void blanks_are_drawn_together(void **state)
{
	(void)state;
	is("", false, "");
	is(" \r\n\t ", false, "");
	is("  Hello,\r\n\r\n  world \r\n", false, "Hello, world");
	is("a\xc2\xa0\xe2\x80\x8b" "b\xef\xbb\xbf\xff", false, "a b");
	is("<b>5 &lt; 6</b>", false, "<b>5 &lt; 6</b>");
}

static void it_ends_with_its_200th_character(void **state)
{
	char text[1000], made[501];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	memset(made, 'x', 200);
	made[200] = '\0';
	is(text, false, made);
	for (size_t i = 0; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[998] = '\0';
	memcpy(made, text, 400);
	made[400] = '\0';
	is(text, false, made);
}

static void tags_are_left_out_and_entities_read(void **state)
{
	(void)state;
	is("<p>One</p><p>two <b>th</b>ree<br>four", true, "One two three four");
	is("<!-- no --><style>p{}</style><SCRIPT>x<y</script>text", true, "text");
	is("a &amp; b &#38; c &#x26; d &nbsp;&unknown; &", true, "a & b & c & d &unknown; &");
	is("&#0;&#1114112;&#xd800;x&#;&#x;&#99999999999;", true, "x&#;&#x;&#99999999999;");
	is("1 < 2 <3 <", true, "1 < 2 <3 <");
	is("text<a href=\"", true, "text");
	is("text<!-- never closed", true, "text");
	is("<style>never closed", true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blanks_are_drawn_together),
	    cmocka_unit_test(it_ends_with_its_200th_character),
	    cmocka_unit_test(tags_are_left_out_and_entities_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
