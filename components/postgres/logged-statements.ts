import type { PostgresConfig } from "../../config-schemas/postgres/schema";

type Setting = PostgresConfig["settings"][string];

const is =
  (...values: string[]) =>
  (value: Setting) =>
    values.includes(String(value).trim().toLowerCase());
const OFF = is("off", "false", "no", "0");
/** Durations: -1 switches off. */
const NEVER = is("-1");

/** Settings that bring statements, or values of them, into the log; for each, which values do not. */
const HARMLESS: Readonly<Record<string, (value: Setting) => boolean>> = {
  log_statement: is("none"),
  log_min_duration_statement: NEVER,
  log_min_duration_sample: NEVER,
  log_transaction_sample_rate: OFF,
  log_min_error_statement: is("panic"),
  log_error_verbosity: is("terse"),
  log_parameter_max_length: is("0"),
  log_parameter_max_length_on_error: is("0"),
  debug_print_parse: OFF,
  debug_print_rewritten: OFF,
  debug_print_plan: OFF,
};
/** Server messages of these levels have the statements that are prepared. */
const DEBUG = /^debug/i;
/** Modules that do nothing else. */
const MODULES = /\b(auto_explain|pgaudit)\b/;

function logs(name: string, value: Setting): boolean {
  if (name === "log_min_messages") return DEBUG.test(String(value).trim());
  if (/_preload_libraries$/.test(name)) return MODULES.test(String(value));
  if (/^(auto_explain\.log_min_duration|pgaudit\.log)$/.test(name)) return !is("-1", "none")(value);
  return Object.hasOwn(HARMLESS, name) && HARMLESS[name]?.(value) === false;
}

/**
 * What to tell the operator about settings that write statements into Postgres' log. Synapse's have access tokens and
 * password-reset tokens in them, so who reads the log can act as its users.
 */
export function loggedStatements({ settings }: PostgresConfig): string[] {
  return Object.entries(settings)
    .filter(([name, value]) => logs(name, value))
    .map(
      ([name, value]) =>
        `hearth:postgres.settings.${name} is ${JSON.stringify(value)}: Postgres then writes statements or their values into its log, and Synapse's hold access tokens of users. fix: remove it when you have seen what you looked for; pg_stat_statements shows slow statements without their values`,
    );
}
