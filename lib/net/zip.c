/*
 * net/zip.c - DEFLATE on a connection, both ways (RFC 1951, without a header of zlib's), by zlib.
 *
 * The filter lies between the buffers a door sees and what crosses the wire, below lines and above TLS.
 * What a peer can make it do is bounded: a read inflates no more than the input buffer has room for,
 * and nothing is deflated while ZIP_OUT_OCTETS wait to be sent.
 *
 * zlib wants 256 KB to deflate and 40 KB to inflate, which an idle connection need not hold.  Behind a
 * sync flush the stream stands at an octet's edge and between two blocks, so a new compressor goes on where
 * the old one stopped: it knows less of the past, and the peer can't tell.  The other way the peer may refer
 * to what it sent before, so that text is kept, which for commands is little; and the rest is made anew.
 */
#include "net/conn_priv.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define ZIP_IN_OCTETS ((size_t)16 * 1024)  /* one read of the wire */
#define ZIP_OUT_OCTETS ((size_t)64 * 1024) /* compressed octets that may wait */
#define ZIP_STEP_OCTETS ((size_t)16 * 1024)
#define ZIP_REST_MS 2000
#define RAW_WINDOW_BITS (-MAX_WBITS) /* negative: no header; the peer may use any window */

struct zip {
	z_stream in, out;
	bool in_open, out_open; /* zlib holds memory for it */
	bool out_dirty;         /* there is text that a sync flush has yet to push out */
	bool in_more;           /* inflate has more to say than there was room for */
	bool in_ended;          /* the peer's stream has a last block, and it was read */
	struct str_buf wire_in, wire_out;
	size_t wire_in_at, wire_out_at;
	unsigned char *past; /* of what the peer sent, while inflate rests */
	unsigned past_n;
	int64_t rest_at;
};

void zip_begin(struct conn *conn)
{
	struct zip *zip = mem_alloc(sizeof *zip);

	conn->zip_wanted = false;
	conn->zip = zip;
	/* The answer goes out as it is; what was read behind the command is compressed already. */
	if (stream_unsent(conn))
		str_buf_put(&zip->wire_out, conn->out.p + conn->out_at, conn->out.n - conn->out_at);
	if (conn->in.n > conn->in_at)
		str_buf_put(&zip->wire_in, conn->in.p + conn->in_at, conn->in.n - conn->in_at);
	str_buf_clear(&conn->out);
	str_buf_clear(&conn->in);
	conn->out_at = conn->in_at = 0;
}

static void rest_out(struct zip *zip)
{
	if (zip->out_open)
		deflateEnd(&zip->out);
	zip->out_open = false;
}

static void rest_in(struct zip *zip)
{
	if (zip->in_open)
		inflateEnd(&zip->in);
	zip->in_open = false;
}

void zip_end(struct conn *conn)
{
	struct zip *zip = conn->zip;

	if (!zip)
		return;
	rest_out(zip);
	rest_in(zip);
	str_buf_fini(&zip->wire_in);
	str_buf_fini(&zip->wire_out);
	free(zip->past);
	mem_free(&conn->zip);
}

/* --- in ------------------------------------------------------------------------------------ */

/* Out of memory aborts, as everywhere: zlib asks for no more than its window. */
static void wake_in(struct zip *zip)
{
	if (zip->in_open)
		return;
	zip->in = (z_stream){0};
	CHECK(inflateInit2(&zip->in, RAW_WINDOW_BITS) == Z_OK);
	if (zip->past_n)
		CHECK(inflateSetDictionary(&zip->in, zip->past, zip->past_n) == Z_OK);
	mem_free(&zip->past);
	zip->past_n = 0;
	zip->in_open = true;
}

/* Octets inflated to `to`; 0: more has to be read, or all is; -1 with errno: that is no DEFLATE. */
static ssize_t inflate_some(struct zip *zip, char *to, size_t n)
{
	size_t waiting = zip->wire_in.n - zip->wire_in_at;
	int result;

	if ((!waiting && !zip->in_more) || zip->in_ended)
		return 0;
	wake_in(zip);
	zip->in.next_in = waiting ? (unsigned char *)zip->wire_in.p + zip->wire_in_at : NULL;
	zip->in.avail_in = (unsigned)waiting;
	zip->in.next_out = (unsigned char *)to;
	zip->in.avail_out = (unsigned)n;
	result = inflate(&zip->in, Z_SYNC_FLUSH);
	zip->wire_in_at = zip->wire_in.n - zip->in.avail_in;
	zip->in_more = zip->in.avail_out == 0;
	n -= zip->in.avail_out;
	zip->in_ended = result == Z_STREAM_END;
	if (n == 0 && !zip->in_ended && result != Z_OK && result != Z_BUF_ERROR) {
		errno = EPROTO;
		return -1;
	}
	return (ssize_t)n;
}

