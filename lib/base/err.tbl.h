/*
 * The meanings an error can have.  One row each: ERR(name, one line of English for the log).
 * Doors translate the meaning in their err_map.c, whose switch has no default: a new row does
 * not build until every door says how it sounds.  Included once per use, so no include guard.
 */
ERR(INVALID, "the request makes no sense")
ERR(NOTFOUND, "there is no such thing")
ERR(EXISTS, "it exists already")
ERR(PERM, "not allowed")
ERR(AUTH, "user name or password is wrong")
ERR(BUSY, "somebody else holds it; try again")
ERR(LIMIT, "a session or object limit is reached")
ERR(QUOTA, "the mailbox is over its quota")
ERR(TOOBIG, "larger than a setting allows")
ERR(EXPUNGED, "the message is gone")
ERR(UNSUPPORTED, "not supported")
ERR(CORRUPT, "the stored data is damaged")
ERR(UNAVAILABLE, "the store can't be used now")
ERR(TEMP, "a passing fault; try again")
ERR(NOSPACE, "no space is left on the server")
ERR(IO, "input or output failed")
ERR(BUG, "a defect of postern's own")
