# What programs say, without what looks like a secret. Programs should print none; this is the second line of defence.
# shellcheck shell=sh

# redact: standard input line by line. Rather a harmless word too many is hidden than a secret too few; paths of secret files
# (`..._path: /etc/x`) stay, because an operator needs them.
redact() {
  sed -E -e '
    # Private keys: whole blocks, and what follows on the same line where the line breaks are written as \n.
    /-----BEGIN [A-Z ]*PRIVATE KEY-----/,/-----END [A-Z ]*PRIVATE KEY-----/ {
      /-----BEGIN/!d
      s/-----BEGIN.*/[hidden private key]/
    }
    # Names that end in path or file are set aside, by a letter that no word has.
    s/\x07//g
    s/((path|file)["'\'']?[[:space:]]*)([=:])/\1\x07\3/gI
    # Logins.
    s/((proxy-)?authorization|(set-)?cookie)(["'\'']?[[:space:]]*[=:][[:space:]]*).*/\1\4[hidden]/I
    s/\b(bearer)([[:space:]]+)[A-Za-z0-9._~+\/=-]{4,}/\1\2[hidden]/gI
    s/\b(basic)([[:space:]]+)[A-Za-z0-9+\/]*[0-9=][A-Za-z0-9+\/=]*/\1\2[hidden]/gI
    s/(:\/\/)[^[:space:]\/"'\'']*@/\1[hidden]@/g
    s/(:\/\/[^[:space:]\/@:]*):[^[:space:]@"'\'']*@/\1[hidden]@/g
    # What a database says of rows and parameters.
    s/(Key \([^)]*\)=\().*(\) )/\1[hidden]\2/
    s/(Key \([^)]*\)=\().*(\)[^)]*)$/\1[hidden]\2/
    s/((Failing row contains|parameters:)[[:space:]]*).*/\1[hidden]/I
    s/SCRAM-SHA-256\$[^[:space:]"'\'']+/[hidden]/g
    s/\b(password|identified by)([[:space:]]+)(E?'\''[^'\'']*'\''|"[^"]*")/\1\2[hidden]/gI
    # Options of a command: the value only, for the words after it may say what to do.
    s/(--?[a-z-]*(pass(word|wd|phrase)|secret|token|(api|auth)-?key)[a-z-]*)=('\''[^'\'']*'\''|"[^"]*"|[^[:space:]"'\'']+)/\1\x07=[hidden]/gI
    # Values with a name.
    s/((pass(word|wd|phrase|code)?|pwd|secret|token|credentials?|pepper|(api|private|access|auth|signing|encryption|client|master|license)[_-]?key|dsn)([_-]?[a-z0-9]+)*["'\'']?[]})]?[[:space:]]*(=>|[=:])[[:space:]]*).*/\1[hidden]/I
    s/(--?[a-z-]*(pass(word|wd|phrase)|secret|token|(api|auth)-?key)[a-z-]*[[:space:]]+)[^[:space:]-][^[:space:]]*/\1[hidden]/gI
    # Values that say themselves what they are.
    s/\b(sy[tlr]|mat|mar|mct|mcr|mpt)_[A-Za-z0-9_=.-]{6,}/[hidden]/g
    s/\b(tskey|hskey)-[A-Za-z0-9_-]+/[hidden]/g
    s/\bMDAx[A-Za-z0-9_=-]{20,}/[hidden]/g
    s/\b(gh[opsur]_|github_pat_|glpat-|xox[a-z]-|sk_live_|pypi-)[A-Za-z0-9_-]{10,}/[hidden]/g
    s/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/[hidden]/g
    s/\bAGE-SECRET-KEY-[A-Z0-9]+/[hidden]/g
    s/\b(ed25519[[:space:]]+[A-Za-z0-9_]+[[:space:]]+)[A-Za-z0-9+\/]{40,}=*/\1[hidden]/g
    s/\x07//g
  '
}
