/** One call of a recorded change: the journal's state at that time, and its arguments. */
export interface Written {
  state: string;
  call: string;
}

interface Move {
  at: number;
  from: string;
  to: string;
}

/**
 * The faults that a loss of power could cause in a recorded change: a name is on the disk before its content, a name is not on
 * the disk when the next step needs it, the journal is written too late or stays too long.
 */
export function orderFaults(calls: readonly Written[]): string[] {
  return [...contents(calls), ...folders(calls), ...journal(calls), ...records(calls)];
}

/** Every file is on the disk before it replaces another. Links have no content; environments were synced as a whole. */
function contents(calls: readonly Written[]): string[] {
  const linked = new Set(
    calls
      .filter(({ call }) => call.startsWith("cp ") && call.includes("/stage/link."))
      .map(({ call }) => last(call)),
  );
  const all = moves(calls);
  return all
    .filter(({ from }) => !linked.has(from))
    .filter(({ at, from }) => {
      // A name is used several times: only calls after the last file of that name count.
      const earlier = all.findLast((other) => other.from === from && other.at < at)?.at ?? 0;
      return !calls.slice(earlier, at).some(({ call }) => syncs(call, from));
    })
    .map(({ from, to }) => `${from} is not on the disk when it becomes ${to}`);
}

/** The new name is on the disk before the journal's next state; the name of a record before any other call. */
function folders(calls: readonly Written[]): string[] {
  return moves(calls).flatMap(({ at, from, to }) => {
    const later = calls.slice(at + 1);
    const synced = later.findIndex(({ call }) => syncs(call, to.slice(0, to.lastIndexOf("/"))));
    const next = later.findIndex(({ call }) => call.startsWith("cat >") && call.endsWith("/journal.new"));
    const latest = from.endsWith(".hearth-new") ? next : 1;
    return synced < 0 || (latest >= 0 && synced >= latest) ? [`the name ${to} may not be on the disk`] : [];
  });
}

/** Nothing is replaced or switched before the state `swapping` is on the disk; the files that recovery uses are there before it. */
function journal(calls: readonly Written[]): string[] {
  const faults: string[] = [];
  const written = moves(calls).filter(({ to }) => to.endsWith("/journal"));
  for (const { at, to } of written) {
    const state = to.slice(0, to.lastIndexOf("/"));
    if (!syncs(calls[at + 1]?.call ?? "", state))
      faults.push("the journal's name is not on the disk at once");
    const before = calls.slice(0, at).map(({ call }) => call);
    const whole = before.findLastIndex(
      (call) => call.startsWith("sync -f") && call.includes(`${state}/apply/`),
    );
    const touched = before.findLastIndex(
      (call) => call.includes(`${state}/apply/`) && !call.startsWith("sync"),
    );
    if (whole < touched) faults.push(`the journal is written before ${before[touched]} is on the disk`);
  }
  for (const { state, call } of calls) {
    const acts = call.startsWith("mv ") && call.includes(".hearth-new ") && !call.includes("/secrets/");
    const switches = /^systemctl (--user )?(start|stop|restart|reload|enable|disable) /.test(call);
    if ((acts || switches) && state !== "swapping") faults.push(`${call} while the journal says ${state}`);
  }
  if (written.length !== 3) faults.push(`the journal is written ${written.length} times`);
  return faults;
}

/** Records: all content, then the manifest, then the meta; then the journal is removed, then the files that it needed. */
function records(calls: readonly Written[]): string[] {
  const names = calls.map(({ call }) => call);
  const order = [
    names.findIndex((call) => call.startsWith("mv ") && call.endsWith("/request")),
    names.findIndex((call) => call.startsWith("sync -f") && call.includes("/releases/")),
    names.findIndex((call) => call.startsWith("mv ") && call.endsWith("/manifest")),
    names.findIndex((call) => call.startsWith("mv ") && call.endsWith("/meta")),
    names.findLastIndex((call) => call.startsWith("sync ") && call.includes("/releases/")),
    names.findIndex((call) => call.startsWith("rm ") && call.endsWith("/journal")),
    names.findIndex((call) => call.startsWith("rm -r") && /\/apply\/[^ ]*\/lib/.test(call)),
  ];
  const sorted = order.every((at, index) => at >= 0 && (index === 0 || at > (order[index - 1] ?? 0)));
  const journalGone = order[5] ?? 0;
  const faults = sorted ? [] : [`the records are written in the order ${order.join(", ")}`];
  const state = names[journalGone]?.replace(/^.* (.*)\/journal$/, "$1") ?? "";
  if (!syncs(names[journalGone + 1] ?? "", state))
    faults.push("the journal may come back after what it needs is gone");
  return faults;
}

/** Renames of new files to their final paths. */
function moves(calls: readonly Written[]): Move[] {
  return calls.flatMap(({ call }, at) => {
    if (!call.startsWith("mv ")) return [];
    const [from = "", to = ""] = call.split(" ").slice(-2);
    const isNew =
      from.endsWith(".hearth-new") || /\/(journal|manifest|meta|identity|originals|files)\.new$/.test(from);
    return isNew ? [{ at, from, to }] : [];
  });
}

const last = (call: string): string => call.slice(call.lastIndexOf(" ") + 1);

/** Whether that call is a sync of that path itself. */
const syncs = (call: string, path: string): boolean =>
  call.startsWith("sync ") && call.split(" ").includes(path);
