/** A field of something that may not even be an object. */
export function field(value         , name        )          {
  if (typeof value !== 'object' || value === null) return undefined;
  const found          = Reflect.get(value, name);
  return found;
}

/** A string that is not empty. */
export function text(value         , name        )                     {
  const found = field(value, name);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** A number that is not negative. */
export function amount(value         , name        )                     {
  const found = field(value, name);
  return typeof found === 'number' && Number.isFinite(found) && found >= 0 ? found : undefined;
}

/** The entries of a list; none where it is none. */
export function list(value         , name        )                     {
  const found = field(value, name);
  return Array.isArray(found) ? found : [];
}
