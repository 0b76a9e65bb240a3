/*
 * mailgen DIR N [--size BYTES] [--seed S] [--files]
 *
 * Writes N messages that look like mail: threads, lists, replies with quotes, HTML beside text,
 * attachments, forwarded messages, names and subjects beyond ASCII.  The same arguments always
 * give the same octets.  DIR becomes a Maildir, or with --files a folder of *.eml; BYTES
 * (default 5000) is the mean size.
 */
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	WORDS = 3000,
	PEOPLE = 60,
	HEADER_OCTETS = 900
};
/* 2024-01-01 00:00:00 UTC: the first message's date. */
#define BEGIN 1704067200

static uint64_t state;

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static size_t below(size_t n)
{
	return (size_t)(draw() % n);
}

static bool chance(unsigned percent)
{
	return below(100) < percent;
}

static char words[WORDS][16];

static void make_words(void)
{
	static const char *const on[] = {"b", "br", "c", "d", "dr", "f", "g", "gr", "h", "l",
	    "m", "n", "p", "pl", "r", "s", "st", "t", "tr", "v", "w", ""};
	static const char *const vowel[] = {
	    "a", "e", "i", "o", "u", "ea", "ou", "\xc3\xa9", "\xc3\xb6"};
	static const char *const off[] = {"", "", "n", "r", "s", "t", "l", "nd", "st", "ck"};

	for (size_t i = 0; i < WORDS; i++) {
		size_t n = 0;

		for (size_t syllables = 1 + below(3); syllables && n < 9; syllables--) {
			/* one by one: arguments have no order of evaluation */
			const char *begin = on[below(sizeof on / sizeof on[0])];
			const char *middle =
			    vowel[below(i % 8 ? 7 : 9)]; /* one word in eight: not ASCII */
			const char *end = off[below(sizeof off / sizeof off[0])];

			n += (size_t)snprintf(
			    words[i] + n, sizeof words[i] - n, "%s%s%s", begin, middle, end);
		}
	}
}

/* Few words are used often, as in speech. */
static const char *word(void)
{
	double u = (double)(draw() >> 11) / 9007199254740992.0;

	return words[(size_t)((WORDS - 1) * u * u * u)];
}

struct person {
	const char *first, *last, *host;
};

static struct person person(size_t i)
{
	static const char *const first[] = {"Anna", "Boris", "Chlo\xc3\xa9", "Dmitri", "Elena",
	    "Felix", "Greta", "Henry", "Ines", "J\xc3\xb6rg", "Kim", "Lars"};
	static const char *const last[] = {"Adler", "Brandt", "Castillo", "Dubois", "Eriksen"};
	static const char *const host[] = {
	    "example.org", "example.net", "lists.example.com", "mail.example.com"};

	return (struct person){first[i % 12], last[i / 12 % 5], host[i % 4]};
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if (*s & 0x80)
			return false;
	return true;
}

/* As an encoded word where it must be (RFC 2047 4.2). */
static void put_text(struct str_buf *b, const char *s)
{
	if (is_ascii(s)) {
		str_buf_puts(b, s);
		return;
	}
	str_buf_puts(b, "=?utf-8?q?");
	for (; *s; s++) {
		if ((*s & 0x80) || strchr("=?_\"(),.:;<>@[]", *s))
			str_buf_printf(b, "=%02X", (unsigned char)*s);
		else
			str_buf_putc(b, *s == ' ' ? '_' : *s);
	}
	str_buf_puts(b, "?=");
}

static void put_address(struct str_buf *b, size_t i)
{
	struct person p = person(i);
	char name[64];

	snprintf(name, sizeof name, "%s %s", p.first, p.last);
	put_text(b, name);
	str_buf_printf(b, " <%s.%zu@%s>", p.last, i, p.host);
}

static void put_date(struct str_buf *b, const char *name, time_t when, int zone_h)
{
	char text[64];
	struct tm tm;
	time_t local = when + zone_h * 3600;

	gmtime_r(&local, &tm);
	strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S", &tm);
	str_buf_printf(b, "%s%s %+03d00\n", name, text, zone_h);
}

/* Lines of text, about n octets; some of them quoted. */
static void put_prose(struct str_buf *b, size_t n)
{
	size_t begin = b->n;

	while (b->n - begin < n) {
		size_t lines = 1 + below(6);
		bool quote = chance(25);

		for (size_t l = 0; l < lines && b->n - begin < n; l++) {
			size_t line = b->n;

			if (quote)
				str_buf_puts(b, "> ");
			while (b->n - line < 66) {
				str_buf_puts(b, word());
				str_buf_puts(b, chance(10) ? ", " : " ");
			}
			b->p[b->n - 1] = '\n';
		}
		str_buf_putc(b, '\n');
	}
}

