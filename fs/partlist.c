/* fs/partlist.c - the files of a message's directory. */
#include "fs/partlist.h"

#include "fs/field.h"
#include "fs/name.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A part's own name is cut here, its number stands before it. */
#define PART_NAME_MAX 120
/* What may follow the last point of a name is kept when the name is cut. */
#define EXTENSION_MAX 16
#define SLICE 262144u

static const struct {
	const char *file, *field;
} fields[] = {
    {"from", "From"},
    {"to", "To"},
    {"cc", "Cc"},
    {"subject", "Subject"},
    {"date", "Date"},
    {"messageid", "Message-ID"},
};
#define FIELDS_N (sizeof fields / sizeof *fields)
/* raw, header, body.txt, the fields, flags, truncated */
#define FIXED_MAX (FIELDS_N + 5)
/* The number of a part's file is that of the part in the structure, and this. */
#define NUMBER_PARTS 16u
#define NUMBER_LAST 0xfffffu

struct partlist *partlist_ref(struct partlist *list)
{
	atomic_fetch_add(&list->refs, 1);
	return list;
}

void partlist_put(struct partlist **lp)
{
	struct partlist *list = *lp;

	*lp = NULL;
	if (!list || atomic_fetch_sub(&list->refs, 1) > 1)
		return;
	arena_fini(&list->arena);
	free(list);
}

/* ---- where parts lie in the message as it is served ---- */

/* A place in the CRLF form, and what it is in the form that is served. */
struct place {
	uint64_t crlf;
	uint64_t *served;
};

static int compare_places(const void *a, const void *b)
{
	uint64_t x = ((const struct place *)a)->crlf, y = ((const struct place *)b)->crlf;

	return x < y ? -1 : x > y;
}

/* Octets of the CRLF form, read ahead: places may lie close together. */
struct slice {
	char *octets;
	uint64_t at;
	size_t n;
};

/* What there is of [at, end) in one piece. */
static int slice_at(struct slice *slice, const struct body_source *source, uint64_t at, uint64_t end,
    struct str_view *piece_r, struct err *e)
{
	if (at < slice->at || at >= slice->at + slice->n) {
		if (source->read(source->arg, at, slice->octets, SLICE, &slice->n, e) < 0)
			return -1;
		if (slice->n == 0)
			return err_set(e, ERR_CORRUPT, "a message ends within a part");
		slice->at = at;
	}
	*piece_r = str_view(slice->octets + (at - slice->at), (size_t)(slice->at + slice->n - at));
	if (piece_r->n > end - at)
		piece_r->n = (size_t)(end - at);
	return 0;
}

/* One walk over the message, from place to place. */
static int walk(const struct partlist_message *m, const struct place *places, size_t places_n,
    const struct body_source *source, struct slice *slice, struct err *e)
{
	struct eol_out out = {.to = m->serve, .exceptions = m->exceptions};
	uint64_t at = 0, served = 0;
	struct str_buf to = {0};
	struct str_view piece = SV("");
	int rc = 0;

	for (size_t i = 0; i < places_n && rc == 0; i++) {
		while (rc == 0 && at < places[i].crlf) {
			if ((rc = slice_at(slice, source, at, places[i].crlf, &piece, e)) < 0)
				break;
			str_buf_clear(&to);
			eol_out_feed(&out, piece.p, piece.n, &to);
			served += to.n;
			at += piece.n;
		}
		*places[i].served = served + out.after_cr;
	}
	str_buf_fini(&to);
	return rc;
}

static int serve_places(const struct partlist_message *m, struct place *places, size_t places_n,
    const struct body_source *source, struct err *e)
{
	struct slice slice = {0};
	int rc;

	if (m->serve == EOL_CRLF) {
		for (size_t i = 0; i < places_n; i++)
			*places[i].served = places[i].crlf;
		return 0;
	}
	qsort(places, places_n, sizeof *places, compare_places);
	if (!(slice.octets = malloc(SLICE)))
		return err_set(e, ERR_TEMP, "no memory to walk over a message");
	rc = walk(m, places, places_n, source, &slice, e);
	free(slice.octets);
	return rc;
}

/* ---- names ---- */

