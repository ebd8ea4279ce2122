import type { Attributes } from '@opentelemetry/api';
import type { OtlpPair, OtlpValue } from './otlp-json.ts';

/** What OTLP's 64-bit integers hold; the exporter sends other whole numbers as doubles. */
const [minInt, afterMaxInt] = [-(2 ** 63), 2 ** 63];

/** Attributes as OTLP/JSON writes them. */
export function toPairs(attributes: Attributes): OtlpPair[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toValue(value) }));
}

/** The attributes that are written so. */
export function fromPairs(pairs: readonly OtlpPair[] = []): Attributes {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, fromValue(value)]));
}

function toValue(value: unknown): OtlpValue {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return toNumber(value);
    case 'object':
      return toStructure(value);
    default:
      return {};
  }
}

function toNumber(value: number): OtlpValue {
  if (Number.isInteger(value) && value >= minInt && value < afterMaxInt) {
    return { intValue: BigInt(value).toString() };
  }
  if (Number.isNaN(value)) return { doubleValue: 'NaN' };
  if (Number.isFinite(value)) return { doubleValue: value };
  return { doubleValue: value > 0 ? 'Infinity' : '-Infinity' };
}

function toStructure(value: object | null): OtlpValue {
  if (value === null) return {};
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toValue) } };
  return { kvlistValue: { values: toPairs({ ...value }) } };
}

function fromValue(value: OtlpValue = {}): unknown {
  const { stringValue, boolValue, intValue, doubleValue, bytesValue, arrayValue, kvlistValue } = value;
  if (stringValue !== undefined) return stringValue;
  if (boolValue !== undefined) return boolValue;
  if (intValue !== undefined) return Number(intValue);
  if (doubleValue !== undefined) return Number(doubleValue);
  if (bytesValue !== undefined) return new Uint8Array(Buffer.from(bytesValue, 'base64'));
  if (arrayValue) return (arrayValue.values ?? []).map((each) => fromValue(each));
  if (kvlistValue) return fromPairs(kvlistValue.values);
  return null;
}
