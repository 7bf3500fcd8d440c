import { dnsRecord } from "./dynu";
import { host } from "./machine/host";
import { release } from "./machine/release";
import { account } from "./matrix/account";
import { room, space } from "./matrix/room";
import { verification } from "./matrix/verification";
import type { Resource } from "./protocol/resource";

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