/* The name a part gives itself, without what it says of folders (RFC 2183 2.3), its extension kept. */
static void put_name(const char *name, struct str_buf *out)
{
	const char *base = name, *dot;
	struct str_buf extension = {0};
	size_t n;

	for (const char *p = name; *p; p++)
		if (*p == '/' || *p == '\\')
			base = p + 1;
	dot = strrchr(base, '.');
	if (dot && dot > base && strlen(dot) <= EXTENSION_MAX)
		mime_slug(str_view(dot, strlen(dot)), EXTENSION_MAX, &extension);
	n = extension.n ? (size_t)(dot - base) : strlen(base);
	mime_slug(str_view(base, n), PART_NAME_MAX - extension.n, out);
	if (extension.n) {
		str_buf_putc(out, '.');
		str_buf_put(out, extension.p, extension.n);
	}
	str_buf_fini(&extension);
}

/* NULL: a number too long for a name. */
static const char *part_name(const struct mime_part *parts, size_t i, struct arena *arena)
{
	struct str_buf name = {0}, own = {0};
	const char *made = NULL;

	mime_part_number(parts, i, &name);
	if (name.n == 0)
		str_buf_putc(&name, '1'); /* the message's own text */
	if (parts[i].name)
		put_name(parts[i].name, &own);
	if (own.n && name.n + 1 + own.n <= NAME_MAX_BYTES) {
		str_buf_putc(&name, '-');
		str_buf_put(&name, own.p, own.n);
	}
	if (name.n <= NAME_MAX_BYTES)
		made = arena_strn(arena, name.p, name.n);
	str_buf_fini(&name);
	str_buf_fini(&own);
	return made;
}

static bool is_number(const char *name)
{
	return name[0] >= '1' && name[0] <= '9' && name[strspn(name, "0123456789.")] == '\0';
}

const struct partfile *partlist_find(const struct partlist *list, const char *name)
{
	size_t n = is_number(name) ? strlen(name) : 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct partfile *f = &list->files[i];

		if (strcmp(f->name, name) == 0 ||
		    (n && f->kind == PARTFILE_PART && strncmp(f->name, name, n) == 0 && f->name[n] == '-'))
			return f;
	}
	return NULL;
}

const struct partfile *partlist_file(const struct partlist *list, uint32_t number)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list->files[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < list->n && list->files[low].number == number ? &list->files[low] : NULL;
}

/* ---- the text for people ---- */

/* How good a part is as the text of the message; 0: not at all. */
static int rate_text(const struct mime_part *p, bool is_enclosed)
{
	if (p->kind != MIME_TEXT || is_enclosed)
		return 0;
	if (p->disposition && strcmp(p->disposition, "attachment") == 0)
		return 0;
	return strcmp(p->subtype, "plain") == 0 ? 3 : strcmp(p->subtype, "html") == 0 ? 2 : 1;
}

/* parts_n: none. */
static size_t best_text(const struct mime_part *parts, size_t parts_n)
{
	bool *is_enclosed = mem_alloc(parts_n * sizeof *is_enclosed);
	size_t best = parts_n;
	int rated = 0;

	for (size_t i = 0; i < parts_n; i++) {
		int rate;

		if (i > 0)
			is_enclosed[i] = is_enclosed[parts[i].parent] || parts[parts[i].parent].kind == MIME_MESSAGE;
		if ((rate = rate_text(&parts[i], is_enclosed[i])) > rated) {
			rated = rate;
			best = i;
		}
	}
	free(is_enclosed);
	return best;
}

/* A cut that leaves no half character. */
static void cut(struct str_buf *text, uint64_t max)
{
	if (text->n <= max)
		return;
	text->n = (size_t)max;
	while (text->n > 0 && ((unsigned char)text->p[text->n] & 0xc0) == 0x80)
		text->n--;
}

static int put_body(const struct partlist *list, const struct partfile *file, struct body *body,
    const struct body_source *source, struct str_buf *out, struct err *e)
{
	struct decoded *decoded = decoded_new(&file->window);
	struct str_buf octets = {0}, utf8 = {0};
	struct eol_out lf = {.to = EOL_LF};
	struct str_view view;
	/* No encoding makes octets fewer than they are. */
	size_t max = (size_t)(file->window.n < list->text_max ? file->window.n : list->text_max);
	int rc = decoded_read(decoded, body, source, 0, str_buf_room(&octets, max), max, &octets.n, e);

	if (rc == 0) {
		view = mime_utf8_view(file->charset ? file->charset : "", str_buf_view(&octets), &utf8);
		eol_out_feed(&lf, view.p, view.n, out);
		eol_out_finish(&lf, out);
		cut(out, list->text_max);
	}
	decoded_free(&decoded);
	str_buf_fini(&octets);
	str_buf_fini(&utf8);
	return rc;
}

