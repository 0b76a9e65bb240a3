/* mailload - a neutral load generator for IMAP, POP3 and LMTP servers.
 *
 * One file, no dependencies but libc (cc -O2 -pthread mailload.c -lm), in a style of its own.  It knows nothing about any particular
 * server: it speaks plain (no TLS) IMAP4rev1, POP3 and LMTP to HOST:PORT.
 * Every workload prints one line:
 *
 *   workload=<name> ops=<n> seconds=<s> ops_per_s=<x> bytes=<b> p50_us=<u> p99_us=<u> ...
 *
 * followed on the same line by further key=value pairs (conns, cmds,
 * client_cpu_s, server_cpu_s when --server-pids is given, verify=ok|off ...).
 * Exit status: 0 fine, 1 the server did something wrong (error=... on stderr
 * and "errors=N" in the line), 2 usage.
 *
 * Messages come from a deterministic generator: message (seed, index, size
 * profile) always has the same bytes, so --verify can check every octet that
 * a server returns without keeping a copy.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------- options */

struct endpoint { char host[128]; int port; };

static struct {
	const char *workload;
	struct endpoint imap, pop3, lmtp;
	const char *user, *pass, *mailbox, *domain, *dir, *pids, *literal;
	int first_user, users, conns, messages, batch, max_conns, pipeline;
	long count;
	double seconds, settle, timeout;
	long size;              /* -1: mix, -2: small, else about so many octets */
	uint64_t seed;
	bool verify, fresh, quiet;
} o = {
	.user = "user%d", .pass = "pass", .mailbox = "INBOX", .domain = "",
	.dir = ".", .literal = "auto", .first_user = 1, .users = 1, .conns = 1,
	.batch = 100, .max_conns = 2000, .pipeline = 1, .settle = 1.0, .timeout = 60.0,
	.size = -1, .seed = 1,
};

static int g_errors;

static void err(const char *fmt, ...)
{
	va_list ap;
	int n = __atomic_add_fetch(&g_errors, 1, __ATOMIC_RELAXED);
	if (n > 10) return;
	char b[1024];
	va_start(ap, fmt);
	vsnprintf(b, sizeof b, fmt, ap);
	va_end(ap);
	for (char *p = b; *p; p++) if ((unsigned char)*p < 32) *p = ' ';
	fprintf(stderr, "error=%s: %s\n", o.workload, b);
}

static void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fprintf(stderr, "mailload: ");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p) die("out of memory (%zu)", n);
	return p;
}

/* --------------------------------------------------------- byte buffers */

struct buf { char *p; size_t n, cap; };

static void buf_need(struct buf *b, size_t more)
{
	if (b->n + more <= b->cap) return;
	size_t c = b->cap ? b->cap : 4096;
	while (c < b->n + more) c *= 2;
	b->p = xrealloc(b->p, c);
	b->cap = c;
}
static void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n) return;
	buf_need(b, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}
static void buf_str(struct buf *b, const char *s) { buf_add(b, s, strlen(s)); }
static void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char t[2048];
	va_start(ap, fmt);
	int n = vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof t) die("buf_printf overflow");
	buf_add(b, t, (size_t)n);
}

/* 64-bit content hash; not cryptographic, only to notice wrong bytes */
static uint64_t hash64(const char *p, size_t n)
{
	uint64_t h = 0x51ed270b0a1f39c1u ^ n, w;
	while (n >= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0x9fb21c651e98df25u;
		h ^= h >> 29;
		p += 8;
		n -= 8;
	}
	w = 0;
	memcpy(&w, p, n);
	h = (h ^ w) * 0x9fb21c651e98df25u;
	return h ^ (h >> 32);
}

/* ------------------------------------------------------ corpus generator */

struct rng { uint64_t s; };
static uint64_t rnd(struct rng *r)          /* splitmix-style counter hash */
{
	uint64_t z = (r->s += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}
static unsigned rndn(struct rng *r, unsigned n)
{
	return (unsigned)(((rnd(r) >> 32) * (uint64_t)n) >> 32);
}
static double rndf(struct rng *r) { return (double)(rnd(r) >> 11) / 9007199254740992.0; }
static size_t rnd_log(struct rng *r, double lo, double hi)  /* log-uniform */
{
	return (size_t)(lo * pow(hi / lo, rndf(r)));
}

#define NVOCAB 4096
static char vocab[NVOCAB][16];
static unsigned char vlen[NVOCAB];

/* Words that occur only where planned, so that searches have a known answer. */
#define NEEDLE_TEXT "zyqwunderneath"
#define NEEDLE_SUBJ "Quarzflusspegel"

static void vocab_init(void)
{
	static const char *on[] = { "b","br","c","cl","d","dr","f","fl","g","gr","h","j","k","l","m","n","p","pl","r","s","st","t","tr","v","w","" };
	static const char *vo[] = { "a","e","i","o","u","ai","ea","ou" };
	static const char *co[] = { "","n","r","s","t","l","nd","st","m","ck","" };
	struct rng r = { 0x706f737465726e };
	for (int i = 0; i < NVOCAB; i++) {
		char w[64];
		int n = 0, syl = i < 200 ? 1 : 1 + (int)rndn(&r, 3);
		for (int s = 0; s < syl; s++)
			n += sprintf(w + n, "%s%s%s", on[rndn(&r, 26)], vo[rndn(&r, 8)], co[rndn(&r, 11)]);
		if (n > 14) n = 14;
		w[n] = 0;
		memcpy(vocab[i], w, (size_t)n + 1);
		vlen[i] = (unsigned char)n;
	}
}

static int word(struct rng *r)
{
	double u = rndf(r);
	return (int)(u * u * u * (NVOCAB - 1));
}

/* About n octets of prose, CRLF lines of at most 76 octets.  qp: now and then
 * quoted-printable escapes and soft line breaks. */
static void prose(struct buf *b, struct rng *r, size_t n, bool qp)
{
	size_t end = b->n + n;
	int col = 0;
	while (b->n < end) {
		int w = word(r);
		uint64_t x = rnd(r);
		if (col + vlen[w] + 8 > 74) {
			if (qp) buf_str(b, (x & 1) ? "=\r\n" : "\r\n");
			else buf_str(b, "\r\n");
			col = 0;
			if ((x & 0xe0) == 0) buf_str(b, "\r\n");
			if ((x & 0x1f00) == 0 && !qp) { buf_str(b, "> "); col = 2; }
		}
		if (col) { buf_str(b, " "); col++; }
		buf_add(b, vocab[w], vlen[w]);
		col += vlen[w];
		if (qp && (x & 0x70000) == 0) { buf_str(b, "=C3=A9"); col += 6; }
		if ((x & 0xf00000) == 0) { buf_str(b, (x & 0x1000000) ? "," : "."); col++; }
	}
	buf_str(b, "\r\n");
}

static void html(struct buf *b, struct rng *r, size_t n)
{
	size_t end = b->n + n;
	buf_str(b, "<!DOCTYPE html>\r\n<html><head><meta http-equiv=3D\"Content-Type\" content=\r\n"
	           "=3D\"text/html; charset=3Dutf-8\"><title>Mail</title></head>\r\n<body>\r\n");
	while (b->n + 16 < end) {
		buf_printf(b, "<table width=3D\"%u\" cellpadding=3D\"0\" border=3D\"0\"><tr>\r\n"
		           "<td style=3D\"font-family:Arial;font-size:%upx;color:#%06x\">=\r\n",
		           400 + rndn(r, 300), 10 + rndn(r, 8), rndn(r, 0xffffff));
		size_t left = end > b->n ? end - b->n : 0, para = 200 + rndn(r, 900);
		prose(b, r, para < left ? para : left / 2 + 16, true);
		buf_str(b, "</td></tr></table>\r\n");
	}
	buf_str(b, "</body></html>\r\n");
}

static const char b64c[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64_noise(struct buf *b, struct rng *r, size_t octets)  /* encoded size */
{
	size_t lines = octets / 78 + 1;
	buf_need(b, lines * 78 + 80);
	for (size_t l = 0; l < lines; l++) {
		char *p = b->p + b->n;
		for (int k = 0; k < 76; k += 10) {
			uint64_t x = rnd(r);
			int m = 76 - k < 10 ? 76 - k : 10;
			for (int j = 0; j < m; j++, x >>= 6) p[k + j] = b64c[x & 63];
		}
		p[76] = '\r';
		p[77] = '\n';
		b->n += 78;
	}
}

static void b64_small(struct buf *b, const char *s)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)(unsigned char)s[i] << 16;
		if (i + 1 < n) v |= (unsigned)(unsigned char)s[i + 1] << 8;
		if (i + 2 < n) v |= (unsigned char)s[i + 2];
		char q[4] = { b64c[v >> 18], b64c[(v >> 12) & 63],
		              i + 1 < n ? b64c[(v >> 6) & 63] : '=', i + 2 < n ? b64c[v & 63] : '=' };
		buf_add(b, q, 4);
	}
}

static bool has_text_needle(long i) { return i % 397 == 17; }
static bool has_subj_needle(long i) { return i % 211 == 5; }  /* every second one inside an encoded-word */
static bool has_dot_line(long i)    { return i % 50 == 7; }

static void msgid(char *t, size_t n, uint64_t seed, long i)
{
	struct rng r = { seed * 0x9e3779b97f4a7c15u ^ (uint64_t)i };
	snprintf(t, n, "%ld.%012llx@mx%u.example.net", i, (unsigned long long)(rnd(&r) >> 16), (unsigned)(i % 7));
}

static void rfcdate(char *t, size_t n, long i, int skew)
{
	time_t s = 1672531200 + i * 1207 + skew;
	struct tm g;
	gmtime_r(&s, &g);
	strftime(t, n, "%a, %d %b %Y %H:%M:%S +0000", &g);
}

static void addr(struct buf *b, struct rng *r)
{
	static const char *first[] = { "Anna","Bjorn","Carla","Dmitri","Elena","Farid","Greta","Hiro","Ines","Jonas","Katja","Luca","Maria","Nils","Olga","Pavel" };
	int w = 200 + (int)rndn(r, 3000);
	unsigned f = rndn(r, 16), k = rndn(r, 10);
	if (k == 0) buf_printf(b, "=?UTF-8?Q?%s_M=C3=BCller?= <%s.mueller@%s.example.org>", first[f], first[f], vocab[w]);
	else if (k < 3) buf_printf(b, "\"%s, %s (IT)\" <%s@%s.example.com>", vocab[w], first[f], first[f], vocab[w]);
	else buf_printf(b, "%s %s <%s.%s@example.com>", first[f], vocab[w], first[f], vocab[w]);
}

