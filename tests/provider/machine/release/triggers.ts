/** One case of the rule "what restarts what", for the plan and for the host. */
export interface TriggerCase {
  what: string;
  unit: string;
  restartOn?: string[];
  reloadOn?: string[];
  changed: string[];
  verb: "restart" | "reload" | undefined;
}

const WEB = "web.service";
const FILE = "/etc/web/main.yaml";
const SYSTEM = "/etc/systemd/system";
const QUADLET = "/home/alice/.config/containers/systemd";

/** The rule itself. A row that only one side fulfils is a plan that is not true. */
export const TRIGGERS: readonly TriggerCase[] = [
  { what: "nothing changed", unit: WEB, restartOn: [FILE], changed: [], verb: undefined },
  { what: "a file it is started with", unit: WEB, restartOn: [FILE], changed: [FILE], verb: "restart" },
  { what: "a file it reads again", unit: WEB, reloadOn: [FILE], changed: [FILE], verb: "reload" },
  {
    what: "one of each",
    unit: WEB,
    restartOn: ["/a/b"],
    reloadOn: [FILE],
    changed: [FILE, "/a/b"],
    verb: "restart",
  },
  { what: "another file", unit: WEB, restartOn: [FILE], changed: ["/etc/web/other"], verb: undefined },
  {
    what: "a file whose path only begins alike",
    unit: WEB,
    restartOn: [FILE],
    changed: [`${FILE}.d`],
    verb: undefined,
  },
  { what: "a package", unit: WEB, changed: ["package:nginx"], verb: "restart" },
  {
    what: "an image it is started with",
    unit: WEB,
    restartOn: ["image:a/b:1"],
    changed: ["image:a/b:1"],
    verb: "restart",
  },
  {
    what: "another image",
    unit: WEB,
    restartOn: ["image:a/b:1"],
    changed: ["image:a/b:10"],
    verb: undefined,
  },
  {
    what: "a secret of its container",
    unit: WEB,
    reloadOn: ["container-secret:x"],
    changed: ["container-secret:x"],
    verb: "reload",
  },
  { what: "its own file", unit: WEB, changed: [`${SYSTEM}/web.service`], verb: "restart" },
  { what: "another unit's file", unit: WEB, changed: [`${SYSTEM}/webs.service`], verb: undefined },
  {
    what: "a drop-in of its own",
    unit: WEB,
    changed: [`${SYSTEM}/web.service.d/limits.conf`],
    verb: "restart",
  },
  {
    what: "a drop-in of a user's unit",
    unit: WEB,
    changed: ["/home/a/.config/systemd/user/web.service.d/x.conf"],
    verb: "restart",
  },
  { what: "its template", unit: "web@one.service", changed: [`${SYSTEM}/web@.service`], verb: "restart" },
  {
    what: "a drop-in of its template",
    unit: "web@one.service",
    changed: [`${SYSTEM}/web@.service.d/x.conf`],
    verb: "restart",
  },
  {
    what: "another instance",
    unit: "web@one.service",
    changed: [`${SYSTEM}/web@two.service`],
    verb: undefined,
  },
  { what: "a file of its name elsewhere", unit: WEB, changed: ["/etc/web.service"], verb: undefined },
  { what: "its container", unit: WEB, changed: [`${QUADLET}/web.container`], verb: "restart" },
  {
    what: "the network of its name",
    unit: "web-network.service",
    changed: [`${QUADLET}/web.network`],
    verb: "restart",
  },
  {
    what: "the volume of its name",
    unit: "web-volume.service",
    changed: [`${QUADLET}/web.volume`],
    verb: "restart",
  },
  {
    what: "a container with another's name in its own",
    unit: WEB,
    changed: [`${QUADLET}/web-one.container`],
    verb: undefined,
  },
  {
    what: "a timer",
    unit: "web.timer",
    restartOn: [`${SYSTEM}/web.timer`],
    changed: [`${SYSTEM}/web.timer`],
    verb: "restart",
  },
];

const UNITS = ["web.service", "web@one.service", "web-network.service", "a.timer"];
const SUBJECTS = [
  ...TRIGGERS.flatMap(({ changed, restartOn = [], reloadOn = [] }) => [
    ...changed,
    ...restartOn,
    ...reloadOn,
  ]),
  ...[
    "revision:certificates",
    "task:role",
    "environment:/opt/x/1",
    `${SYSTEM}/a.timer.d/y.conf`,
    "/x/systemd/user/a.timer",
  ],
];

/** Cases that nobody thought of, the same for the same seed; the verb is for one side to say and the other to agree with. */
export function drawnCases(count: number, seed: number): Omit<TriggerCase, "verb">[] {
  let state = seed;
  const below = (limit: number) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * limit);
  };
  const some = () => Array.from({ length: below(3) }, () => SUBJECTS[below(SUBJECTS.length)] ?? "");
  return Array.from({ length: count }, (_, index) => ({
    what: `drawn ${index}`,
    unit: UNITS[below(UNITS.length)] ?? "",
    ...{ restartOn: some(), reloadOn: some(), changed: some() },
  }));
}
