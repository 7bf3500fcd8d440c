import type { HostFile } from "../../provider/sdk";
import { PUBLIC_DIRECTORY, publicFile } from "../../runtimes/ownership";
import { hostPrograms, programFolder } from "../../runtimes/programs";
import { CERTIFICATE_CHANGED, type ProxyParts, SERVICE } from "./parts";
import {
  MAIN_FILE,
  MATRIX_FILE,
  type NginxPlan,
  renderMain,
  renderMatrix,
  renderUpstream,
  SITES_FOLDER,
  UPSTREAM_FILE,
} from "./render";
import { renderUnitOverride } from "./unit";

const UNIT = "nginx.service";
const UNIT_OVERRIDE = `/etc/systemd/system/${UNIT}.d/50-hearth.conf`;

/** nginx as the distribution's package, with configuration of ours only. */
export function nativeProxy(plan: NginxPlan): ProxyParts {
  const program = (name: string) => `${programFolder(SERVICE)}/${name}`;
  const ports = plan.federationPort ? ["443", "8448"] : ["443"];
  const answers = ["/bin/sh", program("answers.sh"), plan.publicHost, "127.0.0.1", ...ports];
  return {
    packages: { nginx: "any", curl: "any" },
    images: [],
    directories: { [programFolder(SERVICE)]: PUBLIC_DIRECTORY, [SITES_FOLDER]: PUBLIC_DIRECTORY },
    files: filesOf(plan),
    units: {
      [UNIT]: {
        enabled: true,
        state: "running",
        // A package's that serves nothing but its welcome page.
        adopt: true,
        // Everything else nginx takes in by a reload, without dropping a connection.
        restartOn: [UNIT_OVERRIDE],
        reloadOn: [MAIN_FILE, MATRIX_FILE, UPSTREAM_FILE, CERTIFICATE_CHANGED],
      },
    },
    ports: Object.fromEntries(["80", ...ports].map((port) => [port, UNIT])),
    preflights: { sites: { program: program("other_sites.sh"), arguments: [SITES_FOLDER] } },
    validators: {
      "10-nginx": { argv: ["/usr/sbin/nginx", "-t", "-q", "-c", MAIN_FILE], timeoutSeconds: 30 },
      "20-unit": { argv: ["/usr/bin/systemd-analyze", "verify", "--man=no", UNIT], timeoutSeconds: 30 },
    },
    health: { answers: { kind: "command", argv: answers, timeoutSeconds: 30 } },
  };
}

function filesOf(plan: NginxPlan): Record<string, HostFile> {
  return {
    ...hostPrograms(SERVICE),
    [MAIN_FILE]: publicFile(renderMain()),
    [MATRIX_FILE]: publicFile(renderMatrix(plan)),
    [UPSTREAM_FILE]: publicFile(renderUpstream(plan)),
    [UNIT_OVERRIDE]: publicFile(renderUnitOverride()),
  };
}
