/* fs/record.c - see record.h. */
#include "fs/record.h"

#include "base/io.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512u
/* "postern-prepared-4 k STAMP SUM ...": k as long as it is kept, then d; both numbers of 16 digits. */
#define MAGIC "postern-prepared-4"
#define STATE_AT sizeof MAGIC
#define STAMP_AT (STATE_AT + 2)
#define DIGITS 16u
#define REST_AT (STAMP_AT + 2 * (DIGITS + 1) - 1)
/* Names are short; user.flags may name all keywords that a mailbox has. */
#define HEADER_MAX 16384u
#define SIZE_MAX_SANE ((uint64_t)1 << 48)

uint64_t record_sum(uint64_t sum, const char *octets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ (unsigned char)octets[i]) * 0x100000001b3u;
	return sum;
}

static void put_rest(const struct record *r, struct str_buf *out)
{
	str_buf_printf(out, " %016" PRIx64 " %" PRIu32 " %d %" PRId64 " %" PRIu64 " %zu %zu\n%s%s", r->user.n,
	    r->folder, r->place, r->mtime_ms, r->size, strlen(r->name), strlen(r->flags), r->name, r->flags);
}

uint64_t record_sum_rest(const struct record *r, uint64_t sum)
{
	struct str_buf rest = {0};

	put_rest(r, &rest);
	sum = record_sum(sum, rest.p, rest.n);
	str_buf_fini(&rest);
	return sum;
}

uint64_t record_round(uint64_t n)
{
	return (n + SECTOR - 1) / SECTOR * SECTOR;
}

void record_put_header(const struct record *r, struct str_buf *out)
{
	size_t begun = out->n, room;

	str_buf_printf(out, MAGIC " k %016" PRIx64 " %016" PRIx64, r->stamp, r->sum);
	put_rest(r, out);
	/* One zero at least ends the text. */
	room = (size_t)record_round(out->n - begun + 1) - (out->n - begun);
	memset(str_buf_room(out, room), 0, room);
	out->n += room;
}

void record_set_stamp(char *record, uint64_t stamp)
{
	char digits[DIGITS + 1];

	snprintf(digits, sizeof digits, "%016" PRIx64, stamp);
	memcpy(record + STAMP_AT, digits, DIGITS);
}

static bool read_rest(const char *text, size_t n, struct arena *arena, struct record *r)
{
	size_t name_n, flags_n;
	const char *line_end = memchr(text, '\n', n);

	if (!line_end ||
	    sscanf(text, " %" SCNx64 " %" SCNu32 " %d %" SCNd64 " %" SCNu64 " %zu %zu", &r->user.n, &r->folder,
		&r->place, &r->mtime_ms, &r->size, &name_n, &flags_n) != 7 ||
	    name_n > HEADER_MAX || flags_n > HEADER_MAX || r->size > SIZE_MAX_SANE ||
	    strlen(line_end + 1) != name_n + flags_n)
		return false;
	r->name = arena_strn(arena, line_end + 1, name_n);
	r->flags = arena_strn(arena, line_end + 1 + name_n, flags_n);
	return true;
}

bool record_read(int fd, uint64_t at, struct arena *arena, struct record *r)
{
	char *text = arena_alloc(arena, HEADER_MAX + 1);
	ssize_t n = io_pread_all(fd, text, HEADER_MAX, (off_t)at);
	char state;

	*r = (struct record){.at = at};
	if (n < (ssize_t)REST_AT)
		return false;
	text[n] = '\0';
	n = (ssize_t)strlen(text);
	if (n < (ssize_t)REST_AT ||
	    sscanf(text, MAGIC " %c %16" SCNx64 " %16" SCNx64, &state, &r->stamp, &r->sum) != 3 ||
	    !read_rest(text + REST_AT, (size_t)n - REST_AT, arena, r))
		return false;
	r->is_done = state != 'k';
	r->octets_at = at + record_round((uint64_t)n + 1);
	r->next = r->octets_at + record_round(r->size);
	return true;
}

void record_mark_done(int fd, uint64_t at)
{
	(void)!pwrite(fd, "d", 1, (off_t)(at + STATE_AT)); /* where it can't be said, it is found to be a message */
}
