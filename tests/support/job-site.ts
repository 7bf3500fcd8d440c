import { jobSite } from "../../components/homeserver/quadlet";
import { homeserverSchema } from "../../config-schemas/homeserver/schema";
import type { Site } from "../../runtimes/job";
import type { Places } from "../../runtimes/places";

/** Where jobs of a stack in a home run: next to Synapse 1.163.2 in the vendor's image, or in `image`. */
export function jobSiteOf(places: Places, image?: string): Site {
  const server = { host: "home", serverName: "home.test", publicHost: "home.test", version: "1.163.2" };
  return jobSite(homeserverSchema.parse({ ...server, ...(image === undefined ? {} : { image }) }), places);
}
