import type { HostFile, HostUnit } from "../../../provider/contract/release";
import { LOGIN, type Release } from "../host-programs";
import { HOME } from "../user-release";

export type Scope = "system" | "user";
/** The generations before and after a change; `none`: the release is not installed. */
export type Generation = "a" | "b" | "none";

/** The paths of the test's release on a host, by scope. */
export const PLACES = {
  system: {
    conf: "/etc/cuts",
    own: "/etc/own",
    lib: "/usr/local/lib/cuts",
    environment: "/opt/cuts/environment",
    units: "/etc/systemd/system",
    target: "multi-user.target",
    owner: "root",
    port: 8097,
  },
  user: {
    conf: `${HOME}/.config/cuts`,
    own: `${HOME}/.config/own`,
    lib: `${HOME}/.local/lib/hearth/cuts`,
    environment: `${HOME}/.local/lib/hearth/cuts-environments/one`,
    units: `${HOME}/.config/systemd/user`,
    target: "default.target",
    owner: LOGIN,
    port: 8096,
  },
} as const;

/** The operator's earlier files there. The link has no target: it must be restored too. */
export const OPERATORS = { file: "the operator's own", link: "nowhere/to be found", foreign: "foreign" };

/**
 * Replaces the interpreter that builds an environment, to save time: stores the request, which shows the installed environment.
 * It names programs by their paths, so that none of its calls is counted.
 */
export const PYTHON = "/usr/local/lib/cuts-python";
export const FAKE_PYTHON = `#!/bin/sh
# -I environment.py build FOLDER PATH SITE
[ "$3" = build ] || exit 0
/bin/mkdir -p "$5/bin"
/bin/cp "$4/requirements.txt" "$5/version"
/bin/cp /bin/true "$5/bin/python"
`;

/**
 * A release with one item of every kind that a change replaces, adds, removes, gives back or switches on and off. Its service does
 * not start with files of two generations, so a mixture is never accepted.
 */
export function cutsRelease(scope: Scope, generation: "a" | "b", healthy = true): Release {
  const { conf, own, lib, environment, units, target, owner, port } = PLACES[scope];
  const file = (content: string, mode = "0644"): HostFile => ({ content, mode, owner, group: owner });
  const unit = (name: string, exec: string, wanted: string = target) =>
    file(`[Unit]\nDescription=${name}\n${exec}\n[Install]\nWantedBy=${wanted}\n`);
  const idle = (name: string) => unit(name, "[Service]\nExecStart=/bin/sleep infinity");
  const serve = `#!/bin/sh
set -eu
read -r conf <${conf}/cuts.conf
read -r pair <${conf}/pair
read -r version <${environment}/version
[ "$conf $pair $version" = "$conf $conf $conf" ]
www=$1
/bin/cp ${conf}/cuts.conf "$www/served"
exec busybox httpd -f -p 127.0.0.1:${port} -h "$www"
`;
  const runtime = scope === "user" ? "%t/cuts-www" : "/run/cuts-www";
  const running = (...restartOn: string[]): HostUnit => ({
    enabled: true,
    state: "running",
    restartOn,
    reloadOn: [],
  });
  return {
    release: "cuts",
    directories: { [`${conf}/data`]: { mode: generation === "a" ? "0750" : "0700", owner, group: owner } },
    files: {
      [`${conf}/cuts.conf`]: file(`${generation}\n`),
      [`${conf}/pair`]: file(`${generation}\n`),
      [`${conf}/current`]: file(`${generation}\n`),
      // Environments belong to root.
      ...(scope === "user" ? { [`${environment}/version`]: file(`${generation}\n`) } : {}),
      [`${lib}/serve`]: file(serve, "0755"),
      [`${units}/cuts.service`]: unit(
        "Cuts",
        `[Service]\nExecStart=/bin/sh ${lib}/serve ${runtime}\nRuntimeDirectory=cuts-www`,
      ),
      [`${units}/cuts-${generation}.service`]: idle(`Only in ${generation}`),
      [`${units}/cuts-tick.service`]: file("[Service]\nExecStart=/bin/true\n"),
      [`${units}/cuts-tick.timer`]: unit(
        `Tick ${generation}`,
        `[Timer]\nOnActiveSec=${generation === "a" ? 100 : 200}h`,
        "timers.target",
      ),
      [`${own}/${generation === "a" ? "file" : "link"}`]: file("Hearth's\n"),
    },
    secrets: {
      [`${conf}/given`]: {
        mode: "0600",
        owner,
        group: owner,
        source: { kind: "given", value: `given ${generation}` },
      },
      [`${conf}/made`]: {
        mode: "0600",
        owner,
        group: owner,
        source: { kind: "command", argv: ["/usr/bin/printf", "%s", "made here"] },
      },
    },
    environments:
      scope === "user"
        ? {}
        : { [environment]: { python: PYTHON, requirements: [generation], systemSitePackages: false } },
    units: {
      "cuts.service": running(`${conf}/cuts.conf`, `${conf}/given`),
      [`cuts-${generation}.service`]: running(),
      "cuts-tick.timer": running(),
    },
    health: healthy
      ? {
          answers: {
            kind: "command",
            argv: ["/usr/bin/busybox", "wget", "-q", "-O", "-", `http://127.0.0.1:${port}/served`],
            timeoutSeconds: 30,
          },
        }
      : { never: { kind: "command", argv: ["/bin/false"], timeoutSeconds: 1 } },
  };
}

/** The output of facts.sh for a host that runs exactly that generation, without files of another one. */
export function factsOf(scope: Scope, generation: Generation): string[] {
  const { conf, own, environment } = PLACES[scope];
  const at = (one: string, other = "absent", none = "absent") => ({ a: one, b: other, none })[generation];
  const owned = "Hearth's";
  // An environment and a secret are additions: they stay when the release is removed.
  const on = "enabled active";
  return [
    `served: ${at("a", "b", "down")}`,
    `cuts.service: ${at(on, on, "not-found inactive")}`,
    `cuts-a.service: ${at(on, "not-found inactive", "not-found inactive")}`,
    `cuts-b.service: ${at("not-found inactive", on, "not-found inactive")}`,
    `cuts-tick.timer: ${at(on, on, "not-found inactive")}`,
    `tick: ${at("Tick a", "Tick b", "cuts-tick.timer")}`,
    `${conf}/cuts.conf: ${at("a", "b")}`,
    `${conf}/pair: ${at("a", "b")}`,
    `${own}/file: ${at(owned, OPERATORS.file, OPERATORS.file)}`,
    `${own}/foreign: ${OPERATORS.foreign}`,
    `current: ${at("a", "b")}`,
    `own link: ${at(`to ${OPERATORS.link}`, owned, `to ${OPERATORS.link}`)}`,
    "journal: ",
    "litter: ",
    ...(generation === "none"
      ? []
      : [
          `${conf}/given: given ${generation}`,
          `${environment}/version: ${generation}`,
          `data: ${at("750", "700")}`,
        ]),
  ];
}
