/* store/maildir_letters.c - flags as Maildir writes them. */
#include "store/maildir_letters.h"

static const struct {
	char letter;
	uint32_t flag; /* 0: the keyword $Forwarded */
} letters[] = {
    {'D', STORE_FLAG_DRAFT},
    {'F', STORE_FLAG_FLAGGED},
    {'P', 0},
    {'R', STORE_FLAG_ANSWERED},
    {'S', STORE_FLAG_SEEN},
    {'T', STORE_FLAG_DELETED},
};
#define LETTERS_N (sizeof letters / sizeof *letters)

void maildir_letters_put(uint32_t flags, bool forwarded, struct str_buf *out)
{
	for (size_t i = 0; i < LETTERS_N; i++)
		if (letters[i].flag ? flags & letters[i].flag : forwarded)
			str_buf_putc(out, letters[i].letter);
}

bool maildir_letters_get(struct str_view view, uint32_t *flags)
{
	bool forwarded = false;

	for (size_t k = 0; k < view.n; k++)
		for (size_t i = 0; i < LETTERS_N; i++)
			if (letters[i].letter == view.p[k]) {
				*flags |= letters[i].flag;
				forwarded |= letters[i].flag == 0;
			}
	return forwarded;
}
