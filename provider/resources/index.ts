import type { Resource } from "../protocol/resource";
import { release } from "../release";
import { account } from "./account";
import { dnsRecord } from "./dns";
import { host } from "./host";
import { room, space } from "./room";
import { verification } from "./verification";

/** Every resource type of the provider, by type token. */
export const resources: Record<string, Resource> = {
  "hearth-host:index:Host": host,
  "hearth-host:index:Release": release,
  "hearth-host:index:Account": account,
  "hearth-host:index:Space": space,
  "hearth-host:index:Room": room,
  "hearth-host:index:Verification": verification,
  "hearth-host:index:DnsRecord": dnsRecord,
};
