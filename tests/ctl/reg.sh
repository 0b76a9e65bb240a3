# postern reg, settings and policy: forms, ranges, files.
. "$(dirname "$0")/common.sh"
new_store alice
name='Maximum Allowed Service Sessions Per User'
key='HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeIS\ParametersSystem'

value() { postern reg query "$@" | sed -n 's/.*REG_DWORD    0x[0-9a-f]* (\([0-9]*\)).*/\1/p'; }

claim "the default" 16 "$(value -v "$name")"
exits 0 postern reg add -v "$name" -d 20
claim "set" 20 "$(value -v "$name")"
claim "names have no case" 20 "$(value "${key,,}" -v "${name^^}")"
exits 0 postern reg add "$key" /v "$name" /t REG_DWORD /d 0x15 /f
claim "as reg.exe writes it" 21 "$(value -v "$name")"
exits 0 postern reg add -v 'MaxObjsPerMapiSession\objtMessage' -d 300
claim "a subkey in the name" 300 "$(value "$key\\MaxObjsPerMapiSession" -v objtMessage)"

exits 0 postern reg export "$work/a.reg"
head -c 36 "$work/a.reg" | grep -q '^Windows Registry Editor Version 5.00' || bad "export: $(head -1 "$work/a.reg")"
exits 0 postern reg delete -v "$name"
claim "the default is in force again" 16 "$(value -v "$name")"
exits 1 postern reg delete -v "$name"
exits 0 postern reg import "$work/a.reg"
claim "imported" 21 "$(value -v "$name")"
exits 0 bash -c "'$POSTERN' --store '$store' reg export - | '$POSTERN' --store '$store' reg import -"
printf 'nonsense\n' >"$work/b.reg"
exits 1 postern reg import "$work/b.reg"
says "nothing was imported"
exits 1 postern reg import "$work/missing.reg"

exits 1 postern reg add -v "$name" -d 4294967296
exits 1 postern reg add -v "$name" -d -1
exits 1 postern reg add -v "$name" -d sixteen
exits 64 postern reg add -v "$name"
exits 64 postern reg add -d 1
exits 64 postern reg add -v "$name" -t REG_BINARY -d 1
exits 64 postern reg add -v "$name" -t REG_DWORD -d x
exits 1 postern reg query -v 'No Such Value'
claim "refused changes change nothing" 21 "$(value -v "$name")"

exits 0 postern settings store RefusalStyle
claim "a choice's default" coded "$(cat "$work/out")"
exits 0 postern settings store refusalstyle exact
claim "a choice" exact "$(postern settings store RefusalStyle)"
exits 1 postern settings store RefusalStyle loud
exits 1 postern settings imap NoSuchSetting
says "postern settings imap"
exits 1 postern settings imap "$name" 20
says "stands elsewhere"
exits 0 postern settings pop
prints "MaxConnectionsPerUser = 16"
exits 64 postern settings web MaxConnections 1

exits 0 postern policy set default IMAPMaxConcurrency 40
exits 0 postern policy create batch
exits 1 postern policy create batch
exits 0 postern policy set batch POPMaxConcurrency null
exits 0 postern policy assign alice batch
exits 1 postern policy assign alice none
exits 1 postern policy assign dave batch
exits 1 postern policy set none POPMaxConcurrency 1
exits 1 postern policy set batch NoSuchSetting 1
exits 64 postern policy set batch POPMaxConcurrency many
claim "a policy" "POPMaxConcurrency = null" "$(postern policy show batch | grep ^POPMax)"
finish
