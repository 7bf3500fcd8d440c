// Steps that take time, shown on stderr with their elapsed time; stdout stays free for results.

const seconds = (since) => `${Math.round((Date.now() - since) / 1000)} s`;

/**
 * Runs one named step. On a terminal one line shows the time; otherwise there is a line at the start, one every
 * 15 seconds and one at the end, so that a log shows progress.
 * @param {string} title description of the step for the user
 * @param {(note: (text: string) => void) => Promise<T>} work gets `note`, which sets the detail next to the time
 * @returns {Promise<T>}
 * @template T
 */
async function step(title, work) {
  const started = Date.now();
  const terminal = process.stderr.isTTY === true;
  let detail = "";
  const show = () => {
    const line = `${title}: ${seconds(started)}${detail && ` (${detail})`}`;
    if (terminal) process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
    else process.stderr.write(`${line}\n`);
  };
  if (terminal) show();
  else process.stderr.write(`${title} ...\n`);
  const timer = setInterval(show, terminal ? 1000 : 15000);
  const clear = () => {
    clearInterval(timer);
    if (terminal) process.stderr.write("\r\x1b[K");
  };
  try {
    const result = await work((text) => {
      detail = text;
    });
    clear();
    process.stderr.write(`${title}: done in ${seconds(started)}\n`);
    return result;
  } catch (error) {
    clear();
    process.stderr.write(`${title}: failed after ${seconds(started)}\n`);
    throw error;
  }
}

module.exports = { step };
