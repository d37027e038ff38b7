type Attributes = Readonly<Record<string, string | number>>;

/** An element as text; attributes that are empty are left out, numbers have two decimals at most. */
export function element(name: string, attributes: Attributes, ...inner: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => ` ${key}="${escaped(typeof value === 'number' ? rounded(value) : value)}"`)
    .join('');
  const content = inner.filter((each) => each !== '');
  if (content.length === 0) return `<${name}${written}/>`;
  // Only what holds other elements goes over several lines.
  const body = content.some((each) => each.startsWith('<')) ? `\n${content.join('\n')}\n` : content.join('');
  return `<${name}${written}>${body}</${name}>`;
}

export const text = (content: string, attributes: Attributes): string =>
  content === '' ? '' : element('text', attributes, escaped(content));

const rounded = (value: number): string => String(Math.round(value * 100) / 100);

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** What XML cannot hold at all is left out. */
export const escaped = (raw: string): string =>
  raw.replace(/[&<>"]/g, (character) => ENTITIES[character] as string).replace(CONTROLS, '');
const CONTROLS = /(?![\t\n\r])\p{Cc}/gu;
