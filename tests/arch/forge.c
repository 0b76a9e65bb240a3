/*
 * A session can't be forged: nobody outside limits/ can make, size, copy or fill one.  Compiled by
 * forge.py: as it stands (the honest twin) it must compile; with any one FORGE_ defined it must not.
 */
#include "limits/session.h"
#include "store/store.h"

#include <stdlib.h>

#if defined(FORGE_ON_STACK)
static struct session mine;
#endif

int forge_open(struct session *given, struct session *other, struct store **store_r, struct err *e);

int forge_open(struct session *given, struct session *other, struct store **store_r, struct err *e)
{
	struct session *session = given;

#if defined(FORGE_ON_STACK)
	session = &mine;
#elif defined(FORGE_BY_SIZE)
	session = calloc(1, sizeof(struct session));
#elif defined(FORGE_BY_COPY)
	*session = *other;
#elif defined(FORGE_A_FIELD)
	session->mailbox = session_mailbox(other);
#elif defined(FORGE_A_USER)
	return store_open(session_mailbox(other), store_r, e);
#elif defined(FORGE_A_NAME)
	return store_open("alice", store_r, e);
#elif defined(FORGE_AN_ARGUMENT)
	return store_open(session, session_mailbox(other), store_r, e);
#endif
	(void)other;
	return store_open(session, store_r, e);
}
