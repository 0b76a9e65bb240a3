/*
 * Thousands of random operations through four handles on one mailbox, two of them of another site (so
 * with handles, locks and caches of their own, as another process has), against a model in memory:
 * what the store says must be what the model says, and what a client learns from the feed of changes
 * alone must be the same.  Prints its seed; TEST_SEED repeats a run, TEST_OPS makes it longer.
 */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDERS 16
#define STORES 4
#define KEYWORDS 4

static const char *const keyword_names[KEYWORDS] = {"$Forwarded", "work", "Later", "$MDNSent"};

struct m_message {
	uint32_t uid, flags, keywords; /* keywords: bit n is keyword_names[n] */
	uint32_t body;                 /* its seed */
	uint32_t name;                 /* "n<name>.eml", 0: none */
};
struct m_folder {
	char name[128]; /* empty: not there */
	struct folder_id id;
	uint32_t uidnext;
	struct m_message *p;
	size_t n, room;
};
/* A client that reads nothing but the feed. */
struct m_client {
	struct store_modseq since;
	struct m_message *p;
	size_t n, room;
};

static struct model {
	struct m_folder folders[FOLDERS];
	struct m_client clients[FOLDERS];
	uint32_t names, bodies;
	uint64_t random;
} model;

static uint32_t rnd(uint32_t n)
{
	model.random = model.random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(model.random >> 33) % n;
}

/* The message of a seed as it arrives: any line ends, NULs, now and then a large one. */
static void body_make(uint32_t seed, struct str_buf *out)
{
	uint32_t kind = seed % 7, lines = seed % 97;

	str_buf_printf(out, "Subject: %u%sX-Seed: %u%s%s", seed, kind == 1 ? "\n" : "\r\n", seed,
	    kind == 1 ? "\n" : "\r\n", kind == 1 ? "\n" : "\r\n");
	if (seed % 211 == 0)
		lines = 9000;
	for (uint32_t i = 0; i < lines; i++) {
		str_buf_printf(out, "line %u of %u", i, seed);
		if (kind == 3)
			str_buf_putc(out, '\0');
		str_buf_puts(out, kind == 1 || (kind == 2 && i % 3 == 0) ? "\n" : "\r\n");
	}
	if (kind == 4)
		str_buf_puts(out, "no end of line\r");
}

/* What the store keeps: every LF has its CR. */
static void body_crlf(uint32_t seed, struct str_buf *out)
{
	struct str_buf in = {0};

	body_make(seed, &in);
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\n' && (i == 0 || in.p[i - 1] != '\r'))
			str_buf_putc(out, '\r');
		str_buf_putc(out, in.p[i]);
	}
	str_buf_fini(&in);
}

static struct m_message *message_add(struct m_message **p, size_t *n, size_t *room)
{
	if (*n == *room) {
		*room = *room ? *room * 2 : 16;
		*p = realloc(*p, *room * sizeof **p);
		assert_non_null(*p);
	}
	memset(&(*p)[*n], 0, sizeof **p);
	return &(*p)[(*n)++];
}

static struct m_folder *any_folder(void)
{
	struct m_folder *f;

	do
		f = &model.folders[rnd(FOLDERS)];
	while (!*f->name);
	return f;
}

static struct m_folder *folder_named(const char *name)
{
	for (size_t i = 0; i < FOLDERS; i++)
		if (strcmp(model.folders[i].name, name) == 0)
			return &model.folders[i];
	return NULL;
}

static size_t any_ranges(const struct m_folder *f, struct uid_range ranges[3])
{
	size_t n = 0, want = 1 + rnd(3);
	uint32_t at = 1 + rnd(f->uidnext + 2);

	while (n < want) {
		uint32_t to = at + rnd(6);

		ranges[n++] = (struct uid_range){at, to};
		at = to + 1 + rnd(5);
	}
	return n;
}

static bool in_ranges(uint32_t uid, const struct uid_range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (uid >= r[i].from && uid <= r[i].to)
			return true;
	return false;
}

