# What comes along with the packages that are missing: apt itself is asked, and nothing is written (not even apt's caches).
# shellcheck shell=sh

# report_brings: `brings NAME OLD|- NEW|-` for each package that is installed (no old version), changed, or removed (no new one)
# besides the wanted ones. `brings -` when apt cannot tell: its lists are not there yet, or a repository is still to be added.
report_brings() {
  [ "$SCOPE" = system ] || return 0
  wanted_packages >"$WORK/install"
  [ -s "$WORK/install" ] || return 0
  set --
  while IFS= read -r item; do set -- "$@" "$item"; done <"$WORK/install"
  timeout -k 5 30 apt-get -s -q -o Debug::NoLocking=1 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Get::Show-User-Simulation-Note=no \
    install --no-install-recommends --allow-downgrades -- "$@" >"$WORK/simulated" 2>/dev/null </dev/null || {
    row brings -
    return 0
  }
  simulated_changes "$WORK/simulated"
}

# wanted_packages: what apt-get is to install, one `NAME` or `NAME=VERSION` a line.
wanted_packages() {
  awk -F'\t' 'T == 1 { have[$1] = $2; next } have[$1] == "-" || $2 != "any" && have[$1] != $2 { print $2 == "any" ? $1 : $1 "=" $2 }' \
    T=1 "$WORK/packages" T=2 "$(table packages)"
}

# simulated_changes FILE: the rows of apt's simulation, without the packages of the request.
simulated_changes() {
  awk -v OFS='\t' '
    T == 1 { split($0, part, "\t"); wanted[part[1]] = 1; next }
    $1 == "Inst" {
      old = "-"; new = $3
      if ($3 ~ /^\[/) { old = substr($3, 2, length($3) - 2); new = $4 }
      sub(/^\(/, "", new)
      if (!($2 in wanted)) print "brings", $2, old, new
    }
    $1 == "Remv" { old = $3; gsub(/[][]/, "", old); print "brings", $2, old, "-" }
  ' T=1 "$(table packages)" T=2 "$1"
}
