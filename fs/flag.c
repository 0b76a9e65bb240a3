/* fs/flag.c - flags as words. */
#include "fs/flag.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define KEYWORDS 63
/* RFC 9051 9, flag-keyword: an atom; a longer one than this nobody means. */
#define KEYWORD_MAX 100u

static const struct {
	const char *name;
	uint32_t flag;
} names[] = {
    {"seen", STORE_FLAG_SEEN},
    {"answered", STORE_FLAG_ANSWERED},
    {"flagged", STORE_FLAG_FLAGGED},
    {"deleted", STORE_FLAG_DELETED},
    {"draft", STORE_FLAG_DRAFT},
};
#define NAMES_N (sizeof names / sizeof *names)

static bool is_atom(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 127 || strchr("(){%*\"\\]", s[i]))
			return false;
	return n > 0 && n <= KEYWORD_MAX;
}

/* As the mailbox spells it, or NULL. */
static const char *known_keyword(struct mailbox *mb, const char *name)
{
	for (int i = 0; i < KEYWORDS; i++)
		if (mb->keywords[i] && strcasecmp(mb->keywords[i], name) == 0)
			return mb->keywords[i];
	return NULL;
}

static int add_word(struct mailbox *mb, const char *word, bool any_word, struct arena *arena,
    struct flag_words *words)
{
	const char *known;

	for (size_t i = 0; i < NAMES_N; i++)
		if (strcasecmp(names[i].name, word) == 0) {
			words->flags |= names[i].flag;
			return 0;
		}
	known = known_keyword(mb, word);
	if (!known && !any_word && word[0] != '$')
		return EINVAL;
	if (!is_atom(word) || words->keywords_n == KEYWORDS)
		return EINVAL;
	words->keywords[words->keywords_n++] = known ? arena_str(arena, known) : word;
	return 0;
}

int flag_parse(struct mailbox *mb, struct str_view value, bool any_word, struct arena *arena,
    struct flag_words *words_r)
{
	struct str_view word;
	int err = 0;

	*words_r = (struct flag_words){0};
	pthread_mutex_lock(&mb->lock);
	while (!err && (word = str_word(&value)).n > 0)
		err = add_word(mb, arena_strn(arena, word.p, word.n), any_word, arena, words_r);
	pthread_mutex_unlock(&mb->lock);
	return err;
}

void flag_put(const struct mailbox *mb, const struct fs_msg *m, struct str_buf *out)
{
	for (size_t i = 0; i < NAMES_N; i++)
		if (m->flags & names[i].flag)
			str_buf_printf(out, "%s%s", out->n ? " " : "", names[i].name);
	for (int i = 0; i < KEYWORDS; i++)
		if ((m->keywords & (uint64_t)1 << i) && mb->keywords[i])
			str_buf_printf(out, "%s%s", out->n ? " " : "", mb->keywords[i]);
}
