/*
 * Every setting that has a row: the parser, the help, the manual page and the defaults come from
 * here.  All are REG_DWORD, decimal; an absent value means the default.
 *
 * SETTING(id, scope, name, unit, default, min, max, source)
 *   scope   which key it stands under (registry.h, enum registry_scope)
 *   SETTING_NULL = "null", which is "unlimited" where a row's default or value is it
 * Included once per use.
 */
/* The store: session-limits, KB 980049 and the "Exchange store limits" topics. */
SETTING(SESSIONS_PER_USER, PARAMETERS_SYSTEM, "Maximum Allowed Sessions Per User", "sessions", 32, 0, 4294967295u, "KB 980049")
SETTING(SERVICE_SESSIONS_PER_USER, PARAMETERS_SYSTEM, "Maximum Allowed Service Sessions Per User", "sessions", 16, 0, 4294967295u, "KB 980049")
SETTING(SESSIONS_PER_ADMINISTRATOR, PARAMETERS_SYSTEM, "Maximum Allowed Sessions Per Administrator", "sessions", 65536, 0, 4294967295u, "Exchange store limits")
SETTING(SESSIONS_PER_SERVICE, PARAMETERS_SYSTEM, "Maximum Allowed Exchange Sessions Per Service", "sessions", 10000, 0, 4294967295u, "Exchange store limits")
SETTING(DISABLE_SESSION_LIMIT, PARAMETERS_SYSTEM, "Disable Session Limit", "0 or 1", 0, 0, 1, "KB 980049")
SETTING(OBJT_MESSAGE, MAX_OBJS, "objtMessage", "messages", 250, 0, 4294967295u, "Exchange store limits")
SETTING(OBJT_FOLDER, MAX_OBJS, "objtFolder", "folders", 500, 0, 4294967295u, "Exchange store limits")
SETTING(OBJT_ATTACHMENT, MAX_OBJS, "objtAttachment", "attachments", 500, 0, 4294967295u, "Exchange store limits")
SETTING(OBJT_STREAM, MAX_OBJS, "objtStream", "streams", 250, 0, 4294967295u, "Exchange store limits")
SETTING(OBJT_NOTIFY, MAX_OBJS, "objtNotify", "notifications", 500000, 0, 4294967295u, "Exchange store limits")
/* The store's own (store/). */
SETTING(MESSAGE_SIZE_MAX, STORE, "MessageSizeMax", "octets", 157286400, 1024, 1073741824, "ours")
SETTING(KEEP_DELETED, STORE, "KeepDeleted", "days; 0 is an hour", 7, 0, 3650, "ours")
SETTING(FLAGS_DURABLE, STORE, "FlagsDurable", "0 or 1", 0, 0, 1, "ours")
SETTING(WRITE_WAIT_MS, STORE, "WriteWait", "milliseconds", 10000, 10, 600000, "ours")
SETTING(HANDLES_MAX, STORE, "HandlesMax", "database handles of a process", 200, 4, 10000, "ours")
SETTING(HANDLE_IDLE_S, STORE, "HandleIdle", "seconds", 10, 1, 3600, "ours")
SETTING(FOLDERS_MAX, STORE, "FoldersMax", "folders of a mailbox", 10000, 10, 100000, "ours")
