/* store/search.c */
#include "store/search.h"

int search_run(struct store *store, struct folder_id folder, const struct search_key *key,
    struct store_uid from, size_t slice_n, struct arena *arena, struct store_uid **found_r,
    size_t *n_r, struct store_uid *next_r, struct err *e)
{
	(void)store, (void)folder, (void)key, (void)from, (void)slice_n, (void)arena, (void)found_r,
	    (void)n_r, (void)next_r;
	return err_set(e, ERR_UNSUPPORTED, "search is not built yet");
}
