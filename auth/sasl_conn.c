/* auth/sasl_conn.c - what a connection that is served here tells SASL of its peer. */
#include "auth/sasl.h"
#include "net/conn.h"

void sasl_conn_init(struct sasl_conn *of, const struct conn *conn, unsigned door, bool is_private)
{
	static const struct {
		enum conn_binding kind;
		enum sasl_binding name;
	} kinds[] = {{CONN_TLS_EXPORTER, SASL_BINDING_EXPORTER}, {CONN_TLS_UNIQUE, SASL_BINDING_UNIQUE}};
	size_t n = 0;

	_Static_assert(CONN_BINDING_MAX <= SASL_BINDING_MAX, "room for any channel's data");
	of->peer = (struct sasl_peer){.door = door, .is_private = is_private};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && n == 0; i++) {
		n = conn_binding(conn, kinds[i].kind, (unsigned char *)of->binding);
		of->peer.binding = n ? kinds[i].name : SASL_BINDING_NONE;
	}
	of->peer.binding_octets = str_view(of->binding, n);
	if (conn_peer_name(conn, of->external, sizeof of->external))
		of->peer.external = of->external;
}
