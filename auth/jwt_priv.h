/* Tokens between their files. */
#ifndef AUTH_JWT_PRIV_H
#define AUTH_JWT_PRIV_H

#include "auth/jwt.h"

struct cJSON;

enum jwt_algorithm { JWT_RS256, JWT_ES256 };
/* Base64url without padding, of octets that there can be (RFC 7515 2).  libcjose ends the process over some that is none. */
bool jwt_is_base64url(struct str_view text);
/* Whether the signature is of a key of this algorithm; kid NULL: the token names none. */
struct _cjose_jws_int;
bool jwt_keys_verify(const struct jwt_keys *keys, enum jwt_algorithm algorithm, const char *kid,
    struct _cjose_jws_int *jws);

/* What a token whose signature is good says (RFC 7519 4.1), in JSON.  AUTH. */
WARN_UNUSED int jwt_judge(const struct jwt_rules *rules, struct str_view payload, int64_t now_s,
    char name_r[ACCOUNT_NAME_SIZE], struct err *e);
/* The name in the user's claim; false: none that could be one. */
bool jwt_name(const struct jwt_rules *rules, const struct cJSON *claims, char name_r[ACCOUNT_NAME_SIZE]);
/* Of members named alike, libraries take the first or the last (RFC 8725 2.4, RFC 7519 4). */
bool jwt_has_twice(const struct cJSON *object);
/* NULL: not an object, names something twice, or holds NUL. */
struct cJSON *jwt_parse(struct str_view payload);

#endif
