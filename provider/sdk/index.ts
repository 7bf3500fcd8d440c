import * as pulumi from "@pulumi/pulumi";
import type { DnsRecordInputs } from "../contract/dns";
import type { HostInputs, MachineFacts } from "../contract/host";
import type {
  AccountInputs,
  CheckResult,
  RoomInputs,
  SpaceInputs,
  VerificationInputs,
} from "../contract/matrix";
import type { ReleaseInputs } from "../contract/release";

export type { Connection } from "../contract/connection";
export type * from "../contract/dns";
export type * from "../contract/host";
export type * from "../contract/matrix";
export type * from "../contract/release";

/** The provider's package. Not `hearth`: the engine would hand the whole `hearth:` configuration to it. */
const PACKAGE = "hearth-host";

/** A value of which every part may be an output: one secret leaf then leaves the rest of it readable in diffs. */
type DeepInput<T> = pulumi.Input<T extends object ? { [K in keyof T]: DeepInput<T[K]> } : T>;

/** Every leaf may be an output of another resource. */
export type Inputs<T> = { [K in keyof T]: DeepInput<T[K]> };

/** What a Release can leave out: an absent map is an empty one. */
type ReleaseMaps =
  | "identity"
  | "packages"
  | "repositories"
  | "users"
  | "directories"
  | "files"
  | "secrets"
  | "images"
  | "containerSecrets"
  | "environments"
  | "tasks"
  | "units"
  | "ports"
  | "preflights"
  | "revisions"
  | "validators"
  | "health"
  | "publishes";

/** Arguments of {@link Release}: the maps may be left out, every map may flow from another resource. */
export type ReleaseArgs = Inputs<Omit<ReleaseInputs, ReleaseMaps>> &
  Partial<Inputs<Pick<ReleaseInputs, ReleaseMaps>>>;

/** A machine and its facts, known in previews. Stateless. */
export class Host extends pulumi.CustomResource {
  declare readonly facts: pulumi.Output<MachineFacts>;

  constructor(name: string, args: Inputs<HostInputs>, opts?: pulumi.CustomResourceOptions) {
    super(`${PACKAGE}:index:Host`, name, { ...args, facts: undefined }, opts);
  }
}

/** Everything one service puts on one host, applied as one transaction. Its Delete never removes data. */
export class Release extends pulumi.CustomResource {
  declare readonly instance: pulumi.Output<string>;
  declare readonly generation: pulumi.Output<number>;
  /** Digest of everything desired; known in previews, so that what depends on it is too. */
  declare readonly digest: pulumi.Output<string>;
  declare readonly packageVersions: pulumi.Output<Record<string, string>>;
  declare readonly fingerprints: pulumi.Output<Record<string, string>>;
  /** Facts of the host, by their names in `publishes`. */
  declare readonly published: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: ReleaseArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = {
      instance: undefined,
      generation: undefined,
      digest: undefined,
      packageVersions: undefined,
      fingerprints: undefined,
      published: undefined,
    };
    super(`${PACKAGE}:index:Release`, name, { ...args, ...outputs }, opts);
  }
}

/**
 * What leaves the stack file and stays on the homeserver: the engine's own plan says so (`delete[retain]`), for no provider is
 * asked about a deletion in a preview.
 */
const STAYS = { retainOnDelete: true };

/** A local account of the homeserver. One that leaves the program stays there as it is. */
export class Account extends pulumi.CustomResource {
  declare readonly userId: pulumi.Output<string>;

  constructor(name: string, args: Inputs<AccountInputs>, opts?: pulumi.CustomResourceOptions) {
    super(`${PACKAGE}:index:Account`, name, { ...args, userId: undefined }, { ...STAYS, ...opts });
  }
}

const ROOM_OUTPUTS = { roomId: undefined, inviteLink: undefined };

/** A Space of Hearth's own account. One that leaves the program stays on the homeserver, with everybody in it. */
export class Space extends pulumi.CustomResource {
  declare readonly roomId: pulumi.Output<string>;
  /** For people who may join; the invited see it in their client. */
  declare readonly inviteLink: pulumi.Output<string>;

  constructor(name: string, args: Inputs<SpaceInputs>, opts?: pulumi.CustomResourceOptions) {
    super(`${PACKAGE}:index:Space`, name, { ...args, ...ROOM_OUTPUTS }, { ...STAYS, ...opts });
  }
}

/** A room of Hearth's own account. One that leaves the program stays on the homeserver, with everybody in it. */
export class Room extends pulumi.CustomResource {
  declare readonly roomId: pulumi.Output<string>;
  /** For people who may join; the invited see it in their client. */
  declare readonly inviteLink: pulumi.Output<string>;

  constructor(name: string, args: Inputs<RoomInputs>, opts?: pulumi.CustomResourceOptions) {
    super(`${PACKAGE}:index:Room`, name, { ...args, ...ROOM_OUTPUTS }, { ...STAYS, ...opts });
  }
}

/** The checks from outside; a failing one fails the update. Stateless. */
export class Verification extends pulumi.CustomResource {
  declare readonly results: pulumi.Output<CheckResult[]>;

  constructor(name: string, args: Inputs<VerificationInputs>, opts?: pulumi.CustomResourceOptions) {
    super(`${PACKAGE}:index:Verification`, name, { ...args, results: undefined }, opts);
  }
}

/** A record in DNS at Dynu. Its Delete removes it only if it made it. */
export class DnsRecord extends pulumi.CustomResource {
  constructor(name: string, args: Inputs<DnsRecordInputs>, opts?: pulumi.CustomResourceOptions) {
    super(`${PACKAGE}:index:DnsRecord`, name, args, opts);
  }
}
