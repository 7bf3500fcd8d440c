import { z } from "zod";
import { duration, hostName, PORT } from "../language/common";
import { calendar } from "../maintenance/schema";

const userId = z
  .string()
  .regex(
    new RegExp(String.raw`^@[^:\s\p{Cc}]+:(?:[a-z0-9-]+\.)+[a-z0-9-]+(?:${PORT})?$`, "u"),
    // YAML reserves a bare @.
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
        "Spaces and rooms of `hearth:rooms` that the bot watches, by their keys. A member who is active in one of them is active in all.",
      examples: [["main"]],
    }),
  window: duration.meta({
    description:
      "Members without a message, a read receipt or a profile change for this long are inactive. At most the time that messages are kept.",
    examples: ["14d"],
  }),
  dryRun: z
    .boolean()
    .default(true)
    .meta({ description: "`true`: only report. `false`: remove inactive members from the watched rooms." }),
  schedule: calendar.default("monthly").meta({
    description: "When the bot runs. A run that the host missed while it was off starts after the next boot.",
    examples: ["monthly"],
  }),
  maxRemovals: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .meta({
      description:
        "If one run would remove more members, or more than half of a room, it removes nobody, because the evidence is probably wrong.",
      examples: [5],
    }),
  exempt: z
    .array(userId.meta({ description: "A user ID.", examples: ["@bob:example.net"] }))
    .default([])
    .meta({
      description:
        "Members whom the bot never removes. It also never removes admins of `hearth:accounts` and members with at least its own power level.",
    }),
});

export type InactivityConfig = z.output<typeof inactivitySchema>;

/** Local part of the bot's account. */
export const INACTIVITY_ACCOUNT = "hearth-inactivity";
