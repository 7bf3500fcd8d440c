# apt and dpkg, as the package manager of a host.
# shellcheck shell=sh

pm_architecture() { dpkg --print-architecture; }

# pm_versions FILE: `NAME VERSION` for each package in FILE, one a line: the upstream version that is installed, else the one
# that apt would install. Asks no network.
pm_versions() {
  xargs -r -d '\n' -a "$1" apt-cache policy 2>/dev/null | awk -v OFS='\t' '
    /^[a-z0-9]/ { name = $1; sub(/:$/, "", name) }
    # Installed comes before Candidate.
    ($1 == "Installed:" || $1 == "Candidate:") && $2 != "(none)" && !(name in seen) {
      seen[name] = 1
      version = $2; sub(/^[0-9]+:/, "", version); sub(/[-+~].*/, "", version)
      print name, version
    }'
}

# pm_installed FILE: those of the packages in FILE, one a line, that are installed.
pm_installed() {
  # shellcheck disable=SC2016 # dpkg's own fields.
  xargs -r -d '\n' -a "$1" dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null | awk '$2 == "installed" { print $1 }'
}
