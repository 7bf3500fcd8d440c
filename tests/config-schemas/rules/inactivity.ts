import { CONTAINED } from "./maintenance";
import type { Row } from "./row";

const retention = (change: object) => ({ ...CONTAINED.homeserver, retention: change });
const bot = (change: object) => ({ host: "vps", window: "14d", ...change });

export const INACTIVITY: Row[] = [
  {
    rule: "silence can be proved for the whole window",
    good: { ...CONTAINED, homeserver: retention({ maxLifetime: "14d" }), inactivity: bot({ window: "2w" }) },
    bad: {
      ...CONTAINED,
      homeserver: retention({ maxLifetime: "30d", allowedMax: "14d" }),
      inactivity: bot({ window: "15d" }),
    },
    says: [
      "hearth:inactivity.window: is 15d, but messages are kept for 14d only: for a longer time silence cannot be proved | write `window: 14d` or less, or raise hearth:homeserver.retention.maxLifetime",
    ],
  },
  {
    rule: "a holiday is not inactivity",
    good: { ...CONTAINED, inactivity: bot({ window: "7d" }) },
    bad: { ...CONTAINED, inactivity: bot({ window: "167h" }) },
    says: [
      "hearth:inactivity.window: is 167h, so short that a week of absence would count as inactivity | write at least `window: 7d`",
    ],
  },
  {
    rule: "the bot watches rooms of the stack",
    good: {
      ...CONTAINED,
      rooms: { spaces: { home: { name: "Home" } }, rooms: { main: { name: "Main" } } },
      inactivity: bot({ rooms: ["main", "home"] }),
    },
    bad: {
      ...CONTAINED,
      rooms: { rooms: { main: { name: "Main" } } },
      inactivity: bot({ rooms: ["mian", "main"] }),
    },
    says: ["hearth:inactivity.rooms[0]: is mian, which is not under hearth:rooms | did you mean main?"],
  },
];