static void do_append(struct support *s, struct store *store)
{
	struct append *appends[3];
	struct append_how how[3] = {0};
	struct append_done done[3];
	struct str_buf body = {0};
	char names[3][32];
	struct m_folder *f[3];
	uint32_t bodies[3], kw[3], n = 1 + rnd(3);
	const char *keywords[3][KEYWORDS];

	for (uint32_t i = 0; i < n; i++) {
		f[i] = any_folder();
		bodies[i] = ++model.bodies;
		kw[i] = rnd(4) ? 0 : rnd(1 << KEYWORDS);
		how[i] = (struct append_how){.folder = f[i]->id, .flags = rnd(32),
		    .idate_ms = 1700000000000 + model.bodies, .zone_min = 60, .keywords = keywords[i]};
		for (uint32_t k = 0; k < KEYWORDS; k++)
			if (kw[i] & 1u << k)
				keywords[i][how[i].keywords_n++] = keyword_names[k];
		snprintf(names[i], sizeof names[i], "n%u.eml", bodies[i]);
		if (bodies[i] % 3 == 0)
			how[i].name = names[i];
		OK(append_begin(store, &appends[i], &s->e));
		str_buf_clear(&body);
		body_make(bodies[i], &body);
		for (size_t at = 0; at < body.n;) {
			size_t part = 1 + rnd(70000);

			part = part < body.n - at ? part : body.n - at;
			OK(append_write(appends[i], body.p + at, part, &s->e));
			at += part;
		}
	}
	OK(append_commit(appends, how, n, done, &s->e));
	for (uint32_t i = 0; i < n; i++) {
		struct m_message *m = message_add(&f[i]->p, &f[i]->n, &f[i]->room);

		*m = (struct m_message){f[i]->uidnext++, how[i].flags, kw[i], bodies[i],
		    how[i].name ? bodies[i] : 0};
		assert_int_equal(done[i].uid.n, m->uid);
	}
	str_buf_fini(&body);
}

static void do_flags(struct support *s, struct store *store)
{
	struct m_folder *f = any_folder();
	struct uid_range ranges[3];
	const char *keywords[KEYWORDS];
	struct flags_change change = {.how = (enum flags_how)rnd(3), .flags = rnd(32),
	    .keywords = keywords};
	struct message_info *now;
	struct store_uid *failed;
	size_t ranges_n = any_ranges(f, ranges), n, failed_n, at = 0;
	uint32_t kw = rnd(3) ? 0 : rnd(1 << KEYWORDS);

	for (uint32_t k = 0; k < KEYWORDS; k++)
		if (kw & 1u << k)
			keywords[change.keywords_n++] = keyword_names[k];
	OK(flags_store(store, f->id, ranges, ranges_n, &change, &s->arena, &now, &n, &failed, &failed_n,
	    &s->e));
	assert_int_equal(failed_n, 0);
	for (size_t i = 0; i < f->n; i++) {
		struct m_message *m = &f->p[i];

		if (!in_ranges(m->uid, ranges, ranges_n))
			continue;
		if (change.how == FLAGS_REPLACE) {
			m->flags = change.flags;
			m->keywords = kw;
		} else if (change.how == FLAGS_ADD) {
			m->flags |= change.flags;
			m->keywords |= kw;
		} else {
			m->flags &= ~change.flags;
			m->keywords &= ~kw;
		}
		assert_true(at < n);
		assert_int_equal(now[at].uid.n, m->uid);
		assert_int_equal(now[at].flags, m->flags);
		at++;
	}
	assert_int_equal(at, n);
}

static bool name_taken(const struct m_folder *f, uint32_t name)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->p[i].name == name)
			return true;
	return false;
}