ssize_t zip_recv(struct conn *conn, char *to, size_t n)
{
	struct zip *zip = conn->zip;
	ssize_t got;

	for (;;) {
		if ((got = inflate_some(zip, to, n)) != 0)
			break;
		if (zip->in_ended)
			return 0;
		str_buf_clear(&zip->wire_in);
		zip->wire_in_at = 0;
		str_buf_room(&zip->wire_in, ZIP_IN_OCTETS);
		if ((got = stream_recv(conn, zip->wire_in.p, ZIP_IN_OCTETS)) <= 0)
			return got;
		zip->wire_in.n = (size_t)got;
	}
	zip->rest_at = clock_mono_ms() + ZIP_REST_MS;
	return got;
}

bool zip_has_more(const struct conn *conn)
{
	const struct zip *zip = conn->zip;

	return zip && !zip->in_ended && (zip->in_more || zip->wire_in.n > zip->wire_in_at);
}

/* --- out ----------------------------------------------------------------------------------- */

size_t zip_unsent(const struct conn *conn)
{
	return conn->zip ? conn->zip->wire_out.n - conn->zip->wire_out_at : 0;
}

static void wake_out(struct conn *conn)
{
	const struct net_limits *limits = &conn->server->limits;
	struct zip *zip = conn->zip;

	if (zip->out_open)
		return;
	zip->out = (z_stream){0};
	CHECK(deflateInit2(&zip->out, (int)limits->deflate_level, Z_DEFLATED,
	    -(int)limits->deflate_window_bits, (int)limits->deflate_memory_level,
	    Z_DEFAULT_STRATEGY) == Z_OK);
	zip->out_open = true;
}

/* One call of deflate; true when it has said all it had to. */
static bool deflate_some(struct zip *zip, int flush)
{
	zip->out.next_out = (unsigned char *)str_buf_room(&zip->wire_out, ZIP_STEP_OCTETS);
	zip->out.avail_out = ZIP_STEP_OCTETS;
	(void)deflate(&zip->out, flush); /* Z_BUF_ERROR: there was nothing to do */
	zip->wire_out.n += ZIP_STEP_OCTETS - zip->out.avail_out;
	zip->wire_out.p[zip->wire_out.n] = '\0';
	return zip->out.avail_out > 0;
}

/* Deflates what the door put, as far as there is room for it to wait.  sync: the peer shall be able to
 * read all of it. */
static void fill_wire(struct conn *conn, bool sync)
{
	struct zip *zip = conn->zip;
	size_t n = conn->out.n - conn->out_at;

	if (!n && !(sync && zip->out_dirty))
		return;
	wake_out(conn);
	zip->out_dirty = true;
	zip->out.next_in = n ? (unsigned char *)conn->out.p + conn->out_at : NULL;
	zip->out.avail_in = (unsigned)n;
	while (zip_unsent(conn) < ZIP_OUT_OCTETS) {
		bool all = deflate_some(zip, sync ? Z_SYNC_FLUSH : Z_NO_FLUSH);

		if (!all)
			continue;
		zip->out_dirty = !sync;
		break;
	}
	conn->out_at = conn->out.n - zip->out.avail_in;
}

int zip_send(struct conn *conn, bool sync)
{
	struct zip *zip = conn->zip;

	for (;;) {
		fill_wire(conn, sync);
		if (!zip_unsent(conn))
			break;
		ssize_t sent = stream_send(conn, zip->wire_out.p + zip->wire_out_at, zip_unsent(conn));

		if (sent < 0)
			return -1;
		zip->wire_out_at += (size_t)sent;
		zip->rest_at = clock_mono_ms() + ZIP_REST_MS;
		if (!zip_unsent(conn)) {
			str_buf_clear(&zip->wire_out);
			zip->wire_out_at = 0;
		}
	}
	return 0;
}

/* --- rest ---------------------------------------------------------------------------------- */

/* Between two blocks and at an octet's edge: there is nothing to inflate but what will come. */
static bool may_rest_in(const struct zip *zip)
{
	return zip->in_open && !zip->in_more && zip->wire_in.n == zip->wire_in_at &&
	       zip->in.data_type == 128;
}

static void keep_past(struct zip *zip)
{
	unsigned n = 0;

	inflateGetDictionary(&zip->in, NULL, &n);
	if (n) {
		zip->past = mem_alloc(n);
		inflateGetDictionary(&zip->in, zip->past, &n);
	}
	zip->past_n = n;
}

static void drop_if_empty(struct str_buf *buf, size_t *at)
{
	if (buf->n > *at)
		return;
	str_buf_fini(buf);
	*at = 0;
}

void zip_rest(struct conn *conn, int64_t now)
{
	struct zip *zip = conn->zip;

	drop_if_empty(&zip->wire_in, &zip->wire_in_at);
	drop_if_empty(&zip->wire_out, &zip->wire_out_at);
	if (now < zip->rest_at)
		return;
	if (may_rest_in(zip)) {
		keep_past(zip);
		rest_in(zip);
	}
	if (!zip->out_dirty && !stream_unsent(conn))
		rest_out(zip);
	zip->rest_at = NEVER;
}

int64_t zip_rests_at(const struct conn *conn)
{
	return conn->zip && (conn->zip->in_open || conn->zip->out_open) ? conn->zip->rest_at : NEVER;
}
