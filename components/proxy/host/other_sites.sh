#!/bin/sh
# Does nginx serve other sites on this host already? With Hearth it reads our folder only, so they would go dark unnoticed.
# Usage: other_sites.sh SITES_FOLDER
set -eu

ours=$1
others=
for site in /etc/nginx/sites-enabled/* /etc/nginx/conf.d/*.conf; do
  name=${site##*/}
  # The package's own welcome page, and sites that have been linked into our folder, are accounted for.
  if [ ! -e "$site" ] || [ "$name" = default ] || [ -e "$ours/${name%.conf}.conf" ]; then continue; fi
  others="$others $site"
done
if [ -n "$others" ]; then
  echo "nginx serves other sites on this host, which would go offline:$others. Link each one into $ours as NAME.conf to keep it (nginx reads nothing else then), or remove it" >&2
  exit 1
fi
