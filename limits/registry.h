/*
 * The registry: settings by full key path, live.  On disk it is STORE/registry.reg, in `.reg` text;
 * running processes read a shared page with a generation, so a change is in force at the next
 * session opened, without a restart.  A page that differs from the file (a hand edit, a crash) is
 * rebuilt from it; a malformed file keeps the last good page and says so in the log.
 *
 * Keys are spelled HKEY_LOCAL_MACHINE\SYSTEM\..., compared without case; HKLM is an alias.
 */
#ifndef LIMITS_REGISTRY_H
#define LIMITS_REGISTRY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "limits/site.h"

#include <stdbool.h>
#include <stdint.h>

#define REGISTRY_PARAMETERS_SYSTEM                                                                 \
	"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeIS\\ParametersSystem"
#define REGISTRY_MAX_OBJS REGISTRY_PARAMETERS_SYSTEM "\\MaxObjsPerMapiSession"
/* Ours: */
#define REGISTRY_STORE "HKEY_LOCAL_MACHINE\\SOFTWARE\\Postern\\Store"
#define REGISTRY_IMAP4 "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeIMAP4"
#define REGISTRY_POP3 "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\MSExchangePOP3"
#define REGISTRY_FS "HKEY_LOCAL_MACHINE\\SOFTWARE\\Postern\\Mount"
#define REGISTRY_LOGIN "HKEY_LOCAL_MACHINE\\SOFTWARE\\Postern\\Login"
#define REGISTRY_METRICS "HKEY_LOCAL_MACHINE\\SOFTWARE\\Postern\\Metrics"
#define REGISTRY_DELIVERY "HKEY_LOCAL_MACHINE\\SOFTWARE\\Postern\\Delivery"
#define REGISTRY_POLICIES "HKEY_LOCAL_MACHINE\\SOFTWARE\\Postern\\ThrottlingPolicies" /* \<policy> */

enum registry_scope { REG_PARAMETERS_SYSTEM, REG_MAX_OBJS, REG_STORE, REG_IMAP4, REG_POP3, REG_FS, REG_DELIVERY, REG_LOGIN, REG_METRICS, REG_POLICY, REG_SCOPES_N };
#define SETTING_NULL 4294967295u /* in policies: unlimited */

enum setting {
#define SETTING(id, ...) SETTING_##id,
#include "limits/limits.tbl.h"
#undef SETTING
	SETTINGS_N
};

struct setting_row {
	enum registry_scope scope;
	const char *name, *unit;
	uint32_t otherwise, min, max;
	const char *source;
};
extern const struct setting_row setting_rows[SETTINGS_N];
/* By name, without case: an enum setting, or -1. */
int setting_find(enum registry_scope scope, const char *name);
/* A row that is a choice ("coded|exact" as its unit): a REG_SZ, whose index setting_get returns. */
bool setting_is_choice(enum setting setting);
/* A row's value as people read it: "16", "null", "coded". */
void setting_print(enum setting setting, uint32_t value, struct str_buf *out);
/* A scope's full key, without policy name for REG_POLICY. */
const char *registry_scope_key(enum registry_scope scope);

/* The hot path: a setting's value now, its default where none is set.  A load or two from shared
 * memory; never fails, never blocks.  Values out of a row's range count as its default. */
uint32_t setting_get(struct site *site, enum setting setting);

/* Generic values, for people: `postern reg`, the mount's sys/registry. */
enum registry_type {
	REGISTRY_DWORD,
	REGISTRY_SZ,
	REGISTRY_RAW, /* anything else that regedit writes, kept as written: text is "hex(7):61,00" */
};
struct registry_value {
	const char *key, *name; /* as spelled when set, or in the setting's row */
	enum registry_type type;
	uint32_t dword;
	const char *text;
	bool is_default; /* not in the file: a row's default */
};
/* Values under a key (NULL: all), with the rows' defaults where with_defaults.  recursive: subkeys too. */
WARN_UNUSED int registry_query(struct site *site, const char *key, bool recursive,
    bool with_defaults, struct arena *arena, struct registry_value **list_r, size_t *n_r,
    struct err *e);
/* One value, or its row's default; NOTFOUND. */
WARN_UNUSED int registry_get(struct site *site, const char *key, const char *name,
    struct arena *arena, struct registry_value *value_r, struct err *e);
/*
 * Sets or deletes one value.  A name with a row must be in its range and of its type (INVALID says
 * which); other names are kept as they are.  A name may hold a subkey ("MaxObjsPerMapiSession\x").
 */
WARN_UNUSED int registry_set_dword(struct site *site, const char *key, const char *name,
    uint32_t value, struct err *e);
WARN_UNUSED int registry_set_text(struct site *site, const char *key, const char *name,
    const char *text, struct err *e);
/* The same, from what a person wrote: a decimal, "null", or text, as the row wants it; a name without a
 * row becomes a REG_DWORD where it is a decimal.  INVALID says what the row takes. */
WARN_UNUSED int registry_set(struct site *site, const char *key, const char *name,
    const char *value, struct err *e);
WARN_UNUSED int registry_delete(struct site *site, const char *key, const char *name,
    struct err *e);
/* Errors of all that write: INVALID (also where registry.reg itself is malformed, after a hand edit), BUSY,
 * PERM, NOSPACE, IO. */
/* Names of the keys directly under a key (for the mount's tree), rows' keys included. */
WARN_UNUSED int registry_subkeys(struct site *site, const char *key, struct arena *arena,
    const char ***names_r, size_t *n_r, struct err *e);
WARN_UNUSED int registry_create_key(struct site *site, const char *key, struct err *e);
/* An empty key: EXISTS where a value or a key is in it, NOTFOUND, PERM for the keys of rows, which are
 * always there. */
WARN_UNUSED int registry_delete_key(struct site *site, const char *key, struct err *e);
/* `.reg` text: version 5.00, UTF-8 without BOM, CRLF, dword:%08x; all values that are set, and the
 * rows' defaults as comments. */
WARN_UNUSED int registry_export(struct site *site, struct str_buf *out, struct err *e);
/* Takes what regedit writes (UTF-16LE with BOM), UTF-8, REGEDIT4; "-" deletes; all or nothing.
 * INVALID names the line. */
WARN_UNUSED int registry_import(struct site *site, struct str_view text, struct err *e);
/* Moves whenever any setting changed. */
uint64_t registry_generation(struct site *site);

#endif
