/*
 * Fuzz target for ctl: mbox.c mail_form.c.
 *
 * Any octets as an mbox, in two ways of reading: what comes out is the same, has no more octets than
 * what went in, and each message comes back when it is quoted and read again.
 */
#include "base/io.h"
#include "ctl/mail_form.h"
#include "ctl/mbox.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

/* A sink that keeps the messages one behind the other, with their ends. */
struct kept {
	struct str_buf text, ends;
	size_t n;
};

static int kept_begin(void *arg, struct err *e)
{
	(void)arg, (void)e;
	return 0;
}

static int kept_write(void *arg, const void *octets, size_t n, struct err *e)
{
	(void)e;
	str_buf_put(&((struct kept *)arg)->text, octets, n);
	return 0;
}

static int kept_end(void *arg, const struct mail_about *about, struct err *e)
{
	struct kept *k = arg;

	(void)about, (void)e;
	str_buf_put(&k->ends, &k->text.n, sizeof k->text.n);
	k->n++;
	return 0;
}

static void kept_fini(struct kept *k)
{
	str_buf_fini(&k->text);
	str_buf_fini(&k->ends);
}

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void read_all(struct str_view text, size_t first_n, struct kept *k)
{
	struct mail_sink sink = {kept_begin, kept_write, kept_end, k};
	int fd = memfd_create("mbox", MFD_CLOEXEC);
	struct err e;

	demand(fd >= 0 && io_write_all(fd, text.p, text.n) == 0);
	demand(lseek(fd, (off_t)first_n, SEEK_SET) == (off_t)first_n);
	demand(mbox_read(fd, str_view(text.p, first_n), 0, &sink, &e) == 0);
	close(fd);
}

/* Quoted in slices, read again: the same octets, but for the line end the form asks for. */
static void round_trip(struct str_view message, size_t slice)
{
	struct str_buf out = {0};
	struct mbox_quote q = {0};
	struct kept k = {0};

	mbox_from_line(0, &out);
	for (size_t at = 0; at < message.n; at += slice)
		mbox_quote_feed(&q, message.p + at, message.n - at < slice ? message.n - at : slice, &out);
	mbox_quote_finish(&q, &out);
	read_all(str_buf_view(&out), 0, &k);
	demand(k.n == 1 && k.text.n >= message.n && k.text.n <= message.n + 2);
	demand(memcmp(k.text.p ? k.text.p : "", message.p, message.n) == 0);
	kept_fini(&k);
	str_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct str_view text = str_view((const char *)octets, n);
	struct kept whole = {0}, cut = {0};
	int64_t ms;
	int zone_min;
	size_t from = 0;

	mail_header_date(text, &ms, &zone_min);
	mail_begins_with_header(text);
	read_all(text, 0, &whole);
	read_all(text, n / 2 < 65536 ? n / 2 : 65536, &cut);
	demand(whole.n == cut.n && whole.text.n == cut.text.n && whole.text.n <= n);
	demand(whole.text.n == 0 || memcmp(whole.text.p, cut.text.p, whole.text.n) == 0);
	for (size_t i = 0; i < whole.n && i < 16; i++) {
		size_t to;

		memcpy(&to, whole.ends.p + i * sizeof to, sizeof to);
		round_trip(str_view(whole.text.p ? whole.text.p + from : "", to - from), 1 + n % 7);
		from = to;
	}
	kept_fini(&whole);
	kept_fini(&cut);
	return 0;
}
