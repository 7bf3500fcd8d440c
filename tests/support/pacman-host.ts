import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../sandbox";
import { copyPrograms, sh } from "./host-programs";

/** Packages of a repository of a test's own: `lib` and `web`, which needs it and has a unit. Plain archives as makepkg makes them. */
const REPOSITORY = `
set -eu
apt-get -q update >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends pacman-package-manager makepkg libarchive-tools >/dev/null 2>&1
mkdir -p /srv/repository
package() { # NAME VERSION DEPENDS
  folder=$(mktemp -d)
  mkdir -p "$folder/usr/share/$1" "$folder/usr/lib/systemd/system"
  printf '%s %s\\n' "$1" "$2" >"$folder/usr/share/$1/what"
  printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >"$folder/usr/lib/systemd/system/$1.service"
  { printf '%s = %s\\n' pkgname "$1" pkgbase "$1" pkgver "$2" pkgdesc test url http://example.org builddate 1 packager test size 1 arch any
    if [ -n "$3" ]; then printf 'depend = %s\\n' "$3"; fi; } >"$folder/.PKGINFO"
  tar -C "$folder" -czf "/srv/repository/$1-$2-any.pkg.tar.gz" .PKGINFO usr
}
package lib 1:3.2.1-1 ''
package web 1.26.3-2 lib
package gone 1.0-1 ''
cd /srv/repository
repo-add -q probe.db.tar.gz ./*.pkg.tar.gz >/dev/null
rm gone-*.pkg.tar.gz
printf '[options]\\nArchitecture = auto\\nSigLevel = Never\\n[probe]\\nServer = file:///srv/repository\\n' >/etc/pacman.conf
`;

/** Debian's pacman on a host, with a repository of its own; its lists are not there yet. */
export async function bringPacman(host: Host): Promise<void> {
  await sh(host, REPOSITORY);
}

/** The programs that run on hosts, for one whose package manager is pacman: on this one apt is there, too. */
export function pacmanPrograms(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "hearth-pacman-"));
  copyPrograms(folder);
  writeFileSync(
    join(folder, "machine/programs/lib/pm.sh"),
    '# shellcheck shell=sh\nPM=pacman\n. "$DIR/lib/pm-pacman.sh"\n',
  );
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
