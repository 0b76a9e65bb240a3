/*
 * metrics/http.c - see http.h.
 *
 * A thread of the library's per socket; they share one page, which is made anew when it is older than AnswerKept.  So who asks
 * without end costs the store no more than one look in that time.
 */
#include "metrics/http.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "limits/registry.h"
#include "metrics/page.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define CONNECTION_OCTETS 16384u
#define CONNECTION_IDLE_S 10u
#define SOCKETS_MAX 32

struct http {
	struct site *site;
	pthread_mutex_t lock;
	struct str_buf page;
	int64_t made_ms;
	bool is_made;
};

/* The page as it is to be told now, copied, since the library sends it when it likes. */
static struct MHD_Response *page_now(struct http *http)
{
	int64_t now_ms = clock_mono_ms();
	struct MHD_Response *response = NULL;
	struct err e;

	pthread_mutex_lock(&http->lock);
	if (!http->is_made || now_ms - http->made_ms >= (int64_t)setting_get(http->site, SETTING_METRICS_KEEP_MS)) {
		str_buf_fini(&http->page);
		http->page = (struct str_buf){0};
		http->is_made = page_put(http->site, &http->page, &e) == 0;
		http->made_ms = now_ms;
		if (!http->is_made)
			log_warn("not-told", "%s", log_err(&e));
	}
	if (http->is_made)
		response = MHD_create_response_from_buffer(http->page.n, http->page.p, MHD_RESPMEM_MUST_COPY);
	pthread_mutex_unlock(&http->lock);
	return response;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, struct MHD_Response *response)
{
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *words)
{
	/* The library takes a pointer that is not const, and only reads it. */
	return answer(connection, status, "text/plain; charset=utf-8",
	    MHD_create_response_from_buffer(strlen(words), (void *)(uintptr_t)words, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_n, void **state)
{
	struct MHD_Response *response;

	(void)version, (void)upload, (void)upload_n, (void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD\n");
	if (strcmp(url, "/") == 0)
		return say(connection, MHD_HTTP_OK, "postern-metrics: see /metrics\n");
	if (strcmp(url, "/metrics") != 0)
		return say(connection, MHD_HTTP_NOT_FOUND, "there is /metrics\n");
	response = page_now(arg);
	if (!response)
		return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "the store can't be read now; the log says why\n");
	return answer(connection, MHD_HTTP_OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", response);
}

static struct MHD_Daemon *start(struct http *http, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, http,
	    MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)setting_get(http->site, SETTING_METRICS_CONNECTIONS_MAX),
	    MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_IDLE_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_OCTETS, MHD_OPTION_END);
}

int http_serve(struct site *site, const int *listening, size_t n, struct err *e)
{
	struct http http = {.site = site, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct MHD_Daemon *daemons[SOCKETS_MAX];
	size_t started = 0;
	sigset_t ends;
	int got, r = 0;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL); /* the library's threads have it from here */
	for (; started < n && started < SOCKETS_MAX; started++) {
		daemons[started] = start(&http, listening[started]);
		if (!daemons[started]) {
			r = err_set(e, ERR_UNAVAILABLE, "HTTP can't be served");
			break;
		}
	}
	if (r == 0) {
		notify_ready();
		sigwait(&ends, &got);
		notify_stopping();
	}
	while (started > 0)
		MHD_stop_daemon(daemons[--started]);
	str_buf_fini(&http.page);
	return r;
}
