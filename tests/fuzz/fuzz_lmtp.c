/*
 * Fuzz target for lmtpd: cmd.c client.c cmd_*.c parameter.c unstuff.c transaction.c, and deliver/ below
 * it.  The connection is a double, the store is real (fuzz_door.h).
 */
#include "fuzz_door.h"

#include "lmtpd/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	if (n == 0)
		return 0;
	fuzz_site("fuzz_lmtp");
	fuzz_talk(&lmtp_door, octets, n);
	return 0;
}
