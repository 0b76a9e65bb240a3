/*
 * Fuzz target for authd's lines: protocol.c, and auth/wire.c below it.  What is taken apart is held against
 * what may stand in a line.
 */
#include "authd/protocol.h"
#include "base/check.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static void look_at(const char *text, size_t n)
{
	CHECK(!text || strlen(text) <= n);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct arena arena = {0};
	struct protocol_line line;
	const char *why = NULL;

	if (protocol_parse(str_view((const char *)octets, n), &arena, &line, &why)) {
		CHECK(line.verb != PROTOCOL_UNKNOWN);
		CHECK(line.verb != PROTOCOL_AUTH || (line.mechanism && line.service));
		look_at(line.mechanism, n);
		look_at(line.service, n);
		look_at(line.address, n);
		look_at(line.external, n);
		CHECK(line.data.n <= n && line.binding_octets.n <= n);
	} else {
		CHECK(why);
	}
	arena_fini(&arena);
	return 0;
}
