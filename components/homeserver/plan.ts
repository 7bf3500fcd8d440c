import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import type { DatabaseAccess } from "../postgres";
import type { GivenSecrets } from "./secrets";

/** What the homeserver is to be. */
export interface HomeserverPlan {
  config: HomeserverConfig;
  database: DatabaseAccess;
  /** Identity server that clients are told about. */
  identityServer?: string;
  secrets: GivenSecrets;
  /** Key of the vendor's repository, base64; absent: its packages are not used. */
  vendorKey?: string | undefined;
}