/* Writes message number i into b (replacing what is there). */
static void make_message(struct buf *b, uint64_t seed, long i, long size)
{
	struct rng rr = { seed * 0xd1342543de82ef95u + (uint64_t)i * 0x2545f4914f6cdd1du }, *r = &rr;
	char d[64], id[96];
	b->n = 0;
	rnd(r);

	int kind;          /* 0 plain, 1 alternative, 2 attachment */
	size_t target;
	unsigned p = rndn(r, 100);
	if (size == -1) {
		if (p < 60) { kind = 0; target = rnd_log(r, 2048, 8192); }
		else if (p < 90) { kind = 1; target = rnd_log(r, 10240, 61440); }
		else { kind = 2; target = rnd_log(r, 102400, 1048576); }
	} else if (size == -2) { kind = 0; target = rnd_log(r, 512, 2048); }
	else { kind = size > 100000 ? 2 : size > 20000 ? 1 : 0; target = (size_t)size; }

	/* headers */
	rfcdate(d, sizeof d, i, 3);
	buf_printf(b, "Return-Path: <bounce+%ld@lists.example.net>\r\n", i);
	buf_printf(b, "Received: from mx%u.example.net (mx%u.example.net [192.0.2.%u])\r\n"
	           "\tby mail.example.com (Postern-Bench) with ESMTPS id %08x%04x\r\n\tfor <user@example.com>; %s\r\n",
	           rndn(r, 9), rndn(r, 9), rndn(r, 254), rndn(r, 0x7fffffff), rndn(r, 65536), d);
	rfcdate(d, sizeof d, i, 1);
	buf_printf(b, "Received: from [198.51.100.%u] (unknown [198.51.100.%u])\r\n"
	           "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
	           "\tby mx.example.net (Postfix) with ESMTPSA id %08x; %s\r\n",
	           rndn(r, 254), rndn(r, 254), rndn(r, 0x7fffffff), d);
	if (size != -2 && rndn(r, 5) < 3) {
		buf_str(b, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net;\r\n"
		           "\ts=sel2023; h=from:to:subject:date:message-id;\r\n\tbh=");
		for (int k = 0; k < 43; k++) buf_add(b, b64c + rndn(r, 64), 1);
		buf_str(b, "=;\r\n\tb=");
		for (int l = 0; l < 5; l++) {
			for (int k = 0; k < 64; k++) buf_add(b, b64c + rndn(r, 64), 1);
			buf_str(b, l < 4 ? "\r\n\t " : "==\r\n");
		}
	}
	buf_str(b, "From: ");
	addr(b, r);
	buf_str(b, "\r\nTo: ");
	for (unsigned k = 0, n = 1 + rndn(r, 3); k < n; k++) {
		if (k) buf_str(b, ",\r\n\t");
		addr(b, r);
	}
	if (rndn(r, 4) == 0) { buf_str(b, "\r\nCc: "); addr(b, r); }
	buf_str(b, "\r\nSubject: ");
	bool reply = i > 0 && rndn(r, 5) < 2;
	if (reply) buf_str(b, "Re: ");
	if (has_subj_needle(i)) {
		if ((i / 211) & 1) {
			buf_str(b, "=?UTF-8?B?");
			b64_small(b, "\xc3\x9c" "bersicht " NEEDLE_SUBJ " heute");
			buf_str(b, "?=");
		} else buf_str(b, "Report on " NEEDLE_SUBJ " of today");
	} else if (rndn(r, 10) < 3) {
		char t[64];
		snprintf(t, sizeof t, "\xc3\x84nderung %s %s", vocab[word(r)], vocab[word(r)]);
		if (rndn(r, 2)) { buf_str(b, "=?UTF-8?B?"); b64_small(b, t); buf_str(b, "?="); }
		else buf_printf(b, "=?UTF-8?Q?%s_=C3=BCber_%s?=", vocab[word(r)], vocab[word(r)]);
	} else {
		for (unsigned k = 0, n = 2 + rndn(r, 7); k < n; k++) buf_printf(b, "%s%s", k ? " " : "", vocab[word(r)]);
	}
	rfcdate(d, sizeof d, i, 0);
	buf_printf(b, "\r\nDate: %s\r\n", d);
	msgid(id, sizeof id, seed, i);
	buf_printf(b, "Message-ID: <%s>\r\n", id);
	if (reply) {
		long j = i - 1 - (long)rndn(r, 40);
		if (j < 0) j = 0;
		char id2[96];
		msgid(id2, sizeof id2, seed, j);
		buf_printf(b, "In-Reply-To: <%s>\r\nReferences:", id2);
		for (unsigned k = 0, n = rndn(r, 4); k < n; k++) {
			msgid(id, sizeof id, seed, j > 7 ? j - 1 - (long)k : (long)k);
			buf_printf(b, " <%s>\r\n\t", id);
		}
		buf_printf(b, " <%s>\r\n", id2);
	}
	if (rndn(r, 4) == 0) buf_printf(b, "List-Id: <%s.lists.example.net>\r\nPrecedence: list\r\n", vocab[rndn(r, 60)]);
	buf_printf(b, "X-Mailer: mailload\r\nX-Bench-Index: %ld\r\nMIME-Version: 1.0\r\n", i);

	/* body */
	char bnd[48];
	snprintf(bnd, sizeof bnd, "=_%08x%08x", rndn(r, 0xffffffff), (unsigned)i);
	size_t hdr = b->n, body = target > hdr + 200 ? target - hdr : 200;
	if (kind == 0) {
		bool qp = rndn(r, 10) < 3;
		buf_printf(b, "Content-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
		           qp ? "utf-8" : "us-ascii", qp ? "quoted-printable" : "7bit");
		if (has_text_needle(i)) buf_str(b, NEEDLE_TEXT " is here\r\n");
		prose(b, r, body, qp);
	} else {
		bool alt = kind == 1;
		buf_printf(b, "Content-Type: multipart/%s;\r\n\tboundary=\"%s\"\r\n\r\n"
		           "This is a multi-part message in MIME format.\r\n--%s\r\n", alt ? "alternative" : "mixed", bnd, bnd);
		buf_str(b, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
		if (has_text_needle(i)) buf_str(b, NEEDLE_TEXT " is here\r\n");
		prose(b, r, alt ? body / 4 : 1000 + rndn(r, 2000), true);
		if (alt) {
			buf_printf(b, "--%s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", bnd);
			html(b, r, body - body / 4);
		} else {
			static const char *mt[] = { "application/pdf", "image/jpeg", "application/zip", "application/octet-stream" };
			static const char *ex[] = { "pdf", "jpg", "zip", "bin" };
			unsigned k = rndn(r, 4);
			const char *w = vocab[word(r)];
			buf_printf(b, "--%s\r\nContent-Type: %s;\r\n\tname=\"%s.%s\"\r\nContent-Transfer-Encoding: base64\r\n"
			           "Content-Disposition: attachment;\r\n\tfilename=\"%s.%s\"\r\n\r\n", bnd, mt[k], w, ex[k], w, ex[k]);
			size_t used = b->n - hdr;
			base64_noise(b, r, body > used + 200 ? body - used : 200);
		}
		buf_printf(b, "--%s--\r\n", bnd);
	}
	if (has_dot_line(i)) buf_str(b, ".a line that begins with a dot\r\n..two\r\n");
}

/* What a message ought to look like. */
struct expect { uint64_t hash; uint32_t size; };
static struct expect *g_expect;
static long g_nexpect;

struct exp_job { long from, to; };
static void *expect_thread(void *a)
{
	struct exp_job *j = a;
	struct buf b = { 0 };
	for (long i = j->from; i < j->to; i++) {
		make_message(&b, o.seed, i, o.size);
		g_expect[i].size = (uint32_t)b.n;
		g_expect[i].hash = hash64(b.p, b.n);
	}
	free(b.p);
	return NULL;
}
static void expect_init(long n)
{
	g_expect = xrealloc(NULL, (size_t)n * sizeof *g_expect);
	g_nexpect = n;
	struct exp_job j[2] = { { 0, n / 2 }, { n / 2, n } };
	pthread_t t;
	pthread_create(&t, NULL, expect_thread, &j[0]);
	expect_thread(&j[1]);
	pthread_join(t, NULL);
}

/* --------------------------------------------------------- latency store */

struct lat { uint64_t *v; size_t n, cap; };
static void lat_add(struct lat *l, uint64_t ns)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 1024;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = ns;
}
static int cmp64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}
static double lat_pct(struct lat *l, double p)   /* microseconds; sorts */
{
	if (!l->n) return 0;
	qsort(l->v, l->n, sizeof *l->v, cmp64);
	size_t k = (size_t)(p * (double)(l->n - 1) + 0.5);
	return (double)l->v[k] / 1000.0;
}

/* ------------------------------------------------------------ connection */

#define RBUF 262144
struct conn {
	int fd;
	char *rb;
	size_t rpos, rlen;
	uint64_t nread;
	unsigned tagno;
	bool litplus, litminus, pipelining;
	struct buf line;       /* the logical line, literals replaced by {n} */
	struct buf lit;        /* last literal, when kept */
	bool eof;
};

static void conn_free(struct conn *c)
{
	if (c->fd >= 0) close(c->fd);
	c->fd = -1;
	free(c->rb);
	free(c->line.p);
	free(c->lit.p);
	memset(c, 0, sizeof *c);
	c->fd = -1;
}

static int tcp_connect(const struct endpoint *e)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)e->port) };
	if (!e->port) die("no address given for this protocol");
	if (inet_pton(AF_INET, e->host, &a.sin_addr) != 1) die("need a numeric IPv4 address, not %s", e->host);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) return -1;
	struct timeval tv = { (time_t)o.timeout, 0 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		int s = errno;
		close(fd);
		errno = s;
		return -1;
	}
	return fd;
}

static bool conn_open(struct conn *c, const struct endpoint *e)
{
	char *rb = c->rb;
	if (c->fd > 0) close(c->fd);
	struct buf l = c->line, t = c->lit;
	memset(c, 0, sizeof *c);
	c->rb = rb;
	c->line = l;
	c->lit = t;
	c->fd = tcp_connect(e);
	if (c->fd < 0) { c->eof = true; return false; }
	return true;
}

static bool conn_fill(struct conn *c)
{
	if (c->eof) return false;
	if (!c->rb) c->rb = xrealloc(NULL, RBUF);
	if (c->rpos == c->rlen) c->rpos = c->rlen = 0;
	else if (c->rlen == RBUF) {
		memmove(c->rb, c->rb + c->rpos, c->rlen - c->rpos);
		c->rlen -= c->rpos;
		c->rpos = 0;
		if (c->rlen == RBUF) { err("line too long"); c->eof = true; return false; }
	}
	ssize_t n;
	do n = recv(c->fd, c->rb + c->rlen, RBUF - c->rlen, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0) { c->eof = true; return false; }
	c->rlen += (size_t)n;
	c->nread += (uint64_t)n;
	return true;
}

static bool conn_write(struct conn *c, const void *p, size_t n)
{
	const char *s = p;
	while (n) {
		ssize_t k = send(c->fd, s, n, MSG_NOSIGNAL);
		if (k < 0) { if (errno == EINTR) continue; c->eof = true; return false; }
		s += k;
		n -= (size_t)k;
	}
	return true;
}
static bool conn_write2(struct conn *c, const void *a, size_t an, const void *b, size_t bn, const void *z, size_t zn)
{
	struct iovec v[3] = { { (void *)a, an }, { (void *)b, bn }, { (void *)z, zn } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 3 };
	size_t tot = an + bn + zn;
	ssize_t k = sendmsg(c->fd, &m, MSG_NOSIGNAL);
	if (k < 0) k = 0;
	size_t done = (size_t)k;
	if (done == tot) return true;
	for (int i = 0; i < 3; i++) {
		if (done >= v[i].iov_len) { done -= v[i].iov_len; continue; }
		if (!conn_write(c, (char *)v[i].iov_base + done, v[i].iov_len - done)) return false;
		done = 0;
	}
	return true;
}

/* Raw line up to LF; pointer into the buffer, without CRLF.  NULL on EOF. */
static char *conn_rawline(struct conn *c, size_t *len)
{
	size_t scan = c->rpos;
	for (;;) {
		char *nl = c->rb ? memchr(c->rb + scan, '\n', c->rlen - scan) : NULL;
		if (nl) {
			char *s = c->rb + c->rpos;
			size_t n = (size_t)(nl - s);
			c->rpos += n + 1;
			if (n && s[n - 1] == '\r') n--;
			*len = n;
			return s;
		}
		size_t have = c->rlen - c->rpos;
		if (!conn_fill(c)) return NULL;
		scan = c->rpos + have;
	}
}