static void do_transfer(struct support *s, struct store *store, bool move)
{
	struct m_folder *from = any_folder(), *to = any_folder();
	struct message_copied copied;
	struct uid_range ranges[3];
	size_t ranges_n = any_ranges(from, ranges), at = 0, kept = 0, n = from->n;

	if (move)
		OK(message_move(store, from->id, ranges, ranges_n, to->id, &s->arena, &copied, &s->e));
	else
		OK(message_copy(store, from->id, ranges, ranges_n, to->id, &s->arena, &copied, &s->e));
	for (size_t i = 0; i < n; i++) {
		struct m_message old = from->p[i], *new;

		if (!in_ranges(old.uid, ranges, ranges_n)) {
			from->p[kept++] = old;
			continue;
		}
		assert_true(at < copied.n);
		assert_int_equal(copied.from[at].n, old.uid);
		assert_int_equal(copied.to[at].n, to->uidnext);
		at++;
		if (!move)
			from->p[kept++] = old;
		bool named = move && from != to && old.name && !name_taken(to, old.name);

		new = message_add(&to->p, &to->n, &to->room);
		*new = old;
		new->uid = to->uidnext++;
		new->name = named ? old.name : 0;
	}
	assert_int_equal(at, copied.n);
	if (from == to && n > kept) /* the copies stand behind: close the gap before them */
		memmove(from->p + kept, from->p + n, (from->n - n) * sizeof *from->p);
	from->n = from == to ? kept + (from->n - n) : kept;
}

static void do_expunge(struct support *s, struct store *store)
{
	struct m_folder *f = any_folder();
	struct uid_range ranges[3];
	struct store_uid *gone;
	size_t ranges_n = any_ranges(f, ranges), n, at = 0, kept = 0;
	bool only_deleted = rnd(2);

	OK(message_expunge(store, f->id, ranges, ranges_n, only_deleted, &s->arena, &gone, &n, &s->e));
	for (size_t i = 0; i < f->n; i++) {
		struct m_message *m = &f->p[i];

		if (!in_ranges(m->uid, ranges, ranges_n) ||
		    (only_deleted && !(m->flags & STORE_FLAG_DELETED))) {
			f->p[kept++] = *m;
			continue;
		}
		assert_true(at < n);
		assert_int_equal(gone[at++].n, m->uid);
	}
	assert_int_equal(at, n);
	f->n = kept;
}

static struct m_folder *folder_place(void)
{
	for (size_t i = 0; i < FOLDERS; i++)
		if (!*model.folders[i].name)
			return &model.folders[i];
	return NULL;
}

static void folder_begin(struct m_folder *f, const char *name, struct folder_id id)
{
	struct m_client *c = &model.clients[f - model.folders];

	free(c->p);
	free(f->p);
	*c = (struct m_client){0};
	*f = (struct m_folder){.id = id, .uidnext = 1};
	snprintf(f->name, sizeof f->name, "%s", name);
}

static void do_create(struct support *s, struct store *store)
{
	struct m_folder *place = folder_place();
	struct folder_id id;
	char name[64];

	snprintf(name, sizeof name, "f%u", rnd(20));
	if (folder_named(name)) {
		FAILS(ERR_EXISTS, folder_create(store, name, FOLDER_NO_USE, &id, &s->e));
	} else if (place) {
		OK(folder_create(store, name, FOLDER_NO_USE, &id, &s->e));
		folder_begin(place, name, id);
	}
}

static void do_rename(struct support *s, struct store *store)
{
	struct m_folder *f = any_folder(), *place = folder_place();
	struct folder_info info;
	char name[64];

	snprintf(name, sizeof name, "f%u", rnd(20));
	if (folder_named(name)) {
		FAILS(ERR_EXISTS, folder_rename(store, f->name, name, &s->e));
		return;
	}
	if (strcmp(f->name, "INBOX") == 0) {
		if (!place)
			return;
		OK(folder_rename(store, "INBOX", name, &s->e));
		OK(folder_by_name(store, name, &s->arena, &info, &s->e));
		folder_begin(place, name, info.id);
		for (size_t i = 0; i < f->n; i++) {
			struct m_message *m = message_add(&place->p, &place->n, &place->room);

			*m = f->p[i];
			m->uid = place->uidnext++;
		}
		f->n = 0;
		return;
	}
	OK(folder_rename(store, f->name, name, &s->e));
	snprintf(f->name, sizeof f->name, "%s", name);
}

