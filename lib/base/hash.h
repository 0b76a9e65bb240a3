/* A hash whose collisions nobody can aim for: SipHash-1-3 under a key of this process.  So it is good for
 * tables over a peer's words, and for nothing that outlives the process. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t n);

#endif
