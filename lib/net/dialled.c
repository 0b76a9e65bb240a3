/* net/dialled.c - connections that we make, served like those that came. */
#include "net/conn_priv.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct listener *listener_of(struct net_server *server, const struct net_door *door, void *door_arg)
{
	struct dialled *dialled;

	pthread_mutex_lock(&server->slots_lock);
	dialled = server->dialled;
	while (dialled && (dialled->as.door != door || dialled->as.door_arg != door_arg))
		dialled = dialled->next;
	if (!dialled) {
		dialled = mem_alloc(sizeof *dialled);
		dialled->as = (struct listener){.fd = -1, .door = door, .door_arg = door_arg, .door_conns = &dialled->conns};
		dialled->next = server->dialled;
		server->dialled = dialled;
	}
	pthread_mutex_unlock(&server->slots_lock);
	return &dialled->as;
}

static enum err_code why_not(int sys)
{
	switch (sys) {
	case ENOENT:
	case ECONNREFUSED:
		return ERR_NOTFOUND;
	case EAGAIN: /* its backlog is full */
		return ERR_BUSY;
	case EACCES:
	case EPERM:
		return ERR_PERM;
	default:
		return ERR_IO;
	}
}

int net_dial(struct net_server *server, const char *address, const struct net_door *door, void *door_arg,
    uint64_t *conn_id_r, struct err *e)
{
	const struct sockaddr_storage from = {.ss_family = AF_UNIX};
	struct sockaddr_un to;
	struct conn *conn;
	int fd;

	if (strncmp(address, NET_UNIX, sizeof NET_UNIX - 1) != 0)
		return err_set(e, ERR_INVALID, "\"%s\" is no Unix socket", address);
	if (unix_address(address + sizeof NET_UNIX - 1, "", &to, e) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "socket");
	if (connect(fd, (const void *)&to, sizeof to) < 0) {
		err_sys(e, why_not(errno), errno, "connect to %s", to.sun_path);
		close(fd);
		return -1;
	}
	conn = slot_new(server, listener_of(server, door, door_arg), fd, &from);
	if (!conn)
		return err_set(e, ERR_IO, "no connection more can be served");
	*conn_id_r = conn->id;
	server_ready(server, conn);
	return 0;
}
