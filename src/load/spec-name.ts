/** A spec is bundled, or a file with its path. */
export const isPath = (spec: string): boolean => /[/\\.]/.test(spec);
