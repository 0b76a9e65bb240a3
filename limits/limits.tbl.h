/*
 * Every setting that has a row: the parser, the help, the manual page and the defaults come from
 * here.  They are REG_DWORD, decimal, but for choices; an absent value means the default.
 *
 * SETTING(id, scope, name, unit, default, min, max, source)
 *   scope   which key it stands under (registry.h, enum registry_scope)
 *   unit    words separated by '|' make the row a choice: a REG_SZ that holds one of the words;
 *           default, min and max are indexes, and setting_get returns the index
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
SETTING(FOLDER_VIEW_IDLE_S, STORE, "FolderViewIdle", "seconds", 60, 1, 3600, "ours")
SETTING(FOLDER_VIEW_OCTETS, STORE, "FolderViewOctets", "octets of flags of open folders", 67108864, 65536, 1073741824, "ours")
SETTING(FOLDERS_MAX, STORE, "FoldersMax", "folders of a mailbox", 10000, 10, 100000, "ours")
SETTING(KEYS_CACHE, STORE, "KeysCache", "octets of keys of SORT and THREAD that a daemon keeps", 33554432, 65536, 1073741824, "ours")
SETTING(ANNOTATIONS_MAX, STORE, "AnnotationsMax", "annotations of a folder", 100, 1, 10000, "ours")
SETTING(ANNOTATION_VALUE_MAX, STORE, "AnnotationSizeMax", "octets of an annotation", 65536, 1024, 16777216, "ours")
SETTING(ANNOTATION_OCTETS_MAX, STORE, "AnnotationOctetsMax", "octets of all annotations of a mailbox", 4194304, 1024, 1073741824, "ours")
SETTING(QUOTA_STORAGE, STORE, "QuotaStorage", "units of 1024 octets a mailbox may hold; 0 is no quota", 0, 0, 4294967295u, "RFC 9208 5.1")
SETTING(QUOTA_MESSAGES, STORE, "QuotaMessages", "messages a mailbox may hold; 0 is no quota", 0, 0, 4294967295u, "RFC 9208 5.2")
SETTING(SEARCH_CACHE_MAX, STORE, "SearchCacheMax", "octets of header fields that a process remembers of searches", 67108864, 0, 4294967295u, "ours")
SETTING(SEARCH_CACHE_IDLE_S, STORE, "SearchCacheIdle", "seconds until a mailbox's are forgotten", 300, 1, 86400, "ours")
/* What one message may cost to take apart (lib/mime); its octets are kept and served in any case. */
SETTING(MIME_DEPTH_MAX, STORE, "MimeDepthMax", "parts within each other", 100, 1, 1000, "ours")
SETTING(MIME_PARTS_MAX, STORE, "MimePartsMax", "parts of a message", 10000, 1, 100000, "ours")
SETTING(MIME_HEADER_MAX, STORE, "MimeHeaderMax", "octets of a header; the rest of it is body", 1048576, 1024, 16777216, "ours")
SETTING(MIME_STRUCTURE_MAX, STORE, "MimeStructureMax", "octets of what is told of a message's structure", 4194304, 65536, 67108864, "ours")
/* Daemons that serve connections (lib/net), read when they start. */
SETTING(WORKERS_MAX, STORE, "WorkersMax", "threads of a daemon", 64, 2, 1024, "ours")
SETTING(WORKERS_PER_USER, STORE, "WorkersPerUser", "threads of a daemon busy for one user", 4, 1, 1024, "ours")
SETTING(PREAUTH_OCTETS, STORE, "PreAuthenticatedOctets", "octets before login", 65536, 1024, 16777216, "ours")
SETTING(PREAUTH_TIME, STORE, "PreAuthenticatedConnectionTimeout", "seconds before login", 60, 5, 3600, "Set-PopSettings")
SETTING(SEND_TIMEOUT, STORE, "SendTimeout", "seconds a peer may take nothing", 120, 1, 86400, "ours")
SETTING(KEEPALIVE_TIME, STORE, "KeepAliveTime", "seconds until a dead peer is found", 900, 10, 86400, "ours")
SETTING(STOP_TIME, STORE, "StopTime", "seconds to end connections at a stop", 5, 1, 3600, "ours")
SETTING(COMPRESSION_LEVEL, STORE, "CompressionLevel", "effort of COMPRESS=DEFLATE; 9 is the most", 6, 1, 9, "zlib")
SETTING(COMPRESSION_WINDOW, STORE, "CompressionWindow", "bits: 2^(n+2) octets of a compressed connection that is busy", 15, 9, 15, "zlib")
SETTING(COMPRESSION_MEMORY, STORE, "CompressionMemory", "bits: 2^(n+9) octets of a compressed connection that is busy", 8, 1, 9, "zlib")
/* Login (auth/). */
SETTING(VERIFIER_CACHE_TIME, STORE, "VerifierCacheTime", "seconds a right password is remembered; 0 never", 300, 0, 86400, "ours")
SETTING(LOGON_FAILURES_MAX, STORE, "LogonFailuresMax", "failed logins of a connection", 5, 1, 1000, "ours")
/* POP3 (pop3d/). */
SETTING(POP_TIMEOUT, POP3, "AuthenticatedConnectionTimeout", "seconds without a command", 1800, 600, 86400, "RFC 1939 3, Set-PopSettings")
SETTING(POP_COMMAND_MAX, POP3, "MaxCommandSize", "octets of a line", 512, 40, 16384, "RFC 2449 4, Set-PopSettings")
SETTING(POP_BAD_COMMANDS_MAX, POP3, "MaxBadCommands", "commands of a connection that make no sense", 20, 1, 100000, "ours")
SETTING(POP_MESSAGES_MAX, POP3, "MaildropMessagesMax", "messages of a maildrop; the oldest are served", 1000000, 1, 10000000, "ours")

