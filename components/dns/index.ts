import * as pulumi from "@pulumi/pulumi";
import type { DnsRecordConfig } from "../../config-schemas/dns/schema";
import { parseDuration } from "../../config-schemas/language/common";
import type { DnsModel, DynamicDnsModel } from "../../config-schemas/model";
import { secretOutput } from "../../config-schemas/secret-output";
import { DnsRecord, type DnsRecordInputs, type Release } from "../../provider/sdk";
import { serviceRelease } from "../../runtimes/release";
import type { Homeserver } from "../homeserver";
import { jobHostOf } from "../homeserver/jobs";
import type { Machine } from "../hosts";
import { dynamicDnsSpec, SERVICE } from "./spec";

export interface DnsArgs {
  config: DnsModel;
  machine: Machine;
  /** The client of dynamic DNS runs in its image. */
  homeserver: Pick<Homeserver, "layout">;
}

/** DNS at Dynu: the records of the stack file, and names that follow the host's public address. Stateless. */
export class Dns extends pulumi.ComponentResource {
  /** Release of the client of dynamic DNS; undefined: the stack uses none. */
  readonly release: Release | undefined;
  readonly records: readonly DnsRecord[];

  constructor(name: string, args: DnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:dns:Dns", name, {}, opts);
    const { config } = args;
    const apiKey = secretOutput(config.apiKey);
    this.records = Object.entries(config.records).map(
      ([key, record]) =>
        new DnsRecord(
          `${name}-${key}`,
          { apiUrl: config.apiUrl, apiKey, ...recordInputs(record) },
          { parent: this },
        ),
    );
    this.release = config.dynamic === undefined ? undefined : this.client(name, args, config.dynamic, apiKey);
    this.registerOutputs({});
  }

  private client(
    name: string,
    { config, machine, homeserver }: DnsArgs,
    dynamic: DynamicDnsModel,
    apiKey: pulumi.Output<string>,
  ): Release {
    const { parts } = machine.service(
      (_, host) => dynamicDnsSpec({ dynamic, apiUrl: config.apiUrl, apiKey }, host),
      jobHostOf(homeserver, dynamic),
    );
    return serviceRelease(name, SERVICE, machine, parts, { parent: this, dependsOn: machine.ready });
  }
}

/** A record as the inputs of its resource. */
export function recordInputs(record: DnsRecordConfig): Omit<DnsRecordInputs, "apiUrl" | "apiKey"> {
  const { name, ttl, ...rest } = record;
  return { name, ttl: parseDuration(ttl), enabled: true, data: dataOf(rest) };
}

type Data<R> = R extends unknown ? Omit<R, "name" | "ttl"> : never;

function dataOf(record: Data<DnsRecordConfig>): DnsRecordInputs["data"] {
  switch (record.type) {
    case "A":
    case "AAAA":
      return { kind: record.type, address: record.address };
    case "CNAME":
      return { kind: record.type, target: record.target };
    case "TXT":
      return { kind: record.type, text: record.text };
    case "SRV": {
      const { type: kind, priority, weight, port, target } = record;
      return { kind, priority, weight, port, target };
    }
  }
}