static void do_delete(struct support *s, struct store *store)
{
	struct m_folder *f = any_folder();

	if (strcmp(f->name, "INBOX") == 0) {
		FAILS(ERR_PERM, folder_delete(store, "INBOX", &s->e));
		return;
	}
	if (rnd(4))
		return;
	OK(folder_delete(store, f->name, &s->e));
	folder_begin(f, "", (struct folder_id){0});
}

static void do_name(struct support *s, struct store *store)
{
	struct m_folder *f = any_folder();
	struct m_message *m;
	char name[32];
	uint32_t number = 1000000 + rnd(50);

	if (f->n == 0)
		return;
	m = &f->p[rnd((uint32_t)f->n)];
	snprintf(name, sizeof name, "n%u.eml", number);
	if (rnd(3) == 0) {
		OK(message_set_name(store, f->id, (struct store_uid){m->uid}, NULL, &s->e));
		m->name = 0;
	} else if (m->name != number && name_taken(f, number)) {
		FAILS(ERR_EXISTS,
		    message_set_name(store, f->id, (struct store_uid){m->uid}, name, &s->e));
	} else {
		OK(message_set_name(store, f->id, (struct store_uid){m->uid}, name, &s->e));
		m->name = number;
	}
}

/* A client applies what the feed says since it last asked, and must then agree with the model. */
static void client_catch_up(struct support *s, struct store *store, struct m_folder *f)
{
	struct m_client *c = &model.clients[f - model.folders];
	struct folder_changes ch;
	size_t kept = 0, gone = 0;

	OK(change_folder(store, f->id, c->since, MESSAGE_FLAGS, &s->arena, &ch, &s->e));
	assert_false(ch.reset);
	for (size_t i = 0; i < c->n; i++) {
		while (gone < ch.expunged_n && ch.expunged[gone].n < c->p[i].uid)
			gone++;
		if (gone < ch.expunged_n && ch.expunged[gone].n == c->p[i].uid)
			continue;
		c->p[kept++] = c->p[i];
	}
	c->n = kept;
	for (size_t i = 0; i < ch.changed_n; i++) {
		const struct message_info *m = &ch.changed[i];
		size_t at = 0;

		assert_true(m->modseq.n > c->since.n);
		while (at < c->n && c->p[at].uid < m->uid.n)
			at++;
		if (at == c->n)
			message_add(&c->p, &c->n, &c->room)->uid = m->uid.n;
		assert_int_equal(c->p[at].uid, m->uid.n); /* new ones come at the end only */
		c->p[at].flags = m->flags;
	}
	c->since = ch.highestmodseq;
	assert_int_equal(ch.info.exists, f->n);
	assert_int_equal(c->n, f->n);
	for (size_t i = 0; i < f->n; i++) {
		assert_int_equal(c->p[i].uid, f->p[i].uid);
		assert_int_equal(c->p[i].flags, f->p[i].flags);
	}
}

static void compare_folder(struct support *s, struct store *store, const struct m_folder *f)
{
	const char *names[63];
	struct message_info *list;
	struct folder_info info;
	size_t n;

	OK(folder_by_name(store, f->name, &s->arena, &info, &s->e));
	assert_int_equal(info.id.n, f->id.n);
	assert_int_equal(info.exists, f->n);
	assert_int_equal(info.uidnext, f->uidnext);
	OK(flags_keywords(store, &s->arena, names, &s->e));
	OK(message_list(store, f->id, &support_all, 1, MESSAGE_BASIC | MESSAGE_NAME, SIZE_MAX, &s->arena,
	    &list, &n, &s->e));
	assert_int_equal(n, f->n);
	for (size_t i = 0; i < n; i++) {
		const struct m_message *m = &f->p[i];
		uint32_t kw = 0;
		char name[32];

		for (uint32_t bit = 0; bit < 63; bit++)
			for (uint32_t k = 0; k < KEYWORDS; k++)
				if (list[i].keywords >> bit & 1 && names[bit] &&
				    strcmp(names[bit], keyword_names[k]) == 0)
					kw |= 1u << k;
		snprintf(name, sizeof name, "n%u.eml", m->name);
		assert_int_equal(list[i].uid.n, m->uid);
		assert_int_equal(list[i].flags, m->flags);
		assert_int_equal(kw, m->keywords);
		assert_int_equal(list[i].idate_ms, 1700000000000 + m->body);
		if (m->name)
			assert_string_equal(list[i].name, name);
		else
			assert_null(list[i].name);
	}
}

