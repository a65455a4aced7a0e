/**
 * Orders well-formed strings by code point, which is also the order of their UTF-8 bytes. JavaScript's own `<` compares
 * UTF-16 units and puts U+10000 and above (surrogates D800 to DFFF) before U+E000 to U+FFFF.
 */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Moves surrogates above all other units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** True when every surrogate is half of a pair, so that the string has a UTF-8 form. */
export function isWellFormed(text: string): boolean {
  // With the u flag, a pair is one code point; only lone halves are of the category Surrogate.
  return !/\p{Surrogate}/u.test(text);
}
