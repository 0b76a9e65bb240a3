/*
 * Fuzz target for the socketmap: map.c over a real store (fuzz_door.h).  Whatever is asked, the answer begins
 * with one of the protocol's words.
 */
#include "fuzz_door.h"

#include "authd/map.h"
#include "base/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static bool begins(const struct str_buf *out, const char *word)
{
	return out->n > strlen(word) && memcmp(out->p, word, strlen(word)) == 0 && out->p[strlen(word)] == ' ';
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct str_view in = str_view((const char *)octets, n), question;
	struct str_buf out = {0};
	struct site *site = fuzz_site("fuzz_map");

	while (map_netstring(&in, 1024, &question) == MAP_WHOLE) {
		map_answer(site, question, &out);
		CHECK(begins(&out, "OK") || begins(&out, "NOTFOUND") || begins(&out, "TEMP") || begins(&out, "TIMEOUT") ||
		    begins(&out, "PERM"));
	}
	str_buf_fini(&out);
	return 0;
}
