import type { Timer } from "./container";
import { NAME, type Option, render, safe, text } from "./unit";

/** A timer for the job of the same name: an ordinary systemd unit. */
export function renderTimer(timer: Timer): string {
  return render("starts a job", [
    ["Unit", [["Description", text(timer.description)]]],
    [
      "Timer",
      [
        ...timesOf(timer.when),
        ["RandomizedDelaySec", timer.randomDelaySeconds],
        ["Unit", `${safe(timer.name, NAME)}.service`],
      ],
    ],
    ["Install", [["WantedBy", "timers.target"]]],
  ]);
}

function timesOf(when: Timer["when"]): Option[] {
  if ("calendar" in when) {
    return [
      ["OnCalendar", text(when.calendar)],
      ["Persistent", true],
    ];
  }
  return [
    ["OnBootSec", when.bootSeconds],
    ...(when.everySeconds === undefined ? [] : ([["OnUnitInactiveSec", when.everySeconds]] as const)),
  ];
}
