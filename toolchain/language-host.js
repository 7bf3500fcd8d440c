// A Node language host for an engine that was built from its Go module, which comes without one. The vendor's releases
// bring their own, and then this one is not used. It answers the engine's LanguageRuntime service and runs the program
// with `@pulumi/pulumi/cmd/run`, honouring the runtime options `typescript`, `tsconfig` and `nodeargs`.
const { spawn } = require("node:child_process");
const grpc = require("@grpc/grpc-js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb");
const { LanguageRuntimeService } = require("@pulumi/pulumi/proto/language_grpc_pb");
const language = require("@pulumi/pulumi/proto/language_pb");
const { PluginInfo } = require("@pulumi/pulumi/proto/plugin_pb");

/** The program's exit code after it has shown its error itself; the engine then adds nothing. */
const bailed = 32;
const engine = process.argv.at(-1);
const programs = new Set();

const answers = {
  handshake: () => new language.LanguageHandshakeResponse(),
  // Plugins are found when a resource first needs them, so nothing is required up front.
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

/** Runs the program to its end; the answer says how it ended. */
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
      // As the vendor's: left out, not "false".
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

/** `pulumi install`: the Node packages are already there, because the toolchain comes before the engine. */
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

/** Splits `nodeargs` at blanks, as a shell would with quotes around a part that has blanks in it. */
function splitArguments(text = "") {
  return (text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((part) =>
    part.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
  );
}

/** Leaves, with the program first. The engine interrupts its plugins when it is done and waits for them to go. */
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
// The engine holds our stdin open for as long as it lives: its end is the only word we get when the engine is killed.
process.stdin.on("end", leave).on("error", leave).resume();