/* The same as quoted-printable HTML. */
static void put_html(struct str_buf *b, size_t n)
{
	size_t begin = b->n;

	str_buf_puts(b, "<html><head><meta charset=3D\"utf-8\"></head><body>\n");
	while (b->n - begin < n) {
		size_t line = b->n;

		str_buf_puts(b, "<p style=3D\"margin:0\">");
		for (int i = 0; i < 12; i++) {
			for (const char *c = word(); *c; c++) {
				if (*c & 0x80)
					str_buf_printf(b, "=%02X", (unsigned char)*c);
				else
					str_buf_putc(b, *c);
			}
			str_buf_putc(b, ' ');
			if (b->n - line > 60) {
				str_buf_puts(b, "=\n");
				line = b->n;
			}
		}
		str_buf_puts(b, "</p>\n");
	}
	str_buf_puts(b, "</body></html>\n");
}

static void put_base64(struct str_buf *b, size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t lines = n / 77 + 1; lines; lines--) {
		for (int i = 0; i < 76; i += 10) {
			uint64_t bits = draw();

			for (int k = 0; k < 10 && i + k < 76; k++, bits >>= 6)
				str_buf_putc(b, digits[bits & 63]);
		}
		str_buf_putc(b, '\n');
	}
}

static void put_subject(struct str_buf *b, uint64_t thread)
{
	uint64_t saved = state;
	struct str_buf subject = {0};

	state = thread * 77 + 5; /* a thread keeps its subject */
	for (size_t n = 2 + below(6); n; n--) {
		str_buf_puts(&subject, word());
		if (n > 1)
			str_buf_putc(&subject, ' ');
	}
	state = saved;
	put_text(b, subject.p);
	str_buf_fini(&subject);
}

/* The header but for what says the content's type. */
static void put_header(struct str_buf *b, size_t i, bool enclosed)
{
	size_t reply_to = i && chance(60) ? i - 1 - below(i < 20 ? i : 20) : i;
	size_t from = below(PEOPLE);
	time_t when = BEGIN + (time_t)i * 617 + (time_t)below(600);

	if (!enclosed) {
		uint64_t id = draw();

		str_buf_printf(b, "Return-Path: <bounces@%s>\n", person(from).host);
		str_buf_printf(b,
		    "Received: from mx.%s (mx.%s [192.0.2.%zu])\n\tby store.example.net "
		    "(Postfix) "
		    "with ESMTPS id %010llX\n\tfor <alice@example.net>;",
		    person(from).host, person(from).host, (size_t)(1 + id % 250),
		    (unsigned long long)(id >> 24));
		put_date(b, " ", when + 3, 0);
	}
	str_buf_puts(b, "From: ");
	put_address(b, from);
	str_buf_puts(b, "\nTo: ");
	put_address(b, below(PEOPLE));
	for (size_t n = chance(30) ? 1 + below(4) : 0, first = 1; n; n--, first = 0) {
		str_buf_puts(b, first ? "\nCc: " : ",\n\t");
		put_address(b, below(PEOPLE));
	}
	str_buf_puts(b, reply_to != i ? "\nSubject: Re: " : "\nSubject: ");
	put_subject(b, reply_to / 5);
	put_date(b, "\nDate: ", when, (int)below(12) - 5);
	str_buf_printf(b, "Message-ID: <%zu.%u@mailgen.example.org>\n", i, enclosed);
	if (reply_to != i)
		str_buf_printf(b,
		    "In-Reply-To: <%zu.0@mailgen.example.org>\nReferences: "
		    "<%zu.0@mailgen.example.org>\n",
		    reply_to, reply_to);
	str_buf_puts(b, "MIME-Version: 1.0\n");
}

