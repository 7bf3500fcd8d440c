// A Node language host for an engine that was built from its Go module, which has none. The vendor's releases
// contain their own, and then this one is not used. It serves the engine's LanguageRuntime service and runs the program
// with `@pulumi/pulumi/cmd/run`, and supports the runtime options `typescript`, `tsconfig` and `nodeargs`.
const { spawn } = require("node:child_process");
const grpc = require("@grpc/grpc-js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb");
const { LanguageRuntimeService } = require("@pulumi/pulumi/proto/language_grpc_pb");
const language = require("@pulumi/pulumi/proto/language_pb");
const { PluginInfo } = require("@pulumi/pulumi/proto/plugin_pb");

/** The program's exit code if it has already shown its error; the engine then adds nothing. */
const bailed = 32;
const engine = process.argv.at(-1);
const programs = new Set();

const answers = {
  handshake: () => new language.LanguageHandshakeResponse(),
  // The engine finds plugins when a resource first needs them, so nothing is required at the start.
  getRequiredPlugins: () => new language.GetRequiredPluginsResponse(),
  getRequiredPackages: () => new language.GetRequiredPackagesResponse(),
  getProgramDependencies: () => new language.GetProgramDependenciesResponse(),
  runtimeOptionsPrompts: () => new language.RuntimeOptionsResponse(),
  getPluginInfo: () => new PluginInfo(),
  about: () => {
    const about = new language.AboutResponse();
    about.setExecutable(process.execPath);
    about.setVersion(process.version);
    return about;
  },
  cancel: () => {
    for (const program of programs) program.kill("SIGINT");
    return new Empty();
  },
};

/** Runs the program until it ends; the answer contains the result. */
function run({ request }, callback) {
  const info = request.getInfo();
  const options = info.getOptions()?.toJavaScript() ?? {};
  const program = spawn(process.execPath, [...splitArguments(options.nodeargs), ...runArguments(request)], {
    cwd: request.getPwd(),
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      // Like the vendor's language host: omitted, not "false".
      ...(options.typescript !== false && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
      ...(options.tsconfig && { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }),
    },
  });
  programs.add(program);
  const answer = new language.RunResponse();
  program.on("error", (error) => {
    programs.delete(program);
    answer.setError(`cannot start ${process.execPath}: ${error.message}`);
    callback(null, answer);
  });
  program.on("exit", (code, signal) => {
    programs.delete(program);
    if (code === bailed) answer.setBail(true);
    else if (code !== 0)
      answer.setError(signal ? `the program was ended by ${signal}` : `the program exited with code ${code}`);
    callback(null, answer);
  });
}

/** `pulumi install`: the Node packages are already there, because the toolchain installs them before the engine starts. */
function installDependencies(call) {
  call.end();
}

function runArguments(request) {
  const info = request.getInfo();
  return [
    require.resolve("@pulumi/pulumi/cmd/run", { paths: [request.getPwd()] }),
    ...["--monitor", request.getMonitorAddress(), "--engine", engine],
    ...[
      "--project",
      request.getProject(),
      "--stack",
      request.getStack(),
      "--organization",
      request.getOrganization(),
    ],
    ...["--root-directory", info.getRootDirectory(), "--pwd", info.getProgramDirectory()],
    ...["--parallel", String(request.getParallel()), "--query-mode", String(request.getQuerymode())],
    ...(request.getDryrun() ? ["--dry-run"] : []),
    info.getEntryPoint(),
    ...request.getArgsList(),
  ];
}

/** Splits `nodeargs` at blanks, except inside quotes, like a shell. */
function splitArguments(text = "") {
  return (text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((part) =>
    part.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
  );
}

/** Ends the program, then this process. The engine interrupts its plugins when it is done and waits until they end. */
function leave() {
  for (const program of programs) program.kill("SIGTERM");
  process.exit(0);
}

const handler = (name) => (_call, callback) => {
  if (answers[name]) callback(null, answers[name]());
  else callback({ code: grpc.status.UNIMPLEMENTED, details: `${name} is not implemented` });
};
const handlers = Object.fromEntries(Object.keys(LanguageRuntimeService).map((name) => [name, handler(name)]));
const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 1024 * 1024 });
server.addService(LanguageRuntimeService, { ...handlers, run, installDependencies });
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
process.on("SIGINT", leave);
process.on("SIGTERM", leave);
// The engine keeps our stdin open while it runs: end of file is the only signal if the engine is killed.
process.stdin.on("end", leave).on("error", leave).resume();
