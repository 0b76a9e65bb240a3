/*
 * auth/app.c - application passwords: made here, shown once, and kept as a digest.
 *
 * They are 100 random bits.  A slow hash makes guessing dear where there is little to guess; here all the
 * computers there are would not get through a thousandth of it in a lifetime, at whatever price of a hash.  So
 * they are kept as one HMAC-SHA-256 under the store's secret, and a check of a user's many costs microseconds.
 */
#include "auth/account_priv.h"
#include "auth/app.h"
#include "base/clock.h"
#include "base/io.h"
#include "limits/registry.h"
#include "net/digest.h"
#include "store/directory.h"

#include <stdio.h>
#include <string.h>

/* Without those that look like others; 32, so that an octet's low five bits choose one. */
static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
#define GROUP 5
#define GROUPS 4
_Static_assert(sizeof letters - 1 == 32, "five bits a letter");
_Static_assert(APP_PASSWORD_SIZE == GROUPS * (GROUP + 1), "letters, and a dash or the end behind each group");

/* People type them in capitals, and without the dashes or with blanks. */
static size_t squeeze(const char *password, char out[GROUPS * GROUP + 1])
{
	size_t n = 0;

	for (; *password; password++) {
		char c = *password;

		if (c == '-' || c == ' ')
			continue;
		if (n == GROUPS * GROUP)
			return 0;
		out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	out[n] = '\0';
	return n == GROUPS * GROUP ? n : 0;
}

static bool digest_of(const unsigned char secret[CREDENTIAL_KEY_OCTETS], struct user_id user, const char *password,
    unsigned char out[NET_DIGEST_OCTETS])
{
	char squeezed[GROUPS * GROUP + 1];
	const struct str_view parts[] = {
	    {(const char *)&user.n, sizeof user.n},
	    {squeezed, squeeze(password, squeezed)},
	};

	if (parts[1].n)
		net_digest(secret, parts, 2, out);
	explicit_bzero(squeezed, sizeof squeezed);
	return parts[1].n != 0;
}

const struct credential_app *app_find(const unsigned char secret[CREDENTIAL_KEY_OCTETS], struct user_id user,
    const struct credential *credential, const char *password)
{
	unsigned char digest[NET_DIGEST_OCTETS];

	if (credential->apps_n == 0 || !digest_of(secret, user, password, digest))
		return NULL;
	for (size_t i = 0; i < credential->apps_n; i++)
		if (net_digest_equal(digest, credential->apps[i].digest))
			return &credential->apps[i];
	return NULL;
}

static void make_password(char out[APP_PASSWORD_SIZE])
{
	unsigned char random[GROUPS * GROUP];

	io_random(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++) {
		size_t at = i + i / GROUP;

		out[at] = letters[random[i] % 32];
		out[at + 1] = '-';
	}
	out[APP_PASSWORD_SIZE - 1] = '\0';
	explicit_bzero(random, sizeof random);
}

int app_add(struct site *site, struct user_id user, const char *name, unsigned app_doors, char password_r[APP_PASSWORD_SIZE],
    struct err *e)
{
	struct credential_app app = {.name = name, .doors = app_doors, .added_ms = clock_wall_ms()};
	unsigned char secret[CREDENTIAL_KEY_OCTETS];
	struct credential credential;
	struct arena arena = {0};
	int r = -1;

	if (directory_name_check(name, e) < 0) {
		err_set(e, ERR_INVALID, "the name of an application password is made like a user's");
		goto out;
	}
	if (credential_get(site, user, &arena, &credential, e) < 0 || credential_secret(site, secret, e) < 0)
		goto out;
	if (credential.apps_n >= setting_get(site, SETTING_APPLICATION_PASSWORDS)) {
		err_set(e, ERR_LIMIT, "a user has at most %u application passwords", setting_get(site, SETTING_APPLICATION_PASSWORDS));
		goto out;
	}
	make_password(password_r);
	digest_of(secret, user, password_r, app.digest);
	r = credential_app_add(site, user, &app, e);
	if (r < 0)
		explicit_bzero(password_r, APP_PASSWORD_SIZE);
out:
	explicit_bzero(secret, sizeof secret);
	arena_fini(&arena);
	return r;
}
