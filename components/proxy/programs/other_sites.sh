#!/bin/sh
# Does nginx serve other sites on this host? With Hearth it reads our folder only, so they would go dark unnoticed.
# Usage: other_sites.sh SITES_FOLDER [ROOT]; ROOT: where the host's files are (tests). Prints a line for each site: what, a tab, the
# fix; ends with status 1 when there is one. Changes nothing.
set -eu

ours=$1
root=${2-}
# Names of files may have blanks.
IFS='
'
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# main_files: nginx's own main file, and others that its unit names (not ours).
main_files() {
  printf '%s\n' "$root/etc/nginx/nginx.conf"
  cat -- "$root"/etc/systemd/system/nginx.service "$root"/etc/systemd/system/nginx.service.d/*.conf 2>/dev/null |
    sed -n 's/^ExecStart=.*[[:space:]]-c[[:space:]]*\([^[:space:]]*\).*/\1/p' | grep -v -e "^${ours%/*}/" | sed "s#^#$root#"
}

# statements FILE: its text without comments, one statement or brace a line.
statements() { sed 's/#.*//' -- "$1" 2>/dev/null | tr '\n\t' '  ' | sed 's/[;{}]/&\n/g'; }

# add_file FILE: it, and all files that it includes, to $work/files.
add_file() {
  [ -f "$1" ] || return 0
  if grep -q -s -x -F -e "$1" -- "$work/files"; then return 0; fi
  printf '%s\n' "$1" >>"$work/files"
  statements "$1" | sed -n 's/^[[:space:]]*include[[:space:]][[:space:]]*["'\'']\{0,1\}\([^"'\'';]*[^"'\''; ]\)["'\'']\{0,1\}[[:space:]]*;/\1/p' >"$work/includes.$$" || :
  # A pattern that matches nothing stays as it is, and is no file.
  while IFS= read -r pattern; do
    case $pattern in /*) pattern=$root$pattern ;; *) pattern=$root/etc/nginx/$pattern ;; esac
    for included in $pattern; do printf '%s\n' "$included"; done
  done <"$work/includes.$$" >>"$work/queue"
}

# packaged FILE: is it as its package brought it? dpkg knows the sums of configuration files.
packaged() {
  packaged_path=$(readlink -f -- "$1")
  packaged_sum=$(md5sum <"$packaged_path")
  if [ -n "$root" ]; then packaged_path=${packaged_path#"$(readlink -f -- "$root")"}; fi
  dpkg-query ${root:+--admindir="$root/var/lib/dpkg"} -W -f '${Conffiles}\n' 'nginx*' 2>/dev/null |
    grep -q -F -e " $packaged_path ${packaged_sum%% *}"
}

# linked FILE: has it been linked into our folder?
linked() {
  for link in "$root$ours"/*.conf; do
    if [ "$link" -ef "$1" ]; then return 0; fi
  done
  return 1
}

# welcome_only: the packaged default site shows the package's own page and nothing else; or nginx runs with our file already.
welcome_only() {
  if [ -e "$root${ours%/*}/nginx.conf" ]; then return 0; fi
  for page in "$root"/var/www/html/* "$root"/var/www/html/.[!.]*; do
    case ${page##*/} in '*' | '.[!.]*' | index.nginx-debian.html) ;; *) return 1 ;; esac
  done
}

told=0
tell() {
  told=1
  printf '%s\t%s\n' "$1" "$2"
}

: >"$work/files"
main_files >"$work/queue"
while [ -s "$work/queue" ]; do
  mv -- "$work/queue" "$work/next"
  while IFS= read -r file; do add_file "$file"; done <"$work/next"
done
while IFS= read -r file; do
  statements "$file" | grep -q -E '^[[:space:]]*server[[:space:]]*\{' || continue
  if linked "$file"; then continue; fi
  shown=$(printf '%s' "${file#"$root"}" | tr -c '[:print:]' '?')
  name=${shown##*/}
  if ! packaged "$file"; then
    tell "nginx serves another site on this host, which would go offline: $shown" \
      "to keep it: mkdir -p $ours, then ln -s '$shown' $ours/${name%.conf}.conf (nginx reads nothing else then); else remove it"
  elif ! welcome_only; then
    tell "nginx's default site ($shown) shows what lies in /var/www/html, which would go offline" \
      "move what is in /var/www/html elsewhere, or give it a site of its own and link that into $ours"
  fi
done <"$work/files"
exit "$told"
