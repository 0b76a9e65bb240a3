/*
 * fs/message_xattr.c - what a message is, as extended attributes.
 *
 * Most is in memory.  What the header says is one short read of its beginning, which is remembered for the one
 * message it was read of.
 */
#include "fs/message_xattr.h"

#include "fs/err_map.h"
#include "fs/field.h"
#include "fs/flag.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fields are looked for in so much of a message, and told up to so much: the kernel takes 64 KB. */
#define HEADER_MAX 65536u
#define TEXT_MAX 4096u

enum text { TEXT_FROM, TEXT_SUBJECT, TEXT_ID, TEXT_THREAD, TEXTS_N };

struct message_texts {
	pthread_mutex_t lock;
	const struct mailbox *mb; /* NULL: of none yet */
	uint64_t content;         /* which never changes */
	struct str_buf text[TEXTS_N];
};

struct message_texts *message_texts_new(void)
{
	struct message_texts *m = mem_alloc(sizeof *m);

	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void message_texts_free(struct message_texts **mp)
{
	struct message_texts *m = *mp;

	if (!m)
		return;
	for (size_t i = 0; i < TEXTS_N; i++)
		str_buf_fini(&m->text[i]);
	pthread_mutex_destroy(&m->lock);
	mem_free(mp);
}

/* ---- from memory ---- */

static void put_flags(struct fs_folder *f, const struct fs_msg *m, struct str_buf *out)
{
	flag_put(f->mailbox, m, out);
}

static void put_uid(struct fs_folder *f, const struct fs_msg *m, struct str_buf *out)
{
	(void)f;
	str_buf_put_number(out, m->uid.n);
}

static void put_uidvalidity(struct fs_folder *f, const struct fs_msg *m, struct str_buf *out)
{
	(void)m;
	str_buf_put_number(out, f->uidvalidity);
}

static void put_modseq(struct fs_folder *f, const struct fs_msg *m, struct str_buf *out)
{
	(void)f;
	str_buf_put_number(out, m->modseq);
}

static void put_internaldate(struct fs_folder *f, const struct fs_msg *m, struct str_buf *out)
{
	char text[CLOCK_RFC3339_SIZE];

	(void)f;
	str_buf_puts(out, clock_rfc3339(m->idate_ms, text));
}

/* put NULL: of the header. */
static const struct {
	const char *name;
	void (*put)(struct fs_folder *f, const struct fs_msg *m, struct str_buf *out);
	enum text text;
} attributes[] = {
    {"user.flags", put_flags, TEXTS_N},
    {"user.uid", put_uid, TEXTS_N},
    {"user.uidvalidity", put_uidvalidity, TEXTS_N},
    {"user.modseq", put_modseq, TEXTS_N},
    {"user.internaldate", put_internaldate, TEXTS_N},
    {"user.from", NULL, TEXT_FROM},
    {"user.subject", NULL, TEXT_SUBJECT},
    {"user.messageid", NULL, TEXT_ID},
    {"user.thread", NULL, TEXT_THREAD},
};
#define ATTRIBUTES_N (sizeof attributes / sizeof *attributes)

/* ---- of the header ---- */

static int read_header(struct mailbox *mb, uint64_t content, struct str_buf *header)
{
	struct mailbox_access access;
	const char *end;
	struct err e;
	int rc;

	if (mailbox_access(mb, &access, &e) < 0)
		return fs_errno(&e);
	rc = content_read(access.store, content, 0, str_buf_room(header, HEADER_MAX), HEADER_MAX, &header->n, &e);
	mailbox_access_end(&access);
	if (rc < 0)
		return fs_errno(&e);
	if ((end = memmem(header->p, header->n, "\r\n\r\n", 4)))
		header->n = (size_t)(end - header->p) + 4;
	return 0;
}

/* Texts locked. */
static int learn(struct message_texts *m, struct mailbox *mb, uint64_t content)
{
	struct str_buf header = {0};
	int err = read_header(mb, content, &header);

	for (size_t i = 0; i < TEXTS_N; i++)
		str_buf_clear(&m->text[i]);
	m->mb = err ? NULL : mb;
	m->content = content;
	if (!err) {
		field_text(str_buf_view(&header), "From", 0, &m->text[TEXT_FROM]);
		field_text(str_buf_view(&header), "Subject", 0, &m->text[TEXT_SUBJECT]);
		field_text(str_buf_view(&header), "Message-ID", 0, &m->text[TEXT_ID]);
		field_thread(str_buf_view(&header), &m->text[TEXT_THREAD]);
	}
	str_buf_fini(&header);
	return err;
}

static size_t cut(struct str_view text)
{
	size_t n = text.n;

	if (n > TEXT_MAX)
		for (n = TEXT_MAX; n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80;)
			n--;
	return n;
}

static int put_text(struct tree *t, struct mailbox *mb, uint64_t content, enum text text,
    struct str_buf *out)
{
	struct message_texts *m = t->texts;
	struct str_view view;
	int err = 0;

	pthread_mutex_lock(&m->lock);
	if (m->mb != mb || m->content != content)
		err = learn(m, mb, content);
	view = str_buf_view(&m->text[text]);
	if (!err)
		str_buf_put(out, view.p, cut(view));
	pthread_mutex_unlock(&m->lock);
	return err;
}

/* ---- the rows' ---- */

int message_xattr_get(struct tree *t, struct node n, const char *name, struct str_buf *out)
{
	struct mailbox *mb;
	struct fs_folder *f;
	struct fs_msg *m;
	uint64_t content;

	for (size_t i = 0; i < ATTRIBUTES_N; i++) {
		if (strcmp(attributes[i].name, name) != 0)
			continue;
		if (!(m = fs_message_hold(t, n, &f)))
			return ESTALE;
		mb = f->mailbox;
		content = m->content;
		if (attributes[i].put)
			attributes[i].put(f, m, out);
		fs_message_let_go(f);
		return attributes[i].put ? 0 : put_text(t, mb, content, attributes[i].text, out);
	}
	return ENODATA;
}

bool message_xattr_is(const char *name)
{
	for (size_t i = 0; i < ATTRIBUTES_N; i++)
		if (strcmp(attributes[i].name, name) == 0)
			return true;
	return false;
}

void message_xattr_list(struct tree *t, struct node n, struct str_buf *out)
{
	(void)t;
	(void)n;
	for (size_t i = 0; i < ATTRIBUTES_N; i++)
		str_buf_put(out, attributes[i].name, strlen(attributes[i].name) + 1);
}
