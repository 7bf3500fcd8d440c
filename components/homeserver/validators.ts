import type { Validator } from "../../provider/sdk";
import { programFolder } from "../../runtimes/programs";
import { UNIT, USER } from "./paths";

/**
 * What a native Synapse itself has to say about the staged configuration, cheapest first.
 * @param python Synapse's own interpreter
 * @param unitFile path of the unit, when it is ours as a whole
 */
export function nativeValidators(
  python: string,
  configPaths: readonly string[],
  unitFile: string | undefined,
): Record<string, Validator> {
  const program = (name: string, ...first: string[]) => [
    python,
    `${programFolder("homeserver")}/${name}`,
    ...first,
    ...configPaths,
  ];
  const asSynapse = { user: USER, timeoutSeconds: 60 };
  return {
    "10-config": { argv: program("check_config.py"), ...asSynapse },
    // As root: whose a socket is, only root may see.
    "15-ports": { argv: program("check_ports.py", UNIT), timeoutSeconds: 30 },
    "20-database": { argv: program("check_database.py"), ...asSynapse },
    "30-dry-start": { argv: program("dry_start.py"), ...asSynapse, isolateNetwork: true },
    ...(unitFile === undefined
      ? {}
      : {
          "40-unit": {
            argv: ["/usr/bin/systemd-analyze", "verify", "--man=no", unitFile],
            timeoutSeconds: 30,
          },
        }),
  };
}

/**
 * The same questions to the Synapse in an image.
 * @param inImage command that runs a program and its arguments with the image's interpreter, without network
 * @param folder our programs as the container sees them
 */
export function containerValidators(
  inImage: (program: string[]) => string[],
  folder: string,
  configPaths: readonly string[],
): Record<string, Validator> {
  const program = (name: string) => ({
    argv: inImage([`${folder}/${name}`, ...configPaths]),
    timeoutSeconds: 90,
  });
  return {
    "10-config": program("check_config.py"),
    "20-database": program("check_database.py"),
    "30-dry-start": program("dry_start.py"),
  };
}
