/** The engine that Hearth is tested with; this version is fetched or built if there is none. */
const pinned = "3.259.0";
/** The oldest engine that has everything Hearth uses; Pulumi.yaml's requiredPulumiVersion says the same. */
const oldest = "3.250.0";
/** The release of npm's `pulumi` package that fetches the engine; it installs whichever version PULUMI_VERSION names. */
const wrapper = "3.265.0";
/** The hash of that release's archive, in the registry's own form (`npm view pulumi@VERSION dist.integrity`); it depends on no other package. */
const wrapperIntegrity =
  "sha512-ucJ39xgF3OlLZADNJ6AoHa843jHevkfWfEHu+5TyrXAuuS2OPSO465Tda43KVX8JhogMA6floTJPj3vlR41nng==";

/** The version in the output of `pulumi version` or `go version`, as [major, minor, patch]; undefined if there is none. */
function parse(text) {
  const match = /(?:^|[^\d.])(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

/** Whether a version is the wanted one or newer. A version that cannot be read is not. */
function atLeast(version, wanted) {
  const have = parse(version);
  const want = parse(wanted);
  if (!have) return false;
  for (let i = 0; i < 3; i++) if (have[i] !== want[i]) return have[i] > want[i];
  // 3.250.0-alpha comes before 3.250.0.
  return !/\d-(alpha|beta|rc)/.test(version);
}

module.exports = { pinned, oldest, wrapper, wrapperIntegrity, parse, atLeast };