SETTING(EVENT_LOG_MAX, STORE, "EventLogMax", "octets of the event log; one older file is kept", 67108864, 65536, 1073741824, "ours")
/* How refusals sound on the wire: coded = with [LIMIT] and [SYS/TEMP] before the original words. */
SETTING(REFUSAL_STYLE, STORE, "RefusalStyle", "coded|exact", 0, 0, 1, "ours")

/* In front of the store: the protocols, and the throttling policies (a key for each policy). */
SETTING(IMAP_MAX_CONNECTIONS, IMAP4, "MaxConnections", "connections", 2000, 0, 25000, "Set-ImapSettings")
SETTING(IMAP_MAX_CONNECTIONS_FROM_IP, IMAP4, "MaxConnectionFromSingleIP", "connections", 2000, 0, 25000, "Set-ImapSettings")
SETTING(IMAP_MAX_CONNECTIONS_PER_USER, IMAP4, "MaxConnectionsPerUser", "connections", 16, 0, 25000, "Set-ImapSettings")
SETTING(POP_MAX_CONNECTIONS, POP3, "MaxConnections", "connections", 2000, 0, 25000, "Set-PopSettings")
SETTING(POP_MAX_CONNECTIONS_FROM_IP, POP3, "MaxConnectionFromSingleIP", "connections", 2000, 0, 25000, "Set-PopSettings")
SETTING(POP_MAX_CONNECTIONS_PER_USER, POP3, "MaxConnectionsPerUser", "connections", 16, 0, 25000, "Set-PopSettings")
SETTING(POLICY_POP, POLICY, "POPMaxConcurrency", "connections, or null", 20, 0, SETTING_NULL, "Set-ThrottlingPolicy")
SETTING(POLICY_IMAP, POLICY, "IMAPMaxConcurrency", "connections, or null", SETTING_NULL, 0, SETTING_NULL, "Set-ThrottlingPolicy")
SETTING(POLICY_OWA, POLICY, "OWAMaxConcurrency", "requests, or null", 5, 0, SETTING_NULL, "Set-ThrottlingPolicy")
SETTING(POLICY_EWS, POLICY, "EWSMaxConcurrency", "requests, or null", 10, 0, SETTING_NULL, "Set-ThrottlingPolicy")
SETTING(POLICY_EAS, POLICY, "EASMaxConcurrency", "requests, or null", 10, 0, SETTING_NULL, "Set-ThrottlingPolicy")
SETTING(POLICY_RCA, POLICY, "RCAMaxConcurrency", "open handles of the mount, or null", SETTING_NULL, 0, SETTING_NULL, "ours")
/* The mount (fs/). */
SETTING(FS_SYS_HANDLES, FS, "SysHandlesPerUid", "open files under sys/ of one Unix account; root has four times as many", 64, 4, 100000, "ours")
SETTING(FS_CACHED_MESSAGES, FS, "CachedMessages", "messages whose names are kept in memory", 1000000, 1000, 100000000, "ours")
SETTING(FS_SCRATCH, FS, "ScratchFiles", "files of a mailbox that are not to be mail", 1000, 10, 100000, "ours")
/* What an IMAP4 client may make the server hold, and how long it may be silent (imapd/). */
SETTING(IMAP_LINE_MAX, IMAP4, "MaxCommandSize", "octets of a line", 65536, 1000, 100000, "ours")
SETTING(IMAP_LITERAL_MAX, IMAP4, "LiteralMax", "octets of a literal that is no message", 131072, 1000, 16777216, "ours")
SETTING(IMAP_COMMAND_MAX, IMAP4, "CommandMax", "octets of a command with its literals", 262144, 4000, 67108864, "ours")
SETTING(IMAP_PREAUTH_LITERAL_MAX, IMAP4, "PreAuthLiteralMax", "octets of a literal before login", 4096, 100, 65536, "ours")
SETTING(IMAP_DISCARD_MAX, IMAP4, "DiscardMax", "octets of refused literals that are thrown away", 1048576, 0, 1073741824, "ours")
SETTING(IMAP_APPEND_MESSAGES, IMAP4, "AppendMessagesMax", "messages of one APPEND", 100, 1, 10000, "ours")
SETTING(IMAP_APPEND_OCTETS, IMAP4, "AppendOctetsMax", "octets of the messages of one APPEND", 314572800, 1024, 2147483648, "ours")
SETTING(IMAP_NESTING_MAX, IMAP4, "NestingMax", "search keys within each other", 50, 1, 1000, "ours")
SETTING(IMAP_LIST_MAX, IMAP4, "ListMax", "elements of a list in a command", 1000, 10, 100000, "ours")
SETTING(IMAP_CONTEXTS_MAX, IMAP4, "ContextsMax", "live contexts of a connection", 8, 0, 1000, "RFC 5267 4.3")
SETTING(IMAP_CONTEXT_CHANGES_MAX, IMAP4, "ContextChangesMax", "changes at once that a live context follows", 1000, 1, 1000000, "RFC 5267 4.3")
SETTING(IMAP_PROGRESS_S, IMAP4, "ProgressInterval", "seconds between words of a command that takes long", 10, 0, 3600, "RFC 9585 3")
SETTING(IMAP_SORT_MAX, IMAP4, "SortMax", "octets of memory of a SORT or THREAD", 134217728, 65536, 4294967294u, "ours")
SETTING(IMAP_SAVED_MAX, IMAP4, "SavedResultMax", "ranges of a search result that is saved", 16384, 1, 1000000, "RFC 5182 2.1")
SETTING(IMAP_PATTERNS_MAX, IMAP4, "ListPatternsMax", "octets of all patterns of a LIST", 4000, 1000, 100000, "ours")
SETTING(IMAP_KEYWORD_MAX, IMAP4, "KeywordMax", "octets of a keyword", 100, 10, 1000, "ours")
SETTING(IMAP_AUTOLOGOUT_S, IMAP4, "AuthenticatedConnectionTimeout", "seconds without a word; RFC 3501 5.4 asks for 1800", 1800, 1, 86400, "RFC 3501 5.4, Set-ImapSettings")
SETTING(IMAP_UIDONLY, IMAP4, "UidOnly", "0 or 1; 1 lets clients enable UIDONLY, an experiment", 0, 0, 1, "RFC 9586")
SETTING(IMAP_BAD_COMMANDS_MAX, IMAP4, "MaxBadCommands", "bad commands one after the other", 20, 1, 10000, "ours")
