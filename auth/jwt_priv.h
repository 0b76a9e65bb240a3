/* Tokens between their files. */
#ifndef AUTH_JWT_PRIV_H
#define AUTH_JWT_PRIV_H

#include "auth/jwt.h"

struct cJSON;

enum jwt_algorithm { JWT_RS256, JWT_ES256 };
/* Whether this library signature check passes by a key of this algorithm; kid NULL: the token names none. */
struct _cjose_jws_int;
bool jwt_keys_verify(const struct jwt_keys *keys, enum jwt_algorithm algorithm, const char *kid,
    struct _cjose_jws_int *jws);

/* What a token whose signature is good says (RFC 7519 4.1), in JSON.  AUTH. */
WARN_UNUSED int jwt_judge(const struct jwt_rules *rules, struct str_view payload, int64_t now_s,
    char name_r[ACCOUNT_NAME_SIZE], struct err *e);
/* The name in the user's claim; false: none that could be one. */
bool jwt_name(const struct jwt_rules *rules, const struct cJSON *claims, char name_r[ACCOUNT_NAME_SIZE]);
/* NULL: not an object, names something twice, or holds NUL. */
struct cJSON *jwt_parse(struct str_view payload);

#endif
