// Pulumi takes the stack of each promise and each resource, as `new Error()` without a message, and shows none of them. To name the
// lines of the source in those took a tenth of a preview's time, so only other errors get them.

/** To be called when something has set `Error.prepareStackTrace` that names the lines of the source. */
function nameLinesOfShownErrors() {
  const mapped = Error.prepareStackTrace;
  Error.prepareStackTrace = (error, frames) =>
    error.message === ""
      ? `${error}${frames.map((frame) => `\n    at ${frame}`).join("")}`
      : mapped(error, frames);
}

module.exports = { nameLinesOfShownErrors };
