import { columnOf } from "../../hosts/distributions";
import type { Validator } from "../../provider/sdk";
import type { Layout } from "../../runtimes/layout";
import { unitCheck } from "../../runtimes/native";
import { SYSTEM_PLACES } from "../../runtimes/places";
import type { NativeProgram } from "../../runtimes/service";
import type { HostFacts } from "../hosts/facts";
import { type Installation, installationOf } from "./installation";
import { SOCKET_FOLDER, UNIT, USER } from "./names";
import { configPaths } from "./place";
import type { HomeserverPlan } from "./plan";

const DATA_FOLDER = "/var/lib/matrix-synapse";
const LOG_FOLDER = "/var/log/matrix-synapse";

/** Synapse from packages, as a systemd unit with its own system user. */
export function synapsePackages(plan: HomeserverPlan, facts: HostFacts): NativeProgram {
  const installation = installationOf(plan.config, facts, plan.vendorKey);
  const { packages, repositories, environments, elsewhere } = installation;
  const own = { mode: "0750", owner: USER, group: USER };
  return {
    ...{ unit: UNIT, packages, repositories, environments, elsewhere },
    unitFiles: (at) => ({ [installation.unitFile]: installation.renderUnit(startOf(plan, facts, at)) }),
    users: { [USER]: { home: DATA_FOLDER, groups: [] } },
    directories: {
      [`${SYSTEM_PLACES.config("homeserver")}/secrets`]: { mode: "0750", owner: "root", group: USER },
      // Not the media's folder: Synapse creates it itself, in a directory that belongs to it.
      [DATA_FOLDER]: own,
      [LOG_FOLDER]: own,
    },
    data: { "": DATA_FOLDER, media: `${DATA_FOLDER}/media`, log: LOG_FOLDER, socket: SOCKET_FOLDER },
    preflights: ({ host }) => ({
      former: { program: host.program("former_server.sh"), arguments: [host.secret("signing-key")] },
    }),
    user: USER,
    interpreter: `${installation.programs}/python`,
    validators: (at) => ({
      // As root: only root may see which process owns a socket.
      "15-ports": {
        argv: [
          at.inside.interpreter,
          at.host.program("check_ports.py"),
          UNIT,
          ...configPaths(plan.config, at),
        ],
        timeoutSeconds: 30,
      },
      ...wholeUnit(installation),
    }),
  };
}

/** Verifies a complete unit. The vendor's package has its own unit, for which Hearth's file is a drop-in. */
function wholeUnit({ unitFile }: Installation): Record<string, Validator> {
  return unitFile.endsWith(".service") ? { "40-unit": unitCheck(unitFile) } : {};
}

/** The unit's values for this installation. */
function startOf({ config, database }: HomeserverPlan, facts: HostFacts, at: Layout) {
  return {
    python: at.inside.interpreter,
    program: at.inside.program("listen.py"),
    configPaths: configPaths(config, at),
    configFolder: at.host.config(),
    dataFolder: at.host.data(),
    logFolder: at.host.data("log"),
    database: database.unit,
    proxyGroup: columnOf(facts).nginx.user,
  };
}
