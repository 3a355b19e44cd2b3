/** What the page shows of a document that came `at`, within bounds; null if it is no earthquake. */
export function read(data, at) {
  const { magnitude, longitude, latitude, depth_km: depth, place } = data ?? {};
  const isIn = (value, low, high) => Number.isFinite(value) && value >= low && value <= high;
  if (!isIn(longitude, -180, 180) || !isIn(latitude, -90, 90)) return null;
  return {
    longitude,
    latitude,
    magnitude: isIn(magnitude, -5, 12) ? magnitude : 0,
    depth: isIn(depth, -10, 1000) ? depth : 0,
    place: typeof place === "string" ? place.slice(0, 120) : "somewhere",
    // Not when the earth shook, in 2018: what is looked at is the mesh.
    at,
  };
}
