import { columnOf } from "../../hosts/distributions";
import { unitCheck } from "../../runtimes/native";
import { PUBLIC_DIRECTORY } from "../../runtimes/ownership";
import { SYSTEM_PLACES } from "../../runtimes/places";
import type { ServiceSpec } from "../../runtimes/service";
import { CERTIFICATE_PATHS } from "../certificates/paths";
import type { ProxyArgs } from "./kinds";
import {
  MAIN_FILE,
  MATRIX_FILE,
  renderMain,
  renderMatrix,
  renderUpstream,
  SITES,
  SITES_FOLDER,
  UPSTREAM_FILE,
} from "./render";
import { renderUnitOverride } from "./unit";

/** nginx from the distribution's package, with only Hearth's configuration. */
export function nginxSpec({ plan, facts, certificate, acme }: ProxyArgs): ServiceSpec {
  const paths = CERTIFICATE_PATHS[acme ? "acme" : "files"];
  const nginx = { ...plan, nginx: facts.nginx, certificate: paths, challenged: acme };
  const { nginx: packaged, curl } = columnOf(facts);
  const ports = plan.federationPort ? ["443", "8448"] : ["443"];
  return {
    name: "proxy",
    description: "nginx, the reverse proxy",
    programs: {
      native: () => ({
        unit: packaged.unit,
        // A package's unit that serves only its welcome page.
        adopt: true,
        packages: { [packaged.package]: "any", [curl.package]: "any" },
        directories: { [SITES_FOLDER]: PUBLIC_DIRECTORY },
        unitFiles: () => ({
          [`${SYSTEM_PLACES.units}/${packaged.unit}.d/50-hearth.conf`]: renderUnitOverride(packaged.program),
        }),
        preflights: ({ host }) => ({
          sites: { program: host.program("other_sites.sh"), arguments: [host.config(SITES)] },
        }),
        checks: {
          "10-nginx": {
            argv: ({ inside }) => [packaged.program, "-t", "-q", "-c", inside.config(MAIN_FILE)],
            timeoutSeconds: 30,
          },
        },
        validators: () => ({ "20-unit": unitCheck(packaged.unit) }),
      }),
    },
    // nginx reloads all of them without closing a connection.
    files: [
      { name: MAIN_FILE, change: "reload", text: () => renderMain(packaged.user) },
      { name: MATRIX_FILE, change: "reload", text: () => renderMatrix(nginx) },
      { name: UPSTREAM_FILE, change: "reload", text: () => renderUpstream(plan) },
    ],
    listens: ["80", ...ports].map((port) => ({ port: Number(port), from: "world" })),
    follows: { reload: certificate },
    health: ({ host }) => ({
      kind: "command",
      argv: ["/bin/sh", host.program("answers.sh"), plan.publicHost, "127.0.0.1", ...ports],
      timeoutSeconds: 30,
    }),
  };
}
