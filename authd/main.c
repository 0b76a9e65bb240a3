/* authd/main.c - postern-authd: who somebody is, asked by our doors and by mail servers. */
#include "auth/service.h"
#include "auth/wire.h"
#include "authd/client.h"
#include "authd/map.h"
#include "authd/work.h"

static const struct service_sockets sockets[] = {
    {"mta", &client_door},
    {"socketmap", &map_door},
    {0},
};

int main(int argc, char **argv)
{
	const struct service service = {
	    .program = "postern-authd",
	    .summary = "checks passwords for the doors of a postern store, and for mail servers",
	    .section = "auth",
	    .door = client_door,
	    .max_connections = SETTING_LOGIN_MAX_CONNECTIONS,
	    .max_from_address = SETTING_LOGIN_MAX_CONNECTIONS,
	    .say_max_connections = "",
	    .say_max_from_address = "",
	    .runtime_socket = WIRE_SOCKET,
	    .sockets = sockets,
	    .begin = work_begin,
	    .end = work_end,
	};

	return service_main(argc, argv, &service);
}
