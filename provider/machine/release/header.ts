/**
 * The engine decodes text that looks like YAML or JSON and then prints the whole document for one changed line. A first line
 * that is neither makes it print a plain line diff. Check puts it before the content, it never reaches the host.
 */
function header(path: string): string {
  return `=== ${path}\n`;
}

/** The content as it stands in state and diffs; one that has the line already stays as it is. */
export function withHeader(path: string, content: string): string {
  return content.startsWith(header(path)) ? content : header(path) + content;
}

/** The content as it is on the host. */
export function withoutHeader(path: string, content: string): string {
  return content.startsWith(header(path)) ? content.slice(header(path).length) : content;
}
