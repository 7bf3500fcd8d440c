import { z } from "zod";
import { duration, hostName } from "../language/common";

const NAMES = "minutely|hourly|daily|weekly|monthly|quarterly|semiannually|yearly";
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const DAYS = `${DAY}(?:(?:,|\\.\\.)${DAY})*`;
const RANGE = "\\d+(?:\\.\\.\\d+)?(?:/\\d+)?";
const PART = `(?:\\*(?:/\\d+)?|${RANGE}(?:,${RANGE})*)`;
const DATE = `(?:${PART}-)?${PART}[-~]${PART}`;
const TIME = `${PART}:${PART}(?::${PART})?`;

/** A calendar expression of systemd; systemd on the host checks its numbers. */
export const calendar = z
  .string()
  .regex(
    new RegExp(`^(?:${NAMES}|(?:${DAYS} )?(?:${DATE}|${TIME}|${DATE} ${TIME})|${DAYS})$`),
    "a calendar expression of systemd, e.g. monthly, Sat 04:00 or *-*-15 03:30",
  )
  .meta({ title: "calendar expression" });

/** Purging after downtime, and a monthly cleaning. */
export const maintenanceSchema = z.strictObject({
  host: hostName.meta({ description: "Host that runs it.", examples: ["home"] }),
  schedule: calendar.default("monthly").meta({
    description:
      "When the cleaning runs. A run that the host missed while it was off starts after the next boot. (For purging see `homeserver.retention.purgeInterval`.)",
    examples: ["Sun 05:00"],
  }),
  remoteMedia: duration.optional().meta({
    description:
      "The cleaning deletes media of other servers this long after their last access. Absent: only `homeserver.media.remoteLifetime` applies.",
    examples: ["90d"],
  }),
});

export type MaintenanceConfig = z.output<typeof maintenanceSchema>;

/** Local part of the account for purging and the cleaning. */
export const MAINTENANCE_ACCOUNT = "hearth-maintenance";
