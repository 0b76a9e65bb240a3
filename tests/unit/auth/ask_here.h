/* A double of auth/ask.h for tests: what authd would say, said at once and in this process, of this site. */
#ifndef TEST_AUTH_ASK_HERE_H
#define TEST_AUTH_ASK_HERE_H

struct site;

void ask_here_in(struct site *site);

#endif
