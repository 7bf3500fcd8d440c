import type { TunnelConfig } from "../../config-schemas/tunnel/schema";
import type { AptRepository } from "../../provider/sdk";
import { archiveKey } from "../../runtimes/native/archive-key";
import type { Places } from "../../runtimes/places";
import type { HostFacts } from "../hosts/facts";

const KEY_FILE = "keys/tailscale-archive-keyring.gpg";
const FINGERPRINT = "2596A99EAAB33821893C0A79458CA832957F5868";

/** What a release says of tailscaled's package; nothing when it is not Hearth's to install. */
export interface Installation {
  packages: Record<string, string>;
  repositories: Record<string, AptRepository>;
}

/** What tunnel and host come to. */
interface Question {
  config: Pick<TunnelConfig, "install">;
  facts: Pick<HostFacts, "tailscale" | "distribution" | "codename">;
  scope: Places["scope"];
  /** See {@link readVendorKey}. */
  vendorKey: string | undefined;
}

/**
 * Where tailscaled comes from. With `auto` and the vendor's key at hand a package that is there stays Hearth's: it may
 * well be the one that the first update installed, and the second one must not drop it again.
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

/** Why this host cannot have the installation that the stack asks for, with the way out; none: it can. */
export function installationFault({ config, facts, scope, vendorKey }: Question): string | undefined {
  const missing = facts.tailscale === "";
  if (missing && (config.install === "present" || scope === "user")) {
    const asked = scope === "user" ? "Hearth may not become root there" : "hearth:tunnel.install is present";
    const out =
      scope === "user" ? "write `become: sudo` for the host" : "write `install: repository` in hearth:tunnel";
    return `tailscaled is not on the host, and ${asked}. Install it as root as https://tailscale.com/download/linux says, or ${out}.`;
  }
  if (config.install === "present" || scope === "user" || vendorKey !== undefined) return undefined;
  if (config.install === "auto" && !missing) return undefined;
  const reason = missing ? "tailscaled is not on the host" : "hearth:tunnel.install is repository";
  return `${reason}, and the key of the vendor's repository is missing: ${KEY_FILE}. Download https://pkgs.tailscale.com/stable/${facts.distribution}/${facts.codename}.noarmor.gpg to there (the host checks that its fingerprint is ${FINGERPRINT}), or install Tailscale yourself and write \`install: present\`.`;
}

/** The key of the vendor's repository, base64, when the operator has fetched it. */
export function readVendorKey(projectDirectory: string): string | undefined {
  return archiveKey(projectDirectory, KEY_FILE);
}
