/*
 * The services a session can belong to: SERVICE(id, name in lists and scripts, class).
 * The order is that of the counts in the ledger's records: append, never reorder.
 */
SERVICE(FS, "fs", SESSION_CLASS_DIRECT)
SERVICE(IMAP4, "IMAP4", SESSION_CLASS_SERVICE)
SERVICE(POP3, "POP3", SESSION_CLASS_SERVICE)
SERVICE(OWA, "OWA", SESSION_CLASS_SERVICE)
SERVICE(EWS, "EWS", SESSION_CLASS_SERVICE)
SERVICE(EAS, "EAS", SESSION_CLASS_SERVICE)
SERVICE(TRANSPORT, "transport", SESSION_CLASS_TRANSPORT)
SERVICE(ADMIN, "admin", SESSION_CLASS_ADMIN)
