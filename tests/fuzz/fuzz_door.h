/*
 * What the fuzz targets of network doors share: a connection that is a double (what net/conn.h
 * promises, over memory), and a real store in a temporary folder with one user, alice.
 */
#ifndef FUZZ_DOOR_H
#define FUZZ_DOOR_H

#include "base/err.h"
#include "net/conn.h"
#include "store/message.h"

#include <stddef.h>
#include <stdint.h>

#define FUZZ_PASSWORD "postern"

/* The store; made at first use, and removed at exit. */
struct site *fuzz_site(const char *program);
/* Ends the target where something it needs for itself failed. */
void fuzz_must(int result, const struct err *e);
/* Alice's mailbox; close gives its session back. */
struct store *fuzz_store_open(void);
void fuzz_store_close(struct store **store);
void fuzz_append(struct store *store, struct folder_id folder, const char *text);
/* Takes alice and her mail away and adds her anew. */
void fuzz_renew(void);

/*
 * One input: its first octet says how long the pieces are in which the rest comes.  Whatever it is, the
 * door comes to wait or to close, and what it said are whole lines (CHECKed).
 */
void fuzz_talk(const struct net_door *door, const uint8_t *octets, size_t n);

#endif
