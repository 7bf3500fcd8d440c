import type { Resource } from "../protocol/resource";
import { release } from "../release";
import { host } from "./host";

/** Every resource type of the provider, by type token. */
export const resources: Record<string, Resource> = {
  "hearth-host:index:Host": host,
  "hearth-host:index:Release": release,
};
