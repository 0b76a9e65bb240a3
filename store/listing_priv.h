/* What is told of a content when its message is listed, as it is remembered (content_cache_priv.h). */
#ifndef STORE_LISTING_PRIV_H
#define STORE_LISTING_PRIV_H

#include "store/append_priv.h"
#include "store/content_cache_priv.h"

/* Of an append that is finished, into out, which is overwritten; false: too large to be remembered. */
bool listing_make(const struct append *a, struct str_buf *out);
/* Fills what is asked for of m->content, texts borrowed from the cache; false: it is not there. */
bool listing_get(struct content_cache *cache, unsigned what, struct message_info *m);

#endif
