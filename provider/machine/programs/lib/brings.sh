# What comes along with the packages that are missing: the package manager itself is asked, and nothing is written (not even caches).
# shellcheck shell=sh

# report_brings: `brings NAME OLD|- NEW|-` for each package that is installed (no old version), changed, or removed (no new one)
# besides the wanted ones. `brings -` when it cannot tell: its lists are not there yet, or a repository is still to be added.
report_brings() {
  [ "$SCOPE" = system ] || return 0
  wanted_packages >"$WORK/install"
  [ -s "$WORK/install" ] || return 0
  set --
  while IFS= read -r item; do set -- "$@" "$item"; done <"$WORK/install"
  pm_simulate "$@" >"$WORK/brings" || {
    row brings -
    return 0
  }
  awk -F'\t' -v OFS='\t' 'T == 1 { wanted[$1] = 1; next } $3 == "-" || !($1 in wanted) { print "brings", $0 }' \
    T=1 "$(table packages)" T=2 "$WORK/brings"
}

# wanted_packages: what is to be installed, one `NAME` or `NAME=VERSION` a line.
wanted_packages() {
  awk -F'\t' 'T == 1 { have[$1] = $2; next } have[$1] == "-" || $2 != "any" && have[$1] != $2 { print $2 == "any" ? $1 : $1 "=" $2 }' \
    T=1 "$WORK/packages" T=2 "$(table packages)"
}