/* ---- fields ---- */

static const char *field_of(const struct partfile *file)
{
	for (size_t i = 0; i < FIELDS_N; i++)
		if (strcmp(fields[i].file, file->name) == 0)
			return fields[i].field;
	return "";
}

/* Every field of the name, each on a line of its own. */
static void put_fields(struct str_view header, const char *field, struct str_buf *out)
{
	for (size_t i = 0; field_text(header, field, i, out); i++)
		str_buf_putc(out, '\n');
}

static int read_header(uint64_t header_n, const struct body_source *source, struct str_buf *out,
    struct err *e)
{
	size_t got;

	while (out->n < header_n) {
		if (source->read(source->arg, out->n, str_buf_room(out, (size_t)header_n - out->n),
		        (size_t)header_n - out->n, &got, e) < 0)
			return -1;
		if (got == 0)
			break;
		out->n += got;
	}
	return 0;
}

int partlist_text(const struct partlist *list, const struct partfile *file, struct body *body,
    const struct body_source *source, struct str_buf *out, struct err *e)
{
	struct str_buf header = {0};
	int rc = 0;

	if (file->kind == PARTFILE_TRUNCATED) {
		str_buf_puts(out, list->truncated);
	} else if (file->kind == PARTFILE_BODY) {
		rc = file->window.n ? put_body(list, file, body, source, out, e) : 0;
	} else if ((rc = read_header(list->header_n, source, &header, e)) == 0) {
		put_fields(str_buf_view(&header), field_of(file), out);
	}
	str_buf_fini(&header);
	return rc;
}

/* ---- making a list ---- */

struct making {
	const struct partlist_message *m;
	const struct partlist_caps *caps;
	const struct body_source *source;
	struct body *body;
	struct partlist *list;
	struct place *places;
	size_t places_n;
	struct str_buf truncated;
	uint64_t octets; /* of parts, so far */
};

static struct partfile *add(struct making *k, const char *name, enum partfile_kind kind, size_t number)
{
	struct partfile *f = &k->list->files[k->list->n++];

	*f = (struct partfile){.name = name, .kind = kind, .number = (uint32_t)number,
	    .window.encoding = MIME_BINARY};
	return f;
}

/* The octets from `at` to `end` of the CRLF form are the file's: window.n is where it ends until all places are known. */
static void span(struct making *k, struct partfile *f, uint64_t at, uint64_t end)
{
	k->places[k->places_n++] = (struct place){at, &f->window.at};
	k->places[k->places_n++] = (struct place){end, &f->window.n};
}

static void span_part(struct making *k, struct partfile *f, const struct mime_part *p)
{
	f->window.encoding = p->encoding;
	span(k, f, p->body_at, p->body_at + p->body_n);
}

static void add_fixed(struct making *k)
{
	size_t text = best_text(k->m->parts, k->m->parts_n);
	struct partfile *f;

	span(k, add(k, "raw", PARTFILE_RAW, 0), 0, k->m->size_crlf);
	span(k, add(k, "header", PARTFILE_HEADER, 1), 0, k->m->header_n);
	f = add(k, "body.txt", PARTFILE_BODY, 2);
	if (text < k->m->parts_n) {
		f->charset = arena_str(&k->list->arena, k->m->parts[text].charset);
		span_part(k, f, &k->m->parts[text]);
	}
	for (size_t i = 0; i < FIELDS_N; i++)
		add(k, fields[i].file, PARTFILE_FIELD, 3 + i);
	add(k, "flags", PARTFILE_FLAGS, 3 + FIELDS_N);
}

