import { z } from "zod";

/**
 * A leaky bucket: `burst` actions at once, then `perSecond` on average.
 * @param absent the limit when the key is absent
 */
function rate(
  what: string,
  perSecond: number,
  burst: number,
  absent = `${perSecond} per second, ${burst} at once`,
) {
  return z
    .strictObject({
      perSecond: z
        .number()
        .positive()
        .meta({ description: "Actions per second on average.", examples: [perSecond] }),
      burst: z
        .int()
        .min(1)
        .meta({ description: "Actions at once.", examples: [burst] }),
    })
    .optional()
    .meta({ title: "rate", description: `${what}. Absent: ${absent}.` });
}

const milliseconds = z
  .string()
  .regex(/^[1-9][0-9]{0,6}ms$/, "a number of milliseconds from 1ms to 9999999ms, e.g. 500ms")
  .meta({ title: "milliseconds" });

const federationSchema = z
  .strictObject({
    window: milliseconds
      .default("1000ms")
      .meta({ description: "Time over which requests of one server are counted.", examples: ["1000ms"] }),
    sleepLimit: z
      .int()
      .min(1)
      .default(10)
      .meta({ description: "Requests per window before Synapse delays answers." }),
    sleepDelay: milliseconds
      .default("500ms")
      .meta({ description: "How long a delayed answer waits.", examples: ["500ms"] }),
    rejectLimit: z
      .int()
      .min(1)
      .default(50)
      .meta({ description: "Delayed requests of one server that may wait at once; Synapse rejects more." }),
    concurrent: z
      .int()
      .min(1)
      .default(3)
      .meta({ description: "Requests of one server that Synapse handles at once." }),
  })
  .optional()
  .meta({ description: "Requests from other servers, per server. Absent: Synapse's own limits." });

/** Every rate limit of Synapse in the shape that Synapse has. */
export const rateLimitsSchema = z.strictObject({
  message: rate("Messages sent by one user", 0.2, 10),
  adminRedaction: rate("Redactions by room admins", 1, 50, "as `message`"),
  registration: rate("Registrations from one address", 0.17, 3),
  registrationTokenValidity: rate("Checks of registration tokens from one address", 0.1, 5),
  thirdPartyIdValidation: rate("Validations of an email address or phone number", 0.003, 5),
  login: z
    .strictObject({
      address: rate("Logins from one address", 0.003, 5),
      account: rate("Logins to one account", 0.003, 5),
      failedAttempts: rate("Failed logins to one account", 0.17, 3),
    })
    .optional()
    .meta({ description: "Logins." }),
  joins: z
    .strictObject({
      local: rate("Joins to rooms that this server is in, per user", 0.1, 10),
      remote: rate("Joins to rooms through another server, per user", 0.01, 10),
    })
    .optional()
    .meta({ description: "Joins to rooms." }),
  joinsPerRoom: rate("Joins to one room", 1, 10),
  roomCreation: rate("Rooms created by one user", 0.016, 10),
  invites: z
    .strictObject({
      perRoom: rate("Invites to one room", 0.3, 10),
      perUser: rate("Invites received by one user", 0.003, 5),
      perIssuer: rate("Invites sent by one user", 0.3, 10),
    })
    .optional()
    .meta({ description: "Invites to rooms." }),
  thirdPartyInvite: rate("Invites by email address or phone number, per user", 0.0025, 5),
  mediaCreate: rate("Uploads started by one user", 10, 50),
  reports: rate("Reports by one user", 1, 5),
  userDirectory: rate("Searches of the user directory by one user", 0.016, 200),
  delayedEvents: rate("Changes to delayed events by one user", 1, 5),
  presencePerUser: rate("Presence updates by one user", 0.1, 1),
  federation: federationSchema,
  federationTransactionsPerRoom: z
    .int()
    .min(1)
    .optional()
    .meta({
      description: "Read receipts sent per second and room to other servers. Absent: 50.",
      examples: [50],
    }),
});

export type RateLimits = z.output<typeof rateLimitsSchema>;
