/*
 * What a client is told, for people: WORDS(English, German).  The English words are the key, as they
 * stand in the source behind the status and the response code; a row's conversions are the same in
 * both, in the same order.  Included once per use.
 */
WORDS("%s POP3 server ready", "%s POP3 server ready") /* the greeting comes before LANG */
/* Lines and commands. */
WORDS("a line has at most %u octets", "eine Zeile hat höchstens %u Oktette")
WORDS("a command has no NUL in it", "in einem Kommando steht kein NUL")
WORDS("there is no such command", "dieses Kommando gibt es nicht")
WORDS("%s; too many such commands", "%s; zu viele solche Kommandos")
WORDS("say %s%s%s", "so heißt es: %s%s%s")
WORDS("log in first", "zuerst kommt die Anmeldung")
WORDS("you are logged in already", "angemeldet sind Sie schon")
WORDS("not to be had on this connection", "auf dieser Verbindung gibt es das nicht")
WORDS("no password in plain text here; use STLS first", "hier kein Passwort im Klartext; zuerst STLS")
/* Before the login, and the login. */
WORDS("now the password", "nun das Passwort")
WORDS("say USER first", "zuerst kommt USER")
WORDS("mechanisms follow", "die Mechanismen")
WORDS("no such mechanism", "diesen Mechanismus gibt es nicht")
WORDS("that is no answer of this mechanism", "das ist keine Antwort dieses Mechanismus")
WORDS("given up, as you wish", "abgebrochen, wie gewünscht")
WORDS("logins can't be checked now; try again later", "Anmeldungen lassen sich jetzt nicht prüfen; später noch einmal")
WORDS("begin TLS", "TLS kann beginnen")
WORDS("capabilities follow", "die Fähigkeiten")
WORDS("languages follow", "die Sprachen")
WORDS("there is no such language", "diese Sprache gibt es nicht")
WORDS("UTF-8 from now on", "UTF-8 von nun an")
WORDS("Server Unavailable. 15", "Server Unavailable. 15") /* the original words (KB 980049) */
WORDS("Server Unavailable. 15; %.*s", "Server Unavailable. 15; %.*s")
WORDS("too soon after the last login; in %u seconds", "zu bald nach der letzten Anmeldung; in %u Sekunden")
WORDS("too many connections; %.*s", "zu viele Verbindungen; %.*s")
/* The maildrop. */
WORDS("%zu messages, %llu octets", "%zu Nachrichten, %llu Oktette")
WORDS("%llu octets", "%llu Oktette")
WORDS("no such message, there are %zu", "diese Nachricht gibt es nicht, es sind %zu")
WORDS("message %u is deleted", "Nachricht %u ist gelöscht")
WORDS("deleted at QUIT", "gelöscht bei QUIT")
WORDS("unique ids follow", "die Kennungen")
WORDS("say TOP number lines", "so heißt es: TOP number lines")
WORDS("the message has UTF-8 in its header; say UTF8 before the login",
    "in den Kopfzeilen steht UTF-8; sagen Sie vor der Anmeldung UTF8")
WORDS("goodbye", "auf Wiedersehen")
WORDS("goodbye, %zu messages left", "auf Wiedersehen, es bleiben %zu Nachrichten")
WORDS("session ended by an administrator", "ein Verwalter hat die Sitzung beendet")
WORDS("the server stops", "der Server hört auf")
/* err_map.c */
WORDS("a defect of this server", "ein Fehler dieses Servers")
WORDS("that makes no sense", "das ergibt keinen Sinn")
WORDS("there is no such thing", "das gibt es nicht")
WORDS("it exists already", "das gibt es schon")
WORDS("not allowed", "nicht erlaubt")
WORDS("user name or password is wrong", "Benutzername oder Passwort ist falsch")
WORDS("somebody else is changing this mailbox; try again",
    "jemand anders ändert dieses Postfach gerade; versuchen Sie es noch einmal")
WORDS("a limit is reached; try again later", "eine Grenze ist erreicht; versuchen Sie es später")
WORDS("the mailbox is over its quota", "das Postfach ist voll")
WORDS("larger than this server allows", "größer, als dieser Server erlaubt")
WORDS("the message is gone", "die Nachricht gibt es nicht mehr")
WORDS("this mailbox is of a newer version; ask your administrator",
    "dieses Postfach ist von einer neueren Version; fragen Sie Ihren Verwalter")
WORDS("the mailbox is damaged; ask your administrator",
    "das Postfach ist beschädigt; fragen Sie Ihren Verwalter")
WORDS("the mailbox can't be reached now; try again later",
    "das Postfach ist jetzt nicht erreichbar; versuchen Sie es später")
WORDS("try again later", "versuchen Sie es später")
WORDS("no space is left on the server", "auf dem Server ist kein Platz mehr")
WORDS("the server can't read or write; try again later",
    "der Server kann nicht lesen oder schreiben; versuchen Sie es später")
