/* auth/service_tls.c - [tls] of store.conf: certificates by name, and who may shake hands how. */
#include "auth/service_priv.h"
#include "base/arena.h"
#include "net/tls.h"

#include <string.h>

#define PAIRS_MAX 256

struct reading {
	const struct site *site;
	struct arena arena;
	struct net_tls_pair pairs[PAIRS_MAX];
	struct net_tls_config config;
};

const char *service_path(struct arena *arena, const struct site *site, const char *path)
{
	return path[0] == '/' ? path : arena_printf(arena, "%s/%s", site_dir(site), path);
}

/* A certificate and its key: both, or neither (NULL). */
static int read_files(struct reading *reading, const char *section, const char *const names[2], const char **certificate_r,
    const char **key_r, struct err *e)
{
	const char *certificate = site_conf(reading->site, section, names[0], NULL);
	const char *key = site_conf(reading->site, section, names[1], NULL);

	if (!certificate != !key)
		return err_set(e, ERR_INVALID, "store.conf: [%s] needs both %s and %s", section, names[0], names[1]);
	if (certificate) {
		*certificate_r = service_path(&reading->arena, reading->site, certificate);
		*key_r = service_path(&reading->arena, reading->site, key);
	}
	return 0;
}

/* A section's pair is added; there may be none. */
static int add_pair(struct reading *reading, const char *section, struct err *e)
{
	static const char *const names[2] = {"certificate", "key"};
	static const char *const alternate[2] = {"alternate_certificate", "alternate_key"};
	struct net_tls_pair pair = {0};

	if (read_files(reading, section, names, &pair.certificate, &pair.key, e) < 0 ||
	    read_files(reading, section, alternate, &pair.alternate_certificate, &pair.alternate_key, e) < 0)
		return -1;
	if (!pair.certificate && pair.alternate_certificate)
		return err_set(e, ERR_INVALID, "store.conf: [%s] has an alternate_certificate, but no certificate", section);
	if (!pair.certificate)
		return 0;
	if (reading->config.pairs_n == PAIRS_MAX)
		return err_set(e, ERR_INVALID, "store.conf: more than %d certificates", PAIRS_MAX);
	reading->pairs[reading->config.pairs_n++] = pair;
	return 0;
}

/* [tls], which is for everybody, then [tls NAME], each for the names that stand in its certificate. */
static int read_pairs(struct reading *reading, struct err *e)
{
	const struct conf *conf = site_conf_all(reading->site);
	const char *section;

	if (add_pair(reading, "tls", e) < 0)
		return -1;
	for (size_t i = 0; (section = conf_section(conf, "tls ", i)); i++) {
		if (reading->config.pairs_n == 0)
			return err_set(e, ERR_INVALID,
			    "store.conf: [%s] is there, but no certificate in [tls]", section);
		if (add_pair(reading, section, e) < 0)
			return -1;
	}
	reading->config.pairs = reading->pairs;
	return 0;
}

static int read_priority(struct reading *reading, struct err *e)
{
	const char *minimum = site_conf(reading->site, "tls", "minimum", "1.2");
	const char *priority = site_conf(reading->site, "tls", "priority", NET_TLS_PRIORITY);

	if (strcmp(minimum, "1.2") != 0 && strcmp(minimum, "1.3") != 0)
		return err_set(e, ERR_INVALID, "store.conf: [tls] minimum is 1.2 or 1.3");
	reading->config.priority = arena_printf(
	    &reading->arena, "%s%s", priority, strcmp(minimum, "1.3") == 0 ? ":-VERS-TLS1.2" : "");
	return 0;
}

static int read_clients(struct reading *reading, struct err *e)
{
	static const char *const words[] = {
	    [NET_TLS_CLIENT_NONE] = "none",
	    [NET_TLS_CLIENT_REQUEST] = "request",
	    [NET_TLS_CLIENT_REQUIRE] = "require",
	};
	const char *word = site_conf(reading->site, "tls", "client_certificates", "none");
	const char *ca = site_conf(reading->site, "tls", "client_ca", NULL);
	size_t i = 0;

	while (i < sizeof words / sizeof *words && strcmp(word, words[i]) != 0)
		i++;
	if (i == sizeof words / sizeof *words)
		return err_set(e, ERR_INVALID,
		    "store.conf: [tls] client_certificates is none, request or require");
	if (i != NET_TLS_CLIENT_NONE && !ca)
		return err_set(e, ERR_INVALID,
		    "store.conf: [tls] client_certificates needs client_ca, who signs them");
	reading->config.client = (enum net_tls_client)i;
	reading->config.client_ca = ca ? service_path(&reading->arena, reading->site, ca) : NULL;
	return 0;
}

int service_tls_load(const struct site *site, struct net_tls **tls_r, struct err *e)
{
	struct reading reading = {.site = site};
	int result = -1;

	if (read_pairs(&reading, e) == 0 && read_priority(&reading, e) == 0 &&
	    read_clients(&reading, e) == 0)
		result = reading.config.pairs_n ? net_tls_load(&reading.config, tls_r, e) : 0;
	arena_fini(&reading.arena);
	return result;
}