/* Skips (or keeps in c->lit) n literal octets. */
static bool conn_literal(struct conn *c, size_t n, bool keep)
{
	c->lit.n = 0;
	if (keep) buf_need(&c->lit, n + 1);
	while (n) {
		if (c->rpos == c->rlen && !conn_fill(c)) return false;
		size_t k = c->rlen - c->rpos;
		if (k > n) k = n;
		if (keep) buf_add(&c->lit, c->rb + c->rpos, k);
		c->rpos += k;
		n -= k;
	}
	return true;
}

/* One logical IMAP response line: c->line holds its text (NUL terminated),
 * *lits the sum of its literals.  With keep the last literal is in c->lit;
 * the first literal >= 0 size is what BODY[] gives as we ask for only one. */
static bool imap_line(struct conn *c, uint64_t *lits, bool keep)
{
	c->line.n = 0;
	if (lits) *lits = 0;
	bool had = false;
	for (;;) {
		size_t n;
		char *s = conn_rawline(c, &n);
		if (!s) return false;
		buf_need(&c->line, n + 1);
		buf_add(&c->line, s, n);
		if (n < 3 || s[n - 1] != '}') break;
		size_t k = n - 1, v = 0, mul = 1;
		while (k > 0 && isdigit((unsigned char)s[k - 1])) { k--; v += (size_t)(s[k] - '0') * mul; mul *= 10; }
		if (k == 0 || s[k - 1] != '{' || k == n - 1) break;
		if (!conn_literal(c, v, keep)) return false;
		had = true;
		if (lits) *lits += v;
	}
	if (!had) c->lit.n = 0;
	buf_need(&c->line, 1);
	c->line.p[c->line.n] = 0;
	return true;
}

typedef void (*untagged_fn)(struct conn *c, uint64_t lits, void *arg);

/* Reads until the tagged answer.  1 OK, 0 NO, -1 BAD or broken. */
static int imap_wait(struct conn *c, const char *tag, untagged_fn fn, void *arg, bool keep)
{
	size_t tl = strlen(tag);
	uint64_t lits;
	while (imap_line(c, &lits, keep)) {
		char *s = c->line.p;
		if (s[0] == '*' && s[1] == ' ') { if (fn) fn(c, lits, arg); continue; }
		if (s[0] == '+') continue;
		if (!strncmp(s, tag, tl) && s[tl] == ' ') {
			if (!strncasecmp(s + tl + 1, "OK", 2)) return 1;
			if (!strncasecmp(s + tl + 1, "NO", 2)) return 0;
			return -1;
		}
		err("unexpected line: %.100s", s);
	}
	return -1;
}

static const char *next_tag(struct conn *c, char *t)
{
	sprintf(t, "a%u", ++c->tagno);
	return t;
}

static int imap_cmd(struct conn *c, untagged_fn fn, void *arg, bool keep, const char *fmt, ...)
{
	char b[8192], tag[16];
	va_list ap;
	next_tag(c, tag);
	int n = sprintf(b, "%s ", tag);
	va_start(ap, fmt);
	n += vsnprintf(b + n, sizeof b - (size_t)n - 2, fmt, ap);
	va_end(ap);
	memcpy(b + n, "\r\n", 2);
	if (!conn_write(c, b, (size_t)n + 2)) return -1;
	return imap_wait(c, tag, fn, arg, keep);
}

static void caps_from(struct conn *c, const char *s)
{
	if (strcasestr(s, " LITERAL+")) c->litplus = true;
	if (strcasestr(s, " LITERAL-")) c->litminus = true;
}
static void on_caps(struct conn *c, uint64_t l, void *a)
{
	(void)l; (void)a;
	if (!strncasecmp(c->line.p, "* CAPABILITY", 12)) caps_from(c, c->line.p);
}

static void username(char *t, size_t n, int u)
{
	const char *p = strstr(o.user, "%d");
	if (!p) { snprintf(t, n, "%s", o.user); return; }
	snprintf(t, n, "%.*s%d%s", (int)(p - o.user), o.user, u, p + 2);
}
static int conn_user(int k) { return o.first_user + (o.users > 0 ? k % o.users : 0); }

/* Connect, read the greeting, log in.  1 in, 0 refused (NO / BYE / closed), -1 broken. */
static int imap_login(struct conn *c, int u, bool caps)
{
	char name[256];
	if (!conn_open(c, &o.imap)) return -1;
	if (!imap_line(c, NULL, false)) return 0;
	if (!strncasecmp(c->line.p, "* BYE", 5)) return 0;
	if (strncasecmp(c->line.p, "* OK", 4)) return -1;
	username(name, sizeof name, u);
	char b[1024], tag[16];
	next_tag(c, tag);
	int n = snprintf(b, sizeof b, "%s LOGIN %s %s\r\n", tag, name, o.pass);
	if (!conn_write(c, b, (size_t)n)) return 0;
	int r = imap_wait(c, tag, on_caps, NULL, false);
	if (r != 1) return 0;
	if (caps) {
		caps_from(c, c->line.p);
		if (!strcasestr(c->line.p, "[CAPABILITY ") && !c->litplus)
			imap_cmd(c, on_caps, NULL, false, "CAPABILITY");
		if (!strcmp(o.literal, "sync")) c->litplus = c->litminus = false;
		if (!strcmp(o.literal, "plus")) c->litplus = true;
	}
	return 1;
}

static void imap_logout(struct conn *c)
{
	if (c->fd >= 0 && !c->eof) imap_cmd(c, NULL, NULL, false, "LOGOUT");
	conn_free(c);
}

struct selinfo { long exists; long uidnext; };
static void on_select(struct conn *c, uint64_t l, void *a)
{
	(void)l;
	struct selinfo *s = a;
	char *p = c->line.p + 2, *e;
	long v = strtol(p, &e, 10);
	if (e != p && !strcasecmp(e, " EXISTS")) s->exists = v;
	else if ((p = strstr(c->line.p, "[UIDNEXT "))) s->uidnext = atol(p + 9);
}
static int imap_select(struct conn *c, const char *cmd, struct selinfo *s)
{
	s->exists = s->uidnext = -1;
	int r = imap_cmd(c, on_select, s, false, "%s \"%s\"", cmd, o.mailbox);
	if (r == 1 && s->exists < 0) { err("SELECT without EXISTS"); return -1; }
	return r;
}

/* One APPEND; the message is in m.  1 OK. */
static int imap_append(struct conn *c, const char *mailbox, const struct buf *m)
{
	char b[512], tag[16];
	next_tag(c, tag);
	bool plus = c->litplus || (c->litminus && m->n <= 4096);
	int n = snprintf(b, sizeof b, "%s APPEND \"%s\" {%zu%s}\r\n", tag, mailbox, m->n, plus ? "+" : "");
	if (plus) {
		if (!conn_write2(c, b, (size_t)n, m->p, m->n, "\r\n", 2)) return -1;
	} else {
		if (!conn_write(c, b, (size_t)n)) return -1;
		for (;;) {
			if (!imap_line(c, NULL, false)) return -1;
			if (c->line.p[0] == '+') break;
			if (c->line.p[0] != '*') return 0;
		}
		if (!conn_write2(c, m->p, m->n, "\r\n", 2, NULL, 0)) return -1;
	}
	return imap_wait(c, tag, NULL, NULL, false);
}

/* ------------------------------------------------------ server CPU, memory */

struct procinfo { int pid, ppid; double cpu; bool in; };

