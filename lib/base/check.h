/*
 * CHECK: what must hold whatever a peer or the world does.  A failed CHECK is our own bug; it
 * logs and aborts, and stays on in release builds.  Never CHECK anything a peer can influence.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#define CHECK(condition)                                                                           \
	((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, __func__))

_Noreturn void check_failed(const char *condition, const char *file, int line, const char *func);

#endif
