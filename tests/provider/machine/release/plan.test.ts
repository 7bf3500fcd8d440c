import { planLine } from "../../../../provider/machine/release/plan";
import { isObject, type Properties } from "../../../../provider/protocol/values";
import { checkedSample } from "./sample";

const checked = checkedSample();

function changed(change: (maps: Record<string, Properties>, inputs: Properties) => void): Properties {
  const inputs = structuredClone(checked);
  const maps = Object.fromEntries(
    Object.entries(inputs).filter((entry): entry is [string, Properties] => isObject(entry[1])),
  );
  change(maps, inputs);
  return inputs;
}

const unit = (state: string) => ({
  enabled: true,
  state,
  restartOn: ["/etc/web/main.yaml", "environment:/opt/web/1", "revision:certificates", "task:role"],
  reloadOn: ["/etc/web/given"],
});

test.each<[string, Properties, Properties, string]>([
  ["nothing", checked, checked, "will restart nothing"],
  [
    "on an empty host",
    {},
    checked,
    "will install curl 8.14.1-2, nginx; build /opt/web/1; enable web.service; start web.service",
  ],
  [
    "a file that the unit names",
    changed(({ files }) => (files!["/etc/web/main.yaml"] = { content: "old" })),
    checked,
    "will restart web.service",
  ],
  [
    "the unit's own file",
    changed(({ files }) => delete files!["/etc/systemd/system/web.service"]),
    checked,
    "will restart web.service",
  ],
  [
    "a drop-in of the unit",
    checked,
    changed(({ files }) => (files!["/etc/systemd/system/web.service.d/limits.conf"] = { content: "x" })),
    "will restart web.service",
  ],
  [
    "a file that nobody names",
    checked,
    changed(({ files }) => (files!["/etc/motd.d/x"] = { content: "x" })),
    "will restart nothing",
  ],
  [
    "a revision",
    checked,
    changed(({ revisions }) => (revisions!.certificates = "two")),
    "will restart web.service",
  ],
  [
    "a given secret",
    checked,
    changed(({ secrets }) => delete secrets!["/etc/web/given"]),
    "will restart nothing",
  ],
  [
    "a given secret that was deleted",
    changed(({ secrets }) => delete secrets!["/etc/web/given"]),
    checked,
    "will reload web.service",
  ],
  [
    "a unit that another one's connections depend on",
    changed(({ files }) => (files!["/etc/web/main.yaml"] = { content: "old" })),
    changed(({ units }) => (units!["web.service"] = { ...unit("running"), along: ["app.service"] })),
    "will restart app.service, web.service",
  ],
  [
    "a unit that is only reloaded leaves the others alone",
    changed(({ secrets }) => delete secrets!["/etc/web/given"]),
    changed(({ units }) => (units!["web.service"] = { ...unit("running"), along: ["app.service"] })),
    "will reload web.service",
  ],
  [
    "a stopped unit",
    changed(({ units }) => (units!["web.service"] = unit("stopped"))),
    checked,
    "will start web.service",
  ],
  [
    "a unit to be stopped",
    checked,
    changed(({ units }) => (units!["web.service"] = unit("stopped"))),
    "will stop web.service",
  ],
  [
    "a unit that is no longer named",
    checked,
    changed(({ units }) => delete units!["web.service"]),
    "will stop web.service; disable web.service",
  ],
  [
    "a missing package restarts what runs",
    changed(({ packages }) => delete packages!.nginx),
    checked,
    "will install nginx; restart web.service",
  ],
  [
    "another version",
    changed(({ packages }) => (packages!.curl = "7.0")),
    checked,
    "will change curl from 7.0 to 8.14.1-2; restart web.service",
  ],
  [
    "a task",
    changed(({ tasks }) => (tasks!.role = { want: "missing" })),
    checked,
    "will restart web.service",
  ],
])("[A2] the plan names what restarts, no more and no less: %s", (_what, olds, news, line) => {
  expect(planLine(olds, news)).toBe(line);
});