static double proc_cpu(int pid, int *ppid)   /* own + reaped children, seconds */
{
	char p[64], b[1024];
	snprintf(p, sizeof p, "/proc/%d/stat", pid);
	int fd = open(p, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return -1;
	ssize_t n = read(fd, b, sizeof b - 1);
	close(fd);
	if (n <= 0) return -1;
	b[n] = 0;
	char *s = strrchr(b, ')');
	if (!s) return -1;
	unsigned long long ut, st, cut, cst;
	if (sscanf(s + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", ppid, &ut, &st, &cut, &cst) != 5) return -1;
	return (double)(ut + st + cut + cst) / (double)sysconf(_SC_CLK_TCK);
}

static int server_procs(struct procinfo **out)   /* the given pids and all their descendants */
{
	struct procinfo *v = NULL;
	int n = 0;
	*out = NULL;
	if (!o.pids || !*o.pids) return 0;
	DIR *d = opendir("/proc");
	struct dirent *e;
	while (d && (e = readdir(d))) {
		int pid = atoi(e->d_name), pp = 0;
		if (pid <= 0) continue;
		double cpu = proc_cpu(pid, &pp);
		if (cpu < 0) continue;
		if (!(n & (n - 1))) v = xrealloc(v, (size_t)(n ? n * 2 : 1) * sizeof *v);
		v[n++] = (struct procinfo){ pid, pp, cpu, false };
	}
	if (d) closedir(d);
	for (const char *s = o.pids; s && *s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
		for (int i = 0; i < n; i++) if (v[i].pid == atoi(s)) v[i].in = true;
	for (bool more = true; more;) {
		more = false;
		for (int i = 0; i < n; i++) if (!v[i].in)
			for (int j = 0; j < n; j++)
				if (v[j].in && v[i].ppid == v[j].pid) { v[i].in = more = true; break; }
	}
	int m = 0;
	for (int i = 0; i < n; i++) if (v[i].in) v[m++] = v[i];
	*out = v;
	return m;
}
static double server_cpu(void)
{
	struct procinfo *v;
	int n = server_procs(&v);
	double s = 0;
	for (int i = 0; i < n; i++) s += v[i].cpu;
	free(v);
	return s;
}
static long server_pss(int *nproc)   /* bytes */
{
	struct procinfo *v;
	int n = server_procs(&v);
	long kb = 0;
	*nproc = n;
	for (int i = 0; i < n; i++) {
		char p[64], l[256];
		snprintf(p, sizeof p, "/proc/%d/smaps_rollup", v[i].pid);
		FILE *f = fopen(p, "r");
		if (!f) continue;
		long k;
		while (fgets(l, sizeof l, f)) if (sscanf(l, "Pss: %ld", &k) == 1) { kb += k; break; }
		fclose(f);
	}
	free(v);
	return kb * 1024;
}

/* --------------------------------------------------------- worker frame */

struct worker {
	pthread_t t;
	int id;
	struct conn c;
	struct lat lat;
	uint64_t ops, bytes, cmds;
	uint64_t t_end;
	void (*setup)(struct worker *);
	bool (*op)(struct worker *);      /* one operation; false: stop */
	void (*done)(struct worker *);
	struct selinfo sel, sel0;
	struct rng r;
	long next;
	uint64_t want;                    /* scratch for verify */
	bool failed;
	struct buf tmp;
};

static pthread_barrier_t g_bar;
static uint64_t g_start, g_deadline;
static long g_left;                       /* with --count: operations left over all workers */
static double g_cpu0, g_cli0;

static double self_cpu(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void *worker_main(void *a)
{
	struct worker *w = a;
	w->c.fd = -1;
	w->r.s = o.seed + 7919u * (uint64_t)(w->id + 1);
	if (w->setup) w->setup(w);
	pthread_barrier_wait(&g_bar);     /* everyone is ready */
	pthread_barrier_wait(&g_bar);     /* the clock runs */
	while (!w->failed) {
		if (o.count > 0 && __atomic_fetch_sub(&g_left, 1, __ATOMIC_RELAXED) <= 0) break;
		uint64_t t = now_ns();
		if (o.seconds > 0 && t >= g_deadline) break;
		uint64_t before = w->lat.n;
		if (!w->op(w)) break;
		if (w->lat.n == before) lat_add(&w->lat, now_ns() - t);
		w->cmds++;
	}
	w->t_end = now_ns();
	pthread_barrier_wait(&g_bar);
	if (w->done) w->done(w);
	if (w->c.fd > 0) imap_logout(&w->c);
	conn_free(&w->c);
	free(w->tmp.p);
	return NULL;
}

static void report(const char *name, uint64_t ops, double secs, uint64_t bytes, struct lat *l, const char *extra)
{
	printf("workload=%s ops=%llu seconds=%.4f ops_per_s=%.2f bytes=%llu p50_us=%.1f p99_us=%.1f %serrors=%d verify=%s\n",
	       name, (unsigned long long)ops, secs, secs > 0 ? (double)ops / secs : 0.0, (unsigned long long)bytes,
	       lat_pct(l, 0.50), lat_pct(l, 0.99), extra ? extra : "", g_errors,
	       !o.verify ? "off" : g_errors ? "FAILED" : "ok");
	fflush(stdout);
}

static void run_workers(void (*setup)(struct worker *), bool (*op)(struct worker *), void (*done)(struct worker *))
{
	if (o.count <= 0 && o.seconds <= 0) o.seconds = 3;
	struct worker *w = xrealloc(NULL, (size_t)o.conns * sizeof *w);
	memset(w, 0, (size_t)o.conns * sizeof *w);
	pthread_barrier_init(&g_bar, NULL, (unsigned)o.conns + 1);
	g_left = o.count;
	pthread_attr_t at;
	pthread_attr_init(&at);
	pthread_attr_setstacksize(&at, 262144);
	for (int i = 0; i < o.conns; i++) {
		w[i].id = i;
		w[i].setup = setup;
		w[i].op = op;
		w[i].done = done;
		if (pthread_create(&w[i].t, &at, worker_main, &w[i])) die("pthread_create");
	}
	pthread_barrier_wait(&g_bar);
	g_cpu0 = server_cpu();
	g_cli0 = self_cpu();
	g_start = now_ns();
	g_deadline = g_start + (uint64_t)(o.seconds * 1e9);
	pthread_barrier_wait(&g_bar);
	pthread_barrier_wait(&g_bar);
	double cli = self_cpu() - g_cli0, srv = server_cpu() - g_cpu0;
	uint64_t end = g_start, ops = 0, bytes = 0, cmds = 0;
	struct lat all = { 0 };
	for (int i = 0; i < o.conns; i++) {
		pthread_join(w[i].t, NULL);
		if (w[i].failed) err("connection %d failed", i);
		if (w[i].t_end > end) end = w[i].t_end;
		ops += w[i].ops;
		bytes += w[i].bytes;
		cmds += w[i].cmds;
		for (size_t k = 0; k < w[i].lat.n; k++) lat_add(&all, w[i].lat.v[k]);
		free(w[i].lat.v);
	}
	char x[256];
	int n = snprintf(x, sizeof x, "conns=%d cmds=%llu client_cpu_s=%.3f ", o.conns, (unsigned long long)cmds, cli);
	if (o.pids) snprintf(x + n, sizeof x - (size_t)n, "server_cpu_s=%.3f server_cpu_us_per_op=%.2f ", srv, ops ? srv * 1e6 / (double)ops : 0.0);
	report(o.workload, ops, (double)(end - g_start) / 1e9, bytes, &all, x);
	free(all.v);
	free(w);
}

/* ---------------------------------------------------------------- login */

static bool op_login(struct worker *w)
{
	int u = o.first_user + (int)((long)w->id + (long)o.conns * w->next++) % (o.users > 0 ? o.users : 1);
	int r = imap_login(&w->c, u, false);
	if (r != 1) { err("login of user %d: %s", u, w->c.line.n ? w->c.line.p : "closed"); w->failed = true; return false; }
	r = imap_cmd(&w->c, NULL, NULL, false, "LOGOUT");
	if (r != 1) { err("LOGOUT: %d", r); w->failed = true; return false; }
	w->bytes += w->c.nread;
	close(w->c.fd);
	w->c.fd = -1;
	w->ops++;
	return true;
}

/* ------------------------------------------------------- append and fill */

static struct buf *g_pool;
static int g_npool;
static void pool_init(int n)
{
	g_pool = xrealloc(NULL, (size_t)n * sizeof *g_pool);
	memset(g_pool, 0, (size_t)n * sizeof *g_pool);
	g_npool = n;
	for (int i = 0; i < n; i++) make_message(&g_pool[i], o.seed, i, o.size);
}

static void must_login(struct worker *w, int u)
{
	int r = imap_login(&w->c, u, true);
	if (r != 1) { err("cannot log in as user %d: %s", u, w->c.line.n ? w->c.line.p : "closed"); w->failed = true; }
}

static bool is_inbox(void) { return !strcasecmp(o.mailbox, "INBOX"); }

static void empty_mailbox(struct conn *c)
{
	struct selinfo s;
	if (is_inbox()) {
		if (imap_select(c, "SELECT", &s) != 1) { err("SELECT: %s", c->line.p); return; }
		if (s.exists > 0) {
			imap_cmd(c, NULL, NULL, false, "STORE 1:* +FLAGS.SILENT (\\Deleted)");
			imap_cmd(c, NULL, NULL, false, "EXPUNGE");
		}
		imap_cmd(c, NULL, NULL, false, "CLOSE");
	} else {
		imap_cmd(c, NULL, NULL, false, "DELETE \"%s\"", o.mailbox);
		if (imap_cmd(c, NULL, NULL, false, "CREATE \"%s\"", o.mailbox) != 1) err("CREATE: %s", c->line.p);
	}
}

static void on_status(struct conn *c, uint64_t l, void *a)
{
	(void)l;
	char *p = strcasestr(c->line.p, "MESSAGES ");
	if (!strncasecmp(c->line.p, "* STATUS", 8) && p) *(long *)a = atol(p + 9);
}
static long status_messages(struct conn *c)
{
	long n = -1;
	if (imap_cmd(c, on_status, &n, false, "STATUS \"%s\" (MESSAGES)", o.mailbox) != 1) return -1;
	return n;
}

static void set_append(struct worker *w)
{
	must_login(w, conn_user(w->id));
	if (w->failed) return;
	if (o.fresh) empty_mailbox(&w->c);
	else if (!is_inbox()) imap_cmd(&w->c, NULL, NULL, false, "CREATE \"%s\"", o.mailbox);
	w->sel0.exists = status_messages(&w->c);
	w->next = w->id * 17;
}
static bool op_append(struct worker *w)
{
	struct buf *m = &g_pool[w->next++ % g_npool];
	if (imap_append(&w->c, o.mailbox, m) != 1) { err("APPEND: %s", w->c.line.n ? w->c.line.p : "closed"); w->failed = true; return false; }
	w->ops++;
	w->bytes += m->n;
	return true;
}
static void end_append(struct worker *w)
{
	if (!o.verify || w->failed) return;
	long n = status_messages(&w->c);
	if (o.conns <= o.users && n != w->sel0.exists + (long)w->ops)
		err("after APPEND: %ld messages, expected %ld", n, w->sel0.exists + (long)w->ops);
}

/* fill: messages 0..count-1 in order for each of the users, one connection each */
static bool op_fill(struct worker *w)
{
	if (w->next >= o.messages) return false;
	make_message(&w->tmp, o.seed, w->next, o.size);
	if (imap_append(&w->c, o.mailbox, &w->tmp) != 1) { err("APPEND: %s", w->c.line.n ? w->c.line.p : "closed"); w->failed = true; return false; }
	w->next++;
	w->ops++;
	w->bytes += w->tmp.n;
	return true;
}
static void set_fill(struct worker *w) { set_append(w); w->next = 0; }

/* ----------------------------------------------------------------- lmtp */

static int smtp_reply(struct conn *c, bool ehlo)
{
	for (;;) {
		size_t n;
		char *s = conn_rawline(c, &n);
		if (!s || n < 3) return -1;
		c->line.n = 0;
		buf_need(&c->line, n + 1);
		buf_add(&c->line, s, n);
		c->line.p[c->line.n] = 0;
		if (ehlo && strcasestr(c->line.p, "PIPELINING")) c->pipelining = true;
		if (n == 3 || s[3] != '-') return atoi(c->line.p);
	}
}
static struct buf *g_stuffed;
static void pool_stuff(void)
{
	g_stuffed = xrealloc(NULL, (size_t)g_npool * sizeof *g_stuffed);
	memset(g_stuffed, 0, (size_t)g_npool * sizeof *g_stuffed);
	for (int i = 0; i < g_npool; i++) {
		struct buf *b = &g_stuffed[i];
		char *p = g_pool[i].p, *e = p + g_pool[i].n;
		while (p < e) {
			char *nl = memchr(p, '\n', (size_t)(e - p));
			char *q = nl ? nl + 1 : e;
			if (*p == '.') buf_str(b, ".");
			buf_add(b, p, (size_t)(q - p));
			p = q;
		}
		buf_str(b, ".\r\n");
	}
}
static void set_lmtp(struct worker *w)
{
	if (o.verify && o.imap.port) {
		must_login(w, conn_user(w->id));
		if (w->failed) return;
		if (o.fresh) empty_mailbox(&w->c);
		w->sel0.exists = status_messages(&w->c);
		imap_logout(&w->c);
	}
	if (!conn_open(&w->c, &o.lmtp) || smtp_reply(&w->c, false) != 220) { err("LMTP greeting: %s", w->c.line.n ? w->c.line.p : "none"); w->failed = true; return; }
	if (!conn_write(&w->c, "LHLO bench.example.net\r\n", 24) || smtp_reply(&w->c, true) != 250) { err("LHLO: %s", w->c.line.p); w->failed = true; }
	w->next = w->id * 17;
}
static bool op_lmtp(struct worker *w)
{
	char u[256], a[512], b[64];
	long k = w->next++ % g_npool;
	username(u, sizeof u, conn_user(w->id));
	/* The pool comes round again, and what has the same sender and the same octets is one delivery to some. */
	int an = snprintf(a, sizeof a, "MAIL FROM:<bench-%d-%ld@example.net>\r\n", (int)getpid(), w->next * 1000 + w->id), rn;
	struct conn *c = &w->c;
	char rc[320];
	rn = snprintf(rc, sizeof rc, "RCPT TO:<%s%s%s>\r\n", u, *o.domain ? "@" : "", o.domain);
	int r;
	if (c->pipelining) {
		an += sprintf(a + an, "%sDATA\r\n", rc);
		if (!conn_write(c, a, (size_t)an)) goto bad;
		if ((r = smtp_reply(c, false)) / 100 != 2) goto bad;
		if ((r = smtp_reply(c, false)) / 100 != 2) goto bad;
		if ((r = smtp_reply(c, false)) != 354) goto bad;
	} else {
		if (!conn_write(c, a, (size_t)an) || (r = smtp_reply(c, false)) / 100 != 2) goto bad;
		if (!conn_write(c, rc, (size_t)rn) || (r = smtp_reply(c, false)) / 100 != 2) goto bad;
		strcpy(b, "DATA\r\n");
		if (!conn_write(c, b, 6) || (r = smtp_reply(c, false)) != 354) goto bad;
	}
	if (!conn_write(c, g_stuffed[k].p, g_stuffed[k].n)) goto bad;
	if ((r = smtp_reply(c, false)) / 100 != 2) goto bad;
	w->ops++;
	w->bytes += g_stuffed[k].n;
	return true;
bad:
	err("LMTP: %s", c->line.n ? c->line.p : "closed");
	w->failed = true;
	return false;
}
/* delivered messages may have headers in front: look at the tail only */
static void on_tail(struct conn *c, uint64_t l, void *a)
{
	struct worker *w = a;
	(void)l;
	if (!strcasestr(c->line.p, "BODY[] ")) return;
	char *p = c->lit.n ? memmem(c->lit.p, c->lit.n, "X-Bench-Index: ", 15) : NULL;
	long i = p ? atol(p + 15) : -1;
	if (i < 0 || i >= g_npool) { err("LMTP message without our header"); return; }
	struct buf *m = &g_pool[i];
	if (c->lit.n < m->n || memcmp(c->lit.p + c->lit.n - m->n, m->p, m->n)) {
		/* Return-Path may have been taken off the front by the server */
		char *nl = memchr(m->p, '\n', m->n);
		size_t rest = m->n - (size_t)(nl + 1 - m->p);
		if (c->lit.n < rest || memcmp(c->lit.p + c->lit.n - rest, nl + 1, rest)) { err("LMTP message %ld came back changed", i); return; }
	}
	w->want++;
}
static void end_lmtp(struct worker *w)
{
	if (w->c.fd > 0) {
		if (!w->c.eof && conn_write(&w->c, "QUIT\r\n", 6)) smtp_reply(&w->c, false);
		conn_free(&w->c);
	}
	if (!o.verify || !o.imap.port || w->failed) return;
	must_login(w, conn_user(w->id));
	if (w->failed) return;
	struct selinfo s;
	if (imap_select(&w->c, "EXAMINE", &s) != 1) { err("EXAMINE: %s", w->c.line.p); return; }
	if (o.conns <= o.users && s.exists != w->sel0.exists + (long)w->ops)
		err("after LMTP: %ld messages, expected %ld", s.exists, w->sel0.exists + (long)w->ops);
	long k = s.exists > 30 ? s.exists - 29 : 1;
	w->want = 0;
	if (s.exists > 0 && w->ops > 0) {
		imap_cmd(&w->c, on_tail, w, true, "FETCH %ld:%ld (BODY.PEEK[])", k, s.exists);
		if ((long)w->want != s.exists - k + 1) err("after LMTP: %llu good messages of %ld", (unsigned long long)w->want, s.exists - k + 1);
	}
}

/* ---------------------------------------------------------------- fetch */

struct fctx { struct worker *w; long n; uint64_t lits, bad; int what; long only; };
enum { F_FLAGS, F_HEADERS, F_FULL };

static void on_fetch(struct conn *c, uint64_t lits, void *a)
{
	struct fctx *f = a;
	char *s = c->line.p + 2, *e;
	long seq = strtol(s, &e, 10);
	if (e == s || strncasecmp(e, " FETCH (", 8)) return;
	f->n++;
	f->lits += lits;
	if (!o.verify) return;
	if (f->only && seq != f->only) { f->bad++; err("FETCH of %ld, asked for %ld", seq, f->only); return; }
	if (f->what == F_FLAGS) {
		if (!strcasestr(e, "UID ") || !strcasestr(e, "FLAGS (")) { f->bad++; err("FETCH FLAGS: %.100s", c->line.p); }
		return;
	}
	if (seq < 1 || seq > g_nexpect) { f->bad++; err("FETCH of message %ld of %ld", seq, g_nexpect); return; }
	struct expect *x = &g_expect[seq - 1];
	if (f->what == F_FULL) {
		if (c->lit.n != x->size || lits != x->size) { f->bad++; err("message %ld has %zu octets, expected %u", seq, c->lit.n, x->size); }
		else if (hash64(c->lit.p, c->lit.n) != x->hash) { f->bad++; err("message %ld has other content", seq); }
		return;
	}
	char *p = strcasestr(e, "RFC822.SIZE ");
	char id[96];
	msgid(id, sizeof id, o.seed, seq - 1);
	if (!p || atol(p + 12) != (long)x->size) { f->bad++; err("message %ld RFC822.SIZE %ld, expected %u", seq, p ? atol(p + 12) : -1, x->size); }
	else if (!strcasestr(e, "ENVELOPE (") || !strcasestr(e, "BODYSTRUCTURE (") || !strcasestr(e, "INTERNALDATE \"") || !strcasestr(e, "FLAGS ("))
		{ f->bad++; err("message %ld lacks an item", seq); }
	else if (!strstr(e, id)) { f->bad++; err("message %ld has no message-id %s in %.200s", seq, id, e); }
}

static void set_fetch(struct worker *w)
{
	must_login(w, conn_user(w->id));
	if (w->failed) return;
	if (imap_select(&w->c, "EXAMINE", &w->sel) != 1) { err("EXAMINE: %s", w->c.line.p); w->failed = true; return; }
	if (o.messages && w->sel.exists != o.messages) { err("mailbox has %ld messages, expected %d", w->sel.exists, o.messages); w->failed = true; }
	if (o.verify && w->sel.exists > g_nexpect && !strncmp(o.workload, "fetch-", 6) && strcmp(o.workload, "fetch-flags")) { err("cannot verify %ld messages without --messages", w->sel.exists); w->failed = true; }
	if (!w->sel.exists) { err("mailbox is empty"); w->failed = true; }
}
static bool do_fetch(struct worker *w, int what, const char *cmd, long only)
{
	struct fctx f = { .w = w, .what = what, .only = only };
	uint64_t b0 = w->c.nread;
	int r = imap_cmd(&w->c, on_fetch, &f, o.verify && what == F_FULL, "%s", cmd);
	long want = only ? 1 : w->sel.exists;
	if (r != 1) { err("FETCH: %s", w->c.line.n ? w->c.line.p : "closed"); w->failed = true; return false; }
	if (f.n != want) { err("FETCH gave %ld of %ld messages", f.n, want); w->failed = true; return false; }
	if (what == F_FULL && g_nexpect) {
		uint64_t sum = w->want;
		if (only) sum = g_expect[only - 1].size;
		else if (!sum) { for (long i = 0; i < want; i++) sum += g_expect[i].size; w->want = sum; }
		if (f.lits != sum) { err("FETCH gave %llu octets, expected %llu", (unsigned long long)f.lits, (unsigned long long)sum); w->failed = true; return false; }
	}
	if (f.bad) w->failed = true;
	w->ops += (uint64_t)f.n;
	w->bytes += w->c.nread - b0;
	return true;
}
static bool op_fetch_headers(struct worker *w) { return do_fetch(w, F_HEADERS, "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)", 0); }
static bool op_fetch_flags(struct worker *w) { return do_fetch(w, F_FLAGS, "FETCH 1:* (UID FLAGS)", 0); }
static bool op_fetch_full(struct worker *w) { return do_fetch(w, F_FULL, "UID FETCH 1:* BODY.PEEK[]", 0); }
static bool op_fetch_random(struct worker *w)
{
	char b[64];
	long k = 1 + (long)rndn(&w->r, (unsigned)w->sel.exists);
	snprintf(b, sizeof b, "FETCH %ld (UID BODY.PEEK[])", k);
	return do_fetch(w, F_FULL, b, k);
}

/* ------------------------------------------------- select, search, store */

static bool op_select(struct worker *w)
{
	struct selinfo s;
	uint64_t b0 = w->c.nread;
	if (imap_select(&w->c, "SELECT", &s) != 1) { err("SELECT: %s", w->c.line.n ? w->c.line.p : "closed"); w->failed = true; return false; }
	if (s.exists != w->sel.exists) { err("SELECT: %ld messages, expected %ld", s.exists, w->sel.exists); w->failed = true; return false; }
	w->ops++;
	w->bytes += w->c.nread - b0;
	return true;
}
static bool op_noop(struct worker *w)
{
	uint64_t b0 = w->c.nread;
	if (imap_cmd(&w->c, NULL, NULL, false, "NOOP") != 1) { w->failed = true; return false; }
	w->ops++;
	w->bytes += w->c.nread - b0;
	return true;
}
static bool op_status(struct worker *w)
{
	uint64_t b0 = w->c.nread;
	long n = status_messages(&w->c);
	if (n != w->sel.exists) { err("STATUS: %ld, expected %ld", n, w->sel.exists); w->failed = true; return false; }
	w->ops++;
	w->bytes += w->c.nread - b0;
	return true;
}
static void set_status(struct worker *w)
{
	must_login(w, conn_user(w->id));
	if (w->failed) return;
	w->sel.exists = status_messages(&w->c);
	if (w->sel.exists < 0 || (o.messages && w->sel.exists != o.messages)) { err("STATUS: %ld messages", w->sel.exists); w->failed = true; }
}

struct sctx { long n, bad; bool seen; bool (*pred)(long); };
static void on_search(struct conn *c, uint64_t l, void *a)
{
	(void)l;
	struct sctx *s = a;
	if (strncasecmp(c->line.p, "* SEARCH", 8)) return;
	s->seen = true;
	char *p = c->line.p + 8, *e;
	for (;;) {
		long v = strtol(p, &e, 10);
		if (e == p) break;
		s->n++;
		if (!s->pred(v - 1)) s->bad++;
		p = e;
	}
}
static bool do_search(struct worker *w, const char *key, bool (*pred)(long))
{
	struct sctx s = { .pred = pred };
	uint64_t b0 = w->c.nread;
	if (imap_cmd(&w->c, on_search, &s, false, "SEARCH %s", key) != 1 || !s.seen) { err("SEARCH: %s", w->c.line.n ? w->c.line.p : "closed"); w->failed = true; return false; }
	long want = 0;
	for (long i = 0; i < w->sel.exists; i++) want += pred(i);
	if (s.n != want || s.bad) { err("SEARCH %s: %ld hits (%ld wrong), expected %ld", key, s.n, s.bad, want); w->failed = true; return false; }
	w->ops++;
	w->bytes += w->c.nread - b0;
	return true;
}
static bool op_search_text(struct worker *w) { return do_search(w, "TEXT " NEEDLE_TEXT, has_text_needle); }
static bool op_search_body(struct worker *w) { return do_search(w, "BODY " NEEDLE_TEXT, has_text_needle); }
static bool op_search_header(struct worker *w) { return do_search(w, "SUBJECT " NEEDLE_SUBJ, has_subj_needle); }

struct stctx { long n; bool flag; };
static void on_store(struct conn *c, uint64_t l, void *a)
{
	(void)l;
	struct stctx *s = a;
	if (strcasestr(c->line.p, " FETCH (")) { s->n++; s->flag = strcasestr(c->line.p, "\\Flagged") != NULL; }
}
static void set_rw(struct worker *w)
{
	must_login(w, conn_user(w->id));
	if (w->failed) return;
	if (imap_select(&w->c, "SELECT", &w->sel) != 1) { err("SELECT: %s", w->c.line.p); w->failed = true; return; }
	if (o.messages && w->sel.exists != o.messages) { err("mailbox has %ld messages, expected %d", w->sel.exists, o.messages); w->failed = true; }
	if (!w->sel.exists) { err("mailbox is empty"); w->failed = true; return; }
	imap_cmd(&w->c, NULL, NULL, false, "STORE 1:* -FLAGS.SILENT (\\Flagged)");
}
static void on_uids(struct conn *c, uint64_t l, void *a)
{
	(void)l;
	struct buf *b = a;
	char *p = strcasestr(c->line.p, "UID ");
	if (!p || !strcasestr(c->line.p, " FETCH (")) return;
	long v = atol(p + 4);
	buf_add(b, &v, sizeof v);
}
static void set_store(struct worker *w)
{
	set_rw(w);
	if (!w->failed) imap_cmd(&w->c, on_uids, &w->tmp, false, "FETCH 1:* (UID)");
	if (!w->failed && (long)(w->tmp.n / sizeof(long)) != w->sel.exists) { err("FETCH UID"); w->failed = true; }
}
static bool op_store(struct worker *w)
{
	long n = w->sel.exists, k = w->next % n;
	bool on = !((w->next / n) & 1);
	long uid = ((long *)w->tmp.p)[k];
	struct stctx s = { 0 };
	uint64_t b0 = w->c.nread;
	if (imap_cmd(&w->c, on_store, &s, false, "UID STORE %ld %cFLAGS (\\Flagged)", uid, on ? '+' : '-') != 1 || s.n != 1 || s.flag != on) {
		err("STORE: n=%ld %s", s.n, w->c.line.n ? w->c.line.p : "closed");
		w->failed = true;
		return false;
	}
	w->next++;
	w->ops++;
	w->bytes += w->c.nread - b0;
	return true;
}

static void on_expunge(struct conn *c, uint64_t l, void *a)
{
	(void)l;
	char *e;
	long v = strtol(c->line.p + 2, &e, 10);
	if (v > 0 && !strcasecmp(e, " EXPUNGE")) ++*(long *)a;
}
static void set_expunge(struct worker *w)
{
	must_login(w, conn_user(w->id));
	if (w->failed) return;
	empty_mailbox(&w->c);
	for (int i = 0; i < o.messages; i++)
		if (imap_append(&w->c, o.mailbox, &g_pool[i % g_npool]) != 1) { err("APPEND: %s", w->c.line.p); w->failed = true; return; }
	if (imap_select(&w->c, "SELECT", &w->sel) != 1 || w->sel.exists != o.messages) { err("SELECT"); w->failed = true; }
}
/* Marks every other message of a window and expunges: k of N, not a prefix. */
static bool op_expunge(struct worker *w)
{
	char set[8192];
	int n = 0;
	long k = o.batch;
	if (w->sel.exists < 2 * k) return false;
	for (long i = 0; i < k; i++) n += sprintf(set + n, "%s%ld", i ? "," : "", 2 + 2 * i);
	long got = 0;
	int r = imap_cmd(&w->c, on_expunge, &got, false, "STORE %s +FLAGS.SILENT (\\Deleted)", set);
	if (r == 1) r = imap_cmd(&w->c, on_expunge, &got, false, "EXPUNGE");
	if (r != 1 || got != k) { err("EXPUNGE gave %ld of %ld: %s", got, k, w->c.line.n ? w->c.line.p : "closed"); w->failed = true; return false; }
	w->sel.exists -= k;
	w->ops += (uint64_t)k;
	return true;
}
static void end_expunge(struct worker *w)
{
	struct selinfo s;
	if (w->failed) return;
	if (o.verify && (imap_select(&w->c, "SELECT", &s) != 1 || s.exists != w->sel.exists)) err("after EXPUNGE %ld messages, expected %ld", s.exists, w->sel.exists);
}

/* copy: COPY 1:* of the mailbox into a scratch one */
static void set_copy(struct worker *w)
{
	set_fetch(w);
	if (w->failed) return;
	imap_cmd(&w->c, NULL, NULL, false, "DELETE bench-copy");
	if (imap_cmd(&w->c, NULL, NULL, false, "CREATE bench-copy") != 1) { err("CREATE: %s", w->c.line.p); w->failed = true; }
}
static bool op_copy(struct worker *w)
{
	if (imap_cmd(&w->c, NULL, NULL, false, "COPY 1:* bench-copy") != 1) { err("COPY: %s", w->c.line.n ? w->c.line.p : "closed"); w->failed = true; return false; }
	w->ops += (uint64_t)w->sel.exists;
	return true;
}
static void end_copy(struct worker *w)
{
	if (w->failed) return;
	if (o.verify) {
		long n = -1;
		imap_cmd(&w->c, on_status, &n, false, "STATUS bench-copy (MESSAGES)");
		if (n != (long)w->ops) err("after COPY %ld messages, expected %llu", n, (unsigned long long)w->ops);
	}
	imap_cmd(&w->c, NULL, NULL, false, "DELETE bench-copy");
}

/* ----------------------------------------------------------------- pop3 */

static char *pop_line(struct conn *c)
{
	size_t n;
	char *s = conn_rawline(c, &n);
	if (!s) return NULL;
	c->line.n = 0;
	buf_need(&c->line, n + 1);
	buf_add(&c->line, s, n);
	c->line.p[c->line.n] = 0;
	return c->line.p;
}
static bool pop_cmd(struct conn *c, const char *fmt, ...)
{
	char b[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(b, sizeof b - 2, fmt, ap);
	va_end(ap);
	memcpy(b + n, "\r\n", 2);
	return conn_write(c, b, (size_t)n + 2) && pop_line(c) && c->line.p[0] == '+';
}
/* A multi-line answer.  No pipelining, so it ends where the input ends with
 * CRLF.CRLF (a content line "." would be stuffed).  Octets in *got (as on the
 * wire, without the last ".CRLF"); with keep un-stuffed into c->lit. */
static bool pop_multi(struct conn *c, uint64_t *got, bool keep)
{
	char tail[5] = { 0, 0, 0, '\r', '\n' };   /* the status line's CRLF */
	uint64_t n = 0;
	struct buf *b = &c->lit;
	b->n = 0;
	for (;;) {
		if (c->rpos == c->rlen && !conn_fill(c)) return false;
		size_t k = c->rlen - c->rpos;
		char *p = c->rb + c->rpos;
		n += k;
		if (keep) buf_add(b, p, k);
		if (k >= 5) memcpy(tail, p + k - 5, 5);
		else { memmove(tail, tail + k, 5 - k); memcpy(tail + 5 - k, p, k); }
		c->rpos = c->rlen;
		if (!memcmp(tail, "\r\n.\r\n", 5)) break;
	}
	*got = n - 3;
	if (keep) {
		char *s = b->p, *d = b->p, *e = b->p + b->n - 3;
		while (s < e) {
			if (*s == '.') s++;
			char *nl = memchr(s, '\n', (size_t)(e - s));
			char *q = nl ? nl + 1 : e;
			memmove(d, s, (size_t)(q - s));
			d += q - s;
			s = q;
		}
		b->n = (size_t)(d - b->p);
	}
	return true;
}
static bool op_pop3(struct worker *w)
{
	struct conn *c = &w->c;
	char u[256];
	username(u, sizeof u, conn_user(w->id));
	if (!conn_open(c, &o.pop3) || !pop_line(c) || c->line.p[0] != '+') goto bad;
	if (!pop_cmd(c, "USER %s", u) || !pop_cmd(c, "PASS %s", o.pass)) goto bad;
	if (!pop_cmd(c, "STAT")) goto bad;
	long n = 0;
	unsigned long long oct = 0;
	if (sscanf(c->line.p, "+OK %ld %llu", &n, &oct) != 2) goto bad;
	if (o.messages && n != o.messages) { err("STAT %ld, expected %d", n, o.messages); goto bad; }
	uint64_t got;
	if (!pop_cmd(c, "UIDL") || !pop_multi(c, &got, o.verify)) goto bad;
	if (o.verify) {
		long l = 0;
		for (size_t i = 0; i < c->lit.n; i++) l += c->lit.p[i] == '\n';
		if (l != n) { err("UIDL %ld lines, expected %ld", l, n); goto bad; }
	}
	for (long i = 1; i <= n; i++) {
		uint64_t t = now_ns();
		if (!pop_cmd(c, "RETR %ld", i) || !pop_multi(c, &got, o.verify)) goto bad;
		lat_add(&w->lat, now_ns() - t);
		w->bytes += got;
		if (i <= g_nexpect) {
			struct expect *x = &g_expect[i - 1];
			uint64_t min = x->size, max = (uint64_t)x->size + 2;   /* two stuffed dots at most */
			if (got < min || got > max) { err("RETR %ld: %llu octets, expected %u", i, (unsigned long long)got, x->size); goto bad; }
			if (o.verify && (c->lit.n != x->size || hash64(c->lit.p, c->lit.n) != x->hash)) { err("RETR %ld: other content", i); goto bad; }
		}
		w->ops++;
	}
	if (!pop_cmd(c, "QUIT")) goto bad;
	close(c->fd);
	c->fd = -1;
	if (!n) { err("mailbox is empty"); w->failed = true; return false; }
	return true;
bad:
	err("POP3: %s", c->line.n ? c->line.p : "closed");
	w->failed = true;
	if (c->fd > 0) close(c->fd);
	c->fd = -1;
	return false;
}

/* --------------------------------------------------------------- refuse */

/* Fills one user's session slots, then measures how fast further logins are
 * turned away, that another user still gets in, and that a freed slot opens. */
static int try_login(struct conn *c, int u, char *why, size_t n)
{
	int r = imap_login(c, u, false);
	if (why) snprintf(why, n, "%.160s", c->line.n ? c->line.p : "connection closed");
	return r;
}
static void run_refuse(void)
{
	struct conn *held = xrealloc(NULL, (size_t)o.max_conns * sizeof *held);
	memset(held, 0, (size_t)o.max_conns * sizeof *held);
	int n = 0;
	char why[200] = "", extra[512];
	struct lat l = { 0 }, adm = { 0 };
	if (o.count <= 0 && o.seconds <= 0) o.seconds = 3;
	for (; n < o.max_conns; n++) {
		held[n].fd = -1;
		uint64_t t = now_ns();
		int r = try_login(&held[n], o.first_user, why, sizeof why);
		if (r != 1) { conn_free(&held[n]); break; }
		lat_add(&adm, now_ns() - t);
	}
	if (n == o.max_conns) { err("no limit found within %d connections", n); }
	struct conn c = { .fd = -1 };
	uint64_t start = now_ns(), ops = 0, byes = 0, bytes = 0;
	double cpu0 = server_cpu(), cli0 = self_cpu();
	while (n < o.max_conns) {
		uint64_t t = now_ns();
		if (o.seconds > 0 && (double)(t - start) / 1e9 >= o.seconds) break;
		if (o.count > 0 && (long)ops >= o.count) break;
		int r = try_login(&c, o.first_user, NULL, 0);
		if (r == 1) { err("a connection over the limit was let in"); break; }
		if (r < 0) { err("connect failed: %s", strerror(errno)); break; }
		if (c.line.n && !strncmp(c.line.p, "* BYE", 5)) byes++;
		bytes += c.nread;
		close(c.fd);
		c.fd = -1;
		lat_add(&l, now_ns() - t);
		ops++;
	}
	double secs = (double)(now_ns() - start) / 1e9, cpu = server_cpu() - cpu0, cli = self_cpu() - cli0;
	/* someone else is not affected */
	uint64_t t = now_ns();
	int other = try_login(&c, o.first_user + 1, NULL, 0);
	double other_us = (double)(now_ns() - t) / 1e3;
	if (other != 1) err("another user was refused as well: %s", c.line.n ? c.line.p : "closed");
	conn_free(&c);
	/* one goes, the next one comes */
	double reopen_us = -1;
	if (n > 0 && n < o.max_conns) {
		imap_logout(&held[n - 1]);
		t = now_ns();
		for (int k = 0; k < 2000; k++) {
			int r = try_login(&c, o.first_user, NULL, 0);
			if (r == 1) { reopen_us = (double)(now_ns() - t) / 1e3; break; }
			conn_free(&c);
			usleep(500);
		}
		if (reopen_us < 0) err("a freed slot did not open again");
		conn_free(&c);
	}
	for (int i = 0; i < n; i++) conn_free(&held[i]);
	for (char *p = why; *p; p++) if (*p == ' ' || *p == '\t') *p = '_';
	int k = snprintf(extra, sizeof extra, "limit=%d admit_p50_us=%.1f byes=%llu other_user_us=%.1f reopen_us=%.1f client_cpu_s=%.3f ", n,
	         lat_pct(&adm, .5), (unsigned long long)byes, other_us, reopen_us, cli);
	if (o.pids) k += snprintf(extra + k, sizeof extra - (size_t)k, "server_cpu_s=%.3f server_cpu_us_per_op=%.2f ", cpu, ops ? cpu * 1e6 / (double)ops : 0.0);
	snprintf(extra + k, sizeof extra - (size_t)k, "answer=%s ", why);
	report("refuse", ops, secs, bytes, &l, extra);
	conn_free(&c);
	free(held);
	free(l.v);
	free(adm.v);
}

/* ----------------------------------------------------------------- idle */

struct idle { struct conn c; int user; long exists; bool idling; uint64_t hit; };

static void run_idle(void)
{
	int n = o.conns, np0 = 0, np1 = 0, np2 = 0;
	struct idle *v = xrealloc(NULL, (size_t)n * sizeof *v);
	memset(v, 0, (size_t)n * sizeof *v);
	for (int i = 0; i < n; i++) v[i].c.fd = -1;
	long pss0 = server_pss(&np0);
	struct lat open_l = { 0 }, ex = { 0 }, ok = { 0 }, first = { 0 };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	uint64_t t0 = now_ns();
	char tag[16], b[64];
	for (int i = 0; i < n; i++) {
		struct selinfo s;
		uint64_t t = now_ns();
		v[i].c.fd = -1;
		v[i].user = conn_user(i);
		if (imap_login(&v[i].c, v[i].user, false) != 1) { err("idle login %d: %s", i, v[i].c.line.n ? v[i].c.line.p : "closed"); n = i; break; }
		if (imap_select(&v[i].c, "SELECT", &s) != 1) { err("idle select: %s", v[i].c.line.p); n = i; break; }
		v[i].exists = s.exists;
		next_tag(&v[i].c, tag);
		int k = sprintf(b, "%s IDLE\r\n", tag);
		if (!conn_write(&v[i].c, b, (size_t)k)) { err("idle"); n = i; break; }
		while (imap_line(&v[i].c, NULL, false) && v[i].c.line.p[0] == '*') { }
		if (!v[i].c.line.n || v[i].c.line.p[0] != '+') { err("IDLE: %s", v[i].c.line.p); n = i; break; }
		v[i].idling = true;
		/* our own memory does not matter, but keep it modest with many connections */
		if (v[i].c.rpos == v[i].c.rlen) { free(v[i].c.rb); v[i].c.rb = NULL; v[i].c.rpos = v[i].c.rlen = 0; }
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = (uint32_t)i };
		epoll_ctl(ep, EPOLL_CTL_ADD, v[i].c.fd, &e);
		lat_add(&open_l, now_ns() - t);
	}
	double opensecs = (double)(now_ns() - t0) / 1e9;
	usleep(300000);
	long pss1 = server_pss(&np1);
	double cpu0 = server_cpu();
	uint64_t ts = now_ns();
	if (o.settle > 0) usleep((useconds_t)(o.settle * 1e6));
	double settle = (double)(now_ns() - ts) / 1e9;
	double idlecpu = server_cpu() - cpu0;
	long pss2 = server_pss(&np2);

	/* notification latency */
	long rounds = o.count > 0 ? o.count : 20;
	struct buf m = { 0 };
	struct conn a = { .fd = -1 };
	int auser = -1;
	uint64_t missed = 0, reply = 0;
	double nstart = (double)now_ns() / 1e9;
	for (long r = 0; r < rounds && n > 0; r++) {
		if (o.seconds > 0 && (double)now_ns() / 1e9 - nstart > o.seconds) break;
		int u = conn_user((int)(r % (n < o.users ? n : o.users)));
		if (u != auser) {
			if (a.fd > 0) imap_logout(&a);
			a.fd = -1;
			if (imap_login(&a, u, true) != 1) { err("append login: %s", a.line.n ? a.line.p : "closed"); break; }
			auser = u;
		}
		make_message(&m, o.seed, r, -2);
		int want = 0, got = 0;
		for (int i = 0; i < n; i++) { v[i].hit = 0; want += v[i].user == u; }
		next_tag(&a, tag);
		int k = sprintf(b, "%s APPEND INBOX {%zu%s}\r\n", tag, m.n, a.litplus ? "+" : "");
		uint64_t t, tok = 0, tfirst = 0;
		if (!a.litplus) {
			conn_write(&a, b, (size_t)k);
			if (!imap_line(&a, NULL, false) || a.line.p[0] != '+') { err("APPEND: %s", a.line.p); break; }
			t = now_ns();
			conn_write2(&a, m.p, m.n, "\r\n", 2, NULL, 0);
		} else {
			t = now_ns();
			conn_write2(&a, b, (size_t)k, m.p, m.n, "\r\n", 2);
		}
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = 0xffffffffu };
		epoll_ctl(ep, EPOLL_CTL_ADD, a.fd, &e);
		uint64_t limit = t + 10000000000u;
		while ((got < want || !tok) && now_ns() < limit) {
			struct epoll_event evs[64];
			int ne = epoll_wait(ep, evs, 64, 1000);
			uint64_t now = now_ns();
			for (int j = 0; j < ne; j++) {
				if (evs[j].data.u32 == 0xffffffffu) {
					if (!conn_fill(&a)) { tok = now; err("appender closed"); epoll_ctl(ep, EPOLL_CTL_DEL, a.fd, NULL); break; }
					size_t ln;
					char *s;
					while (memchr(a.rb + a.rpos, '\n', a.rlen - a.rpos) && (s = conn_rawline(&a, &ln)))
						if (!strncmp(s, tag, strlen(tag))) {
							tok = now;
							if (strncasecmp(s + strlen(tag) + 1, "OK", 2)) err("APPEND: %.*s", (int)ln, s);
						}
					continue;
				}
				struct idle *q = &v[evs[j].data.u32];
				if (!conn_fill(&q->c)) { err("idle connection %u closed", evs[j].data.u32); epoll_ctl(ep, EPOLL_CTL_DEL, q->c.fd, NULL); continue; }
				size_t ln;
				char *s;
				while (memchr(q->c.rb + q->c.rpos, '\n', q->c.rlen - q->c.rpos) && (s = conn_rawline(&q->c, &ln))) {
					long num = 0;
					if (ln > 9 && s[0] == '*' && !strncasecmp(s + ln - 7, " EXISTS", 7)) num = atol(s + 2);
					if (num > q->exists) {
						q->exists = num;
						if (q->user == u && !q->hit) {
							q->hit = now;
							got++;
							lat_add(&ex, now - t);
							if (!tfirst) tfirst = now;
						}
					}
				}
			}
		}
		epoll_ctl(ep, EPOLL_CTL_DEL, a.fd, NULL);
		if (tok) lat_add(&ok, tok - t);
		if (tfirst) lat_add(&first, tfirst - t);
		missed += (uint64_t)(want - got);
		reply++;
		/* let delayed notifications of this round drain */
		usleep(2000);
	}
	if (missed) err("%llu notifications did not come within 10 s", (unsigned long long)missed);
	int np3;
	long pss3 = server_pss(&np3);
	if (a.fd > 0) imap_logout(&a);
	for (int i = 0; i < o.conns; i++) conn_free(&v[i].c);
	char x[768];
	int k = snprintf(x, sizeof x, "conns=%d users=%d open_s=%.3f open_p50_us=%.1f append_ok_p50_us=%.1f first_exists_p50_us=%.1f appends=%llu missed=%llu ",
	                 n, o.users, opensecs, lat_pct(&open_l, .5), lat_pct(&ok, .5), lat_pct(&first, .5), (unsigned long long)reply, (unsigned long long)missed);
	if (o.pids && n > 0)
		snprintf(x + k, sizeof x - (size_t)k,
		         "pss_before=%ld pss_open=%ld pss_settled=%ld pss_after_notify=%ld bytes_per_conn_open=%ld bytes_per_conn=%ld procs_before=%d procs_open=%d procs_settled=%d settle_s=%.1f idle_cpu_s=%.3f ",
		         pss0, pss1, pss2, pss3, (pss1 - pss0) / n, (pss2 - pss0) / n, np0, np1, np2, settle, idlecpu);
	report("idle", ex.n, opensecs, 0, &ex, x);
	close(ep);
	conn_free(&a);
	free(v);
	free(m.p);
	free(ex.v);
	free(ok.v);
	free(first.v);
	free(open_l.v);
}

/* ---------------------------------------------- limits of the machine itself */

static void run_phys_fsync(void)
{
	char p[512];
	struct lat l = { 0 };
	snprintf(p, sizeof p, "%s/mailload-fsync.%d", o.dir, (int)getpid());
	int fd = open(p, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) die("%s: %s", p, strerror(errno));
	size_t sz = o.size > 0 ? (size_t)o.size : 4096;
	char *b = xrealloc(NULL, sz);
	memset(b, 'x', sz);
	double secs = o.seconds > 0 ? o.seconds : 2;
	uint64_t s = now_ns(), n = 0, t;
	while ((double)((t = now_ns()) - s) / 1e9 < secs) {
		if (pwrite(fd, b, sz, (off_t)(n * sz)) != (ssize_t)sz || fdatasync(fd)) { err("write: %s", strerror(errno)); break; }
		lat_add(&l, now_ns() - t);
		n++;
	}
	report("phys-fsync", n, (double)(now_ns() - s) / 1e9, n * sz, &l, "");
	unlink(p);
	close(fd);
	free(b);
}

static int g_pair[2];
static void tcp_pair(void)
{
	int ls = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int one = 1;
	if (bind(ls, (struct sockaddr *)&a, sizeof a) || listen(ls, 1) || getsockname(ls, (struct sockaddr *)&a, &n)) die("loopback: %s", strerror(errno));
	g_pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(g_pair[0], (struct sockaddr *)&a, sizeof a)) die("loopback: %s", strerror(errno));
	g_pair[1] = accept(ls, NULL, NULL);
	for (int i = 0; i < 2; i++) setsockopt(g_pair[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	close(ls);
}
static void *loop_writer(void *a)
{
	(void)a;
	char *b = xrealloc(NULL, 65536);
	memset(b, 'x', 65536);
	while (send(g_pair[0], b, 65536, MSG_NOSIGNAL) > 0) { }
	free(b);
	return NULL;
}
static void run_phys_loop(void)
{
	pthread_t t;
	struct lat l = { 0 };
	tcp_pair();
	char *b = xrealloc(NULL, RBUF);
	double secs = o.seconds > 0 ? o.seconds : 2;
	pthread_create(&t, NULL, loop_writer, NULL);
	uint64_t s = now_ns(), bytes = 0, n = 0, q;
	while ((double)((q = now_ns()) - s) / 1e9 < secs) {
		ssize_t k = recv(g_pair[1], b, RBUF, 0);
		if (k <= 0) break;
		bytes += (uint64_t)k;
		n++;
		lat_add(&l, now_ns() - q);
	}
	report("phys-loop", n, (double)(now_ns() - s) / 1e9, bytes, &l, "");
	shutdown(g_pair[1], SHUT_RDWR);
	shutdown(g_pair[0], SHUT_RDWR);
	pthread_join(t, NULL);
}
static void pin(int cpu)
{
	cpu_set_t s;
	CPU_ZERO(&s);
	CPU_SET(cpu, &s);
	pthread_setaffinity_np(pthread_self(), sizeof s, &s);
}
static void *echo_thread(void *a)
{
	if (a) pin(1);
	char b[256];
	ssize_t k;
	while ((k = recv(g_pair[0], b, sizeof b, 0)) > 0) if (send(g_pair[0], b, (size_t)k, MSG_NOSIGNAL) <= 0) break;
	return NULL;
}
/* cross: the two ends on different CPUs, so every message wakes one up */
static void run_phys_rtt(bool cross)
{
	pthread_t t;
	struct lat l = { 0 };
	char b[256] = { 0 };
	tcp_pair();
	if (cross) pin(0);
	pthread_create(&t, NULL, echo_thread, cross ? "" : NULL);
	double secs = o.seconds > 0 ? o.seconds : 2;
	uint64_t s = now_ns(), n = 0, q;
	while ((double)((q = now_ns()) - s) / 1e9 < secs) {
		if (send(g_pair[1], b, 16, MSG_NOSIGNAL) != 16 || recv(g_pair[1], b, sizeof b, 0) <= 0) break;
		lat_add(&l, now_ns() - q);
		n++;
	}
	report(cross ? "phys-rtt-cross" : "phys-rtt", n, (double)(now_ns() - s) / 1e9, n * 16, &l, "");
	shutdown(g_pair[1], SHUT_RDWR);
	shutdown(g_pair[0], SHUT_RDWR);
	pthread_join(t, NULL);
}
/* connect + accept + close: the floor for anything that opens a connection */
static int g_ls;
static void *accept_thread(void *a)
{
	(void)a;
	int fd;
	while ((fd = accept(g_ls, NULL, NULL)) >= 0) { if (send(fd, "* OK\r\n", 6, MSG_NOSIGNAL) < 0) { } close(fd); }
	return NULL;
}
static void run_phys_connect(void)
{
	pthread_t t;
	struct lat l = { 0 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	char b[64];
	g_ls = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(g_ls, (struct sockaddr *)&a, sizeof a) || listen(g_ls, 64) || getsockname(g_ls, (struct sockaddr *)&a, &n)) die("loopback: %s", strerror(errno));
	pthread_create(&t, NULL, accept_thread, NULL);
	double secs = o.seconds > 0 ? o.seconds : 1;
	uint64_t s = now_ns(), ops = 0, q;
	while ((double)((q = now_ns()) - s) / 1e9 < secs) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&a, sizeof a)) { err("connect: %s", strerror(errno)); break; }
		while (recv(fd, b, sizeof b, 0) > 0) { }
		close(fd);
		lat_add(&l, now_ns() - q);
		ops++;
	}
	report("phys-connect", ops, (double)(now_ns() - s) / 1e9, ops * 6, &l, "");
	shutdown(g_ls, SHUT_RDWR);
	close(g_ls);
	pthread_join(t, NULL);
}

/* what the corpus is like */
static void run_corpus(void)
{
	struct buf b = { 0 };
	struct lat l = { 0 };
	uint64_t sum = 0, h = 0, s = now_ns();
	long n = o.messages ? o.messages : 1000, txt = 0, sub = 0;
	for (long i = 0; i < n; i++) {
		make_message(&b, o.seed, i, o.size);
		if (o.count == i + 1) { fwrite(b.p, 1, b.n, stdout); return; }
		sum += b.n;
		h = h * 31 + hash64(b.p, b.n);
		txt += has_text_needle(i);
		sub += has_subj_needle(i);
		lat_add(&l, b.n * 1000);      /* so that p50_us reads as octets */
	}
	char x[200];
	snprintf(x, sizeof x, "p50_octets=%.0f p99_octets=%.0f text_hits=%ld subject_hits=%ld hash=%016llx ", lat_pct(&l, .5), lat_pct(&l, .99), txt, sub, (unsigned long long)h);
	report("corpus", (uint64_t)n, (double)(now_ns() - s) / 1e9, sum, &l, x);
}

/* ----------------------------------------------------------------- main */

static void usage(void)
{
	fputs(
"mailload WORKLOAD [--option=value ...]\n"
" workloads over IMAP: login append fill fetch-headers fetch-flags fetch-full\n"
"   fetch-random select status noop search-text search-body search-header\n"
"   store-flags expunge copy idle refuse purge\n"
" over LMTP: lmtp   over POP3: pop3-fetch\n"
" of this machine: phys-fsync phys-loop phys-rtt phys-rtt-cross phys-connect\n"
" of the corpus: corpus (with --count=N: prints message N-1)\n"
" --imap=HOST:PORT --pop3=HOST:PORT --lmtp=HOST:PORT   numeric IPv4\n"
" --user=user%d --pass=pass --domain=D   %d is replaced by the user number; D is for RCPT TO\n"
" --first-user=1 --users=1               connection k uses user first+(k mod users)\n"
" --conns=1 --count=N --seconds=S        stop at N commands or after S seconds (default 3 s)\n"
" --mailbox=INBOX --messages=N           N: what the mailbox holds (fill: what it shall hold)\n"
" --size=mix|small|OCTETS --seed=1       which corpus\n"
" --fresh                                append/fill/lmtp: empty the mailbox first\n"
" --batch=100                            expunge: messages per EXPUNGE (of --messages)\n"
" --literal=auto|sync|plus               how APPEND sends its literal\n"
" --server-pids=P,...                    measure CPU and PSS of these processes and their descendants\n"
" --settle=1 --max-conns=2000            idle: seconds until memory is read; refuse: give up there\n"
" --timeout=60 --dir=. --verify\n", stderr);
	exit(2);
}

static void endpoint_set(struct endpoint *e, const char *v)
{
	const char *c = strrchr(v, ':');
	if (!c || (size_t)(c - v) >= sizeof e->host) die("need HOST:PORT, not %s", v);
	memcpy(e->host, v, (size_t)(c - v));
	e->host[c - v] = 0;
	if (!strcmp(e->host, "localhost")) strcpy(e->host, "127.0.0.1");
	e->port = atoi(c + 1);
}

int main(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] == '-') usage();
	o.workload = argv[1];
	for (int i = 2; i < argc; i++) {
		char *a = argv[i], *v = strchr(a, '=');
		if (!strcmp(a, "--verify")) { o.verify = true; continue; }
		if (!strcmp(a, "--fresh")) { o.fresh = true; continue; }
		if (strncmp(a, "--", 2) || !v) usage();
		*v++ = 0;
		a += 2;
		if (!strcmp(a, "imap")) endpoint_set(&o.imap, v);
		else if (!strcmp(a, "pop3")) endpoint_set(&o.pop3, v);
		else if (!strcmp(a, "lmtp")) endpoint_set(&o.lmtp, v);
		else if (!strcmp(a, "user")) o.user = v;
		else if (!strcmp(a, "pass")) o.pass = v;
		else if (!strcmp(a, "domain")) o.domain = v;
		else if (!strcmp(a, "mailbox")) o.mailbox = v;
		else if (!strcmp(a, "dir")) o.dir = v;
		else if (!strcmp(a, "literal")) o.literal = v;
		else if (!strcmp(a, "server-pids")) o.pids = v;
		else if (!strcmp(a, "first-user")) o.first_user = atoi(v);
		else if (!strcmp(a, "users")) o.users = atoi(v);
		else if (!strcmp(a, "conns")) o.conns = atoi(v);
		else if (!strcmp(a, "messages")) o.messages = atoi(v);
		else if (!strcmp(a, "batch")) o.batch = atoi(v);
		else if (!strcmp(a, "max-conns")) o.max_conns = atoi(v);
		else if (!strcmp(a, "count")) o.count = atol(v);
		else if (!strcmp(a, "seconds")) o.seconds = atof(v);
		else if (!strcmp(a, "settle")) o.settle = atof(v);
		else if (!strcmp(a, "timeout")) o.timeout = atof(v);
		else if (!strcmp(a, "seed")) o.seed = strtoull(v, NULL, 0);
		else if (!strcmp(a, "size")) o.size = !strcmp(v, "mix") ? -1 : !strcmp(v, "small") ? -2 : atol(v);
		else usage();
	}
	if (o.conns < 1 || o.conns > 20000 || o.batch < 1 || o.batch > 1000 || o.users < 1) usage();
	signal(SIGPIPE, SIG_IGN);
	struct rlimit rl;
	if (!getrlimit(RLIMIT_NOFILE, &rl) && rl.rlim_cur < 65536) {
		rl.rlim_cur = rl.rlim_max < 65536 ? rl.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	vocab_init();
	const char *wl = o.workload;
#define IS(x) (!strcmp(wl, x))
	if (IS("login")) run_workers(NULL, op_login, NULL);
	else if (IS("append") || IS("lmtp") || IS("expunge")) {
		pool_init(o.size == -1 ? 200 : 100);
		if (IS("append")) run_workers(set_append, op_append, end_append);
		else if (IS("lmtp")) { pool_stuff(); run_workers(set_lmtp, op_lmtp, end_lmtp); }
		else {
			if (!o.messages) o.messages = 2000;
			if (o.count <= 0) o.count = (long)o.conns * (o.messages / o.batch - 1);
			run_workers(set_expunge, op_expunge, end_expunge);
		}
	} else if (IS("fill")) {
		if (!o.messages) usage();
		o.conns = o.users;
		o.count = 0;
		o.seconds = 1e9;
		run_workers(set_fill, op_fill, end_append);
	} else if (IS("purge")) {
		o.conns = o.users;
		o.fresh = true;
		o.count = 1;
		o.messages = 0;
		run_workers(set_append, op_fill, NULL);
	} else if (!strncmp(wl, "fetch-", 6) || IS("pop3-fetch")) {
		if (o.messages && !IS("fetch-flags") && (o.verify || IS("fetch-full") || IS("fetch-random") || IS("pop3-fetch"))) expect_init(o.messages);
		if (IS("fetch-headers")) run_workers(set_fetch, op_fetch_headers, NULL);
		else if (IS("fetch-flags")) run_workers(set_fetch, op_fetch_flags, NULL);
		else if (IS("fetch-full")) run_workers(set_fetch, op_fetch_full, NULL);
		else if (IS("fetch-random")) run_workers(set_fetch, op_fetch_random, NULL);
		else if (IS("pop3-fetch")) run_workers(NULL, op_pop3, NULL);
		else usage();
	} else if (IS("select")) run_workers(set_fetch, op_select, NULL);
	else if (IS("status")) run_workers(set_status, op_status, NULL);
	else if (IS("noop")) run_workers(set_fetch, op_noop, NULL);
	else if (IS("search-text")) run_workers(set_fetch, op_search_text, NULL);
	else if (IS("search-body")) run_workers(set_fetch, op_search_body, NULL);
	else if (IS("search-header")) run_workers(set_fetch, op_search_header, NULL);
	else if (IS("store-flags")) run_workers(set_store, op_store, NULL);
	else if (IS("copy")) run_workers(set_copy, op_copy, end_copy);
	else if (IS("refuse")) run_refuse();
	else if (IS("idle")) run_idle();
	else if (IS("phys-fsync")) run_phys_fsync();
	else if (IS("phys-loop")) run_phys_loop();
	else if (IS("phys-rtt")) run_phys_rtt(false);
	else if (IS("phys-rtt-cross")) run_phys_rtt(true);
	else if (IS("phys-connect")) run_phys_connect();
	else if (IS("corpus")) run_corpus();
	else usage();
	return g_errors ? 1 : 0;
}
