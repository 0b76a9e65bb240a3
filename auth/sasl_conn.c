/* auth/sasl_conn.c - what a connection that is served here tells SASL of its peer. */
#include "auth/sasl.h"
#include "net/conn.h"
#include "store/directory.h"

#include <pwd.h>
#include <stdio.h>

/* Through a Unix socket somebody is whose Unix account he has: the user whose mail he may read in the mount, too. */
static bool name_by_account(struct site *site, const struct conn *conn, char *out, size_t size)
{
	struct directory_user user;
	struct arena arena = {0};
	struct passwd pw, *found = NULL;
	char text[4096];
	struct err e;
	uid_t uid;
	bool is = conn_peer_uid(conn, &uid) && getpwuid_r(uid, &pw, text, sizeof text, &found) == 0 && found &&
		  directory_user_by_account(site, pw.pw_name, &arena, &user, &e) == 0;

	if (is)
		snprintf(out, size, "%s", user.name);
	arena_fini(&arena);
	return is;
}

void sasl_conn_init(struct sasl_conn *of, struct site *site, const struct conn *conn, unsigned door, bool is_private)
{
	static const struct {
		enum conn_binding kind;
		enum sasl_binding name;
	} kinds[] = {{CONN_TLS_EXPORTER, SASL_BINDING_EXPORTER}, {CONN_TLS_UNIQUE, SASL_BINDING_UNIQUE}};
	size_t n = 0;

	_Static_assert(CONN_BINDING_MAX <= SASL_BINDING_MAX, "room for any channel's data");
	_Static_assert(sizeof of->external > DIRECTORY_NAME_OCTETS, "room for any user's name");
	of->peer = (struct sasl_peer){.door = door, .is_private = is_private};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && n == 0; i++) {
		n = conn_binding(conn, kinds[i].kind, (unsigned char *)of->binding);
		of->peer.binding = n ? kinds[i].name : SASL_BINDING_NONE;
	}
	of->peer.binding_octets = str_view(of->binding, n);
	if (conn_peer_name(conn, of->external, sizeof of->external) ||
	    name_by_account(site, conn, of->external, sizeof of->external))
		of->peer.external = of->external;
}
