/* authd/main.c - postern-authd: who somebody is, asked by our doors and by mail servers. */
#include "auth/pam.h"
#include "auth/service.h"
#include "auth/wire.h"
#include "authd/client.h"
#include "authd/map.h"
#include "authd/pam_helper.h"
#include "authd/work.h"
#include "store/credential.h"
#include "store/directory.h"

#include <string.h>

static const struct service_sockets sockets[] = {
    {"mta", &client_door},
    {"socketmap", &map_door},
    {0},
};

/* Names and verifiers of an older store move now, and not at the first login: the doors wait for it. */
static int begin(struct site *site, struct err *e)
{
	if (directory_open(site, e) < 0)
		return -1;
	pam_sections_log(site);
	return work_begin(site, e);
}

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
	    .folder = credential_folder,
	    .prepare = pam_helper_begin,
	    .begin = begin,
	    .end = work_end,
	};

	if (argc == 2 && strcmp(argv[1], PAM_HELPER) == 0)
		return pam_helper_main();
	credential_permit();
	return service_main(argc, argv, &service);
}
