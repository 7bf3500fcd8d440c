import type { FunnelConfig } from "../../config-schemas/tunnel/schema";
import type { AptRepository } from "../../provider/sdk";
import { archiveKey } from "../../runtimes/native/archive-key";
import type { Places } from "../../runtimes/places";
import type { HostFacts } from "../hosts/facts";

const KEY_FILE = "keys/tailscale-archive-keyring.gpg";
const FINGERPRINT = "2596A99EAAB33821893C0A79458CA832957F5868";

/** Package and repository of tailscaled in the release; empty if Hearth does not install it. */
export interface Installation {
  packages: Record<string, string>;
  repositories: Record<string, AptRepository>;
}

/** What decides how tailscaled is installed. */
interface Question {
  config: Pick<FunnelConfig, "install">;
  facts: Pick<HostFacts, "tailscale" | "distribution" | "codename">;
  scope: Places["scope"];
  /** See {@link readVendorKey}. */
  vendorKey: string | undefined;
}

/**
 * Decides how tailscaled is installed. With `auto` and the vendor's key, Hearth also manages a package that already exists:
 * the previous update may have installed it, and this update must not remove it.
 */
export function installationOf(question: Question): Installation {
  const { config, facts, scope, vendorKey } = question;
  const leave = config.install === "present" || (config.install === "auto" && facts.tailscale === "other");
  if (leave || scope === "user" || vendorKey === undefined) return { packages: {}, repositories: {} };
  return {
    packages: { tailscale: "any" },
    repositories: {
      tailscale: {
        uris: `https://pkgs.tailscale.com/stable/${facts.distribution}`,
        suites: facts.codename,
        components: "main",
        keyBase64: vendorKey,
        fingerprint: FINGERPRINT,
      },
    },
  };
}

/** Why this host cannot have the installation that the stack asks for, with the fix; undefined: it can. */
export function installationFault({ config, facts, scope, vendorKey }: Question): string | undefined {
  const missing = facts.tailscale === "";
  if (missing && (config.install === "present" || scope === "user")) {
    const asked = scope === "user" ? "Hearth cannot become root there" : "hearth:tunnel.install is present";
    const other =
      scope === "user" ? "write `become: sudo` for the host" : "write `install: repository` in hearth:tunnel";
    return `tailscaled is not on the host, and ${asked}\n  fix: install it as root, as https://tailscale.com/download/linux describes, or ${other}`;
  }
  if (config.install === "present" || scope === "user" || vendorKey !== undefined) return undefined;
  if (config.install === "auto" && !missing) return undefined;
  const reason = missing ? "tailscaled is not on the host" : "hearth:tunnel.install is repository";
  return `${reason}, and the key of the vendor's repository is missing: ${KEY_FILE}\n  fix: download https://pkgs.tailscale.com/stable/${facts.distribution}/${facts.codename}.noarmor.gpg to this path (the host checks that its fingerprint is ${FINGERPRINT}), or install Tailscale yourself and write \`install: present\``;
}

/** The key of the vendor's repository, base64; undefined: the operator has not downloaded it. */
export function readVendorKey(projectDirectory: string): string | undefined {
  return archiveKey(projectDirectory, KEY_FILE);
}