static void put_plain(struct str_buf *b, size_t i, size_t n)
{
	(void)i;
	str_buf_puts(
	    b, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n");
	put_prose(b, n);
}

static void put_alternative(struct str_buf *b, size_t i, size_t n)
{
	str_buf_printf(b,
	    "Content-Type: multipart/alternative; boundary=\"=_alt_%zu\"\n\n--=_alt_%zu\n", i,
	    i);
	put_plain(b, i, n / 3);
	str_buf_printf(b,
	    "--=_alt_%zu\nContent-Type: text/html; charset=\"utf-8\"\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n",
	    i);
	put_html(b, n - n / 3);
	str_buf_printf(b, "--=_alt_%zu--\n", i);
}

static void put_attachment(struct str_buf *b, size_t i, size_t n)
{
	static const char *const kinds[][2] = {{"application/pdf", "pdf"},
	    {"image/jpeg", "jpg"}, {"application/zip", "zip"},
	    {"application/octet-stream", "bin"}};
	size_t kind = below(4);

	str_buf_printf(b,
	    "Content-Type: multipart/mixed; boundary=\"=_mix_%zu\"\n\n"
	    "This is a message in several parts.\n--=_mix_%zu\n",
	    i, i);
	put_alternative(b, i, n / 4);
	str_buf_printf(b, "--=_mix_%zu\nContent-Type: %s; name=\"%s-%zu.%s\"\n", i,
	    kinds[kind][0], words[1 + i % 7], i, kinds[kind][1]);
	str_buf_printf(b,
	    "Content-Disposition: attachment; filename=\"%s-%zu.%s\"\n"
	    "Content-Transfer-Encoding: base64\n\n",
	    words[1 + i % 7], i, kinds[kind][1]);
	put_base64(b, n - n / 4);
	str_buf_printf(b, "--=_mix_%zu--\n", i);
}

static void put_forwarded(struct str_buf *b, size_t i, size_t n)
{
	str_buf_printf(
	    b, "Content-Type: multipart/mixed; boundary=\"=_fwd_%zu\"\n\n--=_fwd_%zu\n", i, i);
	put_plain(b, i, n / 5);
	str_buf_printf(
	    b, "--=_fwd_%zu\nContent-Type: message/rfc822\nContent-Disposition: inline\n\n", i);
	put_header(b, i, true);
	put_plain(b, i, n - n / 5);
	str_buf_printf(b, "--=_fwd_%zu--\n", i);
}

static void put_message(struct str_buf *b, size_t i, uint64_t seed, size_t mean)
{
	static const struct {
		unsigned upto; /* percent */
		void (*put)(struct str_buf *b, size_t i, size_t n);
	} kinds[] = {
	    {60, put_plain}, {80, put_alternative}, {95, put_attachment}, {100, put_forwarded}};
	unsigned percent;
	size_t k = 0;

	state = seed ^ (uint64_t)i * UINT64_C(0x5851f42d4c957f2d); /* each message on its own */
	double u = ((double)(draw() >> 11) + 1) / 9007199254740993.0;
	size_t n =
	    (size_t)((double)(mean > HEADER_OCTETS ? mean - HEADER_OCTETS : 50) * -log(u));

	for (percent = (unsigned)below(100); percent >= kinds[k].upto;)
		k++;
	put_header(b, i, false);
	kinds[k].put(b, i, n);
}

static int write_file(int dir, const char *name, const struct str_buf *b)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t done = 0;

	while (fd >= 0 && done < b->n) {
		ssize_t n = write(fd, b->p + done, b->n - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || close(fd) < 0 || done < b->n) {
		perror(name);
		return -1;
	}
	return 0;
}

static int generate(int dir, size_t n, uint64_t seed, size_t mean, bool files)
{
	struct str_buf b = {0};
	uint64_t octets = 0;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		char name[80];

		str_buf_clear(&b);
		put_message(&b, i, seed, mean);
		octets += b.n;
		if (files)
			snprintf(name, sizeof name, "%08zu.eml", i);
		else
			snprintf(name, sizeof name, "cur/%llu.%08zu.mailgen:2,%s",
			    (unsigned long long)BEGIN + i * 617, i, i % 3 ? "S" : "");
		r = write_file(dir, name, &b);
	}
	str_buf_fini(&b);
	if (r == 0)
		printf("%zu messages, %llu octets, %llu each\n", n, (unsigned long long)octets,
		    (unsigned long long)(n ? octets / n : 0));
	return r;
}

static int usage(void)
{
	fprintf(stderr, "usage: mailgen DIR N [--size BYTES] [--seed S] [--files]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"size", required_argument, NULL, 's'},
	    {"seed", required_argument, NULL, 'e'}, {"files", no_argument, NULL, 'f'}, {0}};
	uint64_t size = 5000, seed = 1, n;
	bool files = false;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		bool good = c == 'f' || (optarg && str_number(str_view(optarg, strlen(optarg)),
						       UINT32_MAX, c == 's' ? &size : &seed));

		files |= c == 'f';
		if (!good || c == '?')
			return usage();
	}
	if (argc - optind != 2 ||
	    !str_number(str_view(argv[optind + 1], strlen(argv[optind + 1])), 100000000, &n))
		return usage();
	mkdir(argv[optind], 0755);
	int dir = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0) {
		perror(argv[optind]);
		return 1;
	}
	for (const char *const *sub = (const char *const[]){"cur", "new", "tmp", NULL};
	     !files && *sub; sub++)
		mkdirat(dir, *sub, 0755);
	state = 42;
	make_words();
	int r =
	    generate(dir, (size_t)n, seed * UINT64_C(0x2545f4914f6cdd1d), (size_t)size, files);

	close(dir);
	return r < 0;
}
