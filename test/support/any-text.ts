import fc from 'fast-check';

/** Any UTF-16 code unit, so halves of surrogate pairs too; every other one of ASCII, where most rules apply. */
const unit = fc
  .oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff }))
  .map((code) => String.fromCharCode(code));

/** Any text. fast-check's own `binary` unit costs every test file that uses it a second and a half. */
export function anyText(constraints: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.string({ ...constraints, unit });
}
