/** WGS-84, which a browser's GPS gives, to GCJ-02, which Chinese maps and WeChat use; they differ by half a kilometre. */
export function toGcj02(lat: number, lng: number): { lat: number; lng: number } {
  const outside = lng < 72.004 || lng > 137.8347 || lat < 0.8293 || lat > 55.8271
  if (outside) return { lat, lng }
  const A = 6378245
  const EE = 0.00669342162296594323
  const x = lng - 105
  const y = lat - 35
  const { PI, sin, cos, sqrt, abs } = Math
  const waves = (20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * (2 / 3)
  let dLat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
  dLat += ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3 + ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3
  let dLng = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
  dLng += ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3 + ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3
  const radians = (lat / 180) * PI
  const magic = 1 - EE * sin(radians) ** 2
  dLat = (dLat * 180) / (((A * (1 - EE)) / (magic * sqrt(magic))) * PI)
  dLng = (dLng * 180) / ((A / sqrt(magic)) * cos(radians) * PI)
  return { lat: lat + dLat, lng: lng + dLng }
}
