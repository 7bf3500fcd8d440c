import type { HomeserverConfig } from "../../config-schemas/homeserver/schema";
import type { HomeserverSecrets } from "../../config-schemas/model";
import type { DatabaseAccess } from "../postgres";

/** What the stack wants of the homeserver. */
export interface HomeserverPlan {
  config: HomeserverConfig;
  database: DatabaseAccess;
  /** Identity server that the client document names. */
  identityServer?: string;
  secrets: HomeserverSecrets;
  /** Key of the vendor's repository, base64; absent: Hearth does not use the vendor's packages. */
  vendorKey?: string | undefined;
}
