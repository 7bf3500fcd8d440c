import type { PostgresConfig } from "../../config-schemas/postgres/schema";

type Setting = PostgresConfig["settings"][string];

const is =
  (...values: string[]) =>
  (value: Setting) =>
    values.includes(String(value).trim().toLowerCase());
const OFF = is("off", "false", "no", "0");
/** Durations: -1 turns the setting off. */
const NEVER = is("-1");

/** Settings that write statements or their values into the log, and the values with which they do not. */
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
/** Server messages of these levels contain prepared statements. */
const DEBUG = /^debug/i;
/** Modules that only log statements. */
const MODULES = /\b(auto_explain|pgaudit)\b/;

function logs(name: string, value: Setting): boolean {
  if (name === "log_min_messages") return DEBUG.test(String(value).trim());
  if (/_preload_libraries$/.test(name)) return MODULES.test(String(value));
  if (/^(auto_explain\.log_min_duration|pgaudit\.log)$/.test(name)) return !is("-1", "none")(value);
  return Object.hasOwn(HARMLESS, name) && HARMLESS[name]?.(value) === false;
}

/**
 * Warnings for settings that write statements into Postgres' log. Synapse's statements contain access tokens and
 * password-reset tokens, so a person who reads the log can act as its users.
 */
export function loggedStatements({ settings }: PostgresConfig): string[] {
  return Object.entries(settings)
    .filter(([name, value]) => logs(name, value))
    .map(
      ([name, value]) =>
        `hearth:postgres.settings.${name} is ${JSON.stringify(value)}: Postgres then writes statements or their values into its log, and Synapse's statements contain access tokens of users\n  fix: remove it when you have found what you were looking for; pg_stat_statements shows slow statements without their values`,
    );
}
