/* deliver/choose.c - the folder that the subaddress names, if it is there; else INBOX. */
#include "deliver/choose.h"

#include "mime/decode.h"
#include "store/folder.h"

#include <string.h>

static bool folds_alike(const char *a, const char *b)
{
	struct str_buf x = {0}, y = {0};
	bool alike;

	mime_fold(str_view(a, strlen(a)), &x);
	mime_fold(str_view(b, strlen(b)), &y);
	alike = str_equal(str_buf_view(&x), str_buf_view(&y));
	str_buf_fini(&x);
	str_buf_fini(&y);
	return alike;
}

/* Senders and servers on the way change the case of local parts: one that differs in nothing else will do. */
static int find_folded(struct store *store, const char *name, struct arena *arena,
    const char **folder_r, struct err *e)
{
	struct folder_info *list;
	size_t n;

	if (folder_list(store, arena, &list, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (folds_alike(list[i].name, name)) {
			*folder_r = list[i].name;
			return 0;
		}
	*folder_r = "INBOX";
	return 0;
}

int deliver_choose(struct store *store, const struct recipient *to, struct arena *arena,
    const char **folder_r, struct err *e)
{
	struct folder_info folder;

	*folder_r = "INBOX";
	if (!to->detail)
		return 0;
	if (folder_by_name(store, to->detail, arena, &folder, e) == 0) {
		*folder_r = folder.name;
		return 0;
	}
	if (e->code != ERR_NOTFOUND && e->code != ERR_INVALID)
		return -1;
	return find_folded(store, to->detail, arena, folder_r, e);
}