static void add_parts(struct making *k)
{
	const struct mime_part *parts = k->m->parts;
	size_t files = 0, left_out = 0, depth = 0;

	for (size_t i = 0; i < k->m->parts_n; i++) {
		const char *name;

		depth = parts[i].depth > depth ? parts[i].depth : depth;
		if (parts[i].kind == MIME_MULTIPART)
			continue;
		name = files < k->caps->files ? part_name(parts, i, &k->list->arena) : NULL;
		if (!name) {
			left_out++;
			continue;
		}
		span_part(k, add(k, name, PARTFILE_PART, NUMBER_PARTS + i), &parts[i]);
		files++;
	}
	if (left_out)
		str_buf_printf(&k->truncated, "%zu parts are not shown; PartFilesMax is %zu.\n", left_out,
		    k->caps->files);
	if (k->m->parts_n >= k->caps->mime_parts)
		str_buf_printf(&k->truncated, "Parts beyond the first %zu are not told apart (MimePartsMax).\n",
		    k->caps->mime_parts);
	if (depth + 1 >= k->caps->mime_depth)
		str_buf_printf(&k->truncated, "Parts nested deeper than %zu are not told apart (MimeDepthMax).\n",
		    k->caps->mime_depth);
}

/* The size of a file whose window is known. */
static int measure(struct making *k, struct partfile *f, struct err *e)
{
	struct decoded *decoded;
	struct str_buf text = {0};
	int rc;

	if (f->kind == PARTFILE_BODY || f->kind == PARTFILE_FIELD || f->kind == PARTFILE_TRUNCATED) {
		rc = partlist_text(k->list, f, k->body, k->source, &text, e);
		f->size = text.n;
		str_buf_fini(&text);
		return rc;
	}
	decoded = decoded_new(&f->window);
	rc = decoded_size(decoded, k->body, k->source, &f->size, e);
	decoded_free(&decoded);
	return rc;
}

/* All sizes; what would be more than may be is left out. */
static int measure_all(struct making *k, struct err *e)
{
	struct partlist *list = k->list;
	size_t n = 0, left_out = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct partfile f = list->files[i];

		f.window.n = f.window.n > f.window.at ? f.window.n - f.window.at : 0;
		/* What is encoded is decoded for its size: no more of it than may be. */
		if (f.kind == PARTFILE_PART && f.window.n > k->caps->octets - k->octets) {
			left_out++;
			continue;
		}
		if (measure(k, &f, e) < 0)
			return -1;
		if (f.kind == PARTFILE_PART)
			k->octets += f.window.n;
		list->files[n++] = f;
	}
	list->n = n;
	if (left_out)
		str_buf_printf(&k->truncated, "%zu parts are not shown; PartOctetsMax is %llu.\n", left_out,
		    (unsigned long long)k->caps->octets);
	return 0;
}

static void tell_text(struct making *k)
{
	const struct partfile *body = &k->list->files[2];

	/* Decoding may make it shorter, a charset longer: what is as long as it may be was cut. */
	if (body->window.n > k->caps->text || body->size >= k->caps->text)
		str_buf_printf(&k->truncated, "body.txt is cut; PartTextMax is %llu.\n",
		    (unsigned long long)k->caps->text);
}

static int make(struct making *k, struct err *e)
{
	struct partfile *f;

	add_fixed(k);
	add_parts(k);
	if (serve_places(k->m, k->places, k->places_n, k->source, e) < 0 || measure_all(k, e) < 0)
		return -1;
	tell_text(k);
	if (k->truncated.n) {
		k->list->truncated = arena_strn(&k->list->arena, k->truncated.p, k->truncated.n);
		f = add(k, "truncated", PARTFILE_TRUNCATED, NUMBER_LAST);
		f->size = k->truncated.n;
	}
	return 0;
}

int partlist_make(const struct partlist_message *m, const struct partlist_caps *caps,
    const struct body_source *source, struct partlist **list_r, struct err *e)
{
	struct making k = {.m = m, .caps = caps, .source = source};
	struct str_buf exceptions = {0};
	size_t files_max = FIXED_MAX + m->parts_n;
	int rc;

	k.list = mem_alloc(sizeof *k.list);
	atomic_init(&k.list->refs, 1);
	k.list->files = ARENA_ARRAY(&k.list->arena, struct partfile, files_max);
	k.list->header_n = m->header_n;
	k.list->text_max = caps->text;
	k.places = mem_alloc(2 * files_max * sizeof *k.places);
	str_buf_put(&exceptions, m->exceptions.p, m->exceptions.n);
	k.body = body_new(m->size_crlf, m->serve, &exceptions);
	rc = make(&k, e);
	body_free(&k.body);
	str_buf_fini(&k.truncated);
	free(k.places);
	if (rc < 0)
		partlist_put(&k.list);
	else
		*list_r = k.list;
	return rc;
}