static void compare_bodies(struct support *s, struct store *store, const struct m_folder *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct message_info m = support_message(s, store, f->id, f->p[i].uid);
		struct str_view got = support_read(s, store, m.content);
		struct str_buf want = {0}, in = {0}, out = {0}, exceptions = {0};
		struct eol_out eol = {.to = m.lineends};

		body_crlf(f->p[i].body, &want);
		body_make(f->p[i].body, &in);
		assert_int_equal(got.n, want.n);
		assert_memory_equal(got.p, want.p, want.n);
		assert_int_equal(m.size, want.n);
		assert_int_equal(m.size_in, in.n);
		/* And back out as it came in. */
		OK(content_exceptions(store, m.content, &exceptions, &s->e));
		eol.exceptions = str_buf_view(&exceptions);
		eol_out_feed(&eol, got.p, got.n, &out);
		eol_out_finish(&eol, &out);
		assert_int_equal(out.n, in.n);
		assert_memory_equal(out.p, in.p, in.n);
		str_buf_fini(&want);
		str_buf_fini(&in);
		str_buf_fini(&out);
		str_buf_fini(&exceptions);
		arena_fini(&s->arena);
	}
}

static void do_one(struct support *s, struct store *store)
{
	uint32_t what = rnd(100);

	if (what < 25)
		do_append(s, store);
	else if (what < 50)
		do_flags(s, store);
	else if (what < 60)
		do_transfer(s, store, false);
	else if (what < 70)
		do_transfer(s, store, true);
	else if (what < 85)
		do_expunge(s, store);
	else if (what < 88)
		do_create(s, store);
	else if (what < 91)
		do_rename(s, store);
	else if (what < 93)
		do_delete(s, store);
	else
		do_name(s, store);
}

static void begin_model(struct support *s, struct store *store)
{
	struct folder_info *list;
	size_t n;

	OK(folder_list(store, &s->arena, &list, &n, &s->e));
	assert_int_equal(n, 6);
	for (size_t i = 0; i < n; i++)
		folder_begin(&model.folders[i], list[i].name, list[i].id);
}

static void random_operations_agree_with_a_model(void **state)
{
	struct support support = {0}, other, *s = &support;
	const char *ops = getenv("TEST_OPS"), *seed = getenv("TEST_SEED");
	struct store *stores[STORES];
	unsigned n = ops ? (unsigned)strtoul(ops, NULL, 10) : 3000;

	(void)state;
	model.random = seed ? strtoull(seed, NULL, 10) : 20101123;
	print_message("seed %llu\n", (unsigned long long)model.random);
	support_begin(s);
	other = support;
	OK(site_open(s->dir, "other", &other.site, &s->e));
	for (size_t i = 0; i < STORES; i++)
		stores[i] = support_open(i % 2 ? &other : s, s->alice);
	begin_model(s, stores[0]);
	for (unsigned i = 0; i < n; i++) {
		struct m_folder *f;

		do_one(s, stores[rnd(STORES)]);
		f = any_folder();
		client_catch_up(s, stores[rnd(STORES)], f);
		if (i % 20 == 0)
			compare_folder(s, stores[rnd(STORES)], any_folder());
		arena_fini(&s->arena);
	}
	for (size_t i = 0; i < FOLDERS; i++)
		if (*model.folders[i].name) {
			compare_folder(s, stores[i % STORES], &model.folders[i]);
			compare_bodies(s, stores[i % STORES], &model.folders[i]);
			client_catch_up(s, stores[i % STORES], &model.folders[i]);
		}
	support_check(s, stores[0]);
	for (size_t i = 0; i < FOLDERS; i++) {
		free(model.folders[i].p);
		free(model.clients[i].p);
	}
	for (size_t i = 0; i < STORES; i++)
		support_close(&stores[i]);
	site_close(&other.site);
	support_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_operations_agree_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
