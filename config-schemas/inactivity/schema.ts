import { z } from "zod";
import { duration, hostName, PORT } from "../language/common";
import { calendar } from "../maintenance/schema";

const userId = z
  .string()
  .regex(
    new RegExp(String.raw`^@[^:\s\p{Cc}]+:(?:[a-z0-9-]+\.)+[a-z0-9-]+(?:${PORT})?$`, "u"),
    // YAML takes a bare @ for something of its own.
    'a whole user ID in quotes, its server a DNS name in lower case, e.g. "@bob:example.net"',
  )
  .meta({ title: "user ID" });

/** The bot that finds inactive members. */
export const inactivitySchema = z.strictObject({
  host: hostName.meta({ description: "Host that runs it.", examples: ["home"] }),
  rooms: z
    .union([z.literal("all"), z.array(z.string()).min(1)], {
      error: "all, or a list of keys of hearth:rooms",
    })
    .default("all")
    .meta({
      description:
        "Spaces and rooms of `hearth:rooms` that it watches, by their keys. Who is seen in one of them is active in all.",
      examples: [["main"]],
    }),
  window: duration.meta({
    description:
      "Members without a message, a read receipt or a change of profile for so long are inactive. Not longer than messages are kept.",
    examples: ["14d"],
  }),
  dryRun: z
    .boolean()
    .default(true)
    .meta({ description: "Only report. `false`: remove inactive members from the watched rooms." }),
  schedule: calendar.default("monthly").meta({
    description: "When it runs. A time at which the machine was off is caught up with.",
    examples: ["monthly"],
  }),
  maxRemovals: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .meta({
      description:
        "If more would be removed in one run, or more than half of a room, nobody is: something is wrong with the evidence then.",
      examples: [5],
    }),
  exempt: z
    .array(userId.meta({ description: "A user ID.", examples: ["@bob:example.net"] }))
    .default([])
    .meta({
      description:
        "Members who are never removed. Admins of `hearth:accounts` and members with power not below the bot's never are either.",
    }),
});

export type InactivityConfig = z.output<typeof inactivitySchema>;

/** Local part of the bot's account. */
export const INACTIVITY_ACCOUNT = "hearth-inactivity";
