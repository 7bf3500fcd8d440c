# Programs of a release that are needed before its files are in place: those that make its secrets.
# shellcheck shell=sh

# lay_out_sent: the files of the request, at their own paths below $WORK/sent, so that a program finds what it imports next to it.
lay_out_sent() {
  [ ! -d "$WORK/sent" ] || return 0
  while IFS=$TAB read -r index path _; do
    mkdir -p -m 0700 -- "$WORK/sent${path%/*}" && ln -- "$REQUEST/content/$index" "$WORK/sent$path" || return 1
  done <"$(table files)"
}

# run_sent TIMEOUT_SECONDS ARGV_FILE: as run_argv, with the sent file for each word that is the path of a file of this release: what
# lies at the path itself is not there yet, or from the last apply.
run_sent() {
  lay_out_sent || return 1
  awk -F'\t' -v sent="$WORK/sent" 'T == 1 { here[$2] = 1; next } { print ($0 in here) ? sent $0 : $0 }' \
    T=1 "$(table files)" T=2 "$2" >"$WORK/argv" || return 1
  run_argv - "$1" "$WORK/argv"
}
