/* metrics/main.c - postern-metrics: what a store's sessions come to, for Prometheus and its like. */
#include "auth/service.h"
#include "metrics/http.h"

int main(int argc, char **argv)
{
	const struct service service = {
	    .program = "postern-metrics",
	    .summary = "tells OpenMetrics of a postern store over HTTP",
	    .section = "metrics",
	    .listen = "127.0.0.1:9143",
	    .listen_tls = "",
	    .serve = http_serve,
	};

	return service_main(argc, argv, &service);
}
