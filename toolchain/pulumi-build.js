// Builds the engine from its Go module if the vendor's releases cannot be reached.
const path = require("node:path");
const { run } = require("./process");
const { step } = require("./progress");
const { atLeast, pinned } = require("./versions");

/** From this version on, a Go that is too old for the module fetches the required toolchain by itself. */
const oldestGo = "1.21.0";
const source = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
// Without symbol tables the program is a third smaller.
const stamp = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pinned}`;

/**
 * Builds `<staging>/bin/pulumi`: about three minutes on two cores. `pulumi-build/` pins every module by checksum; Go caches
 * downloads and compiled packages, so the next run continues an interrupted build.
 * Returns false, with the reason added, when Go is missing or the build fails.
 */
async function build(staging, reasons) {
  const version = await run("go", ["version"], { timeout: 20000 }).catch(() => "");
  if (!atLeast(version, oldestGo)) {
    reasons.push(
      version
        ? `build: ${version.trim()} is too old; ${oldestGo} or newer is needed`
        : "build: no program named go on PATH",
    );
    return false;
  }
  try {
    await step(`Building Pulumi ${pinned} from source (about 3 minutes, once)`, (note) =>
      run(
        "go",
        [
          "build",
          "-mod=readonly",
          "-buildvcs=false",
          "-tags",
          "osusergo grpcnotrace",
          "-ldflags",
          stamp,
          "-o",
          path.join(staging, "bin", "pulumi"),
          source,
        ],
        {
          cwd: path.join(__dirname, "pulumi-build"),
          env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
          onLine: note,
        },
      ),
    );
    return true;
  } catch (error) {
    reasons.push(`build: ${error.message}`);
    return false;
  }
}

module.exports = { build };
