import { z } from "zod";

/** A leaky bucket: `burst` actions at once, then `perSecond` on average. */
function bucket(what: string, perSecond: number, burst: number) {
  return z
    .strictObject({
      perSecond: z
        .number()
        .positive()
        .meta({ description: `${what}: actions per second in the long run.`, examples: [perSecond] }),
      burst: z
        .int()
        .min(1)
        .meta({ description: `${what}: actions at once.`, examples: [burst] }),
    })
    .optional()
    .meta({
      description: `${what}. Absent: Synapse's own limit, ${perSecond} per second after a burst of ${burst}.`,
    });
}

const federationSchema = z
  .strictObject({
    window: z
      .string()
      .regex(/^[1-9][0-9]{0,6}ms$/, "milliseconds, e.g. 1000ms")
      .default("1000ms")
      .meta({ description: "Time over which requests of one server are counted.", examples: ["1000ms"] }),
    sleepLimit: z
      .int()
      .min(1)
      .default(10)
      .meta({ description: "Requests per window before answers are slowed down." }),
    sleepDelay: z
      .string()
      .regex(/^[1-9][0-9]{0,6}ms$/, "milliseconds, e.g. 500ms")
      .default("500ms")
      .meta({ description: "How long a slowed answer waits.", examples: ["500ms"] }),
    rejectLimit: z
      .int()
      .min(1)
      .default(50)
      .meta({ description: "Slowed requests of one server waiting at once before more are rejected." }),
    concurrent: z.int().min(1).default(3).meta({ description: "Requests of one server worked on at once." }),
  })
  .optional()
  .meta({ description: "Requests from other servers, per server. Absent: Synapse's own limits." });

/** Every rate limit of Synapse in its real shape. */
export const rateLimitsSchema = z.strictObject({
  message: bucket("Messages sent by one user", 0.2, 10),
  adminRedaction: bucket("Redactions by room admins", 1, 50),
  registration: bucket("Registrations from one address", 0.17, 3),
  registrationTokenValidity: bucket(
    "Questions from one address whether a registration token is valid",
    0.1,
    5,
  ),
  thirdPartyIdValidation: bucket("Validations of an email address or phone number", 0.003, 5),
  login: z
    .strictObject({
      address: bucket("Logins from one address", 0.003, 5),
      account: bucket("Logins to one account", 0.003, 5),
      failedAttempts: bucket("Failed logins to one account", 0.17, 3),
    })
    .optional()
    .meta({ description: "Logins." }),
  joins: z
    .strictObject({
      local: bucket("Joins to rooms this server is in, per user", 0.1, 10),
      remote: bucket("Joins to rooms through another server, per user", 0.01, 10),
    })
    .optional()
    .meta({ description: "Joins to rooms." }),
  joinsPerRoom: bucket("Joins to one room", 1, 10),
  roomCreation: bucket("Rooms made by one user", 0.016, 10),
  invites: z
    .strictObject({
      perRoom: bucket("Invites to one room", 0.3, 10),
      perUser: bucket("Invites received by one user", 0.003, 5),
      perIssuer: bucket("Invites sent by one user", 0.3, 10),
    })
    .optional()
    .meta({ description: "Invites to rooms." }),
  thirdPartyInvite: bucket("Invites by email address or phone number, per user", 0.0025, 5),
  mediaCreate: bucket("Uploads begun by one user", 10, 50),
  reports: bucket("Reports by one user", 1, 5),
  userDirectory: bucket("Searches of the user directory by one user", 0.016, 200),
  delayedEvents: bucket("Changes to delayed events by one user", 1, 5),
  presencePerUser: bucket("Presence updates by one user", 0.1, 1),
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
