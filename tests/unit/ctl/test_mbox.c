/* tests/unit/ctl/test_mbox.c - mbox files in, and out, and round. */
#include "cmocka_all.h"

#include "base/io.h"
#include "ctl/mbox.h"
#include "store/message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FROM "From a Mon Nov  3 04:25:00 2003\n"
#define SEEN_MAX 16

/* A sink that remembers; the messages are kept one behind the other. */
struct heard {
	struct str_buf messages[SEEN_MAX];
	struct mail_about about[SEEN_MAX];
	size_t n;
};

static int heard_begin(void *arg, struct err *e)
{
	(void)arg, (void)e;
	return 0;
}

static int heard_write(void *arg, const void *octets, size_t n, struct err *e)
{
	struct heard *h = arg;

	(void)e;
	str_buf_put(&h->messages[h->n], octets, n);
	return 0;
}

static int heard_end(void *arg, const struct mail_about *about, struct err *e)
{
	struct heard *h = arg;

	(void)e;
	assert_true(h->n < SEEN_MAX);
	h->about[h->n++] = *about;
	return 0;
}

static void heard_fini(struct heard *h)
{
	for (size_t i = 0; i < SEEN_MAX; i++)
		str_buf_fini(&h->messages[i]);
	*h = (struct heard){0};
}

/* Reads text as a file, of which first_n octets were read before. */
static void read_mbox(struct str_view text, size_t first_n, struct heard *h)
{
	struct mail_sink sink = {heard_begin, heard_write, heard_end, h};
	int fd = memfd_create("mbox", MFD_CLOEXEC);
	char first[64];
	struct err e;

	assert_true(fd >= 0 && first_n <= sizeof first);
	assert_int_equal(io_write_all(fd, text.p, text.n), 0);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(read(fd, first, first_n), (ssize_t)first_n);
	assert_int_equal(mbox_read(fd, str_view(first, first_n), 42, &sink, &e), 0);
	close(fd);
}

static void messages_end_at_from_lines_behind_blank_lines(void **state)
{
	static const char text[] = FROM "Subject: one\nStatus: RO\n\nbody\nFrom here on\n\nFrom prose\n\n" FROM
					"Subject: two\n\n>From me\n>>From you\n > From\n\n" FROM
					"Subject: no body\n\n" FROM "\n" FROM "Subject: last\n\nno end";
	struct heard h = {0};

	(void)state;
	for (size_t first_n = 0; first_n < 40; first_n += 13) {
		read_mbox(str_view(text, sizeof text - 1), first_n, &h);
		assert_int_equal(h.n, 5);
		assert_string_equal(h.messages[0].p,
		    "Subject: one\nStatus: RO\n\nbody\nFrom here on\n\nFrom prose\n");
		assert_int_equal(h.about[0].flags, STORE_FLAG_SEEN);
		assert_int_equal(h.about[0].idate_ms, 1067833500000);
		assert_string_equal(h.messages[1].p, "Subject: two\n\nFrom me\n>From you\n > From\n");
		assert_string_equal(h.messages[2].p, "Subject: no body\n\n");
		assert_string_equal(h.messages[3].p, "\n");
		assert_string_equal(h.messages[4].p, "Subject: last\n\nno end");
		heard_fini(&h);
	}
}

static void crlf_lines_are_kept_and_the_first_from_line_may_lack_a_date(void **state)
{
	static const char text[] = "From nobody\r\nSubject: one\r\n\r\nbody\r\n\r\nFrom a Mon Nov  3 04:25:00 "
				   "2003\r\nSubject: two\r\n\r\nx\r\n\r\n";
	struct heard h = {0};

	(void)state;
	read_mbox(str_view(text, sizeof text - 1), 0, &h);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.about[0].idate_ms, 42);
	assert_string_equal(h.messages[0].p, "Subject: one\r\n\r\nbody\r\n");
	assert_string_equal(h.messages[1].p, "Subject: two\r\n\r\nx\r\n");
	heard_fini(&h);
}

static void a_line_longer_than_the_buffer_is_no_trouble(void **state)
{
	struct str_buf text = {0}, line = {0};
	struct heard h = {0};

	(void)state;
	for (int i = 0; i < 300000; i++)
		str_buf_putc(&line, "\nFrom "[1 + i % 5]);
	str_buf_puts(&text, FROM "Subject: x\n\n>");
	str_buf_put(&text, line.p, line.n);
	str_buf_puts(&text, "\n\n");
	read_mbox(str_buf_view(&text), 10, &h);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.messages[0].n, strlen("Subject: x\n\n") + line.n + 1);
	assert_memory_equal(h.messages[0].p + strlen("Subject: x\n\n"), line.p, line.n);
	heard_fini(&h);
	str_buf_fini(&text);
	str_buf_fini(&line);
}

/* What goes out in any slices comes in again as it was. */
static void quoting_and_unquoting_are_inverse(void **state)
{
	static const char *const bodies[] = {
	    "From the start\n", ">From\n>From x\n>>>From y\nFro\nFrom", "\n\nFrom x\n\n>", "Fr\rom \nFrom \n>F>rom \n",
	    ">>>>>>>>\nF", "From a Mon Nov  3 04:25:00 2003\n\nFrom a Mon Nov  3 04:25:00 2003\n",
	};

	(void)state;
	for (size_t b = 0; b < sizeof bodies / sizeof *bodies; b++)
		for (size_t slice = 1; slice < 9; slice++) {
			struct str_buf mail = {0}, out = {0};
			struct mbox_quote q = {0};
			struct heard h = {0};

			str_buf_printf(&mail, "Subject: x\n\n%s", bodies[b]);
			str_buf_puts(&out, FROM);
			for (size_t at = 0; at < mail.n; at += slice)
				mbox_quote_feed(&q, mail.p + at,
				    mail.n - at < slice ? mail.n - at : slice, &out);
			mbox_quote_finish(&q, &out);
			if (mail.p[mail.n - 1] != '\n')
				str_buf_putc(&mail, '\n'); /* the one thing the form adds */
			read_mbox(str_buf_view(&out), 0, &h);
			assert_int_equal(h.n, 1);
			assert_string_equal(h.messages[0].p, mail.p);
			heard_fini(&h);
			str_buf_fini(&mail);
			str_buf_fini(&out);
		}
}

static void a_from_line_is_written_in_utc(void **state)
{
	struct str_buf line = {0};

	(void)state;
	mbox_from_line(1067833500999, &line);
	assert_string_equal(line.p, "From MAILER-DAEMON Mon Nov  3 04:25:00 2003\n");
	str_buf_clear(&line);
	mbox_from_line(-1, &line);
	assert_string_equal(line.p, "From MAILER-DAEMON Wed Dec 31 23:59:59 1969\n");
	str_buf_fini(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_end_at_from_lines_behind_blank_lines),
	    cmocka_unit_test(crlf_lines_are_kept_and_the_first_from_line_may_lack_a_date),
	    cmocka_unit_test(a_line_longer_than_the_buffer_is_no_trouble),
	    cmocka_unit_test(quoting_and_unquoting_are_inverse),
	    cmocka_unit_test(a_from_line_is_written_in_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
